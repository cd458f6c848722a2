package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"harelab/engine/auth"
	"harelab/engine/dispatch"
	"harelab/engine/internal/invariants"
	"harelab/engine/message"
	"harelab/engine/queue"
	"harelab/engine/settings"
	"harelab/engine/store"
	"harelab/engine/topic"
	"harelab/engine/wire"
)

// LevelNotice is the level at which a broker logs what an operator should know of one that
// is well: how the start goes, and how it ends.
const LevelNotice = slog.LevelInfo + 2

// Options says how a broker works. The zero value is a broker in memory with the
// strategies of RabbitMQ, a wall clock and the user guest.
type Options struct {
	Clock Clock       // nil: WallClock()
	Store store.Store // nil: nothing outlives the broker; the broker closes it
	Auth  *auth.Auth  // the first users; those that the store has take their place; nil: auth.New(), which knows guest

	// Matcher, Dispatch and Order are the strategies of exchanges and queues that
	// do not choose their own (x-matcher, x-dispatch, x-order). Empty: topic.Default,
	// rr, and fifo, or priority for queues with x-max-priority.
	Matcher, Dispatch, Order string

	// Seed determines random choices and generated names. 0: random choices use
	// seed 0, but generated names cannot be guessed.
	Seed uint64

	Tracer Tracer // nil: none

	// Transcript, if not nil, returns the writer that gets the events and decisions of
	// a queue, in the form that queue.Replay reads, or nil for a queue without a
	// transcript. The broker writes with the queue's lock held, so the writer should be
	// buffered. The broker closes the writer when the queue is deleted, if it is an
	// io.Closer, and flushes it when the queue panics, if it has Flush() error.
	Transcript func(vhost, queue string) io.Writer

	Logger   *slog.Logger // nil: slog.Default()
	NodeName string       // empty: harelab@localhost

	MaxMessageBytes int64 // largest body, in octets; 0: 128 MiB

	// MemoryLimit is the memory that the process should take at most, in octets. Publishers
	// are blocked when messages take seven tenths of it, or the process all of it, as far as
	// Watch is told; see Pressure. 0: no limit.
	MemoryLimit int64

	// PageAbove is the memory, in octets, that messages take before the octets of further
	// ones are kept in a store alone: in Store those of persistent messages in durable
	// queues, in Spill the others, which stay in memory without it. 0: all messages are in
	// memory, as they are if there is a Tracer.
	PageAbove int64
	Spill     store.Store // empty; need not outlive the broker, which closes it

	// DiskFreeLimit is the space on the disk, in octets, below which publishers are blocked.
	// 0: no limit.
	DiskFreeLimit int64
}

// A Tracer follows messages: the broker calls it when a message enters a queue, is
// assigned to a consumer, is acked (or assigned without acknowledgement), and when it
// leaves its queue in another way. It calls from any goroutine, mostly with the queue's
// lock held; the Tracer must not call the broker. m is valid during the call. now is the
// clock's time in microseconds.
type Tracer interface {
	Enqueued(m *message.Message, queue string, now int64)
	Dispatched(m *message.Message, queue string, now int64)
	Acked(m *message.Message, queue string, now int64)
	Died(m *message.Message, queue string, d Death, now int64)
}

// A Death is how a message left a queue without an acknowledgement. The broker tells it
// before the message enters another queue.
type Death struct {
	Reason  queue.Reason
	Octets  bool     // of MaxLen: the limit that was exceeded is x-max-length-bytes
	Refused bool     // the queue refused the message when it was published
	To      []string // the queues to which the message was dead-lettered; none: it is gone
}

// A Broker is a set of virtual hosts. Any number of goroutines may call its methods.
type Broker struct {
	clock          Clock
	store          store.Store // nil: none
	auth           *auth.Auth
	usersStored    bool       // the store has users of its own
	usersMu        sync.Mutex // held by verbs that change users, so that auth and store stay in step
	usage          usages
	tracer         Tracer
	transcript     func(vhost, queue string) io.Writer
	logger         *slog.Logger
	nodeName       string
	maxMessage     uint64 // octets
	defaults       settings.Defaults
	names          nameGenerator
	seed           uint64
	queueIDs       identities
	messageIDs     identities
	rounds         rounds
	recordsChanged atomic.Bool     // a record was put or deleted since the last commit
	tracker        message.Tracker // of all messages of the broker
	memory         account
	pager          *pager       // nil: messages are in memory
	diskFreeLimit  int64        // octets; 0: none
	diskFree       atomic.Int64 // octets; -1: unknown
	alarms         alarms

	mu         brokerMutex
	vhosts     map[string]*VHost
	added      uint64 // number of virtual hosts ever added
	parameters map[string]GlobalParameter
}

// defaultMaxMessage is RabbitMQ's default, in octets.
const defaultMaxMessage = 128 << 20

