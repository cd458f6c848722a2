package engine_test

import (
	"fmt"
	"slices"
	"time"

	"harelab/engine"
	"harelab/engine/broker"
)

// Counters of queues are read without a client.
func Example_counters() {
	e, err := engine.New(engine.Options{})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	conn, err := e.Broker().Open("/", broker.ConnOptions{})
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	ch := conn.Channel(1, nil)
	if _, err := ch.DeclareQueue(broker.QueueSpec{Name: "tasks"}); err != nil {
		panic(err)
	}
	for range 3 {
		if _, err := ch.Publish(&broker.Publishing{RoutingKey: []byte("tasks"), Body: []byte("work")}); err != nil {
			panic(err)
		}
	}
	got, _, err := ch.Get("tasks", false)
	if err != nil {
		panic(err)
	}
	defer got.Msg.Release()

	q, _ := conn.VHost().Queue("tasks")
	fmt.Printf("published %d, delivered %d, ready %d, unacked %d\n", q.Published, q.Delivered, q.Ready, q.Unacked)
	if err := ch.Ack(got.DeliveryTag, false); err != nil {
		panic(err)
	}
	q, _ = conn.VHost().Queue("tasks")
	fmt.Printf("acked %d, unacked %d\n", q.Acked, q.Unacked)
	// Output:
	// published 3, delivered 1, ready 2, unacked 1
	// acked 1, unacked 0
}

// A broker in virtual time: a message that lives an hour expires at once when the test says
// that an hour has passed.
func Example_virtualTime() {
	clock := new(virtualClock)
	e, err := engine.New(engine.Options{Clock: clock, Seed: 1})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	admin, err := e.Broker().Session("/", "")
	if err != nil {
		panic(err)
	}
	offers := broker.QueueSpec{Name: "offers"}
	offers.Arguments.Set("x-message-ttl", int64(time.Hour/time.Millisecond))
	offers.Arguments.Set("x-dead-letter-exchange", "")
	offers.Arguments.Set("x-dead-letter-routing-key", "missed")
	for _, spec := range []broker.QueueSpec{offers, {Name: "missed"}} {
		if _, err := admin.DeclareQueue(spec); err != nil {
			panic(err)
		}
	}
	conn, err := e.Broker().Open("/", broker.ConnOptions{})
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	if _, err := conn.Channel(1, nil).Publish(&broker.Publishing{RoutingKey: []byte("offers")}); err != nil {
		panic(err)
	}
	for _, wait := range []time.Duration{59 * time.Minute, time.Minute} {
		clock.advance(wait)
		offers, _ := conn.VHost().Queue("offers")
		missed, _ := conn.VHost().Queue("missed")
		fmt.Printf("%v later: offers %d, missed %d\n", wait, offers.Ready, missed.Ready)
	}
	// Output:
	// 59m0s later: offers 1, missed 0
	// 1m0s later: offers 0, missed 1
}

// A virtualClock stands still until it is advanced. Its timers run in advance.
type virtualClock struct {
	now    int64 // microseconds
	timers []*virtualTimer
}

type virtualTimer struct {
	clock *virtualClock
	at    int64
	f     func()
}

func (c *virtualClock) Now() int64 { return c.now }

func (c *virtualClock) AfterFunc(d time.Duration, f func()) broker.Timer {
	t := &virtualTimer{c, c.now + d.Microseconds(), f}
	c.timers = append(c.timers, t)
	return t
}

func (t *virtualTimer) Stop() bool {
	i := slices.Index(t.clock.timers, t)
	if i >= 0 {
		t.clock.timers = slices.Delete(t.clock.timers, i, i+1)
	}
	return i >= 0
}

// advance moves the clock and runs the timers that become due, in their order.
func (c *virtualClock) advance(d time.Duration) {
	end := c.now + d.Microseconds()
	for len(c.timers) > 0 {
		next := slices.MinFunc(c.timers, func(a, b *virtualTimer) int { return int(a.at - b.at) })
		if next.at > end {
			break
		}
		c.now = max(c.now, next.at)
		next.Stop()
		next.f()
	}
	c.now = end
}
