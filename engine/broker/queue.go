package broker

import (
	"slices"
	"sync/atomic"

	"harelab/engine/dispatch"
	"harelab/engine/internal/invariants"
	"harelab/engine/internal/pages"
	"harelab/engine/message"
	"harelab/engine/queue"
	"harelab/engine/settings"
	"harelab/engine/store"
	"harelab/engine/wire"
)

// A Queue is a queue of a virtual host: the state machine of package queue with the
// messages it decides about, the consumers it decides for, and a lock.
type Queue struct {
	vhost      *VHost
	name       string
	seq        uint64 // order of declaration
	durable    bool
	autoDelete bool
	owner      *Conn // connection that an exclusive queue belongs to; nil: not exclusive
	args       wire.Table
	settings   atomic.Pointer[settings.Queue] // written under mu
	target     target
	storeID    store.QueueID // 0: the store keeps nothing of the queue

	// Under the virtual host's lock.
	bindings *binding // list of bindings whose destination is this queue

	mu        queueMutex
	deleted   bool
	needsTime bool // the state machine must get the time with each event
	machine   *queue.Queue
	recorder  *queue.Recorder               // writes the transcript of the machine; nil: none
	messages  pages.Table[*message.Message] // by Ref; nil: the row is free, or the message is away
	paged     *paged                        // nil: no message was ever paged out
	spillID   store.QueueID                 // identity in the spill store; 0: it has spilled nothing
	consumers []*Consumer                   // by ConsumerID
	exclusive *Consumer
	joins     uint64 // number of consumers that ever joined
	probes    int    // number of consumers with a probe
	wakeTimer Timer  // runs until the time of the last queue.WakeAt; nil: none
	idleTimer Timer  // runs while x-expires counts; nil: not running
	usedAt    int64  // when the queue was last used, in microseconds, for x-expires
	counts    queueCounts
	interned  map[string]string     // strings of intern: tenants and tasks
	unchecked invariants.Value[int] // number of steps to skip before the next check
}

// queueCounts are numbers of messages since the queue was declared.
type queueCounts struct {
	published, delivered, acked, redelivered, deadLettered uint64
}

// budget is the number of messages that one step may assign before its decisions are
// carried out. It keeps a consumer without limits from getting more of a long queue than
// its connection takes.
const budget = 64

// step steps the state machine with an event and carries out its decisions. e is
// overwritten. The queue is locked.
func (q *Queue) step(op *operation, e *queue.Event) {
	e.Budget = budget
	if q.probes > 0 {
		e.Budget = 1 // a probe sees a message only after its delivery
	}
	for {
		q.decide(op, e)
		more := false
		for i := range op.decisions {
			d := &op.decisions[i]
			q.carryOut(op, d)
			more = d.Kind == queue.More
		}
		for _, c := range op.paused {
			q.decide(op, &queue.Event{Kind: queue.Pause, Hold: true, Consumer: c})
		}
		op.paused = op.paused[:0]
		if !more {
			return
		}
		*e = queue.Event{Kind: queue.Run, Budget: e.Budget} // in place: a new event would be allocated in each step
	}
}

// decide steps the state machine with an event and leaves the decisions in op.decisions.
func (q *Queue) decide(op *operation, e *queue.Event) {
	if q.needsTime {
		e.Now = op.time()
	}
	if invariants.Enabled {
		q.checkEvent(e)
	}
	if q.recorder != nil {
		op.decisions = q.recorder.Step(*e, op.decisions[:0])
	} else {
		op.decisions = q.machine.Step(*e, op.decisions[:0])
	}
	if invariants.Enabled {
		q.checkStep(op, e)
	}
}

// carryOut carries out one decision.
func (q *Queue) carryOut(op *operation, d *queue.Decision) {
	switch d.Kind {
	case queue.Deliver:
		q.deliver(op, d)
	case queue.Drop:
		if tracer := op.broker.tracer; tracer != nil {
			tracer.Died(*q.messages.At(d.Ref), q.name, Death{Reason: d.Reason, Octets: q.overOctets(op, d)}, op.time())
		}
		q.forget(op, d.Ref)
	case queue.DeadLetter:
		q.counts.deadLettered++
		op.effects = append(op.effects, q.deadLetter(op, d))
	case queue.Reject:
		op.refused = true
		if tracer := op.broker.tracer; tracer != nil && len(op.decisions) == 1 { // else it was dead-lettered as well
			tracer.Died(*q.messages.At(d.Ref), q.name, Death{Reason: d.Reason, Refused: true}, op.time())
		}
		q.forget(op, d.Ref)
	case queue.WakeAt:
		q.wakeAt(op, d.At)
	}
}

