package sim

import (
	"math"
	"math/bits"

	"harelab/engine/broker"
	"harelab/loadgen"
	"harelab/loadgen/run"
)

// A task is a delivery, from its dispatch until its ack has reached the broker.
// Tasks lie in one slice and are reused. Times are in microseconds.
type task struct {
	seq      int64
	tag      uint64 // delivery tag
	service  int64  // scaled by the worker's Slow
	received int64
	started  int64
	sent     int64 // when the broker dispatched it
	attempt  int32
	worker   int32
	queue    int32
	slot     int32
	next     int32 // index of the next task in the worker's buffer or in the free list
	phase    phase
	unacked  bool // the broker waits for an ack
	verdict  loadgen.Verdict
}

type phase uint8

const (
	unused phase = iota
	travelling
	waiting
	working
	leaving // the work is done, and the ack has not reached the broker
)

const noTask = -1

// A worker implements R11 for one worker of the model. It is the sink of its channel
// and the probe that dispatch strategies read.
type worker struct {
	*Worker
	d       *driver
	index   int32
	queues  []int32 // by subscription
	conn    *broker.Conn
	channel *broker.Channel
	draws   Rand // for R10; a crash does not reset it
	up      bool
	stalled bool
	life    uint32 // number of crashes so far

	slots       []int32  // by slot: its task, or noTask
	open        []uint64 // bit set of the free slots
	first, last int32    // buffer: tasks linked by next
	held        int64    // number of tasks in the buffer

	outstanding int   // number of tasks assigned and not finished (R9)
	running     int64 // number of slots in use
	ends        int64 // sum of the times at which the running tasks end, microseconds
	backlog     int64 // sum of the service of tasks assigned and not started, microseconds
	watchers    []func()

	batch []int32 // finished tasks whose acks wait for others
	count int     // number of finished tasks, for AckForget

	served, busy int64 // as in Outcome
}

func (w *worker) reset() {
	w.slots = make([]int32, w.Slots)
	w.open = make([]uint64, (w.Slots+63)/64)
	for i := range w.slots {
		w.slots[i] = noTask
		w.open[i/64] |= 1 << (i % 64)
	}
	w.first, w.last = noTask, noTask
	w.held, w.outstanding, w.running, w.ends, w.backlog = 0, 0, 0, 0, 0
	w.batch = w.batch[:0]
	w.stalled = false
	w.watchers = nil
}

// Outstanding implements dispatch.Probe. It returns the number of messages assigned
// and not finished, from all queues of the worker. R9 speaks of a consumer, but the
// queues of a worker share its slots and buffer (R11), so Outstanding and Work count
// over the whole worker. For a worker of one queue there is no difference.
func (w *worker) Outstanding() int { return w.outstanding }

// Work implements dispatch.Probe. It returns the remaining time of running tasks
// plus the service of waiting ones, in microseconds.
func (w *worker) Work(now int64) int64 {
	return w.backlog + w.ends - w.running*(now-epoch)
}

// Watch implements dispatch.WatchedProbe.
func (w *worker) Watch(changed func()) { w.watchers = append(w.watchers, changed) }

// changed calls the watchers after a change of Outstanding or Work.
func (w *worker) changed() {
	for _, f := range w.watchers {
		f()
	}
}

// Deliver implements [broker.Sink]. The message reaches the worker after the link's
// delay (R17).
func (w *worker) Deliver(m *broker.Delivery, _ *broker.Batch) bool {
	d := w.d
	seq := seqOf(m.Msg.Body())
	if d.over {
		d.present.set(seq)
		return true
	}
	row := &d.out.Messages[seq]
	row.Attempts++
	if m.Redelivered {
		row.Redelivered = true
		row.Redeliveries++
	}
	i := d.newTask()
	t := &d.tasks[i]
	*t = task{
		seq: seq, tag: m.DeliveryTag, sent: d.now, attempt: row.Attempts,
		service: w.scale(row.Service), worker: w.index, queue: w.queueOf(m.Queue), slot: -1,
		received: run.None, started: run.None, next: noTask,
		phase: travelling, unacked: w.Ack != AckAuto,
	}
	d.delivered(t, m.Redelivered, m.Msg.Priority())
	if t.unacked {
		d.unacked++
	}
	w.outstanding++
	w.backlog += t.service
	w.changed()
	d.add(d.now+w.Worker.Deliver, rankInternal, event{kind: arrival, worker: w.index, life: w.life, arg: i})
	return true
}

// Cancelled implements [broker.Sink]. Queues of a model are not deleted, and a queue
// that expires has no consumers.
func (w *worker) Cancelled(string, *broker.Batch) {}

// Confirmed implements [broker.Sink]. Workers publish without confirms.
func (w *worker) Confirmed(uint64, uint64, bool, *broker.Batch) {}

func (w *worker) queueOf(name string) int32 {
	for i := range w.Subscriptions {
		if w.Subscriptions[i].Queue == name {
			return w.queues[i]
		}
	}
	return -1
}

func (w *worker) scale(service int64) int64 {
	if w.Slow == 1 || w.Slow == 0 {
		return service
	}
	return int64(math.Round(float64(service) * w.Slow))
}

// arrive adds a delivery to the buffer.
func (w *worker) arrive(i int32) {
	t := &w.d.tasks[i]
	t.received = w.d.now
	t.phase = waiting
	if f := w.d.model.Arrived; f != nil {
		f(w.d.now, t.seq, w.index)
	}
	if w.first == noTask {
		w.first = i
	} else {
		w.d.tasks[w.last].next = i
	}
	w.last = i
	w.held++
	w.work()
}

