// Package engine is an AMQP 0-9-1 broker as a library. Clients cannot tell it from
// RabbitMQ. Beyond RabbitMQ, a client can choose how topics are matched and which
// consumer gets the next message.
//
// # Embedding
//
// [New] makes a broker. [Engine.Listen] serves clients on a TCP port, any number of times
// for any number of ports, and [Engine.ListenOver] on one with TLS; [Engine.Dial]
// connects a client in memory, so that a test can have a broker of its own without ports
// or containers. [Engine.Broker] is the API without AMQP: it lists, declares and deletes.
// The program closes the engine with [Engine.Shutdown] or [Engine.Close].
//
// The zero [Options] are a broker in memory with RabbitMQ's strategies. Options.Store
// makes it durable: a confirmed message survives a crash that the store survives
// ([broker.Broker.Durability]). [New] recovers what the store holds before it returns. If
// something cannot be read, New names it, and the store is as it was. When the store fails,
// later, the broker nacks or refuses whatever it would have to store and says so in
// the log. Options.Clock replaces the wall clock of queues and messages; timeouts and
// heartbeats of connections stay in wall time. With a virtual clock, a fixed seed and calls
// from one goroutine, the broker does the same on every run.
//
// Any number of goroutines may use an engine. Store, Clock, Tracer and the writers of
// Transcript are called from many goroutines, and some with locks held, as their types
// describe; they must not call the engine.
//
// # The path of a message
//
//  1. A client's octets come in chunks (server/inbox.go), one read for many frames.
//  2. wire/frame.go cuts a chunk into frames, in place.
//  3. server/content.go joins basic.publish, header and body, in place too if they came
//     in one chunk, and calls the broker. wire/propertyview.go reads the properties once
//     and notes the offsets of those that the broker uses.
//  4. broker/publish.go checks the permission and the properties.
//  5. broker/route.go asks the exchange for the queues; exchange/ answers from a
//     snapshot, without a lock, a topic exchange through its matcher (topic/).
//  6. message/message.go copies the message once; broker/queue.go locks and steps one
//     queue after the other.
//  7. queue/step.go, a pure state machine, keeps the message or assigns it: an order
//     (dispatch/) chooses the next message, a selector chooses its consumer.
//  8. server/deliver.go encodes each delivery into the outbox of the consumer's
//     connection (server/outbox.go).
//  9. At the end of the chunk server/conn.go confirms the publishes and wakes each
//     touched writer once. Publishes that have to be stored are confirmed when their
//     round is durable (broker/rounds.go).
//  10. server/writer.go takes all frames of the outbox (server/frames.go) and makes one
//     write; if they are many, the writer's goroutine makes it.
//
// The consumer's ack takes the same path from step 1, through broker/ack.go, to the
// queue, which assigns further messages to the freed prefetch.
//
// Only the last step may hand the message to another goroutine, and no step allocates for
// a small message once the buffers have reached their size.
//
// # Panics
//
// A panic in the handshake, or in a parser of frames, methods and tables, ends the
// connection that sent the octets (541 INTERNAL_ERROR). Any other panic in the engine's
// goroutines and timers is a broken invariant. The engine logs it and does not recover, so
// that it ends the process with exit code 2: the program that embeds the engine, or the
// test.
package engine

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"harelab/engine/auth"
	"harelab/engine/broker"
	"harelab/engine/certs"
	"harelab/engine/server"
	"harelab/engine/store"
)

// Version returns the version of harelab in this program: a release, or "devel" with the
// commit, as far as the build has it. Clients find it in server-properties, as "harelab".
func Version() string { return server.Version() }

// Options configures an engine. The zero value is a broker in memory that behaves like
// RabbitMQ, with the user guest, password guest.
type Options struct {
	// Matcher, Dispatch and Order are the strategies of exchanges and queues that do
	// not choose their own by x-matcher, x-dispatch or x-order.
	Matcher, Dispatch, Order string

	Seed   uint64        // seed of random choices; 0: see [broker.Options]
	Store  store.Store   // keeps durable state; the engine closes it; nil: nothing outlives the engine
	Auth   *auth.Auth    // users and permissions of a store that has none yet; nil: guest
	Clock  broker.Clock  // time of queues and messages; nil: the wall clock
	Tracer broker.Tracer // follows messages; nil: none
	Logger *slog.Logger  // nil: slog.Default()

	// Transcript, if not nil, returns the writer that gets a queue's events and decisions
	// in the form that queue.Replay reads; see [broker.Options].
	Transcript func(vhost, queue string) io.Writer

	// LoopbackUsers may log in from this machine only. nil: guest; empty but not nil: none.
	LoopbackUsers []string

	// LoginFrom is the part of a client's certificate that names its user; see [Transport].
	// Empty: distinguished_name.
	LoginFrom certs.NameFrom

	NodeName string // empty: harelab@localhost

	// PresentAs is the product in server-properties, on which some clients branch.
	// Empty: RabbitMQ.
	PresentAs string

	Heartbeat       time.Duration // interval offered to clients; 0: 60 s, negative: none
	FrameMax        uint32        // largest frame offered, in octets; 0: 131072
	ChannelMax      uint16        // highest channel number offered; 0: 2047
	MaxMessageBytes int64         // largest body, in octets; 0: 128 MiB

	// MemoryLimit is the memory that the process should take at most, and DiskFreeLimit the
	// space that has to be free on the disk that holds DiskFolder, in octets. Beyond either
	// limit clients that publish are blocked (connection.blocked) until there is room again;
	// consumers are served. 0: no limit. See package limits for what there is.
	MemoryLimit, DiskFreeLimit int64
	DiskFolder                 string // empty: the disk is not watched

	// PageAbove is the memory, in octets, that messages take before further ones are kept on
	// the disk alone, in Store or in Spill; see [broker.Options]. 0: all are in memory.
	PageAbove int64
	Spill     store.Store // need not be durable; the engine closes it; nil: transient messages stay in memory
}

