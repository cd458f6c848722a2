// Package store keeps what must outlive a broker, behind one interface.
//
// A store holds two things. Records are small values under names: exchanges,
// queues, bindings, users. Entries are messages in queues: which message lies at
// which position of which queue. A message's octets are kept once, however many
// queues hold it, and for as long as one of them does.
//
// All changes go through a [Batch] and take effect together. The promise of a store
// is that what a batch changed is found again after any crash once Commit has said
// so. Reading happens once, when a broker starts.
//
// Implementations are packages below this one; storetest is the suite that each
// must pass.
package store

// A Store keeps records and entries. Its methods may be called at the same time,
// but a Batch belongs to one goroutine.
type Store interface {
	// Batch returns an empty batch.
	Batch() Batch

	// Records yields the records of one kind in order of their names, as far as
	// they are committed. What it yields is valid during the call.
	Records(kind Kind, yield func(name string, value []byte) error) error

	// Entries yields the entries of one queue in order of their positions, as far
	// as they are committed. What it yields is valid during the call.
	Entries(queue QueueID, yield func(Entry) error) error

	// Sync waits until all batches whose Commit has been called are durable.
	Sync() error

	// Close syncs and closes the store. Nothing may be called after.
	Close() error
}

// A Kind tells records apart.
type Kind byte

// A QueueID names a queue in the store. The broker gives them out, never twice.
type QueueID uint64

// A MessageID names a message in the store. The broker gives them out, never twice.
type MessageID uint64

// An Entry is a message at its place in a queue.
type Entry struct {
	Queue    QueueID
	Position uint64 // order within the queue; unique in it
	Message  MessageID
	ExpireAt int64 // broker time in microseconds, 0 if never
	// Redelivered says that somebody may have got the message: it was delivered,
	// or the store was not closed in order and cannot tell.
	Redelivered bool
	Data        []byte // the message, in the broker's own form
}

// A Batch collects changes. None is visible before Commit.
type Batch interface {
	// Put sets a record.
	Put(kind Kind, name string, value []byte)

	// Delete removes a record, if it is there.
	Delete(kind Kind, name string)

	// Add adds an entry. Data is needed with the first entry of a message only and
	// is copied, or written, before Add returns.
	Add(e Entry)

	// Remove removes an entry, if it is there. A message that is removed before
	// its batch was committed need never be written.
	Remove(queue QueueID, position uint64)

	// Delivered notes that an entry was handed to a consumer. It may be lost in a
	// crash, after which the store says Redelivered of what it cannot tell.
	Delivered(queue QueueID, position uint64)

	// Drop removes all entries of a queue.
	Drop(queue QueueID)

	// Commit makes the changes and empties the batch for the next. It reports
	// true if they are durable on return. If not, w.Committed is called once,
	// from any goroutine; a nil w asks for no call. An error means that the store
	// has failed and nothing later will succeed either.
	Commit(w Waiter) (durable bool, err error)
}

// A Waiter waits for a batch to be durable.
type Waiter interface {
	// Committed is called with nil once the batch is durable, or with the error
	// that keeps it from ever being. It must not block.
	Committed(err error)
}
