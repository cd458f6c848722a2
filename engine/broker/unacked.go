package broker

import "harelab/engine/dispatch"

// unsettled is a delivery that a channel has not settled.
type unsettled struct {
	tag   uint64
	queue *Queue // nil once it is settled
	ref   dispatch.Ref

	byGet   bool // by basic.get, not to a consumer
	counted bool // byGet, and added to the channel's limiter by countGets
}

// An unackedList holds the unsettled deliveries of a channel in a ring, in order of their
// tags. Most acks take an entry from the front; one from the middle leaves a hole. A full
// ring is packed, so that a message that is never acked holds no more than its own entry.
type unackedList struct {
	ring  []unsettled // its length is a power of two, or 0
	first int         // index of the oldest
	n     int         // number of entries, holes included
	live  int         // number of entries that are not holes
}

const firstRing = 8

func (l *unackedList) entry(i int) *unsettled { return &l.ring[(l.first+i)&(len(l.ring)-1)] }

// push adds a delivery. Its tag is greater than all before.
func (l *unackedList) push(u unsettled) {
	if l.n == len(l.ring) {
		l.pack()
	}
	*l.entry(l.n) = u
	l.n++
	l.live++
}

// pack removes the holes and leaves the ring at most half full.
func (l *unackedList) pack() {
	size := firstRing
	for size < 2*l.live {
		size *= 2
	}
	ring := l.ring
	if size != len(ring) {
		ring = make([]unsettled, size)
	}
	live := 0
	for i := range l.n {
		if e := *l.entry(i); e.queue != nil {
			// In place this overwrites no unread entry, since live <= i.
			if size != len(l.ring) {
				ring[live] = e
			} else {
				*l.entry(live) = e
			}
			live++
		}
	}
	if size != len(l.ring) {
		l.ring, l.first = ring, 0
	}
	l.n = live
}

// find returns the index of a tag, or of the first greater one if the list has no such
// tag. Tags rise by one, so that the first guess is right if no hole was packed.
func (l *unackedList) find(tag uint64) int {
	if l.n == 0 || tag <= l.entry(0).tag {
		return 0
	}
	low, high := 0, l.n
	if d := tag - l.entry(0).tag; d < uint64(l.n) {
		if l.entry(int(d)).tag == tag {
			return int(d)
		}
		high = int(d)
	}
	for low < high {
		mid := int(uint(low+high) / 2)
		if l.entry(mid).tag < tag {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// holds reports whether a delivery is unsettled.
func (l *unackedList) holds(tag uint64) bool {
	i := l.find(tag)
	return i < l.n && l.entry(i).tag == tag && l.entry(i).queue != nil
}

// take removes and returns the delivery with a tag. ok is false if there is none.
func (l *unackedList) take(tag uint64) (u unsettled, ok bool) {
	i := l.find(tag)
	if i == l.n || l.entry(i).tag != tag || l.entry(i).queue == nil {
		return unsettled{}, false
	}
	u = *l.entry(i)
	l.entry(i).queue = nil
	l.live--
	l.dropHoles()
	return u, true
}

// takeUpTo removes all deliveries up to a tag, or all deliveries if the tag is 0, and
// appends them to dst. It reports false, and removes nothing, if the list has no such
// tag.
func (l *unackedList) takeUpTo(tag uint64, dst []unsettled) ([]unsettled, bool) {
	end := l.n
	if tag != 0 {
		end = l.find(tag)
		if end == l.n || l.entry(end).tag != tag || l.entry(end).queue == nil {
			return dst, false
		}
		end++
	}
	for i := range end {
		if e := l.entry(i); e.queue != nil {
			dst = append(dst, *e)
			e.queue = nil
			l.live--
		}
	}
	l.dropHoles()
	return dst, true
}

// dropHoles advances the front of the ring to the first entry that is not a hole. It frees
// a large ring that is empty.
func (l *unackedList) dropHoles() {
	for l.n > 0 && l.entry(0).queue == nil {
		l.first = (l.first + 1) & (len(l.ring) - 1)
		l.n--
	}
	if l.n == 0 && len(l.ring) > 1024 {
		l.ring, l.first = nil, 0
	}
}

// restore puts back a delivery that was taken. Its cost is linear in the list's length.
func (l *unackedList) restore(u unsettled) {
	rest := unackedList{}
	for i := range l.n {
		e := *l.entry(i)
		if u.queue != nil && u.tag <= e.tag {
			rest.push(u)
			u.queue = nil
		}
		if e.queue != nil {
			rest.push(e)
		}
	}
	if u.queue != nil {
		rest.push(u)
	}
	*l = rest
}