// work starts tasks while it can: the oldest of the buffer on the lowest free slot.
func (w *worker) work() {
	for w.first != noTask && !w.stalled {
		slot := w.takeSlot()
		if slot < 0 {
			return
		}
		i := w.first
		t := &w.d.tasks[i]
		w.first = t.next
		w.held--
		w.slots[slot] = i
		w.start(i, t, slot)
	}
}

func (w *worker) takeSlot() int32 {
	for k, word := range w.open {
		if word != 0 {
			b := bits.TrailingZeros64(word)
			w.open[k] &^= 1 << b
			return int32(64*k + b)
		}
	}
	return -1
}

func (w *worker) start(i int32, t *task, slot int32) {
	now := w.d.now
	end := now + t.service
	if w.Worker.Attempt != nil {
		var took int64
		took, t.verdict = w.Worker.Attempt(t.seq, t.attempt, now, t.service)
		if end = now + took; w.Ack == AckAuto && t.verdict.Refuses() {
			t.verdict = loadgen.Verdict{}
		}
	}
	t.phase, t.slot, t.started, t.next = working, slot, now, noTask
	w.running++
	w.ends += end
	w.backlog -= t.service
	w.changed()
	w.d.active = now
	if w.Ack == AckEarly && !t.verdict.Refuses() {
		w.sendAck(i)
	}
	w.d.add(end, rankFinish, event{kind: finished, worker: w.index, life: w.life, arg: i})
}

// finish ends a task's work. It frees the slot, then sends the ack, then starts the
// next task (R11).
func (w *worker) finish(i int32) {
	d := w.d
	t := &d.tasks[i]
	w.slots[t.slot] = noTask
	w.open[t.slot/64] |= 1 << (t.slot % 64)
	w.outstanding--
	w.running--
	w.ends -= d.now
	w.changed()
	d.span(t, d.now, false)
	t.phase = leaving
	switch t.verdict.End {
	case loadgen.Succeed:
		w.served++
		w.busy += d.now - t.started
		d.done(t)
	case loadgen.Forward:
		d.forward(t)
	}
	switch {
	case w.Ack == AckLate:
		w.settleLate(i)
	case w.Ack == AckEarly && t.verdict.Refuses():
		w.sendAck(i)
	case !t.unacked:
		d.freeTask(i)
	}
	w.work()
	if len(w.batch) > 0 && w.running == 0 {
		w.flushBatch()
	}
}

// settleLate acks or refuses a finished task. An ack may wait for a batch.
func (w *worker) settleLate(i int32) {
	t := &w.d.tasks[i]
	if t.verdict.Refuses() {
		w.sendAck(i)
		return
	}
	if w.AckForget > 0 {
		if w.count++; w.count%w.AckForget == 0 {
			return
		}
	}
	if w.AckBatch > 1 {
		if w.batch = append(w.batch, i); len(w.batch) == w.AckBatch {
			w.flushBatch()
		}
		return
	}
	w.sendAck(i)
}

func (w *worker) flushBatch() {
	for _, i := range w.batch {
		w.sendAck(i)
	}
	w.batch = w.batch[:0]
}

func (w *worker) sendAck(i int32) {
	w.d.add(w.d.now+w.AckDelay, rankInternal, event{kind: settled, worker: w.index, life: w.life, arg: i})
}

// settle carries out an ack or nack when it reaches the broker (R10).
func (w *worker) settle(i int32) error {
	d := w.d
	t := &d.tasks[i]
	t.unacked = false
	d.unacked--
	seq, tag, verdict := t.seq, t.tag, t.verdict
	if !verdict.Refuses() {
		d.acked(t)
	}
	if t.phase == leaving {
		d.freeTask(i)
	}
	var err error
	switch verdict.End {
	case loadgen.Requeue:
		d.out.Messages[seq].Redelivered = true
		err = w.channel.Nack(tag, false, true)
	case loadgen.Reject:
		err = w.channel.Nack(tag, false, false)
	default:
		err = w.channel.Ack(tag, false)
	}
	w.conn.Batch().Flush()
	return err
}

// join connects and subscribes the worker (R13).
func (w *worker) join() error {
	if w.up {
		return nil
	}
	w.up = true
	w.reset()
	w.conn = w.d.vhost.Connect(broker.ConnOptions{Name: w.Name})
	w.channel = w.conn.Channel(1, w)
	w.channel.DrawFrom(&w.draws)
	if w.ChannelPrefetch > 0 {
		if err := w.channel.SetPrefetch(broker.PrefetchSpec{Count: uint32(w.ChannelPrefetch), Global: true}); err != nil {
			return err
		}
	}
	for i, s := range w.Subscriptions {
		if err := w.consume(i, s); err != nil {
			return err
		}
	}
	w.conn.Batch().Flush()
	return nil
}

// crash kills the worker (R14). Its tasks, and deliveries and acks on their way, are
// gone.
func (w *worker) crash() {
	if !w.up {
		return
	}
	w.up = false
	w.life++
	for i := range w.d.tasks {
		if t := &w.d.tasks[i]; t.phase != unused && t.worker == w.index {
			w.d.drop(t)
			w.d.freeTask(int32(i))
		}
	}
	w.reset()
	w.conn.Close()
	w.conn.Batch().Flush()
}
