package lab

import (
	"encoding/binary"
	"sync"
	"time"

	"harelab/engine/message"
	"harelab/loadgen/run"
)

// An observer notes when the embedded broker enqueued, dispatched and saw
// acked each message of a run. It is the broker's Tracer and the load
// generator's Observer. Messages are told apart by their number, which the
// load generator writes into the first eight bytes of each body.
type observer struct {
	mu     sync.Mutex
	zero   int64 // run time zero in broker time
	queues map[string][]passage
}

// A passage is one message's way through one queue, in broker time; 0 is not yet.
type passage struct{ enqueued, dispatched, acked int64 }

// leapMax is how far a message's number may run ahead of the highest seen: a
// body that does not begin with a number must not size the table.
const leapMax = 1 << 20

func newObserver() *observer { return &observer{queues: make(map[string][]passage)} }

// note applies set to the passage of m through queue.
func (o *observer) note(m *message.Message, queue string, set func(*passage)) {
	body := m.Body()
	if len(body) < 8 {
		return
	}
	seq := binary.BigEndian.Uint64(body)
	o.mu.Lock()
	defer o.mu.Unlock()
	q := o.queues[queue]
	if seq >= uint64(len(q)) {
		if seq-uint64(len(q)) > leapMax {
			return
		}
		q = append(q, make([]passage, seq+1-uint64(len(q)))...)
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
func (o *observer) Times(seq uint64, queue string) (enqueued, dispatched, acked int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	q := o.queues[queue]
	if seq >= uint64(len(q)) {
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
