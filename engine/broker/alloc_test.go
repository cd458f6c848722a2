package broker

import (
	"runtime"
	"testing"

	"harelab/engine/internal/invariants"
	"harelab/engine/wire"
)

// TestPublishDoesNotAllocate sends messages all the way in steady state.
func TestPublishDoesNotAllocate(t *testing.T) {
	if invariants.Enabled {
		t.Skip("checks of invariants allocate")
	}
	for _, to := range paths {
		t.Run("exchange="+to.name, func(t *testing.T) {
			p := newPath(t, to.exchange, to.bindingKey, to.routingKey)
			for range 1000 {
				p.message(t)
			}
			if n := testing.AllocsPerRun(1000, func() { p.message(t) }); n != 0 {
				t.Errorf("%v allocations per message, want 0", n)
			}
		})
	}
}

// TestHintsDoNotAllocate sends messages to a queue whose strategies read headers: with
// what they look for, without, and without headers.
func TestHintsDoNotAllocate(t *testing.T) {
	if invariants.Enabled {
		t.Skip("checks of invariants allocate")
	}
	for name, headers := range map[string]wire.Table{
		"cost":    {{Key: "first", Value: true}, {Key: "x-cost", Value: int64(250)}, {Key: "tenant", Value: "blue"}},
		"task":    {{Key: "task", Value: "neural_net"}},
		"neither": {{Key: "first", Value: true}},
		"none":    nil,
	} {
		t.Run("headers="+name, func(t *testing.T) {
			p := newPath(t, "", "", "orders", wire.Field{Key: "x-dispatch", Value: "lwl"}, wire.Field{Key: "x-order", Value: "drr"})
			p.publish.Properties = wire.AppendProperties(nil, &wire.Properties{DeliveryMode: 2, Headers: headers})
			for range 1000 {
				p.message(t)
			}
			if n := testing.AllocsPerRun(1000, func() { p.message(t) }); n != 0 {
				t.Errorf("%v allocations per message, want 0", n)
			}
		})
	}
}

// TestBacklogMemory queues messages of 100 octets and weighs them.
func TestBacklogMemory(t *testing.T) {
	if invariants.Enabled {
		t.Skip("checks of invariants allocate")
	}
	const messages, limit = 200_000, 250
	b, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	v, _ := b.VHost("/")
	ch := v.Connect(ConnOptions{}).Channel(1, new(ackingSink))
	if _, err := ch.DeclareQueue(QueueSpec{Name: "backlog"}); err != nil {
		t.Fatal(err)
	}
	p := &Publishing{
		RoutingKey: []byte("backlog"),
		Properties: wire.AppendProperties(nil, &wire.Properties{DeliveryMode: 2, ContentType: "text/plain"}),
		Body:       make([]byte, 100),
	}
	before := heapBytes()
	for range messages {
		if _, err := ch.Publish(p); err != nil {
			t.Fatal(err)
		}
	}
	each := float64(heapBytes()-before) / messages
	t.Logf("%.0f octets for each message of 100", each)
	if each > limit {
		t.Errorf("%.0f octets for each message of 100, want at most %d", each, limit)
	}
	if _, err := ch.PurgeQueue("backlog"); err != nil {
		t.Fatal(err)
	}
	if left := float64(heapBytes()-before) / messages; left > 1 {
		t.Errorf("%.1f octets for each message that is gone, want none", left)
	}
	runtime.KeepAlive(b)
}

func heapBytes() int64 {
	runtime.GC()
	runtime.GC() // pools are given up in two steps
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
