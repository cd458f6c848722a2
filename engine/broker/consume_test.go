package broker

import "testing"

// A fullSink is full after some deliveries.
type fullSink struct {
	ackingSink
	room int
}

func (s *fullSink) Deliver(d *Delivery, b *Batch) bool {
	s.room--
	return s.ackingSink.Deliver(d, b) && s.room > 0
}

// TestFullSinkBoundsDeliveries subscribes without limits to a long queue: messages for which
// the Sink has no room stay in the queue.
func TestFullSinkBoundsDeliveries(t *testing.T) {
	b, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	v, _ := b.VHost("/")
	const messages, room = 10_000, 100
	sink := &fullSink{room: room}
	ch := v.Connect(ConnOptions{}).Channel(1, sink)
	if _, err := ch.DeclareQueue(QueueSpec{Name: "long"}); err != nil {
		t.Fatal(err)
	}
	for range messages {
		if _, err := ch.Publish(&Publishing{RoutingKey: []byte("long")}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ch.Consume(ConsumerSpec{Queue: "long", NoAck: true}); err != nil {
		t.Fatal(err)
	}
	for round := 1; sink.deliveries < messages; round++ {
		if most := round * (room + budget - 1); sink.deliveries > most {
			t.Fatalf("%d deliveries in %d rounds, want at most %d", sink.deliveries, round, most)
		}
		if q, _ := v.Queue("long"); q.Ready != messages-sink.deliveries {
			t.Fatalf("%d ready after %d deliveries of %d", q.Ready, sink.deliveries, messages)
		}
		before := sink.deliveries
		sink.room = room
		ch.Resume()
		if sink.deliveries == before {
			t.Fatalf("no delivery after Resume with %d left", messages-before)
		}
	}
}

// A watchingProbe is a worker that counts its deliveries.
type watchingProbe struct{ sink *ackingSink }

func (p watchingProbe) Outstanding() int     { return p.sink.deliveries }
func (p watchingProbe) Work(now int64) int64 { return 0 }

// TestProbesSeeEachDelivery gives ten messages to two workers by jsq: each assignment takes
// the delivery before it into account.
func TestProbesSeeEachDelivery(t *testing.T) {
	b, err := New(Options{Dispatch: "jsq"})
	if err != nil {
		t.Fatal(err)
	}
	v, _ := b.VHost("/")
	conn := v.Connect(ConnOptions{})
	admin := conn.Channel(1, new(ackingSink))
	if _, err := admin.DeclareQueue(QueueSpec{Name: "q"}); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err := admin.Publish(&Publishing{RoutingKey: []byte("q")}); err != nil {
			t.Fatal(err)
		}
	}
	// A first worker takes all messages and dies, so that one event assigns all ten.
	hoarder := conn.Channel(2, new(ackingSink))
	if _, err := hoarder.Consume(ConsumerSpec{Queue: "q"}); err != nil {
		t.Fatal(err)
	}
	var sinks [2]ackingSink
	for i := range sinks {
		ch := conn.Channel(uint16(3+i), &sinks[i])
		if _, err := ch.Consume(ConsumerSpec{Queue: "q", Probe: watchingProbe{&sinks[i]}}); err != nil {
			t.Fatal(err)
		}
	}
	hoarder.Close()
	if sinks[0].deliveries != 5 || sinks[1].deliveries != 5 {
		t.Errorf("the workers got %d and %d messages, want 5 each", sinks[0].deliveries, sinks[1].deliveries)
	}
}
