package specimen

import (
	"fmt"
	"math/rand/v2"
	"time"

	"harelab/loadgen/run"
	"harelab/scenarios/metric"
)

const second = 1_000_000 // microseconds

// Seed is the seed in the specimens' results.
const Seed = 20190930

// CeleryInitial is one queue and one worker with four slots: four 10 s jobs,
// then forty queries of 0.1 s.
func CeleryInitial() *run.Result {
	r := &run.Result{
		Scenario: "celery-initial",
		Title:    "Four slow jobs starve forty quick ones",
		Queues:   []string{"celery"},
		Workers: []run.Worker{
			{Name: "worker-1", Slots: 4, Prefetch: 16, Scope: "channel", Ack: "on-start", Queues: []string{"celery"}},
		},
		Expect: []run.Expectation{
			expect("makespan == 11s", "makespan", "", "", "==", 11, "s"),
			expect("starvation{class=run_user_query} == 10s", "starvation", "", "run_user_query", "==", 10, "s"),
			expect("wait.mean{class=run_user_query} == 10.45s", "wait", "mean", "run_user_query", "==", 10.45, "s"),
			expect("wait.max{class=run_user_query} == 10.9s", "wait", "max", "run_user_query", "==", 10.9, "s"),
			expect("slowdown.mean{class=run_user_query} == 105.5", "slowdown", "mean", "run_user_query", "==", 105.5, ""),
			utilisation("worker-1", 1),
			expect("lost == 0", "lost", "", "", "==", 0, ""),
		},
	}
	common(r)
	simulate(r, []*worker{{queues: []int32{0}, limit: 16}}, burst(40, 0, 0))
	return r
}

// CeleryOptimized is the talk's split: queue webapp for queries with a worker
// of one slot, and a worker of three slots that reads both queues.
func CeleryOptimized(variant string, queries, multiplier int, late bool) *run.Result {
	ack := "on-start"
	if late {
		ack = "on-done"
	}
	r := &run.Result{
		Scenario: "celery-optimized",
		Variant:  variant,
		Title:    "A topic exchange and one reserved thread",
		Params:   map[string]string{"queries": fmt.Sprint(queries), "prefetch_multiplier": fmt.Sprint(multiplier), "ack": ack},
		Queues:   []string{"neural_net", "webapp"},
		Workers: []run.Worker{
			{Name: "worker-2", Slots: 1, Prefetch: multiplier, Scope: "channel", Ack: ack, Queues: []string{"webapp"}},
			{Name: "worker-3", Slots: 3, Prefetch: 3 * multiplier, Scope: "channel", Ack: ack, Queues: []string{"neural_net", "webapp"}},
		},
		Expect: []run.Expectation{
			expect("lost == 0", "lost", "", "", "==", 0, ""),
			expect("duplicated == 0", "duplicated", "", "", "==", 0, ""),
		},
	}
	common(r)
	simulate(r, []*worker{
		{queues: []int32{1}, limit: multiplier, late: late},
		{queues: []int32{0, 1}, limit: 3 * multiplier, late: late},
	}, burst(queries, 0, 1))
	return r
}

// Arms are the four arms of the lab's first report, in virtual time.
func Arms() []*run.Result {
	return []*run.Result{
		CeleryInitial(),
		CeleryOptimized("", 200, 4, false),
		CeleryOptimized("same-load", 40, 4, false),
		CeleryOptimized("same-load-fair", 40, 1, true),
	}
}

// Tenants is an open load of n messages from three tenants, one of them noisy, on one
// queue with three workers of two slots.
func Tenants(n int) *run.Result {
	r := &run.Result{
		Scenario: "tenants", Title: "One tenant floods a shared queue",
		Queues:  []string{"jobs"},
		Tenants: []string{"ash", "birch", "noisy"},
	}
	common(r)
	r.Classes = []string{"job"}
	r.Headline = "wait.p99"
	var workers []*worker
	for i := range 3 {
		r.Workers = append(r.Workers, run.Worker{
			Name: fmt.Sprintf("pool-%d", i+1), Slots: 2, Prefetch: 4, Scope: "consumer", Ack: "on-done", Queues: []string{"jobs"},
		})
		workers = append(workers, &worker{queues: []int32{0}, limit: 4, late: true})
	}
	rng := rand.New(rand.NewPCG(7, 7))
	var load []publish
	var at int64
	for range n {
		at += int64(rng.ExpFloat64() * 5000)
		t := int32(rng.IntN(2))
		if at > second && at < 3*second && rng.IntN(3) > 0 {
			t = 2
		}
		load = append(load, publish{at: at, tenant: t, service: 2000 + int64(rng.ExpFloat64()*28000)})
	}
	simulate(r, workers, load)
	return r
}

