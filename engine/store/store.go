// Package store keeps what must outlive a broker, behind one interface.
//
// A store holds two things. Records are small values under names: exchanges,
// queues, bindings, users. Entries are messages in queues: which message lies in
// which queue. A message's octets are handed over once and kept once, however many
// queues hold it, and for as long as one of them does.
//
// # Rounds
//
// A store gathers changes into rounds and makes each round durable as a whole: one
// write and one fsync, one message of a replicated log. Rounds count from 1 in each
// life of a store. [Store.Commit] ends the open round, and the store tells its
// [Observer] each round that is durable, in order, or that it has failed for good.
//
// A change belongs to the round of its time or an earlier one: what one caller
// changed before, or what happened before it, is never in a later round. Beyond that
// the order is kept for each queue and among the records, not over all callers.
//
// After any crash all rounds that were told are found again. Of the changes after
// them a store may have, of each queue and of the records, any beginning.
//
// # Lives
//
// A store that was opened is read first (Records, Entries), then started, then
// changed, and in the end closed. Load reads at any time.
//
// Implementations are packages below this one; storetest is the suite that each
// must pass.
package store

import "errors"

// A Store keeps records and entries. Its methods may be called at the same time, but
// for Start and Close. Changes and Commit do not wait for a disk or a network and do
// not report errors: a store that has failed ignores all changes, stays failed, and
// says so in Failed, to its Observer, and in Close.
type Store interface {
	// Start names who is told of rounds. It is called once in a life, before the
	// first change.
	Start(o Observer)

	// Put sets a record. The value is copied.
	Put(kind Kind, name string, value []byte)

	// Delete removes a record, if it is there.
	Delete(kind Kind, name string)

	// Message hands over the octets of a message, in two parts so that the caller
	// need not join them, for the Adds that follow until Done. They are copied. It
	// is called once for each identity.
	Message(m MessageID, head, data []byte)

	// Add puts a message into a queue. If the queue has it, Add replaces what the
	// queue knows of it; then no Message has to come before.
	Add(q QueueID, m MessageID, e Entry)

	// Done says that no further queue gets the message. From then on its octets go
	// when no queue holds it any more.
	Done(m MessageID)

	// Remove takes a message out of a queue, if it is there. A message that comes
	// and goes within a round is never written, and if no queue holds it neither
	// are its octets.
	Remove(q QueueID, m MessageID)

	// Drop takes the messages from first to last, both included, out of a queue:
	// those that it holds now, at the price of one change.
	Drop(q QueueID, first, last MessageID)

	// Commit ends the open round, so that it is written as soon as can be, and
	// returns the round that the last change so far belongs to: 0 if nothing was
	// changed in this life. The Observer may have been told of it already.
	Commit() Round

	// Pressure returns nil as long as the store keeps up with its changes.
	// Otherwise callers that can wait are to wait for the channel to be closed
	// before they change more. A failed store has no pressure.
	Pressure() <-chan struct{}

	// Failed returns nil, or why the store has failed.
	Failed() error

	// Records yields the records of one kind in order of their names. What it
	// yields is valid during the call; an error from yield ends it.
	Records(kind Kind, yield func(name string, value []byte) error) error

	// Entries yields the messages of one queue in order of their identities. An
	// error from yield ends it.
	Entries(q QueueID, yield func(MessageID, Entry) error) error

	// Load appends the octets of a message, head and data, to dst. Errors:
	// ErrNoMessage if no queue holds it and it is not being handed over; others
	// are the disk's.
	Load(m MessageID, dst []byte) ([]byte, error)

	// Close makes what was changed durable and closes the store. Nothing may be
	// called after. It returns why the store has failed, if it has.
	Close() error
}

// An Observer is told what becomes of rounds. A store calls it from Commit or Close, or
// from goroutines of its own, one call at a time and none of them from a change. The
// calls must not block and must not call the store.
type Observer interface {
	// Completed says that round r is durable: 1, then 2, and so on, each once.
	Completed(r Round)

	// Failed says that no further round is going to be completed. It is called
	// once at most, and Completed is not called after it. Rounds that were not told
	// may be found at the next start or not.
	Failed(err error)
}

// ErrNoMessage says that a store has no octets of a message.
var ErrNoMessage = errors.New("store: no such message")

// A Round numbers what becomes durable together, from 1.
type Round uint64

// A Kind tells records apart.
type Kind byte

// A QueueID names a queue in the store. The broker gives them out, from 1, never twice.
type QueueID uint64

// A MessageID names a message in the store. The broker gives them out, from 1, rising,
// never twice.
type MessageID uint64

// LastMessage is the greatest identity: Drop(q, 0, LastMessage) empties a queue.
const LastMessage MessageID = 1<<64 - 1

// An Entry is what a queue knows of one message.
type Entry struct {
	ExpiresAt   int64 // broker time in microseconds, 0 never
	Redelivered bool  // somebody may have got the message before
}
