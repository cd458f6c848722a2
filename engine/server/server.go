// Package server speaks AMQP 0-9-1 with clients: sockets, the handshake, frames and
// channels. It carries out methods by calls of package broker.
//
// # Goroutines
//
// A connection has two goroutines, however many channels and consumers it has. The reader
// reads as much as the socket has, a chunk, and carries out every frame in it. Then it
// confirms the chunk's publishes with one multiple ack a channel, and wakes the writers of
// the connections that it has touched. A publish is parsed in the read buffer and passed
// to the broker from there. The broker encodes the deliveries that it causes into the
// outboxes of the consumers' connections before the call returns. The writer takes all
// frames of its outbox and makes one write.
//
// So no message has a goroutine switch, a system call or an allocation of its own: the
// messages of a chunk share them.
//
// # Locks
//
// conn.work is held by the goroutine that calls the broker for a connection: the reader
// for a chunk, the writer to resume paused consumers, Shutdown to close the connection.
// The broker's locks come after it, and an outbox's lock comes last: no function is called
// with it that takes another lock.
//
// # Durability
//
// At the end of a chunk the connection commits its changes to the store. Persistent
// messages are confirmed when their round is durable, with one multiple ack a channel. An
// answer that says that something is durable waits in the outbox behind a gate, with all
// frames after it. While the store is behind, the server does not read from connections
// that have published.
//
// # Panics
//
// Parsers hold no lock but conn.work and change no shared state, so a panic in a parser
// ends only its connection, as does a panic in the handshake. Any other panic may have
// left a lock held or a queue inconsistent: it is logged and ends the process.
package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"harelab/engine/broker"
	"harelab/engine/certs"
	"harelab/engine/wire"
)

// Options says how a server treats its clients. The zero value of each field stands
// for what RabbitMQ does.
type Options struct {
	Broker *broker.Broker // required

	ChannelMax uint16        // highest channel number offered; 0: 2047
	FrameMax   uint32        // largest frame offered, in octets; 0: 131072
	Heartbeat  time.Duration // interval offered, in whole seconds; 0: 60 s, negative: none

	HandshakeTimeout time.Duration // from the accepted connection to connection.open; 0: 10 s

	// LoginFrom is the part of a client's certificate that names its user for EXTERNAL.
	// Empty: distinguished_name.
	LoginFrom certs.NameFrom

	// Product is the product in server-properties. Empty: "RabbitMQ", since clients
	// branch on it. Another property always names harelab.
	Product string

	Logger *slog.Logger // nil: slog.Default()
}

