package selftest

import (
	"fmt"
	"slices"
)

const (
	// maxTime bounds every time of a file, so that sums of times cannot overflow:
	// 2^52 microseconds are 142 years.
	maxTime = 1 << 52

	// maxMessages bounds the number of messages of one case, since each takes memory.
	maxMessages = 20_000_000

	// maxMean bounds the mean of a random time: up to it, SplitMix64's exponential
	// is exact.
	maxMean = 1<<26 - 1
)

// check returns an error for an invalid case. It also sets the defaults that depend
// on other values.
func (c *testCase) check() error {
	s := &c.Scenario
	queues := map[string]bool{}
	for i := range s.Queues {
		q := &s.Queues[i]
		if q.Name == "" || queues[q.Name] {
			return fmt.Errorf("queues[%d]: name %q is empty or taken", i, q.Name)
		}
		queues[q.Name] = true
		if err := q.check(); err != nil {
			return fmt.Errorf("queue %q: %w", q.Name, err)
		}
	}
	workers := map[string]bool{}
	for i := range s.Workers {
		w := &s.Workers[i]
		if w.Name == "" || workers[w.Name] {
			return fmt.Errorf("workers[%d]: name %q is empty or taken", i, w.Name)
		}
		workers[w.Name] = true
		if err := w.check(queues); err != nil {
			return fmt.Errorf("worker %q: %w", w.Name, err)
		}
	}
	total := int64(0)
	for i := range s.Publish {
		n, err := s.Publish[i].check(queues)
		if err != nil {
			return fmt.Errorf("publish[%d]: %w", i, err)
		}
		if total += n; total > maxMessages {
			return fmt.Errorf("publish[%d]: more than %d messages", i, maxMessages)
		}
	}
	for i, x := range s.Control {
		name := x.Crash + x.Join
		if (x.Crash == "") == (x.Join == "") || !workers[name] {
			return fmt.Errorf("control[%d]: want either crash or join of a worker, got crash %q, join %q", i, x.Crash, x.Join)
		}
		if err := timeIn("at", x.At); err != nil {
			return fmt.Errorf("control[%d]: %w", i, err)
		}
	}
	return nil
}

func (q *queueSpec) check() error {
	if err := choose("dispatch", q.Dispatch, "rr", "rr-eager", "jsq", "lwl", "po2", "random"); err != nil {
		return err
	}
	if err := choose("order", q.Order, "fifo", "priority", "aging", "sjf", "drr"); err != nil {
		return err
	}
	if err := choose("cost", q.Cost, "one", "service"); err != nil {
		return err
	}
	if q.MaxPriority == nil {
		q.MaxPriority = new(int)
		*q.MaxPriority = 255
	}
	if *q.MaxPriority < 0 || *q.MaxPriority > 255 {
		return fmt.Errorf("max_priority %d, want 0 to 255", *q.MaxPriority)
	}
	if q.Order == "aging" && (q.AgingUS < 1 || q.AgingUS > maxTime) {
		return fmt.Errorf("aging_us %d, want at least 1", q.AgingUS)
	}
	if q.Quantum < 1 || q.Quantum > maxTime {
		return fmt.Errorf("quantum %d, want at least 1", q.Quantum)
	}
	for tenant, w := range q.Weights {
		if w < 1 || w > 1<<20 {
			return fmt.Errorf("weight %d of tenant %q, want 1 to %d", w, tenant, 1<<20)
		}
	}
	return nil
}

func (w *workerSpec) check(queues map[string]bool) error {
	if w.Concurrency < 1 || w.Concurrency > 1<<20 {
		return fmt.Errorf("concurrency %d, want 1 to %d", w.Concurrency, 1<<20)
	}
	if err := choose("ack", w.Ack, "late", "early", "auto"); err != nil {
		return err
	}
	if !(w.Slow > 0 && w.Slow <= 1e6) {
		return fmt.Errorf("slow %v, want a factor above 0 and up to 1e6", w.Slow)
	}
	if w.ChannelPrefetch < 0 || w.ChannelPrefetch > 65535 {
		return fmt.Errorf("channel_prefetch %d, want 0 to 65535", w.ChannelPrefetch)
	}
	for i, sub := range w.Subscribe {
		if !queues[sub.Queue] {
			return fmt.Errorf("subscribe[%d]: unknown queue %q", i, sub.Queue)
		}
		if sub.Prefetch < 0 || sub.Prefetch > 65535 {
			return fmt.Errorf("subscribe[%d]: prefetch %d, want 0 to 65535", i, sub.Prefetch)
		}
	}
	if w.JoinsAt != nil {
		if err := timeIn("joins_at", *w.JoinsAt); err != nil {
			return err
		}
	}
	if err := timeIn("deliver_us", w.DeliverUS); err != nil {
		return err
	}
	return timeIn("ack_us", w.AckUS)
}

