package engine_test

import (
	"fmt"
	"os"

	"harelab/engine"
	"harelab/engine/broker"
	"harelab/engine/store/pebble"
	"harelab/engine/wire"
)

// persistent are the properties of a message that survives a restart.
var persistent = wire.ViewProperties(wire.AppendProperties(nil, &wire.Properties{DeliveryMode: 2}))

// A durable broker in a test: what it confirms is in a folder, on the disk, and the next
// broker finds it there. A test takes the folder from t.TempDir.
func Example_durable() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	open := func() *engine.Engine {
		store, err := pebble.Open(dir, pebble.Options{})
		if err != nil {
			panic(err)
		}
		e, err := engine.New(engine.Options{Store: store})
		if err != nil {
			panic(err)
		}
		return e
	}

	e := open()
	conn, err := e.Broker().Open("/", broker.ConnOptions{})
	if err != nil {
		panic(err)
	}
	ch := conn.Channel(1, nil)
	if _, err := ch.DeclareQueue(broker.QueueSpec{Name: "orders", Durable: true}); err != nil {
		panic(err)
	}
	if _, err := ch.Publish(&broker.Publishing{RoutingKey: []byte("orders"), Properties: persistent, Body: []byte("one lamp")}); err != nil {
		panic(err)
	}
	conn.Close()
	if err := e.Broker().Sync(); err != nil { // as a client's confirm: it is on the disk now
		panic(err)
	}
	fmt.Println("a confirmed message is", e.Broker().Durability())
	if err := e.Close(); err != nil {
		panic(err)
	}

	e = open()
	defer e.Close()
	conn, err = e.Broker().Open("/", broker.ConnOptions{})
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	got, _, err := conn.Channel(1, nil).Get("orders", true)
	if err != nil {
		panic(err)
	}
	defer got.Msg.Release()
	fmt.Printf("%s, redelivered %t\n", got.Msg.Body(), got.Redelivered)
	// Output:
	// a confirmed message is fsynced
	// one lamp, redelivered false
}
