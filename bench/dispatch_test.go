package bench

import (
	"fmt"
	"strconv"
	"testing"

	"harelab/engine/dispatch"
	"harelab/engine/queue"
)

// crews are the kinds of consumers among which strategies choose.
var crews = []struct {
	name     string
	prefetch uint32
	channel  uint32 // limit of each consumer's channel, which other queues share; 0: none
	probed   bool   // each consumer has a probe
}{
	{name: "free"},                      // all consumers are free
	{name: "busy", prefetch: 1},         // all consumers but one are busy
	{name: "probed", probed: true},      // strategies look into workers, as in virtual time
	{name: "channel-limit", channel: 2}, // deliveries of other queues fill channels
}

// BenchmarkDispatch measures a message in one queue without a broker: a Publish that
// delivers, and the Ack of the oldest delivery. The number of unacked messages is one
// below the number of consumers.
//
//	go test -run=^$ -bench=BenchmarkDispatch -count=10 ./bench | go tool benchstat -col /dispatch -row /workload,/consumers -
func BenchmarkDispatch(b *testing.B) {
	for _, s := range dispatch.Selectors() {
		for _, consumers := range []int{1, 10, 100, 1_000, 10_000} {
			for i := range crews {
				crew := &crews[i]
				b.Run(fmt.Sprintf("dispatch=%s/consumers=%d/workload=%s/prefetch=%d", s.Name, consumers, crew.name, crew.prefetch), func(b *testing.B) {
					fifo, err := dispatch.LookupOrder("fifo")
					if err != nil {
						b.Fatal(err)
					}
					d := &dispatchLoad{q: queue.New(queue.Config{Selector: s, Order: fifo, Limits: queue.Unlimited})}
					for range consumers {
						d.join(crew.prefetch, crew.channel, crew.probed)
					}
					d.run(b, consumers)
				})
			}
		}
	}
}

// A dispatchLoad is a queue with its publisher and consumers.
type dispatchLoad struct {
	q         *queue.Queue
	now       int64
	out       []queue.Decision
	oldest    []queue.Decision // ring of the unacked deliveries
	delivered int              // number of deliveries
	refs      [1]dispatch.Ref
	workers   []*probedWorker
	limiters  []*dispatch.Limiter
}

func (d *dispatchLoad) join(prefetch, channel uint32, probed bool) {
	e := queue.Event{Kind: queue.Join, Prefetch: prefetch, Slots: 1}
	if channel > 0 {
		e.Limiter = dispatch.NewLimiter(channel)
		d.limiters = append(d.limiters, e.Limiter)
	}
	if probed {
		w := new(probedWorker)
		d.workers = append(d.workers, w)
		e.Probe = w
	}
	d.out = d.q.Step(e, d.out[:0])
}

func (d *dispatchLoad) run(b *testing.B, consumers int) {
	d.oldest = make([]queue.Decision, consumers)
	for range consumers - 1 {
		d.publish()
	}
	held := d.delivered
	b.ReportAllocs()
	for b.Loop() {
		taken := d.take()
		d.publish()
		d.finish(&d.oldest[(d.delivered-held-1)%consumers])
		if taken != nil {
			d.give(taken)
		}
	}
	if msgs := d.delivered - held; msgs != b.N || d.q.Ready() != 0 || d.q.Unacked() != consumers-1 {
		b.Fatalf("%d messages of %d were delivered, %d are ready and %d unacked", msgs, b.N, d.q.Ready(), d.q.Unacked())
	}
	b.ReportMetric(float64(d.delivered-held), "msgs")
}

func (d *dispatchLoad) publish() {
	d.now++
	cost := d.now & 15
	d.out = d.q.Step(queue.Event{Kind: queue.Publish, Now: d.now, Msg: dispatch.Meta{Cost: cost}}, d.out[:0])
	if len(d.out) != 1 || d.out[0].Kind != queue.Deliver {
		return
	}
	d.oldest[d.delivered%len(d.oldest)] = d.out[0]
	d.delivered++
	if d.workers != nil {
		d.workers[d.out[0].Consumer].given(d.now, cost)
	}
}

func (d *dispatchLoad) finish(m *queue.Decision) {
	if d.workers != nil {
		d.workers[m.Consumer].finished(d.now)
	}
	d.refs[0] = m.Ref
	d.out = d.q.Step(queue.Event{Kind: queue.Ack, Now: d.now, Refs: d.refs[:]}, d.out[:0])
}

