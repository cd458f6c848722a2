package dispatch

import "slices"

// leastLoaded gives each message to the eligible consumer with the least load, of the
// best priority that has an eligible consumer; on ties to the earlier subscriber. jsq
// and lwl share it.
//
// Work falls while time passes, and at different rates: a worker that is busy on two
// slots does twice as much as one that is busy on one. Workers of the same rate keep
// their order until an event changes a load. So there is one heap for each rate, whose
// keys do not change with time (the load at time 0, had it always fallen at that
// rate), and the least loaded consumer is the least of the heads.
//
// Pick reads again the loads that changed since the last one. O(log n) for n
// consumers, and one comparison for each pair of priority and rate in use; there is at
// most one rate more than a worker has slots.
type leastLoaded struct {
	t     *Consumers
	load  func(t *Consumers, c ConsumerID, now int64) (load, rate int64) // rate: by how much load falls in a microsecond
	lanes []lane                                                         // by consumer priority, the best first, then by rate
	loads []loadEntry                                                    // by ConsumerID
	place []int32                                                        // by ConsumerID: index in its lane's heap, from 1
	stale []ConsumerID                                                   // consumers whose load may have changed
}

// A lane holds consumers of one priority and one rate.
type lane struct {
	heap[ConsumerID]
	priority int32
	rate     int64
}

type loadEntry struct {
	key   int64 // load + rate*now, the same at any time; it may wrap
	rate  int64
	in    bool // in play: joined and not set aside
	stale bool // in leastLoaded.stale
}

func (s *leastLoaded) Join(c ConsumerID) {
	for int(c) >= len(s.loads) {
		s.loads = append(s.loads, loadEntry{})
		s.place = append(s.place, 0)
	}
	row := s.t.At(c)
	if p, ok := row.Probe.(WatchedProbe); ok {
		since := row.since
		p.Watch(func() {
			if s.t.At(c).since == since { // else the consumer left; its probe may still call
				s.markStale(c)
			}
		})
	}
	s.Return(c)
}

func (s *leastLoaded) Leave(c ConsumerID) {
	s.exit(c)
	s.lanes = slices.DeleteFunc(s.lanes, func(l lane) bool { return len(l.ids) == 0 })
}

func (s *leastLoaded) Return(c ConsumerID) {
	s.loads[c].in = true
	s.markStale(c)
}

func (s *leastLoaded) Changed(c ConsumerID, _ int64) { s.markStale(c) }

// markStale notes that the load of c must be read again before the next choice.
func (s *leastLoaded) markStale(c ConsumerID) {
	if e := &s.loads[c]; !e.stale {
		e.stale = true
		s.stale = append(s.stale, c)
	}
}

func (s *leastLoaded) Pick(now int64) ConsumerID {
	s.refresh(now)
	for {
		c := s.least(now)
		if c == NoConsumer || s.t.Take(c) {
			return c
		}
		s.exit(c)
		s.t.SetAside(c)
	}
}

// refresh reads the loads that may have changed.
func (s *leastLoaded) refresh(now int64) {
	for _, c := range s.stale {
		s.loads[c].stale = false
	}
	stale := s.stale
	if s.t.Probed() {
		stale = s.t.Log.consumers(stale)
	}
	for _, c := range stale {
		if int(c) < len(s.loads) && s.loads[c].in {
			s.enter(c, now)
		}
	}
	s.stale = s.stale[:0]
}

// enter reads the load of c and puts c where it belongs: its lane, and its place there.
func (s *leastLoaded) enter(c ConsumerID, now int64) {
	load, rate := s.load(s.t, c, now)
	e := &s.loads[c]
	key := load + rate*now
	if s.place[c] != 0 {
		switch {
		case rate != e.rate:
			s.lane(c).remove(c)
		case key == e.key:
			return
		}
	}
	e.key, e.rate = key, rate
	s.lane(c).fix(c)
}

// exit takes c out of play.
func (s *leastLoaded) exit(c ConsumerID) {
	s.loads[c].in = false
	if s.place[c] != 0 {
		s.lane(c).remove(c)
	}
}

// lane returns the lane of c, and makes it if there is none.
func (s *leastLoaded) lane(c ConsumerID) *lane {
	priority, rate := s.t.At(c).Priority, s.loads[c].rate
	i := 0
	for ; i < len(s.lanes); i++ {
		l := &s.lanes[i]
		if l.priority == priority && l.rate == rate {
			return l
		}
		if l.priority < priority || l.priority == priority && l.rate > rate {
			break
		}
	}
	s.lanes = slices.Insert(s.lanes, i, lane{
		heap: heap[ConsumerID]{place: &s.place, less: s.less}, priority: priority, rate: rate,
	})
	return &s.lanes[i]
}

// less orders the consumers of one lane. The difference of their keys is the
// difference of their loads, even if the keys wrapped.
func (s *leastLoaded) less(a, b ConsumerID) bool {
	if d := s.loads[a].key - s.loads[b].key; d != 0 {
		return d < 0
	}
	return s.t.At(a).since < s.t.At(b).since
}

// least returns the least loaded consumer in play, or NoConsumer.
func (s *leastLoaded) least(now int64) ConsumerID {
	best, priority, least := NoConsumer, int32(0), int64(0)
	for i := range s.lanes {
		l := &s.lanes[i]
		if len(l.ids) == 0 {
			continue
		}
		if best != NoConsumer && l.priority < priority {
			break
		}
		c := l.ids[0]
		load := s.loads[c].key - l.rate*now
		if best == NoConsumer || load < least || load == least && s.t.At(c).since < s.t.At(best).since {
			best, priority, least = c, l.priority, load
		}
	}
	return best
}
