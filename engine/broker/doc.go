// Package broker is an AMQP 0-9-1 broker without sockets: virtual hosts with
// exchanges, bindings and queues, and connections and channels as an API of Go
// calls. The server drives it from frames, the simulator under a virtual clock;
// both see the same code.
//
// # Verbs
//
// A [Session] belongs to a user in a virtual host. It declares, binds, purges and deletes
// what the broker's own specs describe: [QueueSpec], [ExchangeSpec], [BindingSpec]. A
// [Conn] is a session with channels. A [Channel] publishes, consumes ([ConsumerSpec]) and
// settles. No verb takes a frame: the server turns frames into specs and errors into
// exceptions, and an HTTP API or another protocol can call the same verbs. From package
// wire the broker uses only field tables, encoded properties and reply codes.
//
// # The path of a message
//
// [Channel.Publish] routes on snapshots, without a lock. For each destination it locks
// the queue, steps the queue's state machine (package queue) and hands the deliveries
// that this decided on to the consumers' [Sink] before it unlocks. No message changes
// goroutines. Dead letters and deletions are effects: they go on a work list, which is
// carried out after the queue is unlocked, so that nobody holds two queue locks and a
// cycle of exchanges does not recurse.
//
// # Locks
//
// Locks are taken in this order: virtual host (declarations), queue, channel (its
// unacked deliveries), then the locks of the Sink. Nobody holds two locks of a kind. The
// store's own locks come after the queue's. The lock of rounds, held while Sinks receive
// confirms, is taken while none of these four is held.
//
// # What is durable when
//
// The broker changes the store under the lock of the queue or virtual host that the
// change concerns, so that the store sees the changes of each in order. Nobody waits for
// the store under a lock. At the end of a burst of calls [Conn.Commit] ends a round. What
// the burst promised to clients is held back until the round is durable: confirms come
// by [Sink.Confirmed] then, and the server holds the answers ([Conn.Holding],
// [ConnOptions]). After the store has failed, the broker accepts nothing that it would
// have to store.
//
// # Invariants
//
// Under the build tag invariants, and under the race detector, the broker checks itself:
// the counts and lists of a queue after its steps, that its events make sense, the order
// of locks, that no message is used after its last reference was released, and at Close
// that no message has a reference too many. A broken invariant is a panic, which ends the
// process.
//
// # Time and chance
//
// The only source of time is a [Clock], and the only source of chance a generator with a
// seed. No behaviour depends on the order of a map. With one goroutine and a virtual
// clock, a broker does the same on every run.
//
// # Errors
//
// A client's mistake is returned as a [*Error] with RabbitMQ's reply code and text.
// After an error the caller closes the channel, or the connection if the error is hard;
// the broker closes neither by itself.
package broker
