package broker

import "harelab/engine/dispatch"

// unsettled is a delivery that a channel has not settled.
type unsettled struct {
	tag   uint64
	queue *Queue // nil once it is settled
	ref   dispatch.Ref

	byGet   bool // by basic.get, not by a consumer
	counted bool // in the channel's limiter, by the channel and not by the queue
}

// unackedList holds the unsettled deliveries of a channel in order of their tags, in
// a ring. Acks mostly come from its front; one from the middle leaves a hole, and
// when holes prevail the ring is packed, so that a message that is never acked holds
// no more than its own place.
type unackedList struct {
	ring  []unsettled // of a length that is a power of two, or none
	first int         // index of the oldest
	n     int         // entries, holes included
	live  int         // entries without holes
}

const firstRing = 8

func (l *unackedList) entry(i int) *unsettled { return &l.ring[(l.first+i)&(len(l.ring)-1)] }

// push adds a delivery, whose tag is greater than all before.
func (l *unackedList) push(u unsettled) {
	if l.n == len(l.ring) {
		l.pack()
	}
	*l.entry(l.n) = u
	l.n++
	l.live++
}

// pack moves what is not a hole into a ring that is at most half full.
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
			// In place, live <= i keeps what is still to be read.
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

// find returns the index of a tag, or of the first greater one if it is not there.
// Tags rise by one, so that without packed holes it is the first place looked at.
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

// take settles one delivery and reports whether it was there.
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

// takeUpTo settles all deliveries up to a tag, which must be there unless it is 0,
// for all. It appends them to dst and reports whether the tag was there.
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

// dropHoles advances the front of the ring to the first that is not a hole.
func (l *unackedList) dropHoles() {
	for l.n > 0 && l.entry(0).queue == nil {
		l.first = (l.first + 1) & (len(l.ring) - 1)
		l.n--
	}
	if l.n == 0 && len(l.ring) > 1024 {
		l.ring, l.first = nil, 0
	}
}

// restore puts back a delivery that was taken. It costs as much as the list is long.
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
