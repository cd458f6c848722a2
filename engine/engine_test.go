package engine_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.uber.org/goleak"

	"harelab/engine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newEngine(t *testing.T, o engine.Options) *engine.Engine {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	e, err := engine.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func TestListen(t *testing.T) {
	e := newEngine(t, engine.Options{})
	if a := e.Addr(); a != nil {
		t.Errorf("address %v before Listen", a)
	}
	addr, err := e.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if e.Addr() != addr {
		t.Errorf("address %v, want %v", e.Addr(), addr)
	}
	conn, err := amqp.Dial("amqp://guest:guest@" + addr.String() + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	product, harelab := conn.Properties["product"], conn.Properties["harelab"]
	if product != "RabbitMQ" || harelab != engine.Version() {
		t.Errorf("presents itself as %v, harelab %v, want RabbitMQ and harelab %v beside it", product, harelab, engine.Version())
	}
}

func TestPresentAs(t *testing.T) {
	e := newEngine(t, engine.Options{PresentAs: "harelab"})
	nc, err := e.Dial()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := amqp.Open(nc, amqp.Config{
		SASL:  []amqp.Authentication{&amqp.AMQPlainAuth{Username: "guest", Password: "guest"}},
		Vhost: "/",
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if product := conn.Properties["product"]; product != "harelab" {
		t.Errorf("presents itself as %v, want harelab", product)
	}
}

// A closed engine serves nobody and has no goroutines (see TestMain).
func TestShutdown(t *testing.T) {
	e := newEngine(t, engine.Options{})
	served := make(chan error)
	go func() { served <- e.ListenAndServe("127.0.0.1:0") }()
	for e.Addr() == nil {
		time.Sleep(time.Millisecond)
	}
	conn, err := amqp.Dial("amqp://guest:guest@" + e.Addr().String() + "/")
	if err != nil {
		t.Fatal(err)
	}
	closed := conn.NotifyClose(make(chan *amqp.Error, 1))
	if err := e.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if e := <-closed; e == nil || e.Code != 320 {
		t.Errorf("the connection closed with %v, want a 320", e)
	}
	if err := <-served; !errors.Is(err, engine.ErrClosed) {
		t.Errorf("ListenAndServe = %v, want %v", err, engine.ErrClosed)
	}
	if _, err := e.Dial(); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("Dial = %v, want %v", err, engine.ErrClosed)
	}
}

func TestUnknownStrategies(t *testing.T) {
	for _, o := range []engine.Options{{Matcher: "tire"}, {Dispatch: "tire"}, {Order: "tire"}} {
		_, err := engine.New(o)
		if err == nil || !strings.Contains(err.Error(), `"tire" (have `) {
			t.Errorf("New(%+v) = %v, want an error that lists the strategies", o, err)
		}
	}
}
