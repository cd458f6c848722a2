package broker

import (
	"cmp"
	"maps"
	"slices"
)

// A Conn is a client's connection to a virtual host: a session with channels. Its methods and those of its
// channels are called by one goroutine at a time.
type Conn struct {
	Session
	opts  ConnOptions
	seq   uint64
	since int64 // microseconds

	confirming  []*Channel // with publishes that the next Commit is to have confirmed
	holding     bool       // answers wait for it
	unconfirmed bool       // there are publishes to be stored and not to be confirmed

	waits waits // under the lock of rounds

	// Under the virtual host's lock, for listings.
	channels map[*Channel]struct{}
	owned    map[*Queue]struct{} // exclusive queues
	opened   uint64
	closed   bool
}

// ConnOptions describes a connection.
type ConnOptions struct {
	Name string // as listed, such as "127.0.0.1:40000 -> 127.0.0.1:5672"
	User string // whose permissions count; none (the program itself) may do all

	// Ended, if not nil, is called when the broker ends the connection: its
	// virtual host was deleted, the broker is closing, or the store has failed and
	// takes something with it that the client takes for done. It may not call the
	// broker; the caller closes the Conn as for any other reason.
	Ended func(reason error)

	// Durable, if not nil, is called when a round that [Conn.Commit] returned is
	// durable, or a later one: answers that are held for it can go. It is called by
	// any goroutine, must not block and must not call the broker.
	Durable func(r Round, b *Batch)
}

// Connect adds a connection to the virtual host. Whether the user may open it was
// checked before; [Broker.Open] does both.
func (v *VHost) Connect(o ConnOptions) *Conn {
	c := &Conn{opts: o, since: v.broker.clock.Now(), channels: make(map[*Channel]struct{}), owned: make(map[*Queue]struct{})}
	c.init(v, o.User)
	c.conn = c
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seq++
	c.seq = v.seq
	v.conns[c] = struct{}{}
	return c
}

// Options returns what the connection was made with.
func (c *Conn) Options() ConnOptions { return c.opts }

// Batch returns what wakes the writers that the connection's calls touched. The
// caller flushes it at the end of each burst.
func (c *Conn) Batch() *Batch { return &c.batch }

// Channel opens a channel. Numbers are the caller's business. sink may be nil for a
// channel that publishes and gets: what would go to it is dropped.
func (c *Conn) Channel(id uint16, sink Sink) *Channel {
	if sink == nil {
		sink = noSink{}
	}
	ch := &Channel{conn: c, vhost: c.vhost, id: id, sink: sink, consumers: make(map[string]*Consumer)}
	c.vhost.mu.Lock()
	defer c.vhost.mu.Unlock()
	c.opened++
	ch.seq = c.opened
	c.channels[ch] = struct{}{}
	return ch
}

// Close ends the connection, in order or because its peer is gone: all consumers of
// all channels leave, all unsettled messages go back, and only then the queues
// run, in the order in which they were declared. Exclusive queues are deleted.
// Closing a closed connection does nothing.
func (c *Conn) Close() {
	v := c.vhost
	v.mu.Lock()
	if c.closed {
		v.mu.Unlock()
		return
	}
	c.closed = true
	delete(v.conns, c)
	channels := c.sortedChannels()
	owned := slices.SortedFunc(maps.Keys(c.owned), bySeq)
	v.mu.Unlock()

	c.op.begin()
	closeChannels(&c.op, channels)
	for _, q := range owned {
		v.removeQueue(&c.op, q)
	}
	c.op.end()
	c.Commit()
	c.batch.Flush()
}

// sortedChannels returns the channels in the order in which they were opened. The
// virtual host is locked.
func (c *Conn) sortedChannels() []*Channel {
	return slices.SortedFunc(maps.Keys(c.channels), func(a, b *Channel) int { return cmp.Compare(a.seq, b.seq) })
}
