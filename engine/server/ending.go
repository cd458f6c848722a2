package server

import (
	"errors"
	"time"

	"harelab/engine/broker"
	"harelab/engine/internal/failstop"
	"harelab/engine/wire"
)

// lingerTimeout is how long a connection that said its last word waits for the peer
// to hang up. Closing a socket with unread octets would reset it and might take that
// word away from the peer.
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

// end sends the connection's last method, after which nothing else is sent and
// nothing is listened to. What the client had of the broker goes back first.
func (c *conn) end(last wire.Method) {
	c.ended = true
	c.sendConfirms()
	c.commit()
	c.out.sendLate() // nacks of a store that has failed, which whoever brought them may not have told yet
	c.broker.Close()
	c.out.release(0, last, false)
	c.out.finish()
	c.nc.SetReadDeadline(time.Now().Add(lingerTimeout))
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
	}
}

// brokerEnds is called when the broker ends the connection: its virtual host is gone, or
// the store has failed. It may not call the broker, so another goroutine does.
func (c *conn) brokerEnds(reason error) {
	if asException(reason).Code == wire.InternalError {
		c.out.lose()
	}
	go c.dismiss(reason)
}

func (c *conn) dismiss(reason error) {
	defer failstop.Report(c.log)
	c.work.Lock()
	defer c.work.Unlock()
	switch {
	case c.broker == nil:
		c.nc.Close()
	case c.ended:
		c.out.wake()
	default:
		c.exception(reason)
		c.broker.Batch().Flush()
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

// drain reads until the peer hangs up or the deadline has passed: the peer is to read
// the last word first.
func (c *conn) drain() {
	for {
		c.in.start, c.in.end = 0, 0
		if err := c.in.fill(c.nc); err != nil {
			return
		}
	}
}

// asException returns the exception that err stands for.
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
