// Package engine is an AMQP 0-9-1 broker as a library. [New] makes one, [Engine.Listen]
// puts it on a port, and [Engine.Dial] connects to it in memory, so that a test can
// have a broker of its own without ports or containers. Clients cannot tell it from
// RabbitMQ; what they can choose beyond it is how topics are matched and who gets
// the next message.
//
// # The path of a message
//
//  1. A client's octets come in chunks (server/inbox.go), one read for many frames.
//  2. wire/frame.go cuts a chunk into frames, in place.
//  3. server/content.go puts basic.publish, header and body together, in place too
//     if they came in one chunk, and calls the broker. wire/propertyview.go reads the
//     properties once, and notes where those lie that the broker looks at.
//  4. broker/publish.go checks permission and what the properties ask for.
//  5. broker/route.go asks the exchange for the queues; exchange/ answers from a
//     snapshot, without a lock, a topic exchange through its matcher (topic/).
//  6. message/message.go copies the message once; broker/queue.go locks each queue in
//     turn and steps it.
//  7. queue/step.go, a pure state machine, keeps the message or assigns it: an order
//     and a selector (dispatch/) say which message is next and who gets it.
//  8. server/deliver.go encodes each delivery into the outbox of the consumer's
//     connection (server/outbox.go).
//  9. At the end of the chunk server/conn.go confirms what was published, and wakes
//     the writers that were touched, each once. What has to be stored first is
//     confirmed when its round is durable (broker/rounds.go).
//  10. server/writer.go takes all that is in the outbox (server/frames.go) and makes
//     one write, in the writer's goroutine if there is much of it.
//
// The consumer's ack comes back the same way, from step 1 on, through broker/ack.go
// to the queue, which assigns what the freed prefetch lets it.
//
// No step hands the message to another goroutine before the last, and none allocates
// for a small message once buffers have found their size.
//
// # Panics
//
// A panic in the handshake or in what parses frames, methods and tables ends the
// connection whose octets it came from (541 INTERNAL_ERROR). Any other panic of the
// engine's goroutines and timers is a broken invariant: it is logged and not recovered
// from, so it ends the process, with exit code 2, also that of a test which has the
// engine within.
package engine

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"harelab/engine/auth"
	"harelab/engine/broker"
	"harelab/engine/server"
	"harelab/engine/store"
)

// Options says how an engine works. The zero value is a broker in memory that does
// what RabbitMQ does, with the user guest, password guest.
type Options struct {
	// Matcher, Dispatch and Order are the strategies of exchanges and queues that do
	// not choose their own by x-matcher, x-dispatch or x-order.
	Matcher, Dispatch, Order string

	Seed   uint64        // of random choices; 0: see [broker.Options]
	Store  store.Store   // nil: nothing outlives the engine; the engine closes it
	Auth   *auth.Auth    // nil: the user guest, from this machine only
	Clock  broker.Clock  // nil: the wall clock
	Tracer broker.Tracer // nil: none
	Logger *slog.Logger  // nil: slog.Default()

	// Transcript, if not nil, returns where a queue's events and decisions are written,
	// for queue.Replay to read: see [broker.Options.Transcript].
	Transcript func(vhost, queue string) io.Writer

	NodeName string // empty: harelab@localhost

	// PresentAs is the product that clients are told, on which some of them branch.
	// Empty: RabbitMQ.
	PresentAs string

	Heartbeat       time.Duration // offered to clients; 0: 60 s, negative: none
	FrameMax        uint32        // largest frame offered, in octets; 0: 131072
	ChannelMax      uint16        // highest channel number offered; 0: 2047
	MaxMessageBytes int64         // largest body, in octets; 0: 128 MiB
}

// An Engine is a broker with the server that clients reach it through. Its methods may
// be called at the same time.
type Engine struct {
	broker *broker.Broker
	server *server.Server

	mu   sync.Mutex
	addr net.Addr // of the first listener
}

// ErrClosed is what an engine's methods return after Shutdown or Close.
var ErrClosed = server.ErrClosed

// New returns an engine that nobody is connected to. Its error names an unknown
// strategy with those that there are, or is the store's. The caller closes the engine.
func New(o Options) (*Engine, error) {
	b, err := broker.New(broker.Options{
		Clock:           o.Clock,
		Store:           o.Store,
		Auth:            o.Auth,
		Matcher:         o.Matcher,
		Dispatch:        o.Dispatch,
		Order:           o.Order,
		Seed:            o.Seed,
		Tracer:          o.Tracer,
		Transcript:      o.Transcript,
		Logger:          o.Logger,
		NodeName:        o.NodeName,
		MaxMessageBytes: o.MaxMessageBytes,
	})
	if err != nil {
		return nil, err
	}
	return &Engine{
		broker: b,
		server: server.New(server.Options{
			Broker:     b,
			ChannelMax: o.ChannelMax,
			FrameMax:   o.FrameMax,
			Heartbeat:  o.Heartbeat,
			Product:    o.PresentAs,
			Logger:     o.Logger,
		}),
	}, nil
}

// Broker returns the broker behind the engine, for calls without a client.
func (e *Engine) Broker() *broker.Broker { return e.broker }

// Listen serves clients at a TCP address, such as "127.0.0.1:5672", or ":0" for a port
// that the system chooses. It returns the address as soon as clients can connect.
func (e *Engine) Listen(addr string) (net.Addr, error) {
	l, err := e.listen(addr)
	if err != nil {
		return nil, err
	}
	go e.server.Serve(l)
	return l.Addr(), nil
}

// ListenAndServe serves clients at a TCP address until the engine is closed; then it
// returns ErrClosed.
func (e *Engine) ListenAndServe(addr string) error {
	l, err := e.listen(addr)
	if err != nil {
		return err
	}
	return e.server.Serve(l)
}

// Serve serves clients that connect to l, and closes l, until the engine is closed;
// then it returns ErrClosed.
func (e *Engine) Serve(l net.Listener) error {
	e.remember(l)
	return e.server.Serve(l)
}

func (e *Engine) listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err == nil {
		e.remember(l)
	}
	return l, err
}

func (e *Engine) remember(l net.Listener) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.addr == nil {
		e.addr = l.Addr()
	}
}

// Addr returns the address that was listened at first, or nil.
func (e *Engine) Addr() net.Addr {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.addr
}

// Dial connects to the engine in memory. The connection is one for an AMQP client to
// speak on, as amqp091.Config.Dial or amqp091.Open take it.
func (e *Engine) Dial() (net.Conn, error) {
	client, far := server.Pipe()
	if err := e.server.Go(far); err != nil {
		return nil, err
	}
	return client, nil
}

// Shutdown tells all clients that the engine closes (320 CONNECTION_FORCED), waits for
// them to go until ctx is done, and closes the engine.
func (e *Engine) Shutdown(ctx context.Context) error {
	return errors.Join(e.server.Shutdown(ctx), e.broker.Close())
}

// Close closes the engine and all connections at once.
func (e *Engine) Close() error {
	return errors.Join(e.server.Close(), e.broker.Close())
}
