package amqp

import (
	"context"
	"net"
	"net/url"
	"sync"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"harelab/loadgen/run"
)

// defaultURL is the address for runs with Options.Dial alone.
const defaultURL = "amqp://guest:guest@localhost:5672/"

// A link is one connection to the broker.
type link struct {
	conn *amqp091.Connection
	sock net.Conn
	once sync.Once
}

// connect opens a connection of the given name.
func (r *runner) connect(ctx context.Context, name string) (*link, error) {
	l := &link{}
	address := r.o.URL
	if address == "" {
		address = defaultURL
	}
	properties := amqp091.NewConnectionProperties()
	properties.SetClientConnectionName("harelab " + r.s.Name + " " + name)
	conn, err := amqp091.DialConfig(address, amqp091.Config{
		Heartbeat:  10 * time.Second,
		Locale:     "en_US",
		Properties: properties,
		Dial: func(network, addr string) (net.Conn, error) {
			sock, err := r.dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			if rtt := r.s.Network.RTT; rtt > 0 {
				sock = delay(sock, rtt/2, r.alarm)
			}
			l.sock = sock
			return sock, sock.SetDeadline(time.Now().Add(handshakeTimeout))
		},
	})
	if err != nil {
		if l.sock != nil {
			l.sock.Close()
		}
		return nil, err
	}
	l.conn = conn
	return l, nil
}

// handshakeTimeout bounds connecting. amqp091 removes the deadline when the
// connection is open.
const handshakeTimeout = 30 * time.Second

func (r *runner) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if r.o.Dial != nil {
		return r.o.Dial(ctx)
	}
	d := net.Dialer{Timeout: handshakeTimeout}
	return d.DialContext(ctx, network, addr)
}

// close closes the connection with AMQP's handshake, within 3 s. It may be called
// again.
func (l *link) close() {
	l.once.Do(func() {
		if err := l.conn.CloseDeadline(time.Now().Add(3 * time.Second)); err != nil {
			l.sock.Close()
		}
	})
}

// kill cuts the connection without AMQP's handshake, as a crash of the client would.
func (l *link) kill() {
	l.once.Do(func() {
		if tcp, ok := l.sock.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // TCP reset; if this fails, the socket closes with a FIN
		}
		l.sock.Close()
		l.conn.Close() // ends the client's goroutines; its error is the cut itself
	})
}

// targetOf describes the broker at the other end.
func (r *runner) targetOf(l *link) run.Target {
	t := run.Target{Kind: "amqp"}
	if r.o.URL == "" {
		t.Kind = "embedded"
	} else if u, err := url.Parse(r.o.URL); err == nil {
		u.User = nil
		t.URL = u.String()
	}
	text := func(key string) string {
		s, _ := l.conn.Properties[key].(string)
		return s
	}
	t.Product, t.Version = text("product"), text("version")
	if v := text("harelab"); v != "" { // harelab presents itself as RabbitMQ, since clients branch on the product
		t.Product, t.Version = "harelab", v
		if t.Kind == "amqp" { // the embedded broker keeps nothing, and nobody expects it to
			t.Durability = text("harelab_durability")
		}
	}
	return t
}
