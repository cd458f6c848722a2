package server

import (
	"log/slog"
	"net"

	"harelab/engine/broker"
	"harelab/engine/internal/failstop"
	"harelab/engine/wire"
)

// A conn is one client's connection.
type conn struct {
	srv  *Server
	nc   net.Conn  // what carries AMQP: the socket, or TLS over it
	try  tryWriter // nc; nil if it has no write that does not wait
	log  *slog.Logger
	in   inbox
	out  outbox
	beat heartbeat
	gone chan struct{} // closed when the writer has ended

	// guarded is true while the reader parses what the client sent, and during the
	// handshake: a panic then concerns this connection alone. Only the reader uses it.
	guarded bool

	socket    net.Conn
	transport *Transport
	peer      // set by the handshake, then constant

	// work is held by the goroutine that calls the broker for this connection. It
	// guards the fields below.
	work       workMutex
	broker     *broker.Conn // nil before connection.open
	ended      bool         // the last method was sent: frames are not read any more
	parked     bool         // the server drains: frames are not carried out any more
	channels   []*channel   // by number; nil: not open
	opened     int          // number of open channels
	publisher  bool         // it has published; only the reader uses it
	content    *channel     // the channel whose incomplete content refers to the inbox
	confirming []*channel   // channels with confirms to send at the end of the chunk
	publishing broker.Publishing
	scratch    []byte
}

// A peer holds what the handshake found out about the client.
type peer struct {
	remote, local net.Addr // where the client is, and what it connected to, as far as the transport knows
	certificate   string   // the user's name in the client's certificate; empty: none
	verified      bool     // the client has a certificate that TLS verified

	user         string
	frameMax     uint32
	channelMax   uint16
	cancelNotify bool // the client understands basic.cancel from the server
	knowsBlocked bool // the client understands connection.blocked
}

func newConn(s *Server, socket net.Conn, over *Transport) *conn {
	nc := over.wrap(socket)
	c := &conn{
		srv:       s,
		nc:        nc,
		socket:    socket,
		transport: over,
		try:       newTryWriter(nc),
		log:       s.opts.Logger.With("peer", socket.RemoteAddr().String()),
		gone:      make(chan struct{}),
		peer:      peer{remote: socket.RemoteAddr(), local: socket.LocalAddr(), frameMax: greetingFrameMax},
	}
	c.out.init()
	return c
}

// serve runs the connection from the first octet to the last.
func (c *conn) serve() {
	defer c.in.drop()
	defer failstop.Report(c.log)
	if err := c.handshake(); err != nil {
		c.refuse(err)
		c.disconnect()
		return
	}
	defer c.nc.Close()
	c.beat.start(c.sendHeartbeat, c.lost)
	go c.write()
	err := c.read()
	c.beat.stop()
	if err != nil {
		c.hangUp(err)
	} else {
		c.drain()
	}
	c.nc.Close()
	<-c.gone
}

// read carries out what the client sends. It returns nil when the server has sent the
// connection's last method.
func (c *conn) read() error {
	for c.handle() {
		c.out.waitRoom(c.gone)
		c.waitPressure()
		c.waitForced()
		if err := c.in.fill(c.nc); err != nil {
			return err
		}
		c.beat.sawRead()
	}
	return nil
}

// handle carries out the frames that were read, then wakes the writers that they touched.
// It returns false if the connection has ended.
func (c *conn) handle() (goOn bool) {
	c.work.Lock()
	defer c.work.Unlock()
	defer c.contain()
	for !c.ended && !c.parked {
		c.guarded = true
		f, ok, err := c.in.next(c.frameMax)
		c.guarded = false
		if !ok && err == nil {
			break
		}
		if err == nil {
			err = c.frame(f)
		}
		if err != nil {
			c.exception(err)
		}
	}
	if c.content != nil {
		c.content.content.own() // the inbox is about to be overwritten
		c.content = nil
	}
	c.sendConfirms()
	c.commit()
	c.broker.Batch().Flush()
	c.wake()
	return !c.ended
}

// commit ends a burst of calls to the broker and seals the last gate with the round that
// makes their changes durable.
func (c *conn) commit() { c.out.seal(c.broker.Commit()) }

// contain is deferred. It recovers from a panic in a parser and ends the connection:
// parsers take no lock and change only what they return, so the other connections go on.
// It does not recover from any other panic, which leaves the broker in an unknown state
// and ends the process.
func (c *conn) contain() {
	if !c.guarded {
		return
	}
	c.guarded = false
	if r := recover(); r != nil {
		c.in.start, c.in.end = 0, 0 // they are what the parser failed on
		c.exception(c.fault(r))
	}
}

// fault logs a panic in a parser or in the handshake. The exception that it returns tells
// the client only that the server is at fault.
func (c *conn) fault(recovered any) *wire.Error {
	failstop.Log(c.log, "panic in a parser: the connection ends", recovered)
	return wire.Errorf(wire.InternalError, "")
}

// parse parses a method frame. The methods that come with each message are parsed in place
// instead.
func (c *conn) parse(payload []byte) (wire.Method, error) {
	c.guarded = true
	m, err := wire.ParseMethod(payload)
	c.guarded = false
	return m, err
}

// frame carries out one frame. An error ends the connection.
func (c *conn) frame(f wire.Frame) error {
	if f.Channel == 0 {
		return c.control(f)
	}
	ch := c.channel(f.Channel)
	if ch == nil {
		return c.openChannel(f)
	}
	if ch.closing {
		ch.awaitCloseOk(f)
		return nil
	}
	var err error
	switch f.Type {
	case wire.FrameMethod:
		err = ch.method(f.Payload)
	case wire.FrameHeader:
		err = ch.header(f.Payload)
	case wire.FrameBody:
		err = ch.body(f.Payload)
	}
	if err != nil {
		return ch.fail(err)
	}
	return nil
}

// channel returns the open channel with a number, or nil.
func (c *conn) channel(id uint16) *channel {
	if int(id) < len(c.channels) {
		return c.channels[id]
	}
	return nil
}