// Measured returns r as measured on a real clock: every instant is a little late, and
// the instants of a message keep their order.
func Measured(r *run.Result) *run.Result {
	out := *r
	out.Target = run.Target{Kind: "embedded", Product: "harelab", Version: "0.1.0"}
	out.Started = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	rng := rand.New(rand.NewPCG(Seed, 1))
	jitter := func(t *int64, floor int64) {
		if *t != run.None {
			*t = max(*t+int64(rng.ExpFloat64()*300), floor)
		}
	}
	out.Messages = append([]run.Message(nil), r.Messages...)
	out.Length = 0
	for i := range out.Messages {
		m := &out.Messages[i]
		jitter(&m.Sent, m.Intended)
		jitter(&m.Enqueued, m.Sent)
		jitter(&m.Dispatched, m.Enqueued)
		jitter(&m.Received, m.Dispatched)
		m.Started = max(m.Started+m.Started/2000, m.Received)
		m.Done = max(m.Done+m.Done/2000, m.Started+m.Service)
		jitter(&m.Acked, m.Started)
		out.Length = max(out.Length, m.Done, m.Acked)
	}
	out.Elapsed = time.Duration(out.Length) * time.Microsecond
	out.Spans = append([]run.Span(nil), r.Spans...)
	for i := range out.Spans {
		m := &out.Messages[out.Spans[i].Seq]
		out.Spans[i].Start, out.Spans[i].End, out.Spans[i].Late = m.Started, m.Done, 100
	}
	out.Series = Series(&out)
	return &out
}

// Foreign returns r as measured on a foreign broker: without the instants and counts
// that such a broker does not show.
func Foreign(r *run.Result) *run.Result {
	out := Measured(r)
	out.Target = run.Target{Kind: "amqp", URL: "amqp://127.0.0.1:5672/", Product: "RabbitMQ", Version: "3.10.8"}
	out.Matcher, out.Dispatch, out.Order = "", "", ""
	for i := range out.Messages {
		m := &out.Messages[i]
		m.Enqueued, m.Dispatched, m.Acked = run.None, run.None, run.None
	}
	for i := range out.Series {
		s := &out.Series[i]
		s.Ready, s.Unacked, s.Acked = -1, -1, -1
	}
	out.Ledger.Unroutable = -1
	return out
}

func common(r *run.Result) {
	r.Matcher, r.Dispatch, r.Order, r.Seed = "nfa", "rr", "fifo", Seed
	r.Target = run.Target{Kind: "sim", Product: "harelab", Version: "0.1.0"}
	r.Interval = second / 10
	r.Classes = []string{"fit_neural_net", "run_user_query"}
	r.Headline = "wait.max{class=run_user_query}"
	r.Resolved = []byte("schema: harelab/v1\nname: " + r.Scenario + "\n")
}

// burst is four 10 s jobs, then n queries of 0.1 s, all at time zero.
func burst(n int, netQueue, queryQueue int32) []publish {
	var load []publish
	for range 4 {
		load = append(load, publish{class: 0, queue: netQueue, tenant: -1, service: 10 * second})
	}
	for range n {
		load = append(load, publish{class: 1, queue: queryQueue, tenant: -1, service: second / 10})
	}
	return load
}

func expect(text, name, stat, class, op string, value float64, unit string) run.Expectation {
	of := metric.Query{Metric: name, Stat: stat}
	if class != "" {
		of.Labels = []metric.Label{{Key: "class", Value: class}}
	}
	return run.Expectation{Text: text, Of: of, Op: op, Value: value, Unit: unit, RelTol: 0.02, AbsTol: 0.05}
}

func utilisation(worker string, share float64) run.Expectation {
	return run.Expectation{
		Text: fmt.Sprintf("utilisation{worker=%s} == %g%%", worker, 100*share),
		Of:   metric.Must("utilisation{worker=" + worker + "}"), Op: "==", Value: share, Unit: "%", RelTol: 0.02,
	}
}
