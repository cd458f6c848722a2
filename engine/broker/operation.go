package broker

import (
	"time"

	"harelab/engine/dispatch"
	"harelab/engine/internal/failstop"
	"harelab/engine/message"
	"harelab/engine/queue"
	"harelab/engine/topic"
)

// An operation is one call into the broker: its scratch space, which the next call
// reuses, and the effects that wait until no lock is held. A session has one, since
// its calls come one at a time; each timer makes its own.
type operation struct {
	broker  *Broker
	batch   *Batch
	now     int64 // microseconds; see time
	nowRead bool  // now is known

	decisions []queue.Decision
	dests     []topic.Dest
	keys      [][]byte // routing keys of a message: its own, CC, BCC
	hidden    [][]byte // those of them that are from BCC
	headers   []byte   // of the message, encoded; nil: none
	targets   []*target
	queues    []*Queue // where it goes
	seen      map[*target]struct{}
	unique    bool        // no queue can come twice
	exchanges []*Exchange // where it has been
	refs      []dispatch.Ref
	settled   []unsettled
	paused    []dispatch.ConsumerID
	runs      []*Queue
	competing []int // indices in runs: queues that compete for a channel's credit

	refused  bool  // a queue did not take the message
	stored   bool  // a queue has the message and the store is to write it
	failed   error // the store has failed, so nobody took the message
	changed  bool  // the store was changed since the last commit
	dropping bool  // what the queue loses is out of the store already
	effects  []effect
	octets   []byte           // a message of the store, or its head
	unstored *message.Message // that no queue has in the store yet
}

// An effect follows from a decision of one queue and touches others, or the virtual
// host: a dead letter, or the deletion of a queue that nobody needs any more.
type effect struct {
	queue  *Queue
	msg    *message.Message // dead letter, with a reference; nil: delete the queue
	reason queue.Reason
	remove bool // the message from the queue's part of the store, once it is elsewhere
}

// keepRoom is how many decisions or deliveries of one call the next finds room for.
const maxReused = 1024

// begin starts a call.
func (op *operation) begin() {
	op.nowRead, op.refused, op.stored, op.failed = false, false, false, nil
}

// time returns when the call came, in microseconds. The clock is asked only if it
// matters: that costs as much as a queue's lock.
func (op *operation) time() int64 {
	if !op.nowRead {
		op.now, op.nowRead = op.broker.clock.Now(), true
	}
	return op.now
}

// end carries out what waits, and what comes of that, with no lock held. Dead
// letters may fill other queues, which lose others: each is a further effect, so
// that nothing recurses.
func (op *operation) end() {
	for i := 0; i < len(op.effects); i++ {
		e := op.effects[i]
		op.effects[i] = effect{}
		if e.msg != nil {
			op.deadLetter(e)
		} else {
			e.queue.vhost.removeQueue(op, e.queue)
		}
	}
	op.effects = op.effects[:0]
	if cap(op.decisions) > maxReused || cap(op.settled) > maxReused || cap(op.refs) > maxReused {
		op.decisions, op.settled, op.refs = nil, nil, nil // a long queue was purged, or returned
	}
}

// after runs f in an operation of its own once some microseconds have passed. A panic there is
// in nobody's goroutine but the timer's, so it is logged here.
func (b *Broker) after(us int64, f func(*operation)) Timer {
	return b.clock.AfterFunc(time.Duration(us)*time.Microsecond, func() {
		defer failstop.Report(b.logger)
		b.run(f)
	})
}

// commit asks for what was changed to be made durable, for calls of no connection.
func (op *operation) commit() {
	if op.changed || op.broker.recordsChanged.Load() {
		op.changed = false
		op.broker.commit()
	}
}

// ownTurn runs f as a call of no connection's goroutine: a timer's, or a writer's.
func (b *Broker) run(f func(*operation)) {
	op := &operation{broker: b, batch: new(Batch)}
	op.begin()
	f(op)
	op.end()
	op.commit()
	op.batch.Flush()
}
