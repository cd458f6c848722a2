package engine_test

import (
	"context"
	"fmt"
	"net"

	amqp "github.com/rabbitmq/amqp091-go"

	"harelab/engine"
	"harelab/engine/broker"
	"harelab/engine/store/memory"
	"harelab/engine/wire"
)

// A broker inside a test, with the real client, and without a port or a container.
func Example() {
	e, err := engine.New(engine.Options{})
	if err != nil {
		panic(err)
	}
	defer e.Close()

	conn, err := amqp.DialConfig("amqp://guest:guest@memory/", amqp.Config{
		Dial: func(network, addr string) (net.Conn, error) { return e.Dial() },
	})
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		panic(err)
	}

	q, err := ch.QueueDeclare("tasks", false, false, false, false, nil)
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	for _, body := range []string{"first", "second"} {
		err := ch.PublishWithContext(ctx, "", q.Name, false, false, amqp.Publishing{Body: []byte(body)})
		if err != nil {
			panic(err)
		}
	}
	deliveries, err := ch.Consume(q.Name, "", true, false, false, false, nil)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s, %s\n", (<-deliveries).Body, (<-deliveries).Body)
	// Output: first, second
}

// A store keeps durable queues and persistent messages. The second engine finds what the
// first one stored. The calls go to the broker directly, without a client.
func ExampleOptions_store() {
	store := memory.New()
	e, err := engine.New(engine.Options{Store: store})
	if err != nil {
		panic(err)
	}
	admin, err := e.Broker().Session("/", "")
	if err != nil {
		panic(err)
	}
	if _, err := admin.DeclareQueue(broker.QueueSpec{Name: "tasks", Durable: true}); err != nil {
		panic(err)
	}
	if err := e.Close(); err != nil {
		panic(err)
	}

	e, err = engine.New(engine.Options{Store: store})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	v, _ := e.Broker().VHost("/")
	for _, q := range v.Queues() {
		fmt.Printf("%s: durable %t, %s\n", q.Name, q.Durable, q.Dispatch)
	}
	// Output: tasks: durable true, rr
}

// A policy changes queues that are in use: here their length and their dispatch strategy,
// without a new declaration.
func ExampleEngine_policy() {
	e, err := engine.New(engine.Options{})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	admin, err := e.Broker().Session("/", "")
	if err != nil {
		panic(err)
	}
	if _, err := admin.DeclareQueue(broker.QueueSpec{Name: "tasks.quick"}); err != nil {
		panic(err)
	}

	v, _ := e.Broker().VHost("/")
	err = v.SetPolicy(broker.Policy{
		Name:    "fair tasks",
		Pattern: `^tasks\.`,
		ApplyTo: "queues",
		Definition: wire.Table{
			{Key: "dispatch", Value: "fair"},
			{Key: "max-length", Value: int64(10_000)},
		},
	})
	if err != nil {
		panic(err)
	}
	q, _ := v.Queue("tasks.quick")
	fmt.Printf("%s: %s, by policy %q: %v\n", q.Name, q.Dispatch, q.Policies.Policy, q.Policies.Effective)
	// Output: tasks.quick: fair, by policy "fair tasks": [{dispatch fair} {max-length 10000}]
}
