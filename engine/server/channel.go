package server

import (
	"harelab/engine/broker"
	"harelab/engine/wire"
)

// A channel is one channel of a connection. It has no goroutine: the connection's reader
// carries out its methods, and the goroutines that deliver to it call it as the broker's
// Sink.
type channel struct {
	conn    *conn
	id      uint16
	broker  *broker.Channel
	closing bool // channel.close was sent: frames are ignored until channel.close-ok
	content content

	settled  settlements // publishes that were settled in this chunk; confirmed at its end
	awaiting bool        // the channel is in conn.confirming

	// Guarded by the outbox's lock.
	stalled  bool        // Deliver has returned false, so the broker pauses
	late     settlements // publishes that Confirmed has settled; confirmed by the next Wake
	confirms confirms
}

// openChannel carries out a frame for a channel that is not open.
func (c *conn) openChannel(f wire.Frame) error {
	if f.Type != wire.FrameMethod {
		return errWantMethod()
	}
	m, err := c.parse(f.Payload)
	if err != nil {
		return err
	}
	e := wire.Errorf(wire.ChannelError, "expected 'channel.open'")
	e.Method = m.ID()
	if m.ID() != wire.MethodChannelOpen {
		return e
	}
	if c.opened >= int(c.channelMax) {
		return wire.Errorf(wire.NotAllowed, "number of channels opened (%d) has reached the negotiated channel_max (%d)", c.opened, c.channelMax)
	}
	if f.Channel > c.channelMax {
		// RabbitMQ only counts channels and accepts any number.
		e.Text = "channel number above channel_max"
		return e
	}
	ch := &channel{conn: c, id: f.Channel}
	if ch.broker, err = c.broker.OpenChannel(f.Channel, ch); err != nil {
		return err
	}
	c.opened++
	for len(c.channels) <= int(f.Channel) {
		c.channels = append(c.channels, nil)
	}
	c.channels[f.Channel] = ch
	ch.reply(&wire.ChannelOpenOk{})
	return nil
}

// reply sends a method to the client.
func (ch *channel) reply(m wire.Method) { ch.conn.out.method(ch.id, m) }

// fail turns an error of one of the channel's frames into an exception. It closes the
// channel, or returns the error if the error closes the connection.
func (ch *channel) fail(err error) error {
	e := asException(err)
	if e.Hard() {
		return e
	}
	ch.conn.log.Info("channel exception", "user", ch.conn.user, "channel", ch.id, "error", e)
	ch.release()
	ch.closing = true
	ch.reply(&wire.ChannelClose{
		ReplyCode: e.Code,
		ReplyText: e.ReplyText(),
		ClassID:   e.Method.Class(),
		MethodID:  e.Method.Method(),
	})
	return nil
}

// release sends the confirms that are known, closes the broker's channel and drops a
// content that is not complete.
func (ch *channel) release() {
	c := ch.conn
	c.sendConfirms()
	c.commit()
	c.out.sendLate()
	ch.content.reset()
	if c.content == ch {
		c.content = nil
	}
	ch.broker.Close()
	c.out.dropLate(ch)
}

// close carries out the client's channel.close.
func (ch *channel) close() {
	ch.release()
	ch.conn.forget(ch)
	ch.reply(&wire.ChannelCloseOk{})
}

// forget frees a channel's number.
func (c *conn) forget(ch *channel) {
	c.channels[ch.id] = nil
	c.opened--
}

// awaitCloseOk carries out a frame after channel.close was sent. It ignores frames that do
// not close the channel.
func (ch *channel) awaitCloseOk(f wire.Frame) {
	if f.Type != wire.FrameMethod {
		return
	}
	switch id, _ := wire.PeekMethod(f.Payload); id {
	case wire.MethodChannelCloseOk:
		ch.conn.forget(ch)
	case wire.MethodChannelClose: // the client closed at the same time; its close-ok is still to come
		ch.reply(&wire.ChannelCloseOk{})
	}
}
