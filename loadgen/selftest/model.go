package selftest

import (
	"context"
	"maps"
	"slices"

	"harelab/loadgen"
	"harelab/loadgen/run"
	"harelab/loadgen/sim"
	"harelab/scenarios"
)

// simulate runs a scenario on the broker in virtual time.
func simulate(ctx context.Context, s *scenario) (*outcome, error) {
	x := s.expand()
	hash := newLineHash()
	m := s.model(x)
	m.Arrived = func(at, seq int64, worker int32) { hash.line(at, seq, int64(worker)) }
	got, err := m.Run(ctx)
	if err != nil {
		return nil, err
	}
	if got.Partial {
		return nil, ctx.Err()
	}
	o := &outcome{
		rows: make([]row, len(x.messages)), classes: x.classes.list,
		served: got.Served, busy: got.Busy, deliveries: hash.hex(),
	}
	for _, q := range s.Queues {
		o.queues = append(o.queues, q.Name)
	}
	for i := range o.rows {
		o.rows[i] = rowOf(&x.messages[i], &got.Messages[i])
	}
	return o, nil
}

// rowOf returns a message in the columns of a known-answers file.
func rowOf(spec *message, m *run.Message) row {
	r := row{
		class: spec.class, queue: spec.queue, arrival: spec.at, service: spec.service,
		worker: m.Worker, slot: m.Slot, attempts: m.Attempts, redelivered: m.Redelivered,
		delivered: orNever(m.Received), start: orNever(m.Started), finish: orNever(m.Done),
	}
	switch m.State {
	case run.Done:
		r.state = "done"
	case run.Lost:
		r.state = "lost"
	default:
		r.state = "unserved"
	}
	return r
}

func orNever(t int64) int64 {
	if t == run.None {
		return -1
	}
	return t
}

// model translates a scenario. Messages reach queues through the default exchange,
// and the settings of queues become queue arguments.
func (s *scenario) model(x *expansion) *sim.Model {
	m := &sim.Model{Source: newSource(s, x)}
	single := make(map[string]bool)
	for i := range s.Queues {
		single[s.Queues[i].Name] = s.Queues[i].SingleActive
		m.Queues = append(m.Queues, scenarios.Queue{Name: s.Queues[i].Name, Arguments: s.Queues[i].arguments()})
	}
	index := map[string]int{}
	for i := range s.Workers {
		w := &s.Workers[i]
		index[w.Name] = i
		m.Workers = append(m.Workers, w.worker(i, x, single))
	}
	for _, c := range s.Control {
		do, name := sim.Crash, c.Crash
		if c.Join != "" {
			do, name = sim.Join, c.Join
		}
		m.Control = append(m.Control, sim.Control{At: c.At, Do: do, Worker: index[name]})
	}
	return m
}

// arguments returns the queue arguments for the settings.
func (q *queueSpec) arguments() []scenarios.Argument {
	order := q.Order
	if *q.MaxPriority == 0 && (order == "priority" || order == "aging") {
		order = "fifo" // with one priority, the order is fifo
	}
	args := []scenarios.Argument{{Name: "x-dispatch", Value: q.Dispatch}, {Name: "x-order", Value: order}}
	add := func(name string, value any) { args = append(args, scenarios.Argument{Name: name, Value: value}) }
	switch q.Dispatch {
	case "po2", "random":
		add("x-dispatch-seed", int64(q.Seed))
	}
	switch order {
	case "priority":
		add("x-max-priority", int64(*q.MaxPriority))
	case "aging":
		add("x-max-priority", int64(*q.MaxPriority))
		add("x-aging-us", q.AgingUS)
	case "drr":
		add("x-fair-key", "header:tenant")
		add("x-drr-quantum", q.Quantum)
		add("x-drr-cost", q.Cost)
		var weights []scenarios.Argument
		for _, tenant := range slices.Sorted(maps.Keys(q.Weights)) {
			weights = append(weights, scenarios.Argument{Name: tenant, Value: q.Weights[tenant]})
		}
		if weights != nil {
			add("x-drr-weights", weights)
		}
	}
	if q.SingleActive {
		add("x-single-active-consumer", true)
	}
	return args
}

// worker translates a worker; single holds which queues are single-active. There the
// rules know no priorities of consumers (R12), while the broker, as RabbitMQ, prefers the
// greatest when the active consumer leaves.
func (w *workerSpec) worker(index int, x *expansion, single map[string]bool) sim.Worker {
	acks := map[string]sim.Ack{"late": sim.AckLate, "early": sim.AckEarly, "auto": sim.AckAuto}
	m := sim.Worker{
		Name: w.Name, Slots: w.Concurrency, Ack: acks[w.Ack], ChannelPrefetch: w.ChannelPrefetch,
		Slow: w.Slow, Deliver: w.DeliverUS, AckDelay: w.AckUS, JoinsAt: -1,
		Seed: w.Seed + uint64(index),
	}
	if w.JoinsAt != nil {
		m.JoinsAt = *w.JoinsAt
	}
	for _, s := range w.Subscribe {
		sub := sim.Subscription{Queue: s.Queue, Prefetch: s.Prefetch, Priority: s.Priority}
		if single[s.Queue] {
			sub.Priority = 0
		}
		m.Subscriptions = append(m.Subscriptions, sub)
	}
	if slices.ContainsFunc(x.messages, func(m message) bool { return m.fail > 0 }) {
		m.Attempt = func(seq int64, attempt int32, _, work int64) (int64, loadgen.Verdict) {
			if attempt <= x.messages[seq].fail {
				return work, loadgen.Verdict{End: loadgen.Requeue}
			}
			return work, loadgen.Verdict{}
		}
	}
	return m
}

// A source publishes an expansion's messages. It sends costs and tenants only to
// queues whose order uses them.
type source struct {
	x       *expansion
	queues  []string
	costs   []bool // by queue
	tenants []bool
	next    int
}

func newSource(s *scenario, x *expansion) *source {
	src := &source{x: x}
	for _, q := range s.Queues {
		src.queues = append(src.queues, q.Name)
		src.costs = append(src.costs, q.Order == "sjf" || q.Order == "drr" && q.Cost == "service")
		src.tenants = append(src.tenants, q.Order == "drr")
	}
	return src
}

// Due implements [sim.Source].
func (s *source) Due(int64) (int64, bool) {
	if s.next == len(s.x.messages) {
		return 0, false
	}
	return s.x.messages[s.next].at, true
}

// Len implements [sim.Source].
func (s *source) Len() int { return len(s.x.messages) }

// Next implements [sim.Source].
func (s *source) Next(m *sim.Message) bool {
	spec := &s.x.messages[s.next]
	s.next++
	m.Intended, m.Sent = spec.at, spec.at
	m.Service = spec.service
	m.Class = spec.class
	m.RoutingKey = s.queues[spec.queue]
	m.Priority = spec.priority
	if s.costs[spec.queue] {
		m.Cost = spec.service
		if m.Cost == 0 {
			m.Cost = -1 // 0 would mean unknown
		}
	}
	if s.tenants[spec.queue] {
		m.TenantName = s.x.tenants.list[spec.tenant]
	}
	return true
}
