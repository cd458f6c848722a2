package bench

import (
	"fmt"
	"testing"

	"harelab/engine/dispatch"
	"harelab/engine/queue"
)

// BenchmarkDispatch is the cost of a message from publish to acknowledgement in
// one queue, without a broker around it: a Publish that delivers, and the Ack of
// the oldest delivery. As many messages are out as there are consumers but one.
// With prefetch 1 a strategy has to find the one consumer that is free; with
// none (0) it has to choose among all.
//
//	go test -run=^$ -bench=BenchmarkDispatch -count=10 ./bench | go tool benchstat -col /strategy -row /prefetch,/consumers -
func BenchmarkDispatch(b *testing.B) {
	for _, s := range dispatch.Selectors() {
		for _, prefetch := range []uint32{0, 1} {
			for _, consumers := range []int{1, 10, 100, 1_000, 10_000} {
				b.Run(fmt.Sprintf("strategy=%s/prefetch=%d/consumers=%d", s.Name, prefetch, consumers), func(b *testing.B) {
					benchmarkDispatch(b, s, prefetch, consumers)
				})
			}
		}
	}
}

func benchmarkDispatch(b *testing.B, s dispatch.SelectorStrategy, prefetch uint32, consumers int) {
	fifo, err := dispatch.LookupOrder("fifo")
	if err != nil {
		b.Fatal(err)
	}
	q := queue.New(queue.Config{Selector: s, Order: fifo, Limits: queue.Unlimited})
	var out []queue.Decision
	for range consumers {
		out = q.Step(queue.Event{Kind: queue.Join, Prefetch: prefetch, Slots: 1}, out[:0])
	}
	oldest := make([]dispatch.Ref, consumers) // a ring of the deliveries that are out
	now := int64(1)
	delivered := 0
	publish := func() {
		now++
		out = q.Step(queue.Event{Kind: queue.Publish, Now: now, Msg: dispatch.Meta{Cost: now & 15}}, out[:0])
		if len(out) == 1 && out[0].Kind == queue.Deliver {
			oldest[delivered%consumers] = out[0].Ref
			delivered++
		}
	}
	for range consumers - 1 {
		publish()
	}
	held := delivered
	b.ReportAllocs()
	for b.Loop() {
		publish()
		q.Step(queue.Event{Kind: queue.Ack, Now: now, Refs: oldest[(delivered-held-1)%consumers:][:1]}, out[:0])
	}
	if msgs := delivered - held; msgs != b.N || q.Ready() != 0 || q.Unacked() != consumers-1 {
		b.Fatalf("%d messages of %d were delivered, %d are ready and %d unacked", msgs, b.N, q.Ready(), q.Unacked())
	}
	b.ReportMetric(float64(delivered-held), "msgs")
}

// BenchmarkOrder is the cost of a message that waits behind a backlog: a
// publish, and an acknowledgement that brings the next message of the backlog
// to the one consumer.
func BenchmarkOrder(b *testing.B) {
	for _, o := range dispatch.Orders() {
		for _, backlog := range []string{"small", "large"} {
			b.Run(fmt.Sprintf("strategy=%s/workload=%s", o.Name, backlog), func(b *testing.B) {
				benchmarkOrder(b, o, map[string]int{"small": 100, "large": 100_000}[backlog])
			})
		}
	}
}

func benchmarkOrder(b *testing.B, o dispatch.OrderStrategy, backlog int) {
	rr, err := dispatch.LookupSelector("rr")
	if err != nil {
		b.Fatal(err)
	}
	q := queue.New(queue.Config{Selector: rr, Order: o, Limits: queue.Unlimited})
	tenants := [...]string{"red", "green", "blue", "black"}
	var out []queue.Decision
	now := int64(0)
	publish := func() {
		now++
		out = q.Step(queue.Event{Kind: queue.Publish, Now: now, Msg: dispatch.Meta{
			Cost: now * 7919 % 1000, Tenant: tenants[now%4], Priority: uint8(now * 31 % 10),
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
