package dispatch

// leastLoaded gives each message to the eligible consumer, of the best priority
// that has any, with the least load; the earlier subscriber on ties. It is what
// jsq and lwl share.
//
// On the queue's own books the load changes only when the queue says so, and a
// heap finds the least in O(log n). Probes look into workers, whose load
// changes by itself: then the consumers are scanned.
type leastLoaded struct {
	t     *Consumers
	books func(*Consumer) int64                             // load by the queue's books
	exact func(t *Consumers, c ConsumerID, now int64) int64 // load, by the probe if there is one
	heap  []ConsumerID
	place []int32 // by ConsumerID: index in heap plus 1, 0 if not there
}

func (s *leastLoaded) Join(c ConsumerID) {
	for int(c) >= len(s.place) {
		s.place = append(s.place, 0)
	}
	s.Return(c)
}

func (s *leastLoaded) Leave(c ConsumerID) { s.remove(c) }

func (s *leastLoaded) Return(c ConsumerID) {
	s.heap = append(s.heap, c)
	s.up(len(s.heap)-1, c)
}

func (s *leastLoaded) Changed(c ConsumerID, _ int64) {
	if p := s.place[c]; p != 0 {
		s.fix(int(p-1), c)
	}
}

func (s *leastLoaded) Pick(now int64) ConsumerID {
	if s.t.Probed() {
		return s.scan(now)
	}
	for len(s.heap) > 0 {
		c := s.heap[0]
		if s.t.Take(c) {
			return c
		}
		s.remove(c)
		s.t.SetAside(c)
	}
	return NoConsumer
}

// scan looks again if another queue was faster to take the channel's credit,
// which gives a Run when it comes back.
func (s *leastLoaded) scan(now int64) ConsumerID {
	for range s.t.Len() {
		best := NoConsumer
		var load int64
		for c := s.t.First(); c != NoConsumer; c = s.t.After(c) {
			if best != NoConsumer && s.t.At(c).Priority < s.t.At(best).Priority || !s.t.Eligible(c) {
				continue
			}
			l := s.exact(s.t, c, now)
			if best == NoConsumer || s.t.At(c).Priority > s.t.At(best).Priority || l < load {
				best, load = c, l
			}
		}
		if best == NoConsumer || s.t.Take(best) {
			return best
		}
	}
	return NoConsumer
}

func (s *leastLoaded) less(a, b ConsumerID) bool {
	x, y := s.t.At(a), s.t.At(b)
	if x.Priority != y.Priority {
		return x.Priority > y.Priority
	}
	if l, m := s.books(x), s.books(y); l != m {
		return l < m
	}
	return x.since < y.since
}

func (s *leastLoaded) remove(c ConsumerID) {
	p := s.place[c]
	if p == 0 {
		return
	}
	s.place[c] = 0
	n := len(s.heap) - 1
	moved := s.heap[n]
	s.heap = s.heap[:n]
	if moved != c {
		s.fix(int(p-1), moved)
	}
}

// fix puts c, which belongs near i, where it belongs.
func (s *leastLoaded) fix(i int, c ConsumerID) {
	if i > 0 && s.less(c, s.heap[(i-1)/2]) {
		s.up(i, c)
	} else {
		s.down(i, c)
	}
}

func (s *leastLoaded) up(i int, c ConsumerID) {
	for i > 0 {
		above := (i - 1) / 2
		if !s.less(c, s.heap[above]) {
			break
		}
		s.set(i, s.heap[above])
		i = above
	}
	s.set(i, c)
}

func (s *leastLoaded) down(i int, c ConsumerID) {
	for {
		below := 2*i + 1
		if below >= len(s.heap) {
			break
		}
		if below+1 < len(s.heap) && s.less(s.heap[below+1], s.heap[below]) {
			below++
		}
		if !s.less(s.heap[below], c) {
			break
		}
		s.set(i, s.heap[below])
		i = below
	}
	s.set(i, c)
}

func (s *leastLoaded) set(i int, c ConsumerID) {
	s.heap[i] = c
	s.place[c] = int32(i + 1)
}
