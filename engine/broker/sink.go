package broker

import "harelab/engine/message"

// A Sink receives what the broker sends on one channel. The server's encodes it into the
// connection's outbox; the simulator's gives it to a worker.
//
// The broker calls a Sink with locks held, from the goroutine that caused the event: the
// methods must not block and must not call the broker. A Sink adds the writer that has to
// be woken to the [Batch].
type Sink interface {
	// Deliver receives a message for one of the channel's consumers, in order of
	// delivery tags. d and what it points to are valid during the call; a Sink that
	// keeps the message longer calls its Retain. Deliver reports whether more messages
	// may come: after false the consumer gets the messages that were assigned in the
	// same step, 63 at most, and then none until [Channel.Resume].
	Deliver(d *Delivery, b *Batch) (writable bool)

	// Cancelled receives the end of a subscription whose queue was deleted.
	Cancelled(consumerTag string, b *Batch)

	// Confirmed settles publishes whose result was [ConfirmLater], from number first
	// to number last. ok: they are durable; otherwise the store has failed and they may
	// be lost. Calls come in order of the numbers. All calls for a round share one
	// Batch.
	Confirmed(first, last uint64, ok bool, b *Batch)
}

// noSink is the Sink of a channel that was opened without one.
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

// A Waker is a writer of what [Sink]s have encoded.
type Waker interface {
	Wake()
}

// A Batch collects the wakers that one burst of calls touched, so that each is woken once
// at the end of the burst. One goroutine at a time uses it.
type Batch struct {
	wakers []Waker
}

// Touch adds w, unless the batch has it.
func (b *Batch) Touch(w Waker) {
	for i := len(b.wakers) - 1; i >= 0; i-- { // there are few, and w is most likely the last one
		if b.wakers[i] == w {
			return
		}
	}
	b.wakers = append(b.wakers, w)
}

// Flush wakes all wakers in the order in which they were touched, and empties the batch.
func (b *Batch) Flush() {
	for i, w := range b.wakers {
		b.wakers[i] = nil
		w.Wake()
	}
	b.wakers = b.wakers[:0]
}
