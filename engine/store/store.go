// Package store keeps what must outlive a broker, behind one interface.
//
// A store holds two things. Records are small values under names: exchanges,
// queues, bindings, users. Entries are messages in queues: which message lies in
// which queue. A message's octets are kept once, however many queues hold it, and
// for as long as one of them does.
//
// Changes take effect in the order in which they were called for, whoever called,
// and in rounds: a store gathers what comes while it writes and writes it at once.
// The promise is that what was changed before a Commit is found again after any
// crash once that Commit was answered. Of what was not, any beginning may be there.
//
// Reading happens once, when a broker starts.
//
// Implementations are packages below this one; storetest is the suite that each
// must pass.
package store

// A Store keeps records and entries. Its methods may be called at the same time.
// None but Commit, Sync and Close tells of errors: once a store has failed it stays
// failed, and says so there.
type Store interface {
	// Put sets a record. The value is copied.
	Put(kind Kind, name string, value []byte)

	// Delete removes a record, if it is there.
	Delete(kind Kind, name string)

	// Add puts a message into a queue. The data is copied, and looked at only if
	// no queue holds the message yet.
	Add(q QueueID, m MessageID, e Entry)

	// Remove takes a message out of a queue, if it is there. One that comes and
	// goes within a round is never written.
	Remove(q QueueID, m MessageID)

	// Delivered notes that a message of a queue was handed to a consumer. A crash
	// may forget it; the store then says Redelivered of all it is not sure of.
	Delivered(q QueueID, m MessageID)

	// Drop takes all messages out of a queue.
	Drop(q QueueID)

	// Commit asks for what was changed so far to be made durable and reports true
	// if it is. If not, w.Committed is called once, from any goroutine; w may be
	// nil.
	Commit(w Waiter) (durable bool)

	// Sync is Commit that waits.
	Sync() error

	// Records yields the records of one kind in order of their names. What it
	// yields is valid during the call; an error from yield ends it.
	Records(kind Kind, yield func(name string, value []byte) error) error

	// Entries yields the messages of one queue in order of their identities, which
	// is that of publishing. What it yields is valid during the call; an error
	// from yield ends it.
	Entries(q QueueID, yield func(MessageID, Entry) error) error

	// Close syncs and closes the store. Nothing may be called after.
	Close() error
}

// A Kind tells records apart.
type Kind byte

// A QueueID names a queue in the store. The broker gives them out, never twice.
type QueueID uint64

// A MessageID names a message in the store. The broker gives them out, rising.
type MessageID uint64

// An Entry is what a queue knows of one message.
type Entry struct {
	ExpiresAt   int64  // broker time in microseconds, 0 never
	Redelivered bool   // somebody may have got the message before
	Data        []byte // the message, in the broker's own form
}

// A Waiter waits for changes to be durable.
type Waiter interface {
	// Committed is called with nil once they are, or with the error that keeps
	// them from ever being. It must not block.
	Committed(err error)
}
