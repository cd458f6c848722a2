package dispatch

// An orderedRing is a list whose end is joined to its beginning, at the seam. It
// tells in O(1) which of two members comes first, counted from the seam: an order
// maintenance structure.
//
// Each member has a tag, and tags rise from the seam on. Where there is none
// left between two neighbours, those around them are spread out again, over the
// least range of tags that is not crowded, which makes an insertion O(log n)
// amortised (Bender et al., Two Simplified Algorithms for Maintaining Order in a
// List, 2002).
type orderedRing struct {
	links []orderedLink // by member
	n     int
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

// remove takes out x and returns the member after it, which is x if there is no
// other.
func (l *orderedRing) remove(x uint32) (next uint32) {
	k := l.links[x]
	l.links[k.prev].next, l.links[k.next].prev = k.next, k.prev
	l.n--
	return k.next
}

// precedes reports whether x comes before y, from the seam on.
func (l *orderedRing) precedes(x, y uint32) bool { return l.links[x].tag < l.links[y].tag }

// room is the distance between the tags of neighbours, or from the seam.
func (l *orderedRing) room(prev, x uint32) int64 {
	if l.precedes(prev, x) {
		return l.links[x].tag - l.links[prev].tag
	}
	return l.links[x].tag + 1
}

// spread makes room around x: it takes larger and larger ranges of tags, until
// one of 2^i has no more than 1.5^i members, and spaces these evenly.
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
		if size < 64 || float64(members) > allowed { // 64 tags: 11 members, with room between them
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
