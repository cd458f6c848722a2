package broker

import (
	"slices"
	"sync"
	"testing"

	"harelab/engine/exchange"
	"harelab/engine/wire"
)

// TestRouteWhileNumbersAreReused binds and unbinds two queues alternately, so that each gets
// the number of the other, while messages for the first are routed. The second must never
// get one.
func TestRouteWhileNumbersAreReused(t *testing.T) {
	for _, kind := range exchange.Types() {
		if !slices.Contains([]string{"direct", "topic", "x-delayed-message"}, kind.Name) {
			continue // the others route to either binding, or to both, whatever the key
		}
		t.Run("type="+kind.Name, func(t *testing.T) {
			b, err := New(Options{})
			if err != nil {
				t.Fatal(err)
			}
			v, _ := b.VHost("/")
			admin := v.Connect(ConnOptions{}).Channel(1, new(ackingSink))
			if err := admin.Conn().DeclareExchange(ExchangeSpec{Name: "x", Type: kind.Name, Arguments: wire.Table{{Key: "x-delayed-type", Value: "direct"}}}); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"a", "b"} {
				if _, err := admin.DeclareQueue(QueueSpec{Name: name, Arguments: wire.Table{{Key: "x-max-length", Value: int32(0)}}}); err != nil {
					t.Fatal(err)
				}
			}
			done := make(chan struct{})
			var publisher sync.WaitGroup
			publisher.Go(func() {
				ch := v.Connect(ConnOptions{}).Channel(1, new(ackingSink))
				p := &Publishing{Exchange: []byte("x"), RoutingKey: []byte("a")}
				for {
					select {
					case <-done:
						return
					default:
						if _, err := ch.Publish(p); err != nil {
							t.Error(err)
							return
						}
					}
				}
			})
			for range 20_000 {
				for _, name := range []string{"a", "b"} {
					if err := admin.Bind(BindingSpec{Destination: name, Source: "x", RoutingKey: name}); err != nil {
						t.Fatal(err)
					}
					if err := admin.Unbind(BindingSpec{Destination: name, Source: "x", RoutingKey: name}); err != nil {
						t.Fatal(err)
					}
				}
			}
			close(done)
			publisher.Wait()
			if q, _ := v.Queue("b"); q.Published != 0 {
				t.Errorf("queue b got %d messages with key a", q.Published)
			}
			if x, _ := v.exchanges.GetString("x"); len(*x.dests.slots.Load()) > 4 {
				t.Errorf("%d numbers for at most one binding at a time", len(*x.dests.slots.Load()))
			}
		})
	}
}
