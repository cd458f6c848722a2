package broker

import "testing"

// A wavering sink has no room for its first delivery, and room for those that follow in the
// same step, as an outbox whose writer is at work.
type wavering struct {
	ackingSink
	bodies []string
}

func (w *wavering) Deliver(d *Delivery, _ *Batch) bool {
	w.bodies = append(w.bodies, string(d.Msg.Body()))
	return len(w.bodies) > 1
}

// TestResumeAfterAnyRefusal: a consumer whose Sink returned false is paused until Resume,
// whatever the Sink returned for later deliveries of that step, and Resume resumes it.
func TestResumeAfterAnyRefusal(t *testing.T) {
	b, err := New(Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	v, _ := b.VHost("/")
	sink := new(wavering)
	ch := v.Connect(ConnOptions{}).Channel(1, sink)
	if _, err := ch.DeclareQueue(QueueSpec{Name: "q"}); err != nil {
		t.Fatal(err)
	}
	publish := func(body string) {
		if _, err := ch.Publish(&Publishing{RoutingKey: []byte("q"), Body: []byte(body)}); err != nil {
			t.Fatal(err)
		}
	}
	publish("first")
	publish("second")
	if _, err := ch.Consume(ConsumerSpec{Queue: "q", NoAck: true}); err != nil {
		t.Fatal(err)
	}
	publish("third")
	if len(sink.bodies) != 2 {
		t.Errorf("got %q while paused, want two messages", sink.bodies)
	}
	ch.Resume()
	if len(sink.bodies) != 3 {
		t.Errorf("got %q after Resume, want three messages", sink.bodies)
	}
}
