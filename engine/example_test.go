package engine_test

import (
	"context"
	"fmt"
	"net"

	amqp "github.com/rabbitmq/amqp091-go"

	"harelab/engine"
)

// A broker inside a test: no port, no container, the real client.
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
