package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"harelab/engine/broker"
	"harelab/engine/wire"
)

// lingerTimeout is how long a connection that said its last word waits for the peer
// to hang up. Closing a socket with unread octets would reset it and might take that
// word away from the peer.
const lingerTimeout = 5 * time.Second

// A conn is one client's connection.
type conn struct {
	srv  *Server
	nc   net.Conn
	log  *slog.Logger
	in   inbox
	out  outbox
	beat heartbeat
	gone chan struct{} // closed when the writer has ended

	peer // settled by the handshake, then constant

	// work is held by whoever calls the broker for this connection. It guards
	// what follows.
	work       sync.Mutex
	broker     *broker.Conn // nil before connection.open
	ended      bool         // the last method was sent: nothing is listened to any more
	channels   []*channel   // by number, nil where none is open
	content    *channel     // whose content is not complete and refers to the inbox
	confirming []*channel   // with confirms to tell at the end of the chunk
	publishing broker.Publishing
	scratch    []byte
}

// A peer is what the handshake settled about the client.
type peer struct {
	user         string
	frameMax     uint32
	channelMax   uint16
	cancelNotify bool // knows basic.cancel from the server
	blockNotify  bool // knows connection.blocked
}

func newConn(s *Server, nc net.Conn) *conn {
	c := &conn{
		srv:  s,
		nc:   nc,
		log:  s.opts.Logger.With("peer", nc.RemoteAddr().String()),
		gone: make(chan struct{}),
		peer: peer{frameMax: greetingFrameMax},
	}
	c.out.init()
	return c
}

// serve runs the connection from the first octet to the last.
func (c *conn) serve() {
	defer c.nc.Close()
	defer c.in.drop()
	if err := c.handshake(); err != nil {
		c.refuse(err)
		return
	}
	go c.write()
	c.beat.start(c.beat.interval, c.sendHeartbeat, c.lost)
	err := c.read()
	c.beat.stop()
	if err != nil {
		c.hangUp(err)
	} else {
		c.linger()
	}
	c.nc.Close()
	<-c.gone
}

// read carries out what the client sends. It returns nil when the connection ended
// in order, with nothing more to listen to.
func (c *conn) read() error {
	for c.handle() {
		c.out.waitRoom(c.gone)
		if err := c.in.fill(c.nc); err != nil {
			return err
		}
		c.beat.sawRead()
	}
	return nil
}

// handle carries out the frames that were read, then wakes whom they concern. It
// returns false if the connection has ended.
func (c *conn) handle() (goOn bool) {
	c.work.Lock()
	defer c.work.Unlock()
	defer c.contain()
	for !c.ended {
		f, ok, err := c.in.next(c.frameMax)
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
		c.content.content.own() // the inbox is about to move
		c.content = nil
	}
	c.tellConfirms()
	c.broker.Batch().Flush()
	c.out.wake()
	return !c.ended
}

// contain is deferred: a panic must not take other connections with it. It is never
// expected, so the client learns no more than that it was the server's fault.
func (c *conn) contain() {
	if r := recover(); r != nil {
		c.logPanic(r)
		if !c.ended {
			c.exception(wire.Errorf(wire.InternalError, ""))
		}
	}
}

