package stat

import (
	"math"
	"math/bits"
	"slices"

	"harelab/loadgen/run"
)

// idleWhileWaiting adds up the time in which a worker has a free slot while a
// message waits in a queue that the worker reads. It counts the workers and the
// messages that keep admits. A message waits from its publish to its start. A
// worker that is away has no free slot. The work is linear in messages and spans,
// plus sorting instants, most of which are in order already.
func (ds *dataset) idleWhileWaiting(keep *filter) float64 {
	st := newSlotState(ds.r, keep)
	s := ds.steps(keep)
	var idle, prev int64
	for at, ok := s.next(); ok; at, ok = s.next() {
		if at > prev && st.servable > 0 {
			idle += at - prev
		}
		prev = max(prev, at)
		s.apply(st)
	}
	return seconds(idle)
}

// A slotState says, for one instant, how many messages wait and how many slots are
// free.
type slotState struct {
	reads    [][]int // the queues that each worker reads
	free     []int   // number of free slots of each worker
	away     []bool  // of each worker
	waiting  []int   // number of messages that wait in each queue
	servers  []int   // number of workers with a free slot that read each queue
	servable int     // number of queues with a waiting message and such a worker
}

func newSlotState(r *run.Result, keep *filter) *slotState {
	st := &slotState{
		reads: make([][]int, len(r.Workers)), free: make([]int, len(r.Workers)), away: make([]bool, len(r.Workers)),
		waiting: make([]int, len(r.Queues)), servers: make([]int, len(r.Queues)),
	}
	for w, wk := range r.Workers {
		if !keep.worker.admits(int32(w)) {
			continue
		}
		for _, name := range wk.Queues {
			if q := slices.Index(r.Queues, name); q >= 0 {
				st.reads[w] = append(st.reads[w], q)
			}
		}
		st.slots(w, wk.Slots)
	}
	return st
}

// wait adds n messages to those that wait in queue q.
func (st *slotState) wait(q, n int) {
	st.change(q, n, 0)
}

// slots adds n free slots to worker w.
func (st *slotState) slots(w, n int) {
	before := st.serves(w)
	st.free[w] += n
	st.offer(w, before)
}

// leave marks worker w as away, or as back.
func (st *slotState) leave(w int, away bool) {
	before := st.serves(w)
	st.away[w] = away
	st.offer(w, before)
}

func (st *slotState) serves(w int) bool { return st.free[w] > 0 && !st.away[w] }

// offer updates the queues of worker w; before says whether it could serve before
// the change.
func (st *slotState) offer(w int, before bool) {
	if n := btoi(st.serves(w)) - btoi(before); n != 0 {
		for _, q := range st.reads[w] {
			st.change(q, 0, n)
		}
	}
}

func (st *slotState) change(q, waiting, servers int) {
	before := st.waiting[q] > 0 && st.servers[q] > 0
	st.waiting[q] += waiting
	st.servers[q] += servers
	st.servable += btoi(st.waiting[q] > 0 && st.servers[q] > 0) - btoi(before)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// steps are the changes of a slotState, in six lists that are each in order of
// time. A step packs its instant and the number of its queue or worker into one
// integer: integers sort several times faster than structs.
type steps struct {
	lists [6][]int64
	shift int // bits of the number of a queue or worker
	which int // index of the list whose step next returned
}

// The lists.
const (
	arrives = iota // a message begins to wait in a queue
	leaves         // a message stops waiting
	begins         // a worker's slot is taken
	ends           // a worker's slot is freed
	goes           // a worker goes away
	comes          // a worker comes back
)

// forever is the latest instant that a step can have: it does not overflow when it
// is shifted.
func (s *steps) forever() int64 { return math.MaxInt64 >> s.shift }

func (ds *dataset) steps(keep *filter) *steps {
	s := &steps{shift: bits.Len(uint(max(len(ds.r.Queues), len(ds.r.Workers))))}
	for i := range s.lists[:goes] {
		s.lists[i] = make([]int64, 0, max(len(ds.r.Messages), len(ds.r.Spans)))
	}
	for i := range ds.r.Messages {
		m := &ds.r.Messages[i]
		at := m.Enqueued
		if at == run.None {
			at = m.Sent
		}
		if m.Queue < 0 || at == run.None || !keep.carries(m) {
			continue
		}
		ds.waits(m, func(arrive, start int64) {
			if start == run.None {
				start = ds.r.Length
			}
			s.add(arrives, max(arrive, at), m.Queue)
			s.add(leaves, start, m.Queue)
		})
	}
	for i := range ds.r.Spans {
		if span := &ds.r.Spans[i]; span.Worker >= 0 {
			s.add(begins, span.Start, span.Worker)
			s.add(ends, span.End, span.Worker)
		}
	}
	for w := range ds.r.Workers {
		for _, a := range ds.r.Workers[w].Away {
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
	s.lists[list] = append(s.lists[list], min(at, s.forever())<<s.shift|int64(who))
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

// apply carries out the step that next found, and removes it.
func (s *steps) apply(st *slotState) {
	list := s.lists[s.which]
	who := int(list[0] & (1<<s.shift - 1))
	s.lists[s.which] = list[1:]
	switch s.which {
	case arrives:
		st.wait(who, 1)
	case leaves:
		st.wait(who, -1)
	case begins:
		st.slots(who, -1)
	case ends:
		st.slots(who, 1)
	case goes:
		st.leave(who, true)
	case comes:
		st.leave(who, false)
	}
}
