package scenarios

import (
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

func (d *decoder) worker(n *yaml.Node, count int) Worker {
	w := Worker{Line: n.Line, Slots: 1, Scope: PerConsumer, Ack: Ack{When: OnDone, Batch: 1}, Work: "sleep", Slow: 1}
	d.object(n, "worker", fields{
		"name":        d.text(&w.Name),
		"threads":     d.whole(&w.Slots, 1, 100_000),
		"consume":     func(n *yaml.Node) { w.Consume = d.consume(n) },
		"prefetch":    d.prefetch(&w),
		"ack":         d.ack(&w.Ack),
		"work":        choice(d, &w.Work, "sleep", "spin"),
		"slow":        d.number(&w.Slow, 0.001, 1000),
		"joins_at":    d.time(&w.JoinsAt, 0),
		"calls":       d.text(&w.Calls),
		"fail":        func(n *yaml.Node) { w.Fail = d.failure(n) },
		"connections": d.connections(&w.Shared),
	}, "name", "consume")
	w.Group = w.Name
	w.Name = d.numbered(n, w.Name, count)
	if raw := field(n, "name"); raw != nil && count > 1 {
		w.Group = raw.Value
	}
	d.declare(n, "worker", w.Name)
	if w.Calls != "" {
		d.refer(n, "calls", "dependency", w.Calls)
	}
	d.workerUses(n, &w)
	if w.Ack.When == NoAck && (w.Ack.Forget > 0 || w.Ack.Batch > 1) {
		d.fail(n, "worker %q: ack none has nothing to forget or to batch", w.Name)
	}
	if w.Ack.When != OnDone && w.Fail != nil {
		d.fail(n, "worker %q: fail needs ack on-done: after an earlier ack nothing is left to refuse", w.Name)
	}
	return w
}

// workerUses notes the features that a worker uses.
func (d *decoder) workerUses(n *yaml.Node, w *Worker) {
	for _, u := range []struct {
		used bool
		f    Feature
	}{
		{w.Ack.Batch > 1, FeatureAckBatch},
		{w.Ack.Forget > 0, FeatureAckForget},
		{w.Fail != nil, FeatureFail},
		{w.Fail != nil && w.Fail.Retry == RetryBackoff, FeatureBackoff},
		{w.JoinsAt > 0, FeatureJoin},
		{w.Shared > 0, FeatureShared},
		{w.Work == "spin", FeatureSpin},
	} {
		if u.used {
			d.use(n, u.f)
		}
	}
}

// maxPrefetch is the greatest prefetch count of basic.qos.
const maxPrefetch = 65535

func (d *decoder) prefetch(w *Worker) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n.Kind != yaml.MappingNode {
			d.whole(&w.Prefetch, 0, maxPrefetch)(n)
			return
		}
		d.object(n, "prefetch", fields{
			"count": d.whole(&w.Prefetch, 0, maxPrefetch),
			"scope": choice(d, &w.Scope, PerConsumer, PerChannel),
		}, "count")
	}
}

func (d *decoder) consume(n *yaml.Node) []Consume {
	var list []Consume
	d.each(n, "consume", func(n *yaml.Node) {
		c := Consume{Prefetch: -1}
		priority := 0
		d.object(n, "consume", fields{
			"queue":     d.text(&c.Queue),
			"prefetch":  d.whole(&c.Prefetch, 0, maxPrefetch),
			"priority":  d.whole(&priority, -1<<31, 1<<31-1),
			"exclusive": d.flag(&c.Exclusive),
		}, "queue")
		c.Priority = int32(priority)
		d.refer(n, "queue", "queue", c.Queue)
		for _, have := range list {
			if have.Queue == c.Queue {
				d.fail(n, "consume: queue %q is listed twice", c.Queue)
			}
		}
		list = append(list, c)
	})
	if n.Kind == yaml.SequenceNode && len(list) == 0 {
		d.fail(n, "consume: give at least one queue")
	}
	return list
}

