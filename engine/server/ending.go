package server

import (
	"bytes"
	"errors"
	"time"

	"harelab/engine/broker"
	"harelab/engine/internal/failstop"
	"harelab/engine/wire"
)

// lingerTimeout is how long a connection waits for the peer to hang up after it has sent
// its last method. Closing a socket with unread octets would reset it, and the peer might
// not receive that method. RabbitMQ waits for the shorter of the heartbeat and 30 s
// (rabbit_reader, close_connection/1).
const lingerTimeout = 5 * time.Second

// control carries out a frame of channel 0.
func (c *conn) control(f wire.Frame) error {
	switch f.Type {
	case wire.FrameHeartbeat:
		return nil
	case wire.FrameMethod:
	default:
		return wire.Unexpected(f)
	}
	m, err := c.parse(f.Payload)
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

// end closes the broker's connection, so that unsettled messages are requeued, and sends
// the connection's last method. Nothing is sent or carried out after it.
func (c *conn) end(last wire.Method) {
	c.ended = true
	c.sendConfirms()
	c.commit()
	c.out.sendLate() // nacks of a failed store that Wake has not sent yet
	c.broker.Close()
	c.out.release(0, last, false)
	c.out.finish()
	c.nc.SetReadDeadline(time.Now().Add(lingerTimeout))
}

// park begins the end of the connection at the server's request: nothing that the client
// sends is carried out any more, and its consumers are cancelled. What was carried out so
// far is confirmed as usual.
func (c *conn) park() {
	c.work.Lock()
	defer c.work.Unlock()
	switch {
	case c.broker == nil:
		c.socket.Close()
	case !c.ended:
		c.parked = true
		c.broker.CancelConsumers()
		c.sendConfirms()
		c.commit()
		c.broker.Batch().Flush()
		c.wake()
	}
}

// waitForced waits, once the server drains, until force was called.
func (c *conn) waitForced() {
	select {
	case <-c.srv.stopping:
	default:
		return
	}
	select {
	case <-c.srv.forced:
	case <-c.gone:
	}
}

// force ends the connection at the server's request, with 320 CONNECTION_FORCED.
func (c *conn) force(reason string) {
	c.work.Lock()
	defer c.work.Unlock()
	switch {
	case c.broker == nil:
		c.socket.Close()
	case !c.ended:
		c.exception(wire.Errorf(wire.ConnectionForced, "%s", reason))
		c.broker.Batch().Flush()
	}
}

// brokerEnds is called when the broker ends the connection: its virtual host was deleted,
// or the store has failed. It must not call the broker, so it starts a goroutine that
// does.
func (c *conn) brokerEnds(reason error) {
	if asException(reason).Code == wire.InternalError {
		c.out.lose()
	}
	go c.dismiss(reason)
}

// endChannel ends a channel because the broker asks for it, unless the channel or the
// connection has ended meanwhile.
func (c *conn) endChannel(of *broker.Channel, reason error) {
	defer failstop.Report(c.log)
	c.work.Lock()
	defer c.work.Unlock()
	for _, ch := range c.channels {
		if ch == nil || ch.broker != of || ch.closing || c.ended || c.parked {
			continue
		}
		if err := ch.fail(reason); err != nil {
			c.exception(err)
		}
		c.sendConfirms()
		c.commit()
		c.broker.Batch().Flush()
		c.wake()
	}
}

func (c *conn) dismiss(reason error) {
	defer failstop.Report(c.log)
	c.work.Lock()
	defer c.work.Unlock()
	switch {
	case c.broker == nil:
		c.socket.Close()
	case c.ended:
		c.out.wake()
	default:
		c.exception(reason)
		c.broker.Batch().Flush()
	}
}

// disconnect closes the broker's connection of a client that was gone before it got
// connection.open-ok.
func (c *conn) disconnect() {
	c.work.Lock()
	defer c.work.Unlock()
	if c.broker != nil && !c.ended {
		c.ended = true
		c.broker.Close()
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

// drain reads and drops octets until the peer answers connection.close with close-ok, hangs
// up, or the deadline has passed, so that the peer can read the last method. Until then the
// server does not end its direction: some clients take its end for a broken connection,
// even if connection.close comes before it.
//
// The answer is the last thing that a peer sends. It is looked for at the end of what has
// come, since after a malformed frame nobody knows where the next one begins.
func (c *conn) drain() {
	for {
		rest := c.in.buf[c.in.start:c.in.end]
		if bytes.HasSuffix(rest, closeOk) {
			return
		}
		c.in.start = max(c.in.start, c.in.end-len(closeOk))
		if c.in.fill(c.nc) != nil {
			return
		}
	}
}

// closeOk is the frame of connection.close-ok.
var closeOk = wire.AppendMethodFrame(nil, 0, &wire.ConnectionCloseOk{})

// asException returns err as an exception; an error of another kind becomes 541.
func asException(err error) *wire.Error {
	var e *wire.Error
	if errors.As(err, &e) {
		return e
	}
	var refused *broker.Error
	if errors.As(err, &refused) {
		return &wire.Error{Code: refused.Code, Text: refused.Text}
	}
	return wire.Errorf(wire.InternalError, "%v", err)
}
