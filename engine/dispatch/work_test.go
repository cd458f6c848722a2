package dispatch_test

import (
	"bytes"
	"fmt"
	"testing"

	"harelab/engine/dispatch"
	"harelab/engine/queue"
)

// questions counts the questions to probes and limiters in a recording.
type questions int

func (n *questions) Write(lines []byte) (int, error) {
	for line := range bytes.Lines(lines) {
		if answers, ok := bytes.CutPrefix(line, []byte("? ")); ok {
			*n += questions(len(bytes.Fields(answers)))
		}
	}
	return len(lines), nil
}

// A workerProbe is a probe of a worker that does one message after another.
type workerProbe struct {
	outstanding int
	ends        int64 // time at which the message in work is done
	watchers    []func()
}

func (p *workerProbe) Outstanding() int     { return p.outstanding }
func (p *workerProbe) Work(now int64) int64 { return int64(min(p.outstanding, 1)) * (p.ends - now) }
func (p *workerProbe) Watch(changed func()) { p.watchers = append(p.watchers, changed) }

func (p *workerProbe) add(n int, ends int64) {
	p.outstanding += n
	p.ends = ends
	for _, changed := range p.watchers {
		changed()
	}
}

// A shop is a queue and n workers. Each worker has a probe, and a channel-wide limit
// that another queue uses too.
type shop struct {
	rec      *queue.Recorder
	asked    questions
	limiters []*dispatch.Limiter
	probes   []*workerProbe
	out      []queue.Decision
	held     []queue.Decision // deliveries not acknowledged, the oldest first
	now      int64

	published int // number of messages published
	many      int // number of messages in the shop from which on each new one finishes an old one
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
		b.probes = append(b.probes, new(workerProbe))
		if limits {
			e.Limiter = b.limiters[len(b.limiters)-1]
		}
		if probes {
			e.Probe = b.probes[len(b.probes)-1]
		}
		b.step(e)
	}
	return b
}

// step steps the queue until it is done, one delivery at a time, as a driver with
// probes does.
func (b *shop) step(e queue.Event) {
	b.now++
	e.Now, e.Budget = b.now, 1
	b.out = b.rec.Step(e, b.out[:0])
	more := false
	for _, d := range b.out {
		switch d.Kind {
		case queue.Deliver:
			b.held = append(b.held, d)
			b.probes[d.Consumer].add(1, b.now+100)
		case queue.More:
			more = true
		}
	}
	if more {
		b.step(queue.Event{Kind: queue.Run})
	}
}

// message publishes a message. Another queue uses one worker meanwhile. Once there are
// many messages, message also finishes and acknowledges the oldest delivery.
func (b *shop) message(i int) {
	limiter := b.limiters[i*7919%len(b.limiters)]
	taken := limiter.TryTake()
	b.step(queue.Event{Kind: queue.Publish})
	if b.published++; b.published > b.many {
		d := b.held[0]
		b.held = b.held[1:]
		b.probes[d.Consumer].add(-1, b.now+50)
		b.step(queue.Event{Kind: queue.Ack, Refs: []dispatch.Ref{d.Ref}})
	}
	if taken {
		limiter.Put(1)
		b.step(queue.Event{Kind: queue.Run, Limiter: limiter})
	}
}

// TestNoStrategyScans counts the questions to workers and channels. A message may need
// a few, however many consumers there are.
func TestNoStrategyScans(t *testing.T) {
	const most, messages = 20, 1000
	for _, s := range dispatch.Selectors() {
		if s.Name == "newcomer" {
			continue // it searches all consumers
		}
		for _, w := range []struct {
			name           string
			limits, probes bool
			each           int // number of messages in the shop for each worker
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
