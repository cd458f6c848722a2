package sim

import (
	"context"
	"fmt"
	"slices"

	"harelab/loadgen"
	"harelab/loadgen/run"
	"harelab/scenarios"
)

// Options are the settings of a run in virtual time besides its scenario.
type Options struct {
	Repeat int // number of the run among its repeats, for the result
	Race   int // number of a try, from 1, at which the plan's messages are in the order of a [loadgen.Race]; 0: in the plan's order. For plans without closed loops
}

// Run runs a scenario in virtual time. The result is the same, to the byte, on every
// run and machine. The error names the part of the scenario that virtual time cannot
// carry out, or that the broker refused. If ctx ends first, the result is partial.
func Run(ctx context.Context, s *scenarios.Scenario, o Options) (*run.Result, error) {
	if err := s.Refuse("virtual time", loadgen.Features...); err != nil {
		return nil, err
	}
	plan, err := loadgen.NewPlan(s)
	if err != nil {
		return nil, err
	}
	m, err := modelOf(s)
	if err != nil {
		return nil, err
	}
	src := newPlanSource(s, plan)
	m.Source = src
	if o.Race > 0 {
		m.Source = newRaced(src, loadgen.NewRace(s, o.Race))
	}
	out, err := m.Run(ctx)
	if err != nil {
		return nil, s.Locate(err)
	}
	if src.endless != "" {
		return nil, &scenarios.Error{File: s.File, Msg: fmt.Sprintf(
			"sequence %q: in virtual time its users never let time pass, since nothing that they wait for takes time: set think or service above 0s, network.rtt with await: confirm, or model: open", src.endless)}
	}
	r := loadgen.NewResult(s, run.Target{Kind: "sim", Product: "harelab"})
	r.Repeat = o.Repeat
	r.Length, r.Partial = out.Length, out.Partial
	r.Tenants = src.tenants.List()
	r.Messages, r.Spans, r.Series, r.Ledger = out.Messages, out.Spans, out.Series, out.Ledger
	if !m.Confirms {
		r.Ledger.Confirmed = -1
	}
	if out.Full {
		r.Findings = append(r.Findings, loadgen.Full)
	}
	loadgen.CheckInterval(r, out.Interval)
	for i := range r.Workers {
		r.Workers[i].Unacked = out.Unacked[i]
	}
	loadgen.CheckLeft(r, s, out.TimedOut)
	loadgen.CheckWarmup(r)
	return r, s.Locate(Ran(r, s))
}

// modelOf translates a scenario, without its load, into a model.
func modelOf(s *scenarios.Scenario) (*Model, error) {
	m := &Model{
		Matcher: s.Engine.Matcher, Dispatch: s.Engine.Dispatch, Order: s.Engine.Order, Seed: s.Seed,
		Exchanges: s.Exchanges, Queues: slices.Clone(s.Queues), Bindings: s.Bindings,
		Interval: s.Measure.Interval.Microseconds(), Spans: true, Most: scenarios.MaxMessages + 1,
		Stop: Stop{Published: s.Stop.When == scenarios.StopPublished, Timeout: s.Stop.Timeout.Microseconds()},
	}
	if s.Stop.When == scenarios.StopPublishedAndIdle {
		m.Stop.Idle = s.Stop.Idle.Microseconds()
	}
	for _, q := range s.Load {
		m.Confirms = m.Confirms || q.Confirm
		for _, a := range q.Admin {
			if a.Rate > 0 {
				m.Rebind = append(m.Rebind, max(1, int64(1e6/a.Rate)))
			}
		}
	}
	for i := range m.Queues {
		q := &m.Queues[i]
		has := func(name string) bool {
			return slices.ContainsFunc(q.Arguments, func(a scenarios.Argument) bool { return a.Name == name })
		}
		m.Sizes = m.Sizes || has("x-max-length-bytes")
		m.Confirms = m.Confirms || has("x-overflow")
		if s.Engine.FairKey != "" && !has("x-fair-key") {
			q.Arguments = append(slices.Clone(q.Arguments), scenarios.Argument{Name: "x-fair-key", Value: s.Engine.FairKey})
		}
	}
	index, dependencies := map[string]int{}, loadgen.NewDependencies(s)
	for i := range s.Workers {
		index[s.Workers[i].Name] = i
		w, err := workerOf(s, &s.Workers[i], dependencies[s.Workers[i].Calls])
		if err != nil {
			return nil, err
		}
		m.Workers = append(m.Workers, w)
	}
	for _, f := range s.Faults {
		do, undo := Crash, Join
		if f.Do == scenarios.Stall {
			do, undo = Stall, Wake
		}
		at := f.At.Microseconds()
		m.Control = append(m.Control, Control{At: at, Do: do, Worker: index[f.Worker]})
		if f.RestartAfter >= 0 {
			m.Control = append(m.Control, Control{At: at + f.RestartAfter.Microseconds(), Do: undo, Worker: index[f.Worker]})
		}
	}
	return m, nil
}

// workerOf translates a worker. called is the dependency that it calls, or nil.
func workerOf(s *scenarios.Scenario, w *scenarios.Worker, called *loadgen.Dependency) (Worker, error) {
	half := s.Network.RTT.Microseconds() / 2
	acks := map[string]Ack{scenarios.OnStart: AckEarly, scenarios.OnDone: AckLate, scenarios.NoAck: AckAuto}
	m := Worker{
		Line: w.Line, Name: w.Name, Slots: w.Slots, Ack: acks[w.Ack.When], Slow: w.Slow, Deliver: half, AckDelay: half,
		JoinsAt: w.JoinsAt.Microseconds(), AckBatch: w.Ack.Batch, AckForget: w.Ack.Forget,
	}
	m.Seed = scenarios.Stream(s.Seed, "limiter/"+w.Name).Uint64()
	if w.JoinsAt == 0 {
		m.JoinsAt = -1 // before any event
	}
	own := w.Prefetch
	if w.Scope == scenarios.PerChannel {
		m.ChannelPrefetch, own = w.Prefetch, 0
	}
	for _, c := range w.Consume {
		sub := Subscription{Queue: c.Queue, Prefetch: own, Priority: c.Priority, Exclusive: c.Exclusive}
		if c.Prefetch >= 0 {
			sub.Prefetch = c.Prefetch
		}
		m.Subscriptions = append(m.Subscriptions, sub)
	}
	policy, err := loadgen.NewFailPolicy(s, w)
	if policy != nil || called != nil {
		m.Attempt = func(_ int64, attempt int32, now, work int64) (int64, loadgen.Verdict) {
			return policy.Attempt(attempt, now, called.Call(now, work))
		}
	}
	return m, err
}
