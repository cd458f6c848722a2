// Package store is the interface behind which a broker keeps what must outlive it.
//
// A store holds two things. Records are small values under names: exchanges, queues,
// bindings, users. Entries say which message lies in which queue. The broker hands a
// message's octets over once; the store keeps them once, however many queues hold the
// message, and for as long as one of them does.
//
// # Rounds
//
// A store gathers changes into rounds and makes each round durable as a whole, with one
// write and one fsync, or with one message of a replicated log. Rounds are numbered from 1
// in each life of a store. [Store.Commit] ends the open round. The store reports each
// durable round to its [Observer], in order, or reports that it has failed for good.
//
// A change belongs to the round that is open when it is made, or to an earlier one: a
// change that happened before another is never in a later round. Beyond that the store
// keeps the order of changes of each queue, and the order of changes of records, but no
// order over all callers.
//
// After a crash the store has all rounds that it reported. Of the changes after them it
// has, for each queue and for the records, some first part, which may be empty.
//
// # Lives
//
// The life of a store begins when it is opened. It is read (Records, Entries), then
// started, then changed, and in the end closed. Load may be called at any time.
//
// Implementations are packages below this one; storetest is the suite that each
// must pass.
package store

import "errors"

// A Store keeps records and entries. Any number of goroutines may call its methods, except
// Start and Close. Changes and Commit do not wait for a disk or a network and return no
// errors: a store that has failed ignores all changes, stays failed, and reports the
// failure by Failed, to its Observer, and by Close.
type Store interface {
	// Start sets the observer of rounds. It is called once in a life, before the first
	// change.
	Start(o Observer)

	// Put sets a record. The value is copied.
	Put(kind Kind, name string, value []byte)

	// Delete removes a record, if it exists.
	Delete(kind Kind, name string)

	// Message hands over the octets of a message for the Adds that follow until Done.
	// The octets come in two parts so that the caller need not join them; they are
	// copied. Message is called once for each identity.
	Message(m MessageID, head, data []byte)

	// Add puts a message into a queue. If the queue holds the message already, Add
	// replaces its entry; no Message has to come before then.
	Add(q QueueID, m MessageID, e Entry)

	// Done says that no further queue gets the message. From then on the store deletes
	// the octets when no queue holds the message.
	Done(m MessageID)

	// Remove removes a message from a queue, if the queue holds it. An entry that is
	// added and removed within a round is never written, and if no queue holds the
	// message neither are its octets.
	Remove(q QueueID, m MessageID)

	// Drop removes the messages from first to last, both included, that the queue holds
	// now. It costs as much as one change.
	Drop(q QueueID, first, last MessageID)

	// Commit ends the open round, so that the store writes it as soon as it can. It
	// returns the round that the last change belongs to, or 0 if nothing was changed in
	// this life. The store may have reported that round already. A store that has failed
	// returns a round that it will not report, so that nobody takes a change that it has
	// ignored for durable.
	Commit() Round

	// Pressure returns nil while the store keeps up with its changes. Otherwise it
	// returns a channel that is closed when the store has caught up; callers that can
	// wait should wait for that before they make more changes. A failed store returns
	// nil.
	Pressure() <-chan struct{}

	// Failed returns nil, or why the store has failed.
	Failed() error

	// Records calls yield for the records of one kind, in order of their names. value is
	// valid during the call of yield. An error of yield ends Records, which returns it.
	Records(kind Kind, yield func(name string, value []byte) error) error

	// Entries calls yield for the messages of one queue, in order of their identities.
	// An error of yield ends Entries, which returns it.
	Entries(q QueueID, yield func(MessageID, Entry) error) error

	// Load appends the octets of a message, head and data, to dst.
	//
	// Errors: ErrNoMessage if no queue holds the message and Done was called for it;
	// those of the disk.
	Load(m MessageID, dst []byte) ([]byte, error)

	// Durability says what reported rounds survive. It never changes.
	Durability() Durability

	// Close makes all changes durable and closes the store. No method may be called
	// after it. If the store has failed, Close returns why.
	Close() error
}

// An Observer receives the store's reports on rounds. The store calls it from Commit or
// Close, or from goroutines of its own, but not from changes, and makes one call at a
// time. The methods must not block and must not call the store.
type Observer interface {
	// Completed reports that round r is durable. Each round is reported once, in order
	// from 1.
	Completed(r Round)

	// Failed reports that no further round will be completed. It is called at most once,
	// and Completed is not called after it. The store may or may not have the rounds
	// that were not reported when it is opened again.
	Failed(err error)
}

// ErrNoMessage means that a store does not have the octets of a message.
var ErrNoMessage = errors.New("store: no such message")

// A Durability is what a store's reported rounds survive.
type Durability string

// The durabilities, as listings, logs and reports call them.
const (
	Volatile Durability = "memory"   // nothing: they end with the program
	Unsynced Durability = "unsynced" // the end of the program, but not that of the machine
	Fsynced  Durability = "fsynced"  // the end of the machine: they were on the disk
)

// A Round is the number, from 1, of a set of changes that become durable together.
type Round uint64

// A Kind is a name space of records.
type Kind byte

// A QueueID identifies a queue in the store. The broker issues them in rising order from 1
// and never issues one twice.
type QueueID uint64

// A MessageID identifies a message in the store. The broker issues them in rising order
// from 1 and never issues one twice.
type MessageID uint64

// LastMessage is the greatest MessageID: Drop(q, 0, LastMessage) empties a queue.
const LastMessage MessageID = 1<<64 - 1

// An Entry describes a message in a queue.
type Entry struct {
	ExpiresAt   int64 // microseconds of the broker's clock; 0: never
	Redelivered bool  // the message may have been delivered before
}
