package dispatch

// An orderedRing is a list whose end is joined to its beginning, at the seam. It
// compares the positions of two members, counted from the seam, in O(1): an order
// maintenance structure.
//
// Each member has a tag, and tags rise from the seam on. When two neighbours have no
// free tag between them, the members around them are spaced out again, over the
// smallest range of tags that is not crowded. That makes an insertion O(log n)
// amortised (Bender et al., Two Simplified Algorithms for Maintaining Order in a
// List, 2002).
type orderedRing struct {
	links []orderedLink // by member
	n     int           // number of members
}

type orderedLink struct {
	prev, next uint32
	tag        int64
}

const maxTag = 1 << 62

// insert puts x before a member, or alone in an empty ring.
func (l *orderedRing) insert(x, before uint32) {
	for int(x) >= len(l.links) {
		l.links = append(l.links, orderedLink{})
	}
	l.n++
	if l.n == 1 {
		l.links[x] = orderedLink{prev: x, next: x, tag: maxTag / 2}
		return
	}
	prev := l.links[before].prev
	if l.room(prev, before) < 2 {
		l.spread(before)
	}
	tag := l.links[before].tag - l.room(prev, before)/2
	l.links[x] = orderedLink{prev: prev, next: before, tag: tag}
	l.links[prev].next, l.links[before].prev = x, x
}

// remove removes x and returns the member after it, or x itself if it was the only one.
func (l *orderedRing) remove(x uint32) (next uint32) {
	k := l.links[x]
	l.links[k.prev].next, l.links[k.next].prev = k.next, k.prev
	l.n--
	return k.next
}

// precedes reports whether x comes before y, counted from the seam.
func (l *orderedRing) precedes(x, y uint32) bool { return l.links[x].tag < l.links[y].tag }

// room returns the distance between the tags of two neighbours; across the seam it is
// the distance from the seam to x.
func (l *orderedRing) room(prev, x uint32) int64 {
	if l.precedes(prev, x) {
		return l.links[x].tag - l.links[prev].tag
	}
	return l.links[x].tag + 1
}

// spread makes room around x. It doubles a range of tags around x until the range of
// 2^i tags has at most 1.5^i members, and then spaces these members evenly.
func (l *orderedRing) spread(x uint32) {
	first, last, members := x, x, int64(1)
	allowed := 1.0
	for size := int64(1); ; size, allowed = 2*size, 1.5*allowed {
		base := l.links[x].tag &^ (size - 1)
		for p := l.links[first].prev; l.precedes(p, first) && l.links[p].tag >= base; p = l.links[p].prev {
			first = p
			members++
		}
		for p := l.links[last].next; l.precedes(last, p) && l.links[p].tag-base < size; p = l.links[p].next {
			last = p
			members++
		}
		if size < 64 || float64(members) > allowed { // 64 tags allow 11 members, with room between them
			continue
		}
		tag, space := base+size/members/2, size/members
		for p := first; members > 0; p, members = l.links[p].next, members-1 {
			l.links[p].tag = tag
			tag += space
		}
		return
	}
}
