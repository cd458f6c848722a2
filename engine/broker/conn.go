package broker

import (
	"cmp"
	"maps"
	"slices"
	"sync/atomic"
)

// A Conn is a client's connection to a virtual host: a session with channels. One
// goroutine at a time calls its methods and those of its channels.
type Conn struct {
	Session
	opts  ConnOptions
	use   *usage // of the connection's user; nil: the program itself
	seq   uint64 // order of connecting
	since int64  // when it connected, in microseconds

	confirming  []*Channel // channels with publishes for the next Commit to confirm
	holding     bool       // answers wait for the round of the next Commit
	unconfirmed bool       // it stored publishes on channels without confirms since the last Commit

	waits waits // under the lock of rounds

	blocked atomic.Bool // see SetBlocked

	// Under the virtual host's lock, for listings.
	channels map[*Channel]struct{}
	owned    map[*Queue]struct{} // exclusive queues
	opened   uint64              // number of channels ever opened
	closed   bool
}

// ConnOptions describes a connection.
type ConnOptions struct {
	Name string // as listed, such as "127.0.0.1:40000 -> 127.0.0.1:5672"
	User string // the user whose permissions apply; empty: the program itself, which may do all

	// Ended, if not nil, is called when the broker ends the connection: its
	// virtual host was deleted, the broker is closing, or the store has failed and
	// lost something that the client takes for done. Ended must not call the broker;
	// the Conn still has to be closed.
	Ended func(reason error)

	// ChannelEnded, if not nil, is called when the broker ends a channel, because a
	// delivery was not settled in time (x-consumer-timeout). Any goroutine may call it; it
	// must not call the broker. The channel still has to be closed. If it is nil, nothing
	// has to be settled in time.
	ChannelEnded func(ch *Channel, reason error)

	// Durable, if not nil, is called when round r is durable: answers that are held
	// for r, or for a round before it, can be sent. Any goroutine may call Durable; it
	// must not block and must not call the broker.
	Durable func(r Round, b *Batch)
}

// Connect adds a connection to the virtual host. It does not check whether the user may
// use the virtual host; [Broker.Open] checks and connects.
func (v *VHost) Connect(o ConnOptions) *Conn {
	return v.connect(o, v.broker.usage.join(o.User))
}

func (v *VHost) connect(o ConnOptions, use *usage) *Conn {
	c := &Conn{opts: o, use: use, since: v.broker.clock.Now(), channels: make(map[*Channel]struct{}), owned: make(map[*Queue]struct{})}
	c.init(v, o.User)
	c.conn = c
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seq++
	c.seq = v.seq
	v.conns[c] = struct{}{}
	return c
}

// SetBlocked notes for listings that the connection's publishes wait for resources, or no
// longer do. Any goroutine may call it.
func (c *Conn) SetBlocked(on bool) { c.blocked.Store(on) }

// Batch returns the batch of the writers that the connection's calls touched. The caller
// flushes it at the end of each burst of calls.
func (c *Conn) Batch() *Batch { return &c.batch }

// OpenChannel is Channel for a client.
//
// Errors: 530 if the user has as many channels as its limit allows.
func (c *Conn) OpenChannel(id uint16, sink Sink) (*Channel, error) {
	if err := c.use.openChannel(c.vhost.broker.auth); err != nil {
		return nil, err
	}
	return c.open(id, sink), nil
}

// Channel opens a channel, whatever the user's limits are. The caller chooses its number.
// sink may be nil for a channel that only publishes and gets: whatever the broker would
// send to it is dropped.
func (c *Conn) Channel(id uint16, sink Sink) *Channel {
	c.use.addChannels(1)
	return c.open(id, sink)
}

func (c *Conn) open(id uint16, sink Sink) *Channel {
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

// Close ends the connection, whether its peer asked for that or is gone. First all
// consumers of all channels leave and all unsettled messages return to their queues; then
// the queues run, in the order in which they were declared. Exclusive queues are deleted.
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

	v.broker.usage.leave(c.use)
	c.op.begin()
	closeChannels(&c.op, channels)
	for _, q := range owned {
		v.removeQueue(&c.op, q)
	}
	c.op.end()
	c.Commit()
	c.op.report()
	c.batch.Flush()
}

// CancelConsumers ends all subscriptions of the connection. Each Sink learns of it, and the
// messages that were delivered can still be settled. The queues do not run: their messages
// wait for other consumers' events. A server calls it when it begins to shut down.
func (c *Conn) CancelConsumers() {
	c.vhost.mu.Lock()
	channels := c.sortedChannels()
	c.vhost.mu.Unlock()
	op := c.begin()
	for _, ch := range channels {
		ch.mu.Lock()
		consumers := slices.Clone(ch.ordered)
		ch.mu.Unlock()
		for _, consumer := range consumers {
			consumer.queue.part(op, consumer, true)
			consumer.cancelled(op)
		}
	}
	op.end()
}

// sortedChannels returns the channels in the order in which they were opened. The
// virtual host is locked.
func (c *Conn) sortedChannels() []*Channel {
	return slices.SortedFunc(maps.Keys(c.channels), func(a, b *Channel) int { return cmp.Compare(a.seq, b.seq) })
}
