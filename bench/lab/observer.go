package lab

import (
	"sync"
	"time"

	"harelab/engine/message"
	"harelab/loadgen"
	"harelab/loadgen/run"
)

// An observer notes when the embedded broker enqueued, dispatched and saw
// acked each message of a run. It is the broker's Tracer and the load
// generator's Observer. The number in a body says which message it is.
type observer struct {
	mu     sync.Mutex
	zero   int64 // run time zero in broker time
	queues map[string][]passage
}

// A passage is one message's way through one queue, in broker time; 0 is not yet.
type passage struct{ enqueued, dispatched, acked int64 }

// leapMax is how far a message's number may run ahead of the highest seen: a
// foreign body must not size the table.
const leapMax = 1 << 20

func newObserver() *observer { return &observer{queues: make(map[string][]passage)} }

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

// Started sets run time zero. The broker's wall clock counts microseconds since
// the Unix epoch.
func (o *observer) Started(zero time.Time) {
	o.mu.Lock()
	o.zero = zero.UnixMicro()
	o.mu.Unlock()
}

// Times returns the passage of one message through one queue in run time.
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