// deliver sends a message to its consumer.
func (q *Queue) deliver(op *operation, d *queue.Decision) {
	if d.Consumer == dispatch.NoConsumer {
		return // get handles the decision itself
	}
	c := q.consumers[d.Consumer]
	if q.mustWait(c, d.Ref) {
		q.wait(op, c, d)
		return
	}
	if !q.send(op, c, *q.messages.At(d.Ref), d) {
		op.paused = append(op.paused, d.Consumer)
	}
	if d.Done {
		q.forget(op, d.Ref)
	} else {
		q.dropOctets(op, d.Ref)
	}
	q.readAhead(op)
}

// send sends a message to a consumer and reports whether its Sink takes more.
func (q *Queue) send(op *operation, c *Consumer, m *message.Message, d *queue.Decision) (writable bool) {
	q.dispatched(op, m, d)
	sent := m
	if q.settings.Load().Quorum && d.Redelivered {
		sent = op.countDeliveries(m, d.Attempts)
	}
	writable = c.channel.deliver(op, c, sent, d)
	if sent != m {
		op.release(sent)
	}
	if d.Done {
		q.acked(op, m)
	}
	return writable
}

// dispatched counts a message that is about to be sent, and traces it.
func (q *Queue) dispatched(op *operation, m *message.Message, d *queue.Decision) {
	q.counts.delivered++
	if d.Redelivered {
		q.counts.redelivered++
	}
	if tracer := op.broker.tracer; tracer != nil {
		tracer.Dispatched(m, q.name, op.time())
	}
}

func (q *Queue) acked(op *operation, m *message.Message) {
	q.counts.acked++
	if tracer := op.broker.tracer; tracer != nil {
		tracer.Acked(m, q.name, op.time())
	}
}

// deadLetter returns the effect that dead-letters a message. The store keeps the
// message's entry in this queue until the message is stored in another queue.
func (q *Queue) deadLetter(op *operation, d *queue.Decision) effect {
	e := effect{queue: q, dead: true, reason: d.Reason, octets: op.broker.tracer != nil && q.overOctets(op, d), refused: !d.Done}
	if d.Done {
		e.msg, e.stub = q.take(d.Ref) // the effect takes over the queue's reference
		op.held -= rowOctets
		e.remove = q.stores(op, e.msg, e.stub)
	} else {
		e.msg = *q.messages.At(d.Ref)
		e.msg.Retain()
	}
	return e
}

// overOctets reports whether a message is dropped because the queue has too many octets,
// and not because it has too many messages. d is one of op.decisions.
func (q *Queue) overOctets(op *operation, d *queue.Decision) bool {
	s := q.settings.Load()
	if d.Reason != queue.MaxLen || s.Limits.MaxBytes < 0 {
		return false
	}
	ready := int64(q.machine.Ready()) // when d was made: now, and what has left since
	for i := len(op.decisions) - 1; i >= 0; i-- {
		if o := &op.decisions[i]; o.Kind == queue.Deliver || o.Done {
			ready++
		}
		if d == &op.decisions[i] {
			break
		}
	}
	return s.Limits.MaxLength < 0 || ready <= s.Limits.MaxLength
}

// stores reports whether a store has an entry of the message in this queue.
func (q *Queue) stores(op *operation, m *message.Message, s stub) bool {
	return !op.dropping && (s != 0 || m.StoreID() != 0 && q.storeID != 0 && m != op.unstored)
}

// forget releases a message that the queue no longer holds, and removes it from the
// store.
func (q *Queue) forget(op *operation, r dispatch.Ref) {
	m, s := q.take(r)
	if m == nil && s == 0 {
		return
	}
	op.held -= rowOctets
	q.unstore(op, m, s)
	if m != nil {
		op.release(m)
	}
}

// unstore removes the entry that a store has of a message in this queue, if one has.
func (q *Queue) unstore(op *operation, m *message.Message, s stub) {
	if q.stores(op, m, s) {
		q.remove(op, m, s)
	}
}

// remove is unstore for a message that is stored.
func (q *Queue) remove(op *operation, m *message.Message, s stub) {
	switch {
	case s.spilled():
		op.broker.pager.spill.Remove(q.spillID, s.id())
		op.spilled = true
		return
	case s != 0:
		op.broker.store.Remove(q.storeID, s.id())
	default:
		op.broker.store.Remove(q.storeID, store.MessageID(m.StoreID()))
	}
	op.changed = true
}

