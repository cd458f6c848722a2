package broker

import (
	"time"

	"harelab/engine/dispatch"
	"harelab/engine/exchange"
	"harelab/engine/internal/failstop"
	"harelab/engine/message"
	"harelab/engine/queue"
	"harelab/engine/store"
	"harelab/engine/topic"
)

// An operation is one call into the broker: its scratch space, which the next call
// reuses, and the effects that wait until no lock is held. A session has one, since
// its calls come one at a time; each timer makes its own.
type operation struct {
	broker  *Broker
	batch   *Batch
	now     int64 // microseconds; valid if nowRead
	nowRead bool  // now was read from the clock

	decisions []queue.Decision
	dests     []topic.Dest
	keys      [][]byte         // the message's routing keys: its own, those of CC, those of BCC
	hidden    [][]byte         // the part of keys that comes from BCC
	headers   []byte           // the message's headers, encoded; nil: none
	message   exchange.Message // what exchanges see; the caller of route sets Properties
	keeping   []keeping        // exchanges that keep the message
	targets   []*target
	queues    []*Queue // the queues that the message goes to
	seen      map[*target]struct{}
	unique    bool        // no target can be found twice
	exchanges []*Exchange // the exchanges that the message has reached
	refs      []dispatch.Ref
	settled   []unsettled
	paused    []dispatch.ConsumerID
	runs      []*Queue
	competing []int // indices in runs of the queues that compete for a channel's credit

	refused  bool            // a queue refused the message
	stored   bool            // the store was given an entry of the message
	failed   error           // why the message was not enqueued: the store has failed
	changed  bool            // the store was changed since the last commit
	dropping bool            // the store has dropped already what the queue is about to drop
	paging   bool            // messages are paged out
	spillID  store.MessageID // identity of the message that is being enqueued in the spill store; 0: none
	spilled  bool            // the spill store was changed since the last commit
	held     int64           // octets of memory that messages took since the last report to the account
	effects  []effect
	octets   []byte           // a stored message, or the head of one
	unstored *message.Message // the message being enqueued, whose entry the store does not have yet
}

// An effect follows from a decision of one queue and changes others, or the virtual
// host: it is a dead letter, or the deletion of a queue that auto-delete or x-expires
// ends.
type effect struct {
	queue  *Queue
	dead   bool             // it is a dead letter
	msg    *message.Message // the dead letter, with a reference; nil: away
	stub   stub             // of the dead letter
	reason queue.Reason
	// octets and refused are for the tracer, as in a [Death].
	octets, refused bool

	remove bool // remove msg from the queue's entries in the store after it was enqueued elsewhere
}

// maxReused is the capacity, in decisions or deliveries, up to which a call's slices are
// reused by the next.
const maxReused = 1024

// begin starts a call.
func (op *operation) begin() {
	op.nowRead, op.refused, op.stored, op.failed = false, false, false, nil
}

// time returns when the call began, in microseconds. It reads the clock at most once a
// call, and only if a caller needs the time: reading costs as much as a queue's lock.
func (op *operation) time() int64 {
	if !op.nowRead {
		op.now, op.nowRead = op.broker.clock.Now(), true
	}
	return op.now
}

// end carries out the effects, with no lock held. A dead letter may overflow another
// queue, which then drops messages: these become further effects, so that nothing
// recurses.
func (op *operation) end() {
	for i := 0; i < len(op.effects); i++ {
		e := op.effects[i]
		op.effects[i] = effect{}
		if e.dead {
			op.deadLetter(e)
		} else {
			e.queue.vhost.removeQueue(op, e.queue)
		}
	}
	op.effects = op.effects[:0]
	if cap(op.decisions) > maxReused || cap(op.settled) > maxReused || cap(op.refs) > maxReused {
		op.decisions, op.settled, op.refs = nil, nil, nil // a long queue was purged, or requeued
	}
}

// after runs f in an operation of its own once some microseconds have passed. It logs a
// panic of f, since no other function of ours is on the timer's stack.
func (b *Broker) after(us int64, f func(*operation)) Timer {
	return b.clock.AfterFunc(time.Duration(us)*time.Microsecond, func() {
		defer failstop.Report(b.logger)
		b.run(f)
	})
}

// commit ends a call without a connection: it ends a round of the store and reports what
// memory changed hands.
func (op *operation) commit() {
	op.report()
	op.commitSpill()
	if op.changed || op.broker.recordsChanged.Load() {
		op.changed = false
		op.broker.commit()
	}
}

// commitSpill makes the spill store write what was spilled as soon as it can. Nobody waits
// for it.
func (op *operation) commitSpill() {
	if op.spilled {
		op.spilled = false
		op.broker.pager.spill.Commit()
	}
}

// run runs f as a call without a session, for timers, writers and the broker itself.
func (b *Broker) run(f func(*operation)) {
	op := &operation{broker: b, batch: new(Batch)}
	op.begin()
	f(op)
	op.end()
	op.commit()
	op.batch.Flush()
}
