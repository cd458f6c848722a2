package sim

import (
	"context"
	"fmt"
	"io"
	"slices"

	"harelab/engine/broker"
	"harelab/engine/wire"
	"harelab/loadgen"
	"harelab/loadgen/run"
	"harelab/scenarios"
)

// A driver runs one model.
type driver struct {
	agenda
	model    *Model
	clock    *clock
	broker   *broker.Broker
	vhost    *broker.VHost
	conn     *broker.Conn
	channel  *broker.Channel // for publishing
	workers  []*worker
	queues   map[string]int32 // by name
	consumed []bool           // by queue: a worker subscribes to it
	fates    loadgen.Fates

	tasks []task
	free  int32 // first free task, linked by next

	writer     writer
	message    Message
	copies     []copies          // by seq
	published  map[int64]Message // by seq; nil if no worker fails, as only failed messages are published again
	newest     [][]int64         // by queue and priority: the greatest seq of a first delivery, plus 1
	enqueued   int               // number of copies of all messages, as published
	publishing int64             // seq of the message that is being published, or -1
	present    bitset            // messages found in queues or at workers at the end
	parked     map[int64]int32   // messages found in queues without consumers at the end -> the queue
	over       bool              // the run has ended, and drain looks for messages
	feedback   Feedback          // the source, if it is one
	active     int64             // time at which a message was last published or started
	last       int64             // time of the last event that is not a timer
	unacked    int64             // number of deliveries that wait for an ack
	rebound    int               // number of bindings removed and added again
	lastQueue  string            // the queue that the tracer looked up last, and its index
	lastNumber int32
	acks       int64 // number of acks that reached the broker
	series     *loadgen.Series
	ledger     run.Ledger
	out        *Outcome
	err        error
}

// Run runs the experiment. It returns an error if the broker refuses the topology
// or a subscription. If ctx ends first, the outcome is partial.
func (m *Model) Run(ctx context.Context) (*Outcome, error) {
	d, err := newDriver(m)
	if err != nil {
		return nil, err
	}
	defer d.broker.Close()
	if err := d.begin(); err != nil {
		return nil, err
	}
	if err := d.loop(ctx); err != nil {
		return nil, err
	}
	return d.close()
}

