// Package specimen makes plausible results for the tests of reports. It has a
// deliberately naive simulation of push dispatch with prefetch windows, and
// functions that make its results as inexact as a real clock, and as incomplete as
// a foreign broker.
//
// It does not simulate the product. Tests of statistics, charts and pages use it
// because the right answers for its results are known.
package specimen

import (
	"cmp"
	"slices"

	"harelab/loadgen/run"
)

// A publish is one message of the load.
type publish struct {
	at      int64
	class   int32
	queue   int32
	tenant  int32
	service int64
}

// A worker receives messages into one buffer and works on them in its slots.
type worker struct {
	queues  []int32
	limit   int     // most unacked messages over all its queues, 0 for no limit
	late    bool    // acks after the work, not at its start
	slots   []bool  // whether each slot is busy
	buffer  []int64 // sequence numbers of the messages that were received and not started
	unacked int     // number of messages
}

// lab is the state of one simulation.
type lab struct {
	now      int64 // microseconds
	res      *run.Result
	workers  []*worker
	ready    [][]int64 // of each queue, sequence numbers
	ring     [][]int32 // of each queue, the workers that may get the next message
	blocked  [][]int32 // of each queue, the workers whose window was full
	soon     []func()  // events without delay, which happen in order before the next publish or finish
	finishes []finish  // in order of time
}

type finish struct {
	at   int64
	seq  int64
	w    int32
	slot int32
}

// simulate fills res.Messages, Spans, Ledger, Series and Length.
func simulate(res *run.Result, workers []*worker, load []publish) {
	l := &lab{res: res, workers: workers}
	l.ready = make([][]int64, len(res.Queues))
	l.ring = make([][]int32, len(res.Queues))
	l.blocked = make([][]int32, len(res.Queues))
	for i, w := range workers {
		w.slots = make([]bool, res.Workers[i].Slots)
		for _, q := range w.queues {
			l.ring[q] = append(l.ring[q], int32(i))
		}
	}
	for i, p := range load {
		for len(l.finishes) > 0 && l.finishes[0].at <= p.at {
			l.step()
		}
		l.now = p.at
		l.publish(int64(i), p)
		l.drain()
	}
	for len(l.finishes) > 0 {
		l.step()
	}
	l.account()
}

func (l *lab) publish(seq int64, p publish) {
	m := run.Message{
		Seq: seq, Class: p.class, Queue: p.queue, Tenant: p.tenant, Worker: -1, Slot: -1,
		Intended: l.now, Sent: l.now, Confirmed: run.None, Enqueued: l.now,
		Dispatched: run.None, Received: run.None, Started: run.None, Done: run.None, Acked: run.None,
		Service: p.service, State: run.Left,
	}
	l.res.Messages = append(l.res.Messages, m)
	l.ready[p.queue] = append(l.ready[p.queue], seq)
	l.runQueue(p.queue)
}

// runQueue gives ready messages to the consumers of the ring in turn. It takes a
// consumer whose window is full out of the ring.
func (l *lab) runQueue(q int32) {
	for len(l.ready[q]) > 0 && len(l.ring[q]) > 0 {
		c := l.ring[q][0]
		l.ring[q] = l.ring[q][1:]
		w := l.workers[c]
		if w.limit > 0 && w.unacked >= w.limit {
			l.blocked[q] = append(l.blocked[q], c)
			continue
		}
		l.ring[q] = append(l.ring[q], c)
		seq := l.ready[q][0]
		l.ready[q] = l.ready[q][1:]
		w.unacked++
		m := &l.res.Messages[seq]
		m.Dispatched, m.Worker, m.Attempts = l.now, c, 1
		l.soon = append(l.soon, func() { l.receive(c, seq) })
	}
}

func (l *lab) receive(c int32, seq int64) {
	l.res.Messages[seq].Received = l.now
	l.workers[c].buffer = append(l.workers[c].buffer, seq)
	l.start(c)
}

func (l *lab) start(c int32) {
	w := l.workers[c]
	slot := slices.Index(w.slots, false)
	if slot < 0 || len(w.buffer) == 0 {
		return
	}
	seq := w.buffer[0]
	w.buffer = w.buffer[1:]
	w.slots[slot] = true
	m := &l.res.Messages[seq]
	m.Started, m.Slot = l.now, int32(slot)
	if !w.late {
		l.soon = append(l.soon, func() { l.ack(c, seq) })
	}
	l.finishes = append(l.finishes, finish{l.now + m.Service, seq, c, int32(slot)})
	slices.SortStableFunc(l.finishes, func(a, b finish) int { return cmp.Compare(a.at, b.at) })
}

func (l *lab) ack(c int32, seq int64) {
	l.res.Messages[seq].Acked = l.now
	w := l.workers[c]
	w.unacked--
	for q := range l.blocked {
		if i := slices.Index(l.blocked[q], c); i >= 0 {
			l.blocked[q] = slices.Delete(l.blocked[q], i, i+1)
			l.ring[q] = append(l.ring[q], c)
		}
		if slices.Contains(w.queues, int32(q)) {
			l.runQueue(int32(q))
		}
	}
}

// step carries out the earliest finish and the events without delay that follow.
func (l *lab) step() {
	f := l.finishes[0]
	l.finishes = l.finishes[1:]
	l.now = f.at
	m := &l.res.Messages[f.seq]
	m.Done, m.State = f.at, run.Done
	l.workers[f.w].slots[f.slot] = false
	if l.workers[f.w].late {
		l.soon = append(l.soon, func() { l.ack(f.w, f.seq) })
	}
	l.start(f.w)
	l.drain()
}

func (l *lab) drain() {
	for len(l.soon) > 0 {
		f := l.soon[0]
		l.soon = l.soon[1:]
		f()
	}
}

func (l *lab) account() {
	r := l.res
	n := int64(len(r.Messages))
	r.Ledger = run.Ledger{Published: n, Confirmed: -1, Delivered: n, Finished: n, Acked: n}
	for i := range r.Messages {
		m := &r.Messages[i]
		r.Length = max(r.Length, m.Done, m.Acked)
		r.Spans = append(r.Spans, run.Span{
			Worker: m.Worker, Slot: m.Slot, Class: m.Class, Seq: m.Seq, Start: m.Started, End: m.Done,
		})
	}
	slices.SortStableFunc(r.Spans, func(a, b run.Span) int { return cmp.Compare(a.Start, b.Start) })
	r.Series = Series(r)
}

// Series samples r's messages every r.Interval.
func Series(r *run.Result) []run.Sample {
	var out []run.Sample
	for at := r.Interval; at < r.Length+r.Interval; at += r.Interval {
		s := run.Sample{At: at, Confirmed: -1}
		for i := range r.Messages {
			m := &r.Messages[i]
			by := func(t int64) int64 {
				if t != run.None && t <= at {
					return 1
				}
				return 0
			}
			s.Offered += by(m.Intended)
			s.Sent += by(m.Sent)
			s.Delivered += by(m.Received)
			s.Acked += by(m.Acked)
			s.Ready += by(m.Enqueued) - by(m.Dispatched)
			s.Unacked += by(m.Dispatched) - by(m.Acked)
			s.Held += by(m.Received) - by(m.Started)
		}
		s.Unacked = max(s.Unacked, 0)
		out = append(out, s)
	}
	return out
}