// take takes a place in a channel's limit for another queue, so that some channels fill
// up. It returns nil if it took none. Give returns the place.
func (d *dispatchLoad) take() *dispatch.Limiter {
	if len(d.limiters) < 2 {
		return nil
	}
	l := d.limiters[int(d.now)*7919%len(d.limiters)]
	if !l.TryTake() {
		return nil
	}
	return l
}

func (d *dispatchLoad) give(l *dispatch.Limiter) {
	l.Put(1)
	d.out = d.q.Step(queue.Event{Kind: queue.Run, Now: d.now, Limiter: l}, d.out[:0])
}

// A probedWorker works on one message at a time. It is the probe of its consumer.
type probedWorker struct {
	outstanding   int
	ends, waiting int64 // end of the current message's service; work of the other messages
	changed       []func()
}

func (w *probedWorker) Watch(changed func()) { w.changed = append(w.changed, changed) }

func (w *probedWorker) Outstanding() int { return w.outstanding }

func (w *probedWorker) Work(now int64) int64 {
	if w.outstanding == 0 {
		return 0
	}
	return w.ends - now + w.waiting
}

func (w *probedWorker) given(now, cost int64) {
	if w.outstanding++; w.outstanding == 1 {
		w.ends = now + cost
	} else {
		w.waiting += cost
	}
	w.tell()
}

// finished ends a message and starts the next. Waiting messages have equal work.
func (w *probedWorker) finished(now int64) {
	if w.outstanding--; w.outstanding > 0 {
		next := w.waiting / int64(w.outstanding)
		w.ends, w.waiting = now+next, w.waiting-next
	}
	w.tell()
}

func (w *probedWorker) tell() {
	for _, changed := range w.changed {
		changed()
	}
}

// backlogs are the messages among which an order chooses. Costs are up to 1,000, which
// drr grants in 1,000 turns.
var backlogs = []struct {
	name              string
	messages, tenants int
}{
	{"small", 100, 4},
	{"large", 100_000, 4},
	{"tenants-1", 2, 1},
	{"tenants-10", 20, 10},
	{"tenants-100", 200, 100},
	{"tenants-1000", 2_000, 1_000},
	{"tenants-10000", 20_000, 10_000},
}

// BenchmarkOrder measures a message behind a backlog: a publish, and an ack after which
// the queue delivers the next message of the backlog to the only consumer.
func BenchmarkOrder(b *testing.B) {
	for _, o := range dispatch.Orders() {
		for _, backlog := range backlogs {
			b.Run(fmt.Sprintf("order=%s/workload=%s", o.Name, backlog.name), func(b *testing.B) {
				benchmarkOrder(b, o, backlog.messages, backlog.tenants)
			})
		}
	}
}

func benchmarkOrder(b *testing.B, o dispatch.OrderStrategy, backlog, tenants int) {
	rr, err := dispatch.LookupSelector("rr")
	if err != nil {
		b.Fatal(err)
	}
	q := queue.New(queue.Config{Selector: rr, Order: o, Dispatch: dispatch.Config{CostByService: true}, Limits: queue.Unlimited})
	names := make([]string, tenants)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	var out []queue.Decision
	now := int64(0)
	publish := func() {
		now++
		out = q.Step(queue.Event{Kind: queue.Publish, Now: now, Msg: dispatch.Meta{
			Cost: 1 + now*7919%1000, Tenant: names[now%int64(tenants)], Priority: uint8(now * 31 % 10),
		}}, out[:0])
	}
	for range backlog {
		publish()
	}
	out = q.Step(queue.Event{Kind: queue.Join, Prefetch: 1}, out[:0])
	with := []dispatch.Ref{out[0].Ref}
	msgs := 0
	b.ReportAllocs()
	for b.Loop() {
		publish()
		out = q.Step(queue.Event{Kind: queue.Ack, Now: now, Refs: with}, out[:0])
		if len(out) == 1 && out[0].Kind == queue.Deliver {
			with[0] = out[0].Ref
			msgs++
		}
	}
	if msgs != b.N || q.Ready() != backlog-1 {
		b.Fatalf("%d messages of %d were delivered, %d are ready of %d", msgs, b.N, q.Ready(), backlog-1)
	}
	b.ReportMetric(float64(msgs), "msgs")
}