// enqueue puts a message into the queue, takes over one reference, and reports whether the
// queue still exists. A full queue may refuse the message (op.refused).
func (q *Queue) enqueue(op *operation, m *message.Message, expiresAt int64) bool {
	q.mu.Lock()
	if q.deleted {
		q.mu.Unlock()
		op.release(m)
		return false
	}
	r := q.machine.NextRef()
	*q.messages.Grow(r) = m
	op.held += rowOctets
	e := queue.Event{Kind: queue.Publish, Bytes: uint32(len(m.Body())), ExpiresAt: expiresAt}
	e.Msg.Priority = m.Priority()
	if q.settings.Load().Needs != 0 {
		q.hints(&e.Msg, m, op.headers)
	}
	q.counts.published++
	if expiresAt != 0 {
		q.needsTime = true
	}
	if tracer := op.broker.tracer; tracer != nil {
		tracer.Enqueued(m, q.name, op.time())
	}
	if m.StoreID() == 0 || q.storeID == 0 {
		q.step(op, &e)
	} else {
		q.stepStored(op, &e, r, m)
	}
	if op.paging {
		q.pageOut(op, r, m, op.spillID)
	}
	q.mu.Unlock()
	return true
}

// stepStored is step for a persistent message in a stored queue. It stores an entry,
// unless the queue refused the message or delivered it at once without
// acknowledgement.
func (q *Queue) stepStored(op *operation, e *queue.Event, r dispatch.Ref, m *message.Message) {
	op.unstored = m
	q.step(op, e)
	op.unstored = nil
	if *q.messages.At(r) != m {
		return
	}
	row, _ := q.machine.Message(r)
	op.broker.store.Add(q.storeID, store.MessageID(m.StoreID()), store.Entry{ExpiresAt: row.Expires})
	op.stored, op.changed = true, true
}

// restore is enqueue for a message that was read from the store. The queue does not run.
func (q *Queue) restore(op *operation, m *message.Message, s store.Entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	*q.messages.Grow(q.machine.NextRef()) = m
	op.held += rowOctets
	e := queue.Event{Kind: queue.Publish, Bytes: uint32(len(m.Body())), ExpiresAt: s.ExpiresAt, Redelivered: s.Redelivered, Hold: true, Restored: true}
	e.Msg.Priority = m.Priority()
	properties := wire.ViewProperties(m.Properties())
	q.hints(&e.Msg, m, properties.Headers())
	q.needsTime = q.needsTime || s.ExpiresAt != 0
	r := q.machine.NextRef()
	q.step(op, &e)
	if p := op.broker.pager; p != nil && p.over(op) {
		q.pageOut(op, r, m, 0)
	}
}

// settle acks, requeues or discards deliveries of this queue.
func (q *Queue) settle(op *operation, kind queue.Kind, refs []dispatch.Ref, hold bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.deleted {
		return
	}
	switch kind {
	case queue.Ack:
		for _, r := range refs {
			q.acked(op, *q.messages.At(r))
			q.forget(op, r)
		}
	case queue.Requeue:
		q.sortByAge(refs)
	}
	q.step(op, &queue.Event{Kind: kind, Refs: refs, Hold: hold})
	q.trim()
}

// eachMessage calls f for each message of the queue.
func (q *Queue) eachMessage(f func(dispatch.Ref, *message.Message)) {
	q.messages.Each(func(r uint32, m **message.Message) {
		if *m != nil {
			f(r, *m)
		}
	})
}

// eachStored calls f for each message of the queue that a store has, with its row and its
// stub there.
func (q *Queue) eachStored(f func(*dispatch.Message, stub)) {
	for r := range dispatch.Ref(q.machine.Rows()) {
		row, ok := q.machine.Message(r)
		if !ok {
			continue
		}
		s := q.stub(r) &^ stubAhead
		if m := *q.messages.At(r); s == 0 && q.storeID != 0 && m != nil {
			s = stubOf(store.MessageID(m.StoreID()), 0)
		}
		if s != 0 {
			f(&row, s)
		}
	}
}

// trim releases the memory that a burst took, once the queue is empty.
func (q *Queue) trim() {
	if q.machine.Ready() == 0 && q.machine.Unacked() == 0 {
		q.messages.Trim()
		q.paged.trim()
	}
}

// sortByAge sorts refs by the order in which their messages came.
func (q *Queue) sortByAge(refs []dispatch.Ref) {
	if len(refs) < 2 {
		return
	}
	slices.SortFunc(refs, func(a, b dispatch.Ref) int {
		x, _ := q.machine.Message(a)
		y, _ := q.machine.Message(b)
		switch {
		case x.ID < y.ID:
			return -1
		case x.ID > y.ID:
			return 1
		}
		return 0
	})
}

// event steps the queue, unless the queue is deleted.
func (q *Queue) event(op *operation, e queue.Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.deleted {
		q.step(op, &e)
	}
}

// wakeAt sets the queue's timer for expiring messages.
func (q *Queue) wakeAt(op *operation, at int64) {
	if q.wakeTimer != nil {
		q.wakeTimer.Stop()
	}
	q.needsTime = true
	q.wakeTimer = op.broker.after(at-op.time(), func(op *operation) { q.event(op, queue.Event{Kind: queue.Expire}) })
}
