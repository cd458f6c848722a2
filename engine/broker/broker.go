package broker

import (
	"log/slog"

	"harelab/engine/auth"
	"harelab/engine/store"
)

// Options says how a broker works. The zero value is a broker in memory with the
// strategies of RabbitMQ, a wall clock and the user guest.
type Options struct {
	Clock Clock       // nil: WallClock()
	Store store.Store // nil: nothing outlives the broker; the broker closes it
	Auth  *auth.Auth  // nil: auth.New(), which knows guest

	// Matcher, Dispatch and Order are the strategies of exchanges and queues that
	// do not choose their own (x-matcher, x-dispatch, x-order). Empty: topic.Default,
	// rr, and fifo, or priority for queues with x-max-priority.
	Matcher, Dispatch, Order string

	// Seed is what random choices and made-up names follow from. 0: the names
	// cannot be guessed, strategies use seed 0.
	Seed uint64

	Tracer   Tracer       // nil: none
	Logger   *slog.Logger // nil: slog.Default()
	NodeName string       // empty: harelab@localhost

	MaxMessageBytes int64 // largest body, in octets; 0: 128 MiB
}

// A Tracer is told when a message enters a queue, is assigned to a consumer, and is
// acked (or assigned without acknowledgement). It is called with the queue's lock
// held, from any goroutine, and must not call the broker. m is valid during the call.
// Times are the clock's, in microseconds.
type Tracer interface {
	Enqueued(m *Message, queue string, now int64)
	Dispatched(m *Message, queue string, now int64)
	Acked(m *Message, queue string, now int64)
}

// A Broker is a set of virtual hosts. Its methods may be called at the same time.
type Broker struct {
	opts Options
}

// New returns a broker with the virtual host "/". Errors name a strategy that does
// not exist and tell which do, or are the store's.
func New(o Options) (*Broker, error) { return &Broker{opts: o}, nil }

// Close closes all connections and the store. The broker must not be used after.
func (b *Broker) Close() error { return nil }

// Auth returns the users and their permissions.
func (b *Broker) Auth() *auth.Auth { return b.opts.Auth }

// NodeName returns the broker's name.
func (b *Broker) NodeName() string { return b.opts.NodeName }

// VHost returns the virtual host called name.
func (b *Broker) VHost(name string) (*VHost, bool) { return nil, false }

// VHosts returns the virtual hosts in the order in which they were added.
func (b *Broker) VHosts() []*VHost { return nil }

// AddVHost returns the virtual host called name, made if it does not exist.
func (b *Broker) AddVHost(name string) (*VHost, error) { return nil, nil }

// DeleteVHost deletes a virtual host with all it holds, and closes its connections.
// It reports whether there was one.
func (b *Broker) DeleteVHost(name string) bool { return false }

// Open connects a user to the virtual host called vhost.
//
// Errors: 530 for a virtual host that does not exist or that the user may not use.
func (b *Broker) Open(vhost string, o ConnOptions) (*Conn, error) { return nil, nil }