// An Engine is a broker and the server through which clients reach it. Any number of
// goroutines may call its methods.
type Engine struct {
	broker *broker.Broker
	server *server.Server

	monitor *monitor // nil: there are no limits

	mu   sync.Mutex
	addr net.Addr // address of the first listener
}

// ErrClosed is the error of an engine's methods after Shutdown or Close.
var ErrClosed = server.ErrClosed

// New returns an engine without connections. The caller closes it.
//
// Errors: an unknown strategy, with the names that exist; those of the store.
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
		MemoryLimit:     o.MemoryLimit,
		DiskFreeLimit:   o.DiskFreeLimit,
		PageAbove:       o.PageAbove,
		Spill:           o.Spill,
	})
	if err != nil {
		return nil, err
	}
	if o.LoopbackUsers != nil {
		b.Auth().SetLoopbackUsers(o.LoopbackUsers...)
	}
	e := &Engine{
		broker: b,
		server: server.New(server.Options{
			Broker:     b,
			ChannelMax: o.ChannelMax,
			FrameMax:   o.FrameMax,
			Heartbeat:  o.Heartbeat,
			LoginFrom:  o.LoginFrom,
			Product:    o.PresentAs,
			Logger:     o.Logger,
		}),
	}
	if o.MemoryLimit > 0 || o.DiskFreeLimit > 0 {
		e.monitor = startMonitor(b, cmp.Or(o.Logger, slog.Default()), o.DiskFolder)
	}
	return e, nil
}

// Broker returns the engine's broker, whose methods need no client.
func (e *Engine) Broker() *broker.Broker { return e.broker }

// Listen serves clients at a TCP address, for example "127.0.0.1:5672", or
// "127.0.0.1:0" for a port that the system chooses. It returns the address as soon as
// clients can connect.
func (e *Engine) Listen(addr string) (net.Addr, error) {
	l, err := e.listen(addr)
	if err != nil {
		return nil, err
	}
	go e.server.Serve(l)
	return l.Addr(), nil
}

// A Transport is what lies between a listener's sockets and AMQP: TLS, a proxy, both, or
// nothing. Package certs makes configurations of TLS from files.
type Transport = server.Transport

// ListenOver is Listen over a transport.
func (e *Engine) ListenOver(addr string, t Transport) (net.Addr, error) {
	l, err := e.listen(addr)
	if err != nil {
		return nil, err
	}
	go e.server.ServeOver(l, t)
	return l.Addr(), nil
}

// ListenAndServe serves clients at a TCP address until the engine is closed. It returns
// ErrClosed then.
func (e *Engine) ListenAndServe(addr string) error {
	l, err := e.listen(addr)
	if err != nil {
		return err
	}
	return e.server.Serve(l)
}

// Serve serves clients that connect to l until the engine is closed. It returns ErrClosed
// then, or the error with which l fails. It closes l.
func (e *Engine) Serve(l net.Listener) error {
	e.remember(l)
	return e.server.Serve(l)
}

// ServeOver is Serve over a transport.
func (e *Engine) ServeOver(l net.Listener, t Transport) error {
	e.remember(l)
	return e.server.ServeOver(l, t)
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

// Addr returns the address of the first listener, or nil.
func (e *Engine) Addr() net.Addr {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.addr
}

// Dial returns a connection to the engine in memory, for an AMQP client to use:
// amqp091.Open takes it, and amqp091.Config.Dial may return it.
func (e *Engine) Dial() (net.Conn, error) {
	client, far := server.Pipe()
	if err := e.server.Go(far); err != nil {
		return nil, err
	}
	return client, nil
}

// Shutdown closes all connections with 320 CONNECTION_FORCED, waits until the clients have
// gone or ctx is done, and closes the engine.
func (e *Engine) Shutdown(ctx context.Context) error {
	e.monitor.close()
	return errors.Join(e.server.Shutdown(ctx), e.broker.Close())
}

// Close closes the engine and all connections at once, without connection.close.
func (e *Engine) Close() error {
	e.monitor.close()
	return errors.Join(e.server.Close(), e.broker.Close())
}