// withDefaults sets the fields that are zero to their defaults.
func (o Options) withDefaults() Options {
	if o.ChannelMax == 0 {
		o.ChannelMax = 2047
	}
	if o.FrameMax == 0 {
		o.FrameMax = 128 << 10
	}
	o.FrameMax = max(o.FrameMax, wire.MinFrameMax)
	if o.Heartbeat == 0 {
		o.Heartbeat = time.Minute
	}
	if o.HandshakeTimeout == 0 {
		o.HandshakeTimeout = 10 * time.Second
	}
	if o.Product == "" {
		o.Product = productRabbitMQ
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// ErrClosed is the error of Serve and Go after Shutdown or Close.
var ErrClosed = errors.New("server: closed")

// A Server serves connections for one broker. Any number of goroutines may call its
// methods.
type Server struct {
	opts Options

	mu        sync.Mutex
	listeners map[net.Listener]bool
	conns     map[*conn]bool
	stopping  chan struct{} // closed by Shutdown and Close: readers carry out nothing more
	forced    chan struct{} // closed when all connections were told to end: parked readers go on
	letGo     sync.Once     // closes forced
	stopped   bool

	running sync.WaitGroup // connections being served
	parking parking        // connections that were refused
}

// New returns a server without connections.
func New(o Options) *Server {
	return &Server{
		opts:      o.withDefaults(),
		listeners: make(map[net.Listener]bool),
		conns:     make(map[*conn]bool),
		stopping:  make(chan struct{}),
		forced:    make(chan struct{}),
	}
}

// Serve accepts connections from l and serves them. It returns ErrClosed after the server
// is closed, or the error with which l fails. It closes l.
func (s *Server) Serve(l net.Listener) error { return s.ServeOver(l, Transport{}) }

// ServeOver is Serve for a listener whose sockets carry AMQP over a transport.
func (s *Server) ServeOver(l net.Listener, over Transport) error {
	defer l.Close()
	if !s.track(l) {
		return ErrClosed
	}
	defer s.untrack(l)
	for {
		nc, err := l.Accept()
		if err != nil {
			select {
			case <-s.stopping:
				return ErrClosed
			default:
			}
			if wait, ok := retryAccept(err); ok {
				s.opts.Logger.Warn("accept failed, trying again", "error", err)
				time.Sleep(wait)
				continue
			}
			return err
		}
		s.goOver(nc, &over)
	}
}

// retryAccept reports whether an error of Accept is temporary, for example because the
// process has no file descriptors left, and how long to wait before the next try.
func retryAccept(err error) (time.Duration, bool) {
	var ne interface{ Temporary() bool }
	if errors.As(err, &ne) && ne.Temporary() {
		return 50 * time.Millisecond, true
	}
	return 0, false
}

func (s *Server) track(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		s.listeners[l] = true
	}
	return !s.stopped
}

func (s *Server) untrack(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
}

// Go serves one connection of any transport in goroutines of its own and closes it at the
// end. After Shutdown or Close it closes nc and returns ErrClosed.
func (s *Server) Go(nc net.Conn) error { return s.goOver(nc, new(Transport)) }

func (s *Server) goOver(socket net.Conn, over *Transport) error {
	c, err := s.admit(socket, over)
	if err != nil {
		return err
	}
	go s.serve(c)
	return nil
}

// admit adds a connection to those that Shutdown and Close end.
func (s *Server) admit(socket net.Conn, over *Transport) (*conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		socket.Close()
		return nil, ErrClosed
	}
	c := newConn(s, socket, over)
	s.conns[c] = true
	s.running.Add(1)
	return c, nil
}

func (s *Server) serve(c *conn) {
	defer s.running.Done()
	c.serve()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// Shutdown drains the server: it stops accepting connections, cancels all consumers,
// carries out nothing more, confirms what was published so far as soon as it is durable,
// closes the connections with 320 CONNECTION_FORCED and waits until all clients have gone.
// If ctx is done first, it closes the remaining connections and returns ctx's error.
func (s *Server) Shutdown(ctx context.Context) error {
	for _, c := range s.stop() {
		c.park()
	}
	within(ctx, func() { s.opts.Broker.Sync() }) // a store that has failed has nacked the rest
	for _, c := range s.all() {
		c.force("broker forced connection closure with reason 'shutdown'")
	}
	s.unpark()
	if within(ctx, s.running.Wait) {
		return nil
	}
	for _, c := range s.all() {
		c.socket.Close()
	}
	s.running.Wait()
	return ctx.Err()
}

// within calls f in a goroutine and waits until it returns, or ctx is done. It reports
// whether f has returned.
func within(ctx context.Context, f func()) bool {
	done := make(chan struct{})
	go func() {
		f()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

// Close closes all listeners and connections without connection.close, as a crash would,
// and returns when all goroutines of the connections have ended.
func (s *Server) Close() error {
	for _, c := range s.stop() {
		c.socket.Close()
	}
	s.unpark()
	s.running.Wait()
	return nil
}

// stop closes the listeners, refuses new connections and returns the existing ones.
func (s *Server) stop() []*conn {
	s.mu.Lock()
	if !s.stopped {
		s.stopped = true
		close(s.stopping)
	}
	for l := range s.listeners {
		l.Close()
	}
	s.parking.close()
	s.mu.Unlock()
	return s.all()
}

// unpark lets readers go on that wait while the server drains.
func (s *Server) unpark() { s.letGo.Do(func() { close(s.forced) }) }

// all returns the connections, in no set order.
func (s *Server) all() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	conns := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	return conns
}