func (d *decoder) ack(a *Ack) func(*yaml.Node) {
	return func(n *yaml.Node) {
		when := choice(d, &a.When, OnStart, OnDone, NoAck)
		if n.Kind != yaml.MappingNode {
			when(n)
			return
		}
		d.object(n, "ack", fields{
			"when":  when,
			"batch": d.whole(&a.Batch, 1, maxPrefetch),
			"forget": func(n *yaml.Node) {
				d.object(n, "forget", fields{"every": d.whole(&a.Forget, 1, 1<<30)}, "every")
			},
		}, "when")
	}
}

func (d *decoder) failure(n *yaml.Node) *Fail {
	f := &Fail{Retry: RetryImmediate, How: HowNack}
	d.object(n, "fail", fields{
		"from":         d.time(&f.From, 0),
		"to":           d.time(&f.To, 0),
		"p":            d.share(&f.P),
		"first":        d.whole(&f.First, 0, 1<<20),
		"timeout":      d.time(&f.Timeout, time.Microsecond),
		"how":          choice(d, &f.How, HowNack, HowReject),
		"retry":        choice(d, &f.Retry, RetryImmediate, RetryFixed, RetryBackoff),
		"max_attempts": d.whole(&f.MaxAttempts, 0, 1<<20),
		"then":         d.text(&f.Then),
		"backoff":      func(n *yaml.Node) { f.Backoff = d.backoff(n) },
	})
	if f.Then != "" {
		d.refer(n, "then", "queue", f.Then)
	}
	switch {
	case f.To != 0 && f.To <= f.From:
		d.fail(n, "fail: to %v is not after from %v", f.To, f.From)
	case f.P == 0 && f.First == 0 && f.Timeout == 0:
		d.fail(n, "fail: give p, the share of attempts that fail, first, the number of first attempts of each message that fail, or timeout, after which an attempt fails")
	case f.Then != "" && f.MaxAttempts == 0:
		d.fail(n, "fail: then needs max_attempts")
	case f.Retry == RetryBackoff && len(f.Backoff.Keys) == 0:
		d.fail(n, "fail: retry %s needs backoff: {exchange, keys: [...], delay: [...]}", RetryBackoff)
	}
	return f
}

func (d *decoder) backoff(n *yaml.Node) Backoff {
	var b Backoff
	d.object(n, "backoff", fields{
		"exchange": d.text(&b.Exchange),
		"keys":     d.texts(&b.Keys, "keys"),
		"delay": func(n *yaml.Node) {
			d.each(n, "delay", func(n *yaml.Node) {
				var t time.Duration
				d.time(&t, 0)(n)
				b.Delay = append(b.Delay, t)
			})
		},
		"jitter": d.share(&b.Jitter),
	}, "exchange", "keys", "delay")
	d.refer(n, "exchange", "exchange", b.Exchange)
	if len(b.Delay) != len(b.Keys) {
		d.fail(n, "backoff: %d keys and %d delays: give one delay per key", len(b.Keys), len(b.Delay))
	}
	return b
}

// connections reads "shared:50": the workers of the entry share 50 connections.
func (d *decoder) connections(p *int) func(*yaml.Node) {
	return func(n *yaml.Node) {
		var s string
		d.text(&s)(n)
		rest, ok := strings.CutPrefix(s, "shared:")
		if s == "own" {
			return
		}
		if !ok {
			d.fail(n, "connections: unknown value %q (have own, shared:N)", s)
			return
		}
		count := *n
		count.Value = rest
		d.whole(p, 1, 10_000)(&count)
	}
}

func (d *decoder) fault(n *yaml.Node) Fault {
	f := Fault{RestartAfter: -1}
	d.object(n, "fault", fields{
		"at":            d.time(&f.At, 0),
		"do":            choice(d, &f.Do, Kill, CloseConnection, Stall),
		"worker":        d.text(&f.Worker),
		"restart_after": d.time(&f.RestartAfter, 0),
	}, "at", "do", "worker")
	d.use(n, Feature("faults "+f.Do))
	if f.Worker != "" {
		d.refer(n, "worker", "worker", f.Worker)
	}
	return f
}