func newDriver(m *Model) (*driver, error) {
	d := &driver{model: m, queues: map[string]int32{}, free: noTask, publishing: -1, parked: map[int64]int32{}, newest: make([][]int64, len(m.Queues)), series: loadgen.NewSeries(m.Interval)}
	d.clock = &clock{agenda: &d.agenda}
	d.feedback, _ = m.Source.(Feedback)
	n := m.Source.Len()
	d.copies = make([]copies, 0, n)
	d.consumed = make([]bool, len(m.Queues))
	for i, q := range m.Queues {
		for _, w := range m.Workers {
			subscribes := func(s Subscription) bool { return s.Queue == q.Name }
			d.consumed[i] = d.consumed[i] || slices.ContainsFunc(w.Subscriptions, subscribes)
		}
	}
	d.out = &Outcome{
		Messages: make([]run.Message, 0, n),
		Served:   make([]int64, len(m.Workers)),
		Busy:     make([]int64, len(m.Workers)),
		Unacked:  make([]int64, len(m.Workers)),
	}
	if m.Spans {
		d.out.Spans = make([]run.Span, 0, n)
	}
	if slices.ContainsFunc(m.Workers, func(w Worker) bool { return w.Attempt != nil }) {
		d.published = map[int64]Message{}
	}
	options := broker.Options{
		Clock: d.clock, Matcher: m.Matcher, Dispatch: m.Dispatch, Order: m.Order, Seed: m.Seed,
		Tracer: (*tracer)(d),
	}
	if m.Transcript != nil {
		options.Transcript = func(_, queue string) io.Writer { return m.Transcript(queue) }
	}
	var err error
	d.broker, err = broker.New(options)
	if err != nil {
		return nil, err
	}
	d.vhost, _ = d.broker.VHost("/")
	d.conn = d.vhost.Connect(broker.ConnOptions{Name: "sim"})
	d.channel = d.conn.Channel(1, nil)
	if m.Confirms {
		if err := d.channel.ConfirmSelect(); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// begin declares the topology, subscribes the workers that do not join later (R3),
// and puts the joins of the others and the controls on the agenda, in this order (R2).
func (d *driver) begin() error {
	if err := d.declare(); err != nil {
		return err
	}
	for i := range d.model.Workers {
		w := &worker{Worker: &d.model.Workers[i], d: d, index: int32(i)}
		w.draws = *NewRand(w.Seed)
		for _, s := range w.Subscriptions {
			q, ok := d.queues[s.Queue]
			if !ok {
				return fmt.Errorf("worker %q: unknown queue %q", w.Name, s.Queue)
			}
			w.queues = append(w.queues, q)
		}
		w.reset()
		d.workers = append(d.workers, w)
	}
	for _, w := range d.workers {
		if w.JoinsAt >= 0 {
			d.add(w.JoinsAt, rankControl, event{kind: control, worker: w.index, arg: -1})
		} else if err := w.join(); err != nil {
			return scenarios.Refused(w.Line, fmt.Errorf("worker %q: %w", w.Name, err))
		}
	}
	for i, c := range d.model.Control {
		d.add(c.At, rankControl, event{kind: control, worker: int32(c.Worker), arg: int32(i)})
	}
	for i, every := range d.model.Rebind {
		d.add(every, rankControl, event{kind: rebind, arg: int32(i)})
	}
	return nil
}

// loop carries out events until none are left or the run ends.
func (d *driver) loop(ctx context.Context) error {
	nextSample, sampled := d.series.Next(0)
	if !sampled {
		nextSample = never
	}
	end := int64(never)
	if t := d.model.Stop.Timeout; t > 0 {
		end = t
	}
	for n := 0; d.err == nil; n++ {
		if n&0xfff == 0 && ctx.Err() != nil {
			d.out.Partial = true
			break
		}
		at, ok := d.due()
		publish := false
		if due, more := d.model.Source.Due(d.now); more {
			if due = max(due, d.now); !ok || due < at {
				at, ok, publish = due, true, true
			}
		} else if ok && d.ended(at) {
			break
		} else if d.model.Stop.Published {
			break
		}
		if !ok {
			break
		}
		if d.full() {
			d.out.Partial, d.out.Full = true, true
			break
		}
		if at > end {
			if !publish && d.idle() {
				break
			}
			d.now, d.last = end, end
			d.out.Partial, d.out.TimedOut = true, true
			break
		}
		if at > nextSample {
			d.series.Fill(d.sample(0), nextSample-1, at)
			nextSample, _ = d.series.Next(at - 1)
		}
		if publish {
			d.now, d.last, d.active = at, at, at
			d.publishNext()
		} else {
			d.step(d.next())
		}
	}
	if sampled && d.err == nil {
		d.out.Series, d.out.Interval = d.series.Samples(d.sample(d.last)), d.series.Interval()
	}
	return d.err
}

const never = 1<<63 - 1

// full reports whether the run has as many messages, copies of them or attempts as it
// keeps.
func (d *driver) full() bool {
	most := d.model.Most
	return most > 0 && (len(d.out.Messages) >= most || d.enqueued >= manyOf*most || len(d.out.Spans) >= manyOf*most)
}

// manyOf is how many copies and attempts for each message a run of the greatest number of
// messages keeps.
const manyOf = 4

// idle reports whether no message is left, in a queue or at a worker. What may still be
// on the agenda then are timers of the broker, such as that for the expiry of messages
// which have long been acknowledged.
func (d *driver) idle() bool {
	for i := range d.tasks {
		if d.tasks[i].phase != unused {
			return false
		}
	}
	for _, q := range d.vhost.Queues() {
		if q.Ready > 0 {
			return false
		}
	}
	return true
}

// ended reports whether the run is over before an event at a time: all messages are
// published, and no work started during the idle time.
func (d *driver) ended(at int64) bool {
	idle := d.model.Stop.Idle
	return idle > 0 && at > d.active+idle
}

// step carries out an event.
func (d *driver) step(e event) {
	switch e.kind {
	case expired:
		d.clock.fire(e.arg)
		return
	case control:
		d.last = d.now
		d.control(e)
		return
	case rebind:
		d.rebind(e)
		return
	}
	w := d.workers[e.worker]
	if w.life != e.life {
		return // the worker has died since
	}
	d.last = d.now
	switch e.kind {
	case arrival:
		w.arrive(e.arg)
	case finished:
		w.finish(e.arg)
	case settled:
		if err := w.settle(e.arg); err != nil {
			d.fail(w, err)
		}
	}
}

func (d *driver) control(e event) {
	w := d.workers[e.worker]
	do := Join
	if e.arg >= 0 {
		do = d.model.Control[e.arg].Do
	}
	switch do {
	case Join:
		if err := w.join(); err != nil {
			d.fail(w, err)
		}
	case Crash:
		w.crash()
	case Stall:
		w.stalled = true
	case Wake:
		w.stalled = false
		w.work()
	}
}

func (d *driver) fail(w *worker, err error) {
	if d.err == nil {
		d.err = fmt.Errorf("worker %q at %d us: %w", w.Name, d.now, err)
	}
}

// consume subscribes a worker.
func (w *worker) consume(i int, s Subscription) error {
	// A prefetch for later consumers would replace the channel's limit.
	prefetch := uint32(s.Prefetch)
	spec := broker.ConsumerSpec{
		Queue:     s.Queue,
		Tag:       fmt.Sprintf("%s/%d", w.Name, i),
		NoAck:     w.Ack == AckAuto,
		Exclusive: s.Exclusive,
		Arguments: wire.Table{{Key: "x-slots", Value: int32(w.Slots)}},
		Prefetch:  &prefetch,
		Probe:     w,
	}
	if s.Priority != 0 {
		spec.Arguments.Set("x-priority", s.Priority)
	}
	_, err := w.channel.Consume(spec)
	return err
}

// newTask returns the index of a free task.
func (d *driver) newTask() int32 {
	if i := d.free; i != noTask {
		d.free = d.tasks[i].next
		return i
	}
	d.tasks = append(d.tasks, task{})
	return int32(len(d.tasks) - 1)
}

func (d *driver) freeTask(i int32) {
	d.tasks[i] = task{next: d.free}
	d.free = i
}
