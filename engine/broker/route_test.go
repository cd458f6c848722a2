package broker

import (
	"fmt"
	"testing"
)

// TestRouteManyTargets routes through more exchanges and queues than scanLimit. Each is
// reached many times.
func TestRouteManyTargets(t *testing.T) {
	b, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	v, _ := b.VHost("/")
	ch := v.Connect(ConnOptions{}).Channel(1, new(ackingSink))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const layers, width, queues = 3, 20, 100
	name := func(layer, i int) string { return fmt.Sprintf("x%d.%d", layer, i) }
	for layer := range layers {
		for i := range width {
			must(ch.Conn().DeclareExchange(ExchangeSpec{Name: name(layer, i), Type: "fanout"}))
		}
	}
	for layer := range layers {
		for i := range width {
			for j := range width { // also back to the first layer
				must(ch.Bind(BindingSpec{ToExchange: true, Source: name(layer, i), Destination: name((layer+1)%layers, j)}))
			}
		}
	}
	for i := range queues {
		q := fmt.Sprint("q", i)
		_, err := ch.DeclareQueue(QueueSpec{Name: q})
		must(err)
		for j := range 3 {
			must(ch.Bind(BindingSpec{Destination: q, Source: name(j, (i+j)%width)}))
		}
	}
	const messages = 3
	for range messages {
		r, err := ch.Publish(&Publishing{Exchange: []byte(name(0, 0)), RoutingKey: []byte("k")})
		must(err)
		if !r.Routed {
			t.Fatal("not routed")
		}
	}
	for _, q := range v.Queues() {
		if q.Ready != messages {
			t.Errorf("queue %s has %d messages, want %d", q.Name, q.Ready, messages)
		}
	}
}