func (c *conn) logPanic(r any) {
	c.log.Error("panic", "user", c.user, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
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

// channel returns the channel with that number, or nil.
func (c *conn) channel(id uint16) *channel {
	if int(id) < len(c.channels) {
		return c.channels[id]
	}
	return nil
}

// control carries out a frame of channel 0.
func (c *conn) control(f wire.Frame) error {
	switch f.Type {
	case wire.FrameHeartbeat:
		return nil
	case wire.FrameMethod:
	default:
		return errWantMethod()
	}
	m, err := wire.ParseMethod(f.Payload)
	if err != nil {
		return err
	}
	switch m.(type) {
	case *wire.ConnectionClose:
		c.end(&wire.ConnectionCloseOk{})
		return nil
	case *wire.ConnectionUpdateSecret:
		c.out.method(0, &wire.ConnectionUpdateSecretOk{})
		return nil
	}
	e := wire.Errorf(wire.ChannelError, "unexpected method in connection state running")
	e.Method = m.ID()
	return e
}

// exception ends the connection because of err.
func (c *conn) exception(err error) {
	e := asException(err)
	c.log.Info("connection exception", "user", c.user, "error", e)
	c.end(&wire.ConnectionClose{
		ReplyCode: e.Code,
		ReplyText: e.ReplyText(),
		ClassID:   e.Method.Class(),
		MethodID:  e.Method.Method(),
	})
}

// end sends the connection's last method, after which nothing else is sent and
// nothing is listened to. What the client had of the broker goes back first.
func (c *conn) end(last wire.Method) {
	c.ended = true
	c.tellConfirms()
	c.broker.Close()
	c.out.method(0, last)
	c.out.finish()
}

// force ends the connection from outside, because the server wants to.
func (c *conn) force(reason string) {
	c.work.Lock()
	defer c.work.Unlock()
	switch {
	case c.broker == nil:
		c.nc.Close()
	case !c.ended:
		c.exception(wire.Errorf(wire.ConnectionForced, "%s", reason))
		c.broker.Batch().Flush()
		c.nc.SetReadDeadline(time.Now().Add(lingerTimeout))
	}
}

// hangUp ends a connection whose peer is gone.
func (c *conn) hangUp(why error) {
	c.out.abandon()
	c.work.Lock()
	defer c.work.Unlock()
	if !c.ended {
		c.ended = true
		c.log.Info("connection lost", "user", c.user, "error", why)
		c.broker.Close()
		c.broker.Batch().Flush()
	}
}

// linger gives the peer time to read the last word and to hang up.
func (c *conn) linger() {
	c.nc.SetReadDeadline(time.Now().Add(lingerTimeout))
	c.drain()
}

// drain reads until the peer hangs up or the deadline has passed.
func (c *conn) drain() {
	for {
		c.in.start, c.in.end = 0, 0
		if err := c.in.fill(c.nc); err != nil {
			return
		}
	}
}

// lost is called when no heartbeat came.
func (c *conn) lost() {
	c.log.Info("missed heartbeats from client", "user", c.user, "timeout", c.beat.interval)
	c.nc.Close()
}

// sendHeartbeat is called when nothing was written for a while. If something waits to
// be, the peer does not read, and one more frame would not help.
func (c *conn) sendHeartbeat() {
	buf, ok := c.out.begin()
	if !ok {
		return
	}
	if c.out.unsent == 0 {
		buf = wire.AppendHeartbeat(buf)
	}
	c.out.end(buf)
	c.out.wake()
}

// write writes what is in the outbox until it is finished.
func (c *conn) write() {
	defer close(c.gone)
	var spare frames
	var segments net.Buffers
	for {
		f, ok := c.out.take(spare)
		if !ok {
			c.closeWrite()
			return
		}
		var err error
		if segments, err = f.writeTo(c.nc, segments); err != nil {
			c.out.abandon()
			c.nc.Close()
			return
		}
		c.beat.sawWrite()
		if stalled := c.out.sent(f.size); len(stalled) > 0 {
			c.resume(stalled)
		}
		f.empty()
		spare = f
	}
}

// closeWrite tells the peer that nothing more will come, where the transport can.
func (c *conn) closeWrite() {
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
}

// resume tells the broker that the consumers of the channels can take more.
func (c *conn) resume(stalled []*channel) {
	c.work.Lock()
	defer c.work.Unlock()
	defer c.contain()
	if c.ended {
		return
	}
	for _, ch := range stalled {
		if !ch.closing && c.channel(ch.id) == ch {
			ch.broker.Resume()
		}
	}
	c.broker.Batch().Flush()
}

// Wake implements [broker.Waker]: what was put into the outbox is to be written.
func (c *conn) Wake() {
	c.out.tellLate()
	c.out.wake()
}

// asException returns the exception that err stands for.
func asException(err error) *wire.Error {
	var e *wire.Error
	if errors.As(err, &e) {
		return e
	}
	return wire.Errorf(wire.InternalError, "%v", err)
}