// New returns a broker with the virtual host "/" and everything that the store holds.
//
// Errors: an unknown strategy, with the names that exist; those of the store.
func New(o Options) (*Broker, error) {
	if o.Clock == nil {
		o.Clock = WallClock()
	}
	b := &Broker{
		clock:      o.Clock,
		store:      o.Store,
		auth:       o.Auth,
		tracer:     o.Tracer,
		transcript: o.Transcript,
		logger:     o.Logger,
		nodeName:   cmp.Or(o.NodeName, "harelab@localhost"),
		maxMessage: cmp.Or(uint64(max(0, o.MaxMessageBytes)), defaultMaxMessage),
		defaults:   settings.Defaults{Selector: cmp.Or(o.Dispatch, dispatch.DefaultSelector), Order: o.Order},
		queueIDs:   identities{name: "queue", block: 1 << 10},
		messageIDs: identities{name: "message", block: 1 << 20},
		vhosts:     make(map[string]*VHost),
		parameters: make(map[string]GlobalParameter),
		seed:       o.Seed,
	}
	b.rounds.change.L = &b.rounds.mu
	if b.auth == nil {
		b.auth = auth.New()
	}
	if b.logger == nil {
		b.logger = slog.Default()
	}
	b.rounds.logger = b.logger
	b.alarms.init(b.logger, b.nodeName)
	b.memory.init(o.MemoryLimit)
	b.pager = newPager(&o, b.memory.base, spillObserver{b.logger})
	b.diskFreeLimit = o.DiskFreeLimit
	b.diskFree.Store(-1)
	b.names.init(o.Seed)
	var err error
	if b.defaults.Matcher, err = topic.Lookup(cmp.Or(o.Matcher, topic.Default)); err != nil {
		return nil, err
	}
	if _, err := dispatch.LookupSelector(b.defaults.Selector); err != nil {
		return nil, err
	}
	if o.Order != "" {
		if _, err := dispatch.LookupOrder(o.Order); err != nil {
			return nil, err
		}
	}
	b.addVHost("/").metadata.Description = "Default virtual host"
	if b.store != nil {
		if err := b.restore(); err != nil {
			return nil, fmt.Errorf("broker: %w", err)
		}
	}
	return b, nil
}

// Close ends all connections (see [ConnOptions]), writes to the store which messages
// were delivered, and closes the store. After Close the broker may be used only to close
// connections and channels that are still open.
func (b *Broker) Close() error {
	reason := refuse(wire.ConnectionForced, "broker is shutting down")
	for _, v := range b.VHosts() {
		v.endConns(reason, nil)
		v.stopDelays()
	}
	b.pager.close()
	if invariants.Enabled {
		b.checkLeaks()
	}
	var spilled error
	if b.pager != nil && b.pager.spill != nil {
		spilled = b.pager.spill.Close()
	}
	if b.store == nil {
		return spilled
	}
	for _, v := range b.VHosts() {
		for _, q := range v.sortedQueues() {
			q.markDelivered(b.store)
		}
	}
	b.store.Put(kindClosed, "", nil)
	return errors.Join(spilled, b.store.Close())
}

// Durability returns what a confirmed message survives.
func (b *Broker) Durability() store.Durability {
	if b.store == nil {
		return store.Volatile
	}
	return b.store.Durability()
}

// Failed returns nil, or why the store has failed. After a failure the broker accepts
// nothing that it would have to store.
func (b *Broker) Failed() error {
	if b.store == nil {
		return nil
	}
	return b.store.Failed()
}

// notice logs at [LevelNotice].
func (b *Broker) notice(what string, args ...any) {
	b.logger.Log(context.Background(), LevelNotice, what, args...)
}

// Auth returns the users and their permissions, for questions. The verbs of Broker change
// them: what is changed otherwise is not stored.
func (b *Broker) Auth() *auth.Auth { return b.auth }

// NodeName returns the broker's name.
func (b *Broker) NodeName() string { return b.nodeName }

// VHost returns the virtual host called name.
func (b *Broker) VHost(name string) (*VHost, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	v, ok := b.vhosts[name]
	return v, ok
}

// VHosts returns the virtual hosts in the order in which they were added.
func (b *Broker) VHosts() []*VHost {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]*VHost, 0, len(b.vhosts))
	for _, v := range b.vhosts {
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b *VHost) int { return cmp.Compare(a.order, b.order) })
	return all
}

// AddVHost returns the virtual host called name, and makes it if it does not exist.
//
// Errors: 541 if the store has failed.
func (b *Broker) AddVHost(name string) (*VHost, error) {
	v := b.addVHost(name)
	v.mu.Lock()
	v.put()
	v.mu.Unlock()
	return v, b.Sync()
}

func (b *Broker) addVHost(name string) *VHost {
	b.mu.Lock()
	defer b.mu.Unlock()
	if v := b.vhosts[name]; v != nil {
		return v
	}
	v := newVHost(b, name)
	b.added++
	v.order = b.added
	b.vhosts[name] = v
	return v
}

// DeleteVHost deletes the virtual host called name with everything in it, and ends its
// connections (see [ConnOptions]). It reports whether the virtual host existed.
func (b *Broker) DeleteVHost(name string) bool {
	b.mu.Lock()
	v := b.vhosts[name]
	delete(b.vhosts, name)
	b.mu.Unlock()
	if v == nil {
		return false
	}
	v.endConns(refuse(wire.ConnectionForced, "vhost '%s' is deleted", name), nil)
	b.run(func(op *operation) {
		for _, q := range v.sortedQueues() {
			v.removeQueue(op, q)
		}
	})
	v.mu.Lock()
	for _, x := range v.sortedExchanges() {
		v.removeExchange(x)
	}
	v.forgetPolicies()
	v.mu.Unlock()
	b.forgetGrants(name)
	if b.store != nil {
		b.forget(kindLimits, recordName(name))
		b.forget(kindVHost, name)
		b.commit()
	}
	return true
}

// Open connects a user to the virtual host called vhost.
//
// Errors: 530 for a virtual host that does not exist or that the user may not use, and for
// a user who has as many connections as its limit allows.
func (b *Broker) Open(vhost string, o ConnOptions) (*Conn, error) {
	v, err := b.findVHost(vhost)
	if err != nil {
		return nil, err
	}
	if err := v.admit(o.User); err != nil {
		return nil, err
	}
	defer v.turnAway() // after connect, if it comes to that
	use, err := b.usage.admit(o.User, b.auth)
	if err != nil {
		return nil, err
	}
	if err := b.mayEnter(v, o.User); err != nil {
		b.usage.leave(use)
		return nil, err
	}
	return v.connect(o, use), nil
}
