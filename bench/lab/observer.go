package lab

import (
	"sync"
	"time"

	"harelab/engine/broker"
	"harelab/engine/message"
	"harelab/loadgen"
	"harelab/loadgen/run"
	"harelab/loadgen/sim"
	"harelab/scenarios"
)

// An observer records when the embedded broker enqueued and dispatched each message of
// a run and received its ack, and what else became of it. It is the broker's Tracer and the load generator's
// Observer. It identifies a message by the number in its body.
type observer struct {
	mu     sync.Mutex
	zero   int64                // broker time, in microseconds, at which the run began
	queues map[string][]passage // by queue, then by number of the message
	index  map[string]int32     // of the scenario's queues, by name
	fates  loadgen.Fates
	ended  bool
}

// A passage has the times of one message in one queue, in broker time; 0: not yet.
type passage struct{ enqueued, dispatched, acked int64 }

// leapMax is the largest step from one message's number to a higher one. It keeps a
// foreign body from growing the table without bound.
const leapMax = 1 << 20

func newObserver(s *scenarios.Scenario) *observer {
	o := &observer{queues: make(map[string][]passage), index: make(map[string]int32)}
	for i := range s.Queues {
		o.index[s.Queues[i].Name] = int32(i)
	}
	return o
}

// note applies set to the passage of m through queue.
func (o *observer) note(m *message.Message, queue string, set func(*passage)) {
	seq, ok := loadgen.BodySeq(m.Body())
	if !ok {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	q := o.queues[queue]
	if seq >= int64(len(q)) {
		if seq-int64(len(q)) > leapMax {
			return
		}
		q = append(q, make([]passage, seq+1-int64(len(q)))...)
		o.queues[queue] = q
	}
	set(&q[seq])
}

func (o *observer) Enqueued(m *message.Message, queue string, now int64) {
	o.note(m, queue, func(p *passage) { p.enqueued = now })
}

func (o *observer) Dispatched(m *message.Message, queue string, now int64) {
	o.note(m, queue, func(p *passage) { p.dispatched = now })
}

func (o *observer) Acked(m *message.Message, queue string, now int64) {
	o.note(m, queue, func(p *passage) { p.acked = now })
}

func (o *observer) Died(m *message.Message, queue string, d broker.Death, _ int64) {
	seq, ok := loadgen.BodySeq(m.Body())
	cause := sim.CauseOf(d)
	from, known := o.index[queue]
	if !ok || !known || cause == run.NoCause {
		return
	}
	var to []int32
	for _, name := range d.To {
		if i, ok := o.index[name]; ok {
			to = append(to, i)
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ended {
		o.fates.Died(seq, cause, from, to)
	}
}

// Ended keeps the fates as they are.
func (o *observer) Ended() {
	o.mu.Lock()
	o.ended = true
	o.mu.Unlock()
}

// Fate returns the fate of a message.
func (o *observer) Fate(seq int64) loadgen.Fate {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.fates[seq]
}

// Started sets the time at which the run begins. The broker's wall clock counts
// microseconds since the Unix epoch.
func (o *observer) Started(zero time.Time) {
	o.mu.Lock()
	o.zero = zero.UnixMicro()
	o.mu.Unlock()
}

// Times returns the times of one message in one queue, in run time.
func (o *observer) Times(seq int64, queue string) (enqueued, dispatched, acked int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	q := o.queues[queue]
	if seq < 0 || seq >= int64(len(q)) {
		return run.None, run.None, run.None
	}
	since := func(t int64) int64 {
		if t == 0 {
			return run.None
		}
		return t - o.zero
	}
	return since(q[seq].enqueued), since(q[seq].dispatched), since(q[seq].acked)
}
