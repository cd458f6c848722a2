package dispatch_test

import (
	"bytes"
	"fmt"
	"testing"

	"harelab/engine/dispatch"
	"harelab/engine/queue"
)

// questions counts, in a recording, what a queue asked of probes and limiters.
type questions int

func (n *questions) Write(lines []byte) (int, error) {
	for line := range bytes.Lines(lines) {
		if answers, ok := bytes.CutPrefix(line, []byte("? ")); ok {
			*n += questions(len(bytes.Fields(answers)))
		}
	}
	return len(lines), nil
}

// A gauge is a probe of a worker that does one message after another.
type gauge struct {
	outstanding int
	ends        int64
	watchers    []func()
}

func (g *gauge) Outstanding() int     { return g.outstanding }
func (g *gauge) Work(now int64) int64 { return int64(min(g.outstanding, 1)) * (g.ends - now) }
func (g *gauge) Watch(changed func()) { g.watchers = append(g.watchers, changed) }

func (g *gauge) add(n int, ends int64) {
	g.outstanding += n
	g.ends = ends
	for _, changed := range g.watchers {
		changed()
	}
}

// A shop is a queue and n workers, of which each has a channel-wide limit, that
// another queue uses too, and a probe.
type shop struct {
	rec      *queue.Recorder
	asked    questions
	limiters []*dispatch.Limiter
	gauges   []*gauge
	out      []queue.Decision
	held     []queue.Decision
	now      int64

	published, many int
}

func newShop(t *testing.T, s dispatch.SelectorStrategy, n int, limits, probes bool) *shop {
	fifo, err := dispatch.LookupOrder("fifo")
	if err != nil {
		t.Fatal(err)
	}
	b := new(shop)
	b.rec = queue.NewRecorder(queue.New(queue.Config{Selector: s, Order: fifo, Limits: queue.Unlimited}), &b.asked)
	for range n {
		e := queue.Event{Kind: queue.Join, Slots: 1}
		b.limiters = append(b.limiters, dispatch.NewLimiter(2))
		b.gauges = append(b.gauges, new(gauge))
		if limits {
			e.Limiter = b.limiters[len(b.limiters)-1]
		}
		if probes {
			e.Probe = b.gauges[len(b.gauges)-1]
		}
		b.step(e)
	}
	return b
}

// step steps the queue until it has no more to do, one delivery at a time as a
// driver with probes does.
func (b *shop) step(e queue.Event) {
	b.now++
	e.Now, e.Budget = b.now, 1
	b.out = b.rec.Step(e, b.out[:0])
	more := false
	for _, d := range b.out {
		switch d.Kind {
		case queue.Deliver:
			b.held = append(b.held, d)
			b.gauges[d.Consumer].add(1, b.now+100)
		case queue.More:
			more = true
		}
	}
	if more {
		b.step(queue.Event{Kind: queue.Run})
	}
}

// message publishes a message, has, once there are many, the oldest one out finished, and another
// queue use a worker for a while.
func (b *shop) message(i int) {
	limiter := b.limiters[i*7919%len(b.limiters)]
	taken := limiter.TryTake()
	b.step(queue.Event{Kind: queue.Publish})
	if b.published++; b.published > b.many {
		d := b.held[0]
		b.held = b.held[1:]
		b.gauges[d.Consumer].add(-1, b.now+50)
		b.step(queue.Event{Kind: queue.Ack, Refs: []dispatch.Ref{d.Ref}})
	}
	if taken {
		limiter.Put(1)
		b.step(queue.Event{Kind: queue.Run, Limiter: limiter})
	}
}

// TestNoStrategyScans counts the looks at workers and channels: a message takes
// a few, however many consumers there are.
func TestNoStrategyScans(t *testing.T) {
	const most, messages = 20, 1000
	for _, s := range dispatch.Selectors() {
		if s.Name == "newcomer" {
			continue // it searches
		}
		for _, w := range []struct {
			name           string
			limits, probes bool
			each           int // messages in the shop for each worker
		}{{"probed", false, true, 1}, {"channel-limit", true, false, 1}, {"both", true, true, 1}, {"backlog", true, true, 4}} {
			for n := 8; n <= 1<<11; n *= 16 {
				t.Run(fmt.Sprintf("dispatch=%s/workload=%s/consumers=%d", s.Name, w.name, n), func(t *testing.T) {
					b := newShop(t, s, n, w.limits, w.probes)
					b.many = w.each * n
					for i := range b.many + n {
						b.message(i)
					}
					b.asked = 0
					for i := range messages {
						b.message(i)
					}
					if each := float64(b.asked) / messages; each > most {
						t.Errorf("%.1f questions a message, want at most %d", each, most)
					}
				})
			}
		}
	}
}
