package stat

import (
	"math"
	"math/bits"
	"slices"

	"harelab/loadgen/run"
)

// idleWhileWaiting integrates the time in which some slot of a worker that keep
// lets through is free and some published, unstarted message that it lets through
// sits in a queue that worker reads. A worker that
// is away has no free slot. Beyond putting instants in order, which most of
// them are already, it is linear in messages and spans.
func (b *book) idleWhileWaiting(keep *filter) float64 {
	f := newFloor(b.r, keep)
	s := b.steps(keep)
	var idle, prev int64
	for at, ok := s.next(); ok; at, ok = s.next() {
		if at > prev && f.servable > 0 {
			idle += at - prev
		}
		prev = max(prev, at)
		s.apply(f)
	}
	return seconds(idle)
}

// A floor is who waits and who could serve at one instant.
type floor struct {
	reads    [][]int // of each worker, its queues
	free     []int   // slots, of each worker
	away     []bool
	waiting  []int // messages, of each queue
	servers  []int // workers with a free slot, of each queue
	servable int   // queues with both
}

func newFloor(r *run.Result, keep *filter) *floor {
	f := &floor{
		reads: make([][]int, len(r.Workers)), free: make([]int, len(r.Workers)), away: make([]bool, len(r.Workers)),
		waiting: make([]int, len(r.Queues)), servers: make([]int, len(r.Queues)),
	}
	for w, wk := range r.Workers {
		if !keep.worker.admits(int32(w)) {
			continue
		}
		for _, name := range wk.Queues {
			if q := slices.Index(r.Queues, name); q >= 0 {
				f.reads[w] = append(f.reads[w], q)
			}
		}
		f.slots(w, wk.Slots)
	}
	return f
}

// wait adds n messages to those that wait in queue q.
func (f *floor) wait(q, n int) {
	f.change(q, n, 0)
}

// slots adds n free slots to worker w.
func (f *floor) slots(w, n int) {
	before := f.serves(w)
	f.free[w] += n
	f.offer(w, before)
}

// leave notes that worker w is away, or back.
func (f *floor) leave(w int, away bool) {
	before := f.serves(w)
	f.away[w] = away
	f.offer(w, before)
}

func (f *floor) serves(w int) bool { return f.free[w] > 0 && !f.away[w] }

// offer updates the queues of a worker that served or did not before.
func (f *floor) offer(w int, before bool) {
	if n := btoi(f.serves(w)) - btoi(before); n != 0 {
		for _, q := range f.reads[w] {
			f.change(q, 0, n)
		}
	}
}

func (f *floor) change(q, waiting, servers int) {
	before := f.waiting[q] > 0 && f.servers[q] > 0
	f.waiting[q] += waiting
	f.servers[q] += servers
	f.servable += btoi(f.waiting[q] > 0 && f.servers[q] > 0) - btoi(before)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Steps are what changes a floor, in six lists that are each in order of time.
// A step is its instant and the number of its queue or worker in one integer,
// which is sorted several times faster than a struct.
type steps struct {
	lists [6][]int64
	shift int
	which int // list of the step that next returned
}

// The lists.
const (
	arrives = iota // a message begins to wait in a queue
	leaves         // it stops
	begins         // a slot of a worker is taken
	ends           // and freed
	goes           // a worker is away
	comes          // and back
)

// forever is when what never happens does; shifted, it does not overflow.
const forever = int64(math.MaxInt64 >> 24)

func (b *book) steps(keep *filter) *steps {
	s := &steps{shift: bits.Len(uint(max(len(b.r.Queues), len(b.r.Workers))))}
	for i := range s.lists[:goes] {
		s.lists[i] = make([]int64, 0, max(len(b.r.Messages), len(b.r.Spans)))
	}
	for i := range b.r.Messages {
		m := &b.r.Messages[i]
		at := m.Enqueued
		if at == run.None {
			at = m.Sent
		}
		if m.Queue < 0 || at == run.None || !keep.carries(m) {
			continue
		}
		b.waits(m, func(arrive, start int64) {
			if start == run.None {
				start = b.r.Length
			}
			s.add(arrives, max(arrive, at), m.Queue)
			s.add(leaves, start, m.Queue)
		})
	}
	for i := range b.r.Spans {
		if span := &b.r.Spans[i]; span.Worker >= 0 {
			s.add(begins, span.Start, span.Worker)
			s.add(ends, span.End, span.Worker)
		}
	}
	for w := range b.r.Workers {
		for _, a := range b.r.Workers[w].Away {
			s.add(goes, a.From, int32(w))
			s.add(comes, a.To, int32(w))
		}
	}
	for _, list := range s.lists {
		if !slices.IsSorted(list) {
			slices.Sort(list)
		}
	}
	return s
}

func (s *steps) add(list int, at int64, who int32) {
	s.lists[list] = append(s.lists[list], min(at, forever)<<s.shift|int64(who))
}

// next finds the next step and returns its instant; false when there is none.
func (s *steps) next() (int64, bool) {
	s.which = -1
	for i, list := range s.lists {
		if len(list) > 0 && (s.which < 0 || list[0] < s.lists[s.which][0]) {
			s.which = i
		}
	}
	if s.which < 0 {
		return 0, false
	}
	return s.lists[s.which][0] >> s.shift, true
}

// apply takes the step that next found.
func (s *steps) apply(f *floor) {
	list := s.lists[s.which]
	who := int(list[0] & (1<<s.shift - 1))
	s.lists[s.which] = list[1:]
	switch s.which {
	case arrives:
		f.wait(who, 1)
	case leaves:
		f.wait(who, -1)
	case begins:
		f.slots(who, -1)
	case ends:
		f.slots(who, 1)
	case goes:
		f.leave(who, true)
	case comes:
		f.leave(who, false)
	}
}