// check returns the number of messages of the group.
func (p *publishSpec) check(queues map[string]bool) (int64, error) {
	if p.Gen != nil {
		if p.Count != nil || p.Of != nil || p.At != 0 || p.Every != 0 {
			return 0, fmt.Errorf("both gen and at, every, count or of, want one of them")
		}
		return p.Gen.N, p.Gen.check(queues)
	}
	if p.Count == nil || len(p.Of) == 0 {
		return 0, fmt.Errorf("neither gen nor count with of")
	}
	n := *p.Count
	if n < 0 || n > maxMessages {
		return 0, fmt.Errorf("count %d, want 0 to %d", n, maxMessages)
	}
	if err := timeIn("at", p.At); err != nil {
		return 0, err
	}
	if p.Every < 0 || n > 0 && p.Every > (maxTime-p.At)/n {
		return 0, fmt.Errorf("every %d, want at least 0 and all messages before %d", p.Every, int64(maxTime))
	}
	for i := range p.Of {
		t := &p.Of[i]
		if t.Class == "" {
			t.Class = "all"
		}
		if t.Tenant == "" {
			t.Tenant = t.Class
		}
		if err := checkMessage(queues, t.Queue, t.Service, t.Priority); err != nil {
			return 0, fmt.Errorf("of[%d]: %w", i, err)
		}
		if t.Fail < 0 || t.Fail > 1<<20 {
			return 0, fmt.Errorf("of[%d]: fail %d, want 0 to %d", i, t.Fail, 1<<20)
		}
	}
	return n, nil
}

func (g *genSpec) check(queues map[string]bool) error {
	if g.N < 0 || g.N > maxMessages {
		return fmt.Errorf("gen: n %d, want 0 to %d", g.N, maxMessages)
	}
	if g.Class == "" {
		g.Class = "all"
	}
	if g.Route != nil {
		if len(g.Route.Queues) == 0 {
			return fmt.Errorf("gen: route without queues")
		}
		for _, q := range g.Route.Queues {
			if !queues[q] {
				return fmt.Errorf("gen: route: unknown queue %q", q)
			}
		}
	}
	switch a := &g.Arrival; a.Kind {
	case "exp":
		if a.Every != 0 {
			return fmt.Errorf("gen: arrival: every %d, want none with exp", a.Every)
		}
		if a.Mean < 0 || a.Mean > maxMean {
			return fmt.Errorf("gen: arrival: mean %d, want 0 to %d", a.Mean, maxMean)
		}
	case "fixed":
		if a.Mean != 0 {
			return fmt.Errorf("gen: arrival: mean %d, want none with fixed", a.Mean)
		}
		if a.Every < 0 || a.Every > maxTime/max(g.N, 1) {
			return fmt.Errorf("gen: arrival: every %d, want at least 0 and all messages before %d", a.Every, int64(maxTime))
		}
	default:
		return fmt.Errorf("gen: arrival: unknown kind %q (have exp, fixed)", a.Kind)
	}
	return g.checkService(queues)
}

func (g *genSpec) checkService(queues map[string]bool) error {
	queue := g.Queue
	if g.Route != nil {
		queue = g.Route.Queues[0]
	}
	switch s := &g.Service; s.Kind {
	case "exp":
		if s.US != 0 || s.Total != 0 || s.Items != nil {
			return fmt.Errorf("gen: service: us, total or items, want none of them with exp")
		}
		if s.Mean < 0 || s.Mean > maxMean {
			return fmt.Errorf("gen: service: mean %d, want 0 to %d", s.Mean, maxMean)
		}
		return checkMessage(queues, queue, 0, g.Priority)
	case "const":
		if s.Mean != 0 || s.Total != 0 || s.Items != nil {
			return fmt.Errorf("gen: service: mean, total or items, want none of them with const")
		}
		return checkMessage(queues, queue, s.US, g.Priority)
	case "choice":
		if s.Mean != 0 || s.US != 0 {
			return fmt.Errorf("gen: service: mean or us, want none of them with choice")
		}
		return g.checkItems(queues, queue)
	default:
		return fmt.Errorf("gen: service: unknown kind %q (have exp, const, choice)", s.Kind)
	}
}

func (g *genSpec) checkItems(queues map[string]bool, queue string) error {
	s := &g.Service
	if s.Total < 1 || s.Total >= 1<<31 {
		return fmt.Errorf("gen: service: total %d, want 1 to %d", s.Total, 1<<31-1)
	}
	sum := int64(0)
	for i := range s.Items {
		it := &s.Items[i]
		if it.Weight < 0 || it.Weight > s.Total {
			return fmt.Errorf("gen: service: items[%d]: weight %d, want 0 to total, %d", i, it.Weight, s.Total)
		}
		sum += it.Weight
		if it.Class == "" {
			it.Class = g.Class
		}
		if it.Priority == nil {
			it.Priority = &g.Priority
		}
		to := it.Queue
		if to == "" {
			to = queue
		}
		if err := checkMessage(queues, to, it.Service, *it.Priority); err != nil {
			return fmt.Errorf("gen: service: items[%d]: %w", i, err)
		}
	}
	if sum != s.Total {
		return fmt.Errorf("gen: service: weights sum to %d, want total, %d", sum, s.Total)
	}
	return nil
}

func checkMessage(queues map[string]bool, queue string, service int64, priority int) error {
	if !queues[queue] {
		return fmt.Errorf("unknown queue %q", queue)
	}
	if priority < 0 || priority > 255 {
		return fmt.Errorf("priority %d, want 0 to 255", priority)
	}
	return timeIn("service", service)
}

func timeIn(key string, us int64) error {
	if us < 0 || us > maxTime {
		return fmt.Errorf("%s %d, want 0 to %d microseconds", key, us, int64(maxTime))
	}
	return nil
}

// choose returns an error for a value that is not in have.
func choose(key, value string, have ...string) error {
	if !slices.Contains(have, value) {
		return fmt.Errorf("unknown %s %q (have %v)", key, value, have)
	}
	return nil
}
