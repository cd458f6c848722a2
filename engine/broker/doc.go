// Package broker is an AMQP 0-9-1 broker without sockets: virtual hosts with
// exchanges, bindings and queues, and connections and channels as an API of Go
// calls. The server drives it from frames, the simulator under a virtual clock;
// both see the same code.
//
// # Verbs
//
// A [Session] is a user in a virtual host who declares, binds, purges and deletes, in the
// broker's own words: [QueueSpec], [ExchangeSpec], [BindingSpec]. A [Conn] is a session
// with channels, and a [Channel] publishes, consumes ([ConsumerSpec]) and settles. No
// verb knows a frame: the server turns frames into specs and errors into exceptions, and
// an HTTP API or another protocol calls the same verbs. What the broker shares with
// package wire are field tables, encoded properties and reply codes.
//
// # The path of a message
//
// [Channel.Publish] routes on snapshots, without a lock. For each queue it locks
// the queue, steps the queue's state machine (package queue) and hands what that
// decided to the consumers' [Sink] before it unlocks. Nothing is handed to another
// goroutine. Dead letters, deletions and expiry are effects that are carried out
// after the queue was unlocked, from a work list, so that nobody holds two queue
// locks and no cycle of exchanges recurses.
//
// # Locks
//
// They are taken in this order: virtual host (declarations), queue, channel (its
// unacked deliveries), and whatever the Sink locks. Nobody holds two locks of a kind. The
// store's own locks come after the queue's. The lock of rounds, under which Sinks hear of
// confirms, is taken with no lock of these four held.
//
// # What is durable when
//
// The store is changed as the broker changes: under the lock of the queue or virtual host
// that it is about, so that it sees each in order. Nobody waits for it there. At the end
// of a burst of calls [Conn.Commit] ends a round, and what the burst promised is kept
// back until that is durable: confirms are told by [Sink.Confirmed], answers are held
// by whoever gives them ([Conn.Holding], [ConnOptions]). A store that has failed takes
// nothing more, and the broker accepts nothing more that would need it.
//
// # Invariants
//
// Under the build tag invariants, and under the race detector, the broker checks itself:
// the books of a queue after its steps, events that make no sense, the order of locks,
// messages that are used after their last reference was released and, at Close, those
// that have a reference too many. A fault found is a panic, which ends the process.
//
// # Time and chance
//
// Time comes from a [Clock] alone, and chance from a generator with a seed. No
// behaviour follows the order of a map. With one goroutine and a virtual clock, a
// broker does the same thing on every run.
//
// # Errors
//
// What a client did wrong is returned as a [*Error] with RabbitMQ's reply code
// and text. After an error the caller closes the channel, or the connection if the
// error is hard; the broker does neither by itself.
package broker
