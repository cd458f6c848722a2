// Package server speaks AMQP 0-9-1 with clients: sockets, the handshake, frames and
// channels, down to the calls of package broker.
//
// # Goroutines
//
// A connection has two, however many channels and consumers it has. The reader
// reads a chunk of whatever size the socket has, carries out every frame in it, and
// only then wakes the writers of the connections it has touched and confirms what
// was published, with one multiple ack. A publish is parsed in the read buffer and
// handed to the broker from there; the deliveries that follow from it are encoded
// straight into the outboxes of their consumers' connections, before the call
// returns. The writer swaps the two buffers of its outbox and makes one write.
//
// So a message costs no goroutine switch, no system call and no allocation of its
// own: those are shared by all messages of a chunk.
//
// # Locks
//
// conn.work is held by whoever calls the broker for a connection: the reader for a
// chunk, the writer to resume paused consumers, Shutdown to close it. The broker's
// locks come after it, and an outbox's lock comes last: whoever holds that calls
// nobody.
//
// # Durability
//
// At the end of a chunk the broker commits what it changed. Confirms of persistent messages
// come when their round is durable, one multiple ack a channel; an answer that says
// something durable waits in the outbox behind a gate, with all that comes after it.
// While the store is behind, connections that have published are not read.
//
// # Panics
//
// Parsers run without any lock but conn.work and change nothing, so a panic in one ends
// its connection alone, as does one in the handshake. Any other panic may have left a
// lock held or a queue's books half written: it is logged and ends the process.
package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"harelab/engine/broker"
	"harelab/engine/wire"
)

// Options says how a server treats its clients. The zero value of each field stands
// for what RabbitMQ does.
type Options struct {
	Broker *broker.Broker // required

	ChannelMax uint16        // highest channel number offered; 0: 2047
	FrameMax   uint32        // largest frame offered, in octets; 0: 131072
	Heartbeat  time.Duration // offered, in whole seconds; 0: 60 s, negative: none

	HandshakeTimeout time.Duration // from the first octet to connection.open; 0: 10 s

	// Product is how the server introduces itself: "RabbitMQ", on which clients
	// branch, if empty. Whatever it says, harelab is named beside it.
	Product string

	Logger *slog.Logger // nil: slog.Default()
}

// withDefaults fills in what was left out.
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

// ErrClosed is what Serve returns after Shutdown or Close.
var ErrClosed = errors.New("server: closed")

// A Server serves connections for one broker. Its methods may be called at the same
// time.
type Server struct {
	opts Options

	mu        sync.Mutex
	listeners map[net.Listener]bool
	conns     map[*conn]bool
	stopping  chan struct{} // closed by Shutdown and Close
	stopped   bool

	running sync.WaitGroup // connections being served
}

// New returns a server that serves nobody yet.
func New(o Options) *Server {
	return &Server{
		opts:      o.withDefaults(),
		listeners: make(map[net.Listener]bool),
		conns:     make(map[*conn]bool),
		stopping:  make(chan struct{}),
	}
}

// Serve accepts connections from l and serves them until l fails or the server is
// closed; then it returns ErrClosed. It closes l.
func (s *Server) Serve(l net.Listener) error {
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
				s.opts.Logger.Warn("accept", "error", err)
				time.Sleep(wait)
				continue
			}
			return err
		}
		s.Go(nc)
	}
}

// retryAccept reports whether an error of Accept passes by itself, as when the
// process has no file descriptors left, and how long to wait.
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

// ServeConn serves one connection, which may come from anywhere, and returns when it is
// over and closed. After Shutdown or Close it closes nc and returns ErrClosed.
func (s *Server) ServeConn(nc net.Conn) error {
	c, err := s.admit(nc)
	if err != nil {
		return err
	}
	s.serve(c)
	return nil
}

// Go is ServeConn in a goroutine of its own: it returns at once.
func (s *Server) Go(nc net.Conn) error {
	c, err := s.admit(nc)
	if err != nil {
		return err
	}
	go s.serve(c)
	return nil
}

// admit enters a connection into the books, so that Shutdown knows of it.
func (s *Server) admit(nc net.Conn) (*conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		nc.Close()
		return nil, ErrClosed
	}
	c := newConn(s, nc)
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

// Shutdown stops to accept, tells all clients that the connection is over (320
// CONNECTION_FORCED) and waits until they are gone. When ctx is done first, it
// closes the rest and returns ctx's error.
func (s *Server) Shutdown(ctx context.Context) error {
	for _, c := range s.stop() {
		c.force("broker forced connection closure with reason 'shutdown'")
	}
	done := make(chan struct{})
	go func() {
		s.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	for _, c := range s.all() {
		c.nc.Close()
	}
	<-done
	return ctx.Err()
}

// Close closes all listeners and connections without a word, as a crash would, and
// returns when nothing of them runs any more.
func (s *Server) Close() error {
	for _, c := range s.stop() {
		c.nc.Close()
	}
	s.running.Wait()
	return nil
}

// stop refuses all that is new and returns the connections there are.
func (s *Server) stop() []*conn {
	s.mu.Lock()
	if !s.stopped {
		s.stopped = true
		close(s.stopping)
	}
	for l := range s.listeners {
		l.Close()
	}
	s.mu.Unlock()
	return s.all()
}

// all returns the connections there are, in no set order.
func (s *Server) all() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	conns := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	return conns
}
