package broker

import (
	"runtime"
	"testing"

	"harelab/engine/internal/invariants"
	"harelab/engine/store"
	"harelab/engine/store/memory"
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

// TestHintsDoNotAllocate sends messages to a queue whose strategies read headers: messages
// with those headers, with other headers and without headers.
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
			p.publish.Properties = wire.ViewProperties(wire.AppendProperties(nil, &wire.Properties{DeliveryMode: 2, Headers: headers}))
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
		Properties: wire.ViewProperties(wire.AppendProperties(nil, &wire.Properties{DeliveryMode: 2, ContentType: "text/plain"})),
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
	runtime.GC() // two collections empty a pool
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestPersistentPublishDoesNotAllocate publishes bursts with confirms to a queue that is
// stored, and has them confirmed and acked.
func TestPersistentPublishDoesNotAllocate(t *testing.T) {
	if invariants.Enabled {
		t.Skip("checks of invariants allocate")
	}
	b, err := New(Options{Store: &roundCounter{Store: memory.New()}})
	if err != nil {
		t.Fatal(err)
	}
	v, _ := b.VHost("/")
	sink := new(confirmCounter)
	conn := v.Connect(ConnOptions{})
	ch := conn.Channel(1, sink)
	if _, err := ch.DeclareQueue(QueueSpec{Name: "q", Durable: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := ch.Consume(ConsumerSpec{Queue: "q"}); err != nil {
		t.Fatal(err)
	}
	if err := ch.ConfirmSelect(); err != nil {
		t.Fatal(err)
	}
	p := &Publishing{RoutingKey: []byte("q"), Body: make([]byte, 100), Properties: wire.ViewProperties(wire.AppendProperties(nil, &wire.Properties{DeliveryMode: 2}))}
	published := uint64(0)
	burst := func() {
		for range 10 {
			published++
			if r, err := ch.Publish(p); err != nil || r.Confirm != ConfirmLater {
				t.Fatalf("Publish = %+v, %v", r, err)
			}
		}
		conn.Commit()
		if err := ch.Ack(sink.lastTag, true); err != nil {
			t.Fatal(err)
		}
		conn.Commit()
	}
	for range 100 {
		burst()
	}
	if n := testing.AllocsPerRun(100, burst); n != 0 {
		t.Errorf("%v allocations per burst of 10 messages, want 0", n)
	}
	if sink.confirmed != published || sink.calls != published/10 {
		t.Errorf("%d confirms in %d calls, want %d, 10 a call", sink.confirmed, sink.calls, published)
	}
}

// A roundCounter is a store that counts rounds and keeps no messages, so that it does not
// allocate.
type roundCounter struct {
	store.Store
	observer store.Observer
	round    store.Round
}

func (r *roundCounter) Start(o store.Observer)                        { r.observer = o }
func (*roundCounter) Message(store.MessageID, []byte, []byte)         {}
func (*roundCounter) Add(store.QueueID, store.MessageID, store.Entry) {}
func (*roundCounter) Done(store.MessageID)                            {}
func (*roundCounter) Remove(store.QueueID, store.MessageID)           {}

func (r *roundCounter) Commit() store.Round {
	r.round++
	r.observer.Completed(r.round)
	return r.round
}

// A confirmCounter counts confirmed publishes and calls of Confirmed.
type confirmCounter struct {
	ackingSink
	confirmed, calls uint64
}

func (c *confirmCounter) Confirmed(first, last uint64, _ bool, _ *Batch) {
	c.confirmed += last - first + 1
	c.calls++
}
