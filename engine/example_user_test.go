package engine_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net"

	amqp "github.com/rabbitmq/amqp091-go"

	"harelab/engine"
	"harelab/engine/auth"
)

// A user who may publish and nothing else, and only with routing keys that begin with its
// own name. What a verb has set holds at once, for open connections too.
func Example_user() {
	e, err := engine.New(engine.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	defer e.Close()

	b := e.Broker()
	hash, err := auth.HashPassword("secret")
	if err != nil {
		panic(err)
	}
	err = errors.Join(
		b.AddUser("sensor", hash),
		b.SetPermissions("sensor", "/", auth.Permissions{Write: `^amq\.topic$`}),
		b.SetTopicPermissions("sensor", "/", "amq.topic", auth.TopicPermissions{Write: `^{username}\.`}),
		b.Sync(), // with a store: wait until all of it is durable
	)
	if err != nil {
		panic(err)
	}

	conn, err := amqp.DialConfig("amqp://sensor:secret@memory/", amqp.Config{
		Dial: func(network, addr string) (net.Conn, error) { return e.Dial() },
	})
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	for _, key := range []string{"sensor.temperature", "other.temperature"} {
		ch, err := conn.Channel()
		if err != nil {
			panic(err)
		}
		closed := ch.NotifyClose(make(chan *amqp.Error, 1))
		if err := ch.Publish("amq.topic", key, false, false, amqp.Publishing{}); err != nil {
			panic(err)
		}
		ch.Close()
		if refused := <-closed; refused != nil {
			fmt.Println(refused.Reason)
			continue
		}
		fmt.Println(key, "is published")
	}
	// Output:
	// sensor.temperature is published
	// ACCESS_REFUSED - access to topic 'other.temperature' in exchange 'amq.topic' in vhost '/' refused for user 'sensor'
}
