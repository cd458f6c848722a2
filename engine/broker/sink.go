package broker

import "harelab/engine/message"

// A Sink takes what the broker sends on one channel. The server encodes it into the
// connection's outbound buffer; the simulator gives it to a worker.
//
// The broker calls a Sink with locks held, from whatever goroutine caused the event:
// the methods must not block and must not call the broker. Whoever must be woken to
// write is handed to the [Batch].
type Sink interface {
	// Deliver takes a message for one of the channel's consumers, in order of
	// delivery tags. d and what it points to are valid during the call; to keep
	// the message longer, Retain it. It reports whether more may come: after
	// false the consumer gets what was decided together with d, 63 messages at
	// most, and then nothing until [Channel.Resume].
	Deliver(d *Delivery, b *Batch) (writable bool)

	// Cancelled says that the broker ended a subscription: its queue is gone.
	Cancelled(consumerTag string, b *Batch)

	// Confirmed settles publishes whose result was [ConfirmLater], from number first
	// to last: they are durable, or (ok false) the store has failed and they may be
	// lost. It is called in their order, with all that a round settles in one
	// Batch.
	Confirmed(first, last uint64, ok bool, b *Batch)
}

// noSink is the sink of a channel without one.
type noSink struct{}

func (noSink) Deliver(*Delivery, *Batch) bool         { return true }
func (noSink) Cancelled(string, *Batch)               {}
func (noSink) Confirmed(uint64, uint64, bool, *Batch) {}

// A Delivery is a message on its way to a consumer.
type Delivery struct {
	Consumer    *Consumer
	DeliveryTag uint64
	Redelivered bool
	Msg         *message.Message
	Queue       string
}

// A Waker is whoever writes what a [Sink] has encoded.
type Waker interface {
	Wake()
}

// A Batch collects the wakers that one burst of work touched, so that each is woken
// once at its end. It is used by one goroutine at a time.
type Batch struct {
	wakers []Waker
}

// Touch has w woken at the next Flush, once however often it is touched.
func (b *Batch) Touch(w Waker) {
	for i := len(b.wakers) - 1; i >= 0; i-- { // few, and the last one most likely
		if b.wakers[i] == w {
			return
		}
	}
	b.wakers = append(b.wakers, w)
}

// Flush wakes all that were touched, in the order in which they were.
func (b *Batch) Flush() {
	for i, w := range b.wakers {
		b.wakers[i] = nil
		w.Wake()
	}
	b.wakers = b.wakers[:0]
}
