package dispatch_test

import (
	"container/heap"
	"testing"

	"harelab/engine/dispatch"
	"harelab/engine/dispatch/rng"
	"harelab/engine/queue"
)

// TestAdaptiveFindsTheWindow puts a worker behind a link. The window must become the
// one that keeps the worker busy, slots * (1 + RTT/S), or up to a quarter greater,
// since it grows by that much when it is too small to measure with. With exponential
// service times it must be near that.
func TestAdaptiveFindsTheWindow(t *testing.T) {
	tests := []struct {
		name         string
		slots        int
		service, rtt int64
		exponential  bool
		low, high    uint32
		busy         float64 // least fraction of the time in which slots must work
	}{
		{name: "no round trip", slots: 1, service: 1000, rtt: 0, low: 1, high: 2, busy: 0.99},
		{name: "round trip of one service", slots: 1, service: 1000, rtt: 1000, low: 2, high: 3, busy: 0.99},
		{name: "round trip of 24 services", slots: 1, service: 5000, rtt: 120_000, low: 25, high: 31, busy: 0.99},
		{name: "four slots", slots: 4, service: 5000, rtt: 20_000, low: 20, high: 30, busy: 0.99},
		{name: "four slots, long services", slots: 4, service: 1_000_000, rtt: 1000, low: 4, high: 6, busy: 0.99},
		{name: "exponential", slots: 1, service: 5000, rtt: 50_000, exponential: true, low: 6, high: 17, busy: 0.80},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLink(t, tt.slots, tt.service, tt.rtt, tt.exponential)
			l.run(20_000)
			least, most, sum := l.windows[0], l.windows[0], 0
			for _, w := range l.windows {
				least, most, sum = min(least, w), max(most, w), sum+int(w)
			}
			busy := float64(l.worked) / float64(l.now-l.since) / float64(tt.slots)
			t.Logf("window %d to %d, mean %.1f; slots busy %.3f", least, most, float64(sum)/float64(len(l.windows)), busy)
			if least < tt.low || most > tt.high {
				t.Errorf("window %d to %d, want it within %d to %d", least, most, tt.low, tt.high)
			}
			if busy < tt.busy {
				t.Errorf("slots are busy %.3f of the time, want at least %.2f", busy, tt.busy)
			}
		})
	}
}

// A link is a queue that never runs empty, and one worker at a distance from it.
type link struct {
	t            *testing.T
	q            *queue.Queue
	slots        int
	service, rtt int64
	exponential  bool
	rng          rng.SplitMix64

	now, since, worked int64
	free               int
	waiting            []dispatch.Ref
	events             arrivals
	windows            []uint32
}

type arrival struct {
	at   int64
	kind int // delivered, done, acked
	ref  dispatch.Ref
}

const (
	delivered = iota
	done
	acked
)

type arrivals []arrival

func (a arrivals) Len() int           { return len(a) }
func (a arrivals) Less(i, j int) bool { return a[i].at < a[j].at }
func (a arrivals) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *arrivals) Push(x any)        { *a = append(*a, x.(arrival)) }
func (a *arrivals) Pop() any {
	x := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return x
}

func newLink(t *testing.T, slots int, service, rtt int64, exponential bool) *link {
	selector, err := dispatch.LookupSelector("adaptive")
	if err != nil {
		t.Fatal(err)
	}
	fifo, err := dispatch.LookupOrder("fifo")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{
		t: t, slots: slots, service: service, rtt: rtt, exponential: exponential, free: slots,
		q: queue.New(queue.Config{Selector: selector, Order: fifo, Limits: queue.Unlimited}),
	}
	for range 200 {
		l.step(queue.Event{Kind: queue.Publish})
	}
	l.step(queue.Event{Kind: queue.Join, Slots: uint32(slots)})
	return l
}

func (l *link) step(e queue.Event) {
	e.Now = l.now
	for _, d := range l.q.Step(e, nil) {
		heap.Push(&l.events, arrival{l.now + l.rtt/2, delivered, d.Ref})
	}
}

// run runs until the worker has done the messages, and measures the second half.
func (l *link) run(messages int) {
	for n := 0; n < messages; {
		a := heap.Pop(&l.events).(arrival)
		l.now = a.at
		switch a.kind {
		case delivered:
			l.waiting = append(l.waiting, a.ref)
		case done:
			l.free++
			heap.Push(&l.events, arrival{l.now + l.rtt - l.rtt/2, acked, a.ref})
			n++
			if n == messages/2 {
				l.since, l.worked = l.now, 0
			}
		case acked:
			l.step(queue.Event{Kind: queue.Ack, Refs: []dispatch.Ref{a.ref}})
			l.step(queue.Event{Kind: queue.Publish})
			if c, _ := l.q.Consumer(0); l.since > 0 {
				l.windows = append(l.windows, c.Window)
			}
		}
		for l.free > 0 && len(l.waiting) > 0 {
			took := l.service
			if l.exponential {
				took = l.rng.Exp(l.service)
			}
			l.free--
			l.worked += took
			heap.Push(&l.events, arrival{l.now + took, done, l.waiting[0]})
			l.waiting = l.waiting[1:]
		}
	}
}
