package broker

import (
	"slices"
	"sync/atomic"

	"harelab/engine/dispatch"
	"harelab/engine/internal/invariants"
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
	owner      *Conn // of an exclusive queue
	args       wire.Table
	settings   atomic.Pointer[settings.Queue] // written under mu
	target     target
	storeID    store.QueueID // 0: nothing of the queue is stored

	// Under the virtual host's lock.
	bindings *binding // of which the queue is the destination

	mu        queueMutex
	deleted   bool
	timed     bool // the state machine has to know the time
	machine   *queue.Queue
	recorder  *queue.Recorder // of the machine; nil: not recorded
	messages  messages
	consumers []*Consumer // by ConsumerID
	exclusive *Consumer
	joins     uint64 // consumers so far
	probes    int    // consumers with a probe
	wake      Timer  // for WakeAt
	idle      Timer  // for x-expires
	usedAt    int64  // microseconds: when the queue was last used, for x-expires
	counts    queueCounts
	names     map[string]string     // for hints: tenants and tasks
	unchecked invariants.Value[int] // steps to leave out before the next check
}

type queueCounts struct {
	published, delivered, acked, redelivered, deadLettered uint64
}

// budget is how many messages one step may give away before its decisions are
// carried out: a consumer without limits must not be given more of a long queue than
// its connection takes.
const budget = 64

// step has the state machine take in an event, which it may overwrite, and carries out what it decides. The
// queue is locked.
func (q *Queue) step(t *turn, e *queue.Event) {
	e.Budget = budget
	if q.probes > 0 {
		e.Budget = 1 // a probe sees a message only once it was delivered
	}
	for {
		q.decide(t, e)
		more := false
		for i := range t.decisions {
			d := &t.decisions[i]
			q.carryOut(t, d)
			more = d.Kind == queue.More
		}
		for _, c := range t.paused {
			q.decide(t, &queue.Event{Kind: queue.Pause, Hold: true, Consumer: c})
		}
		t.paused = t.paused[:0]
		if !more {
			return
		}
		*e = queue.Event{Kind: queue.Run, Budget: e.Budget} // in place: a new one would be an allocation a step
	}
}

// decide has the state machine take in an event. It leaves the decisions in
// t.decisions.
func (q *Queue) decide(t *turn, e *queue.Event) {
	if q.timed {
		e.Now = t.time()
	}
	if invariants.Enabled {
		q.checkEvent(e)
	}
	if q.recorder != nil {
		t.decisions = q.recorder.Step(*e, t.decisions[:0])
	} else {
		t.decisions = q.machine.Step(*e, t.decisions[:0])
	}
	if invariants.Enabled {
		q.checkStep(t, e)
	}
}

// carryOut does what one decision asks for.
func (q *Queue) carryOut(t *turn, d *queue.Decision) {
	switch d.Kind {
	case queue.Deliver:
		q.deliver(t, d)
	case queue.Drop:
		q.forget(t, d.Ref)
	case queue.DeadLetter:
		q.counts.deadLettered++
		t.effects = append(t.effects, q.deadLetter(t, d))
	case queue.Reject:
		t.refused = true
		q.forget(t, d.Ref)
	case queue.WakeAt:
		q.wakeAt(t, d.At)
	}
}

// deliver hands a message to its consumer.
func (q *Queue) deliver(t *turn, d *queue.Decision) {
	if d.Consumer == dispatch.NoConsumer {
		return // Get looks at the decision itself
	}
	c := q.consumers[d.Consumer]
	m := *q.messages.at(d.Ref)
	q.dispatched(t, m, d)
	shown := m
	if q.settings.Load().Quorum && d.Redelivered {
		shown = t.broker.countDeliveries(m, d.Attempts)
	}
	if !c.channel.deliver(t, c, shown, d) {
		t.paused = append(t.paused, d.Consumer)
	}
	if shown != m {
		shown.Release()
	}
	if d.Done {
		q.acked(t, m)
		q.forget(t, d.Ref)
	}
}

// dispatched notes that a message is about to go out.
func (q *Queue) dispatched(t *turn, m *message.Message, d *queue.Decision) {
	q.counts.delivered++
	if d.Redelivered {
		q.counts.redelivered++
	}
	if tracer := t.broker.tracer; tracer != nil {
		tracer.Dispatched(m, q.name, t.time())
	}
}

func (q *Queue) acked(t *turn, m *message.Message) {
	q.counts.acked++
	if tracer := t.broker.tracer; tracer != nil {
		tracer.Acked(m, q.name, t.time())
	}
}

// deadLetter makes a dead letter of a message. The store keeps the message in the queue
// until it has it elsewhere.
func (q *Queue) deadLetter(t *turn, d *queue.Decision) effect {
	slot := q.messages.at(d.Ref)
	m := *slot
	e := effect{queue: q, msg: m, reason: d.Reason}
	if d.Done {
		*slot = nil // the effect has the queue's reference
		e.remove = q.stores(t, m)
	} else {
		m.Retain()
	}
	return e
}

// stores reports whether the store has a message in this queue.
func (q *Queue) stores(t *turn, m *message.Message) bool {
	return m.StoreID() != 0 && q.storeID != 0 && m != t.fresh && !t.dropping
}

// forget gives up the queue's reference to a message that it holds no more.
func (q *Queue) forget(t *turn, r dispatch.Ref) {
	slot := q.messages.at(r)
	m := *slot
	*slot = nil
	if m == nil {
		return
	}
	if q.stores(t, m) {
		q.remove(t, m)
	}
	m.Release()
}

// remove takes a message out of the queue's part of the store.
func (q *Queue) remove(t *turn, m *message.Message) {
	t.broker.store.Remove(q.storeID, store.MessageID(m.StoreID()))
	t.changed = true
}

// enqueue puts a message into the queue, taking over one reference, and reports
// whether the queue is there to take it. A queue that is full may have refused it
// (t.refused).
func (q *Queue) enqueue(t *turn, m *message.Message, expiresAt int64) bool {
	q.mu.Lock()
	if q.deleted {
		q.mu.Unlock()
		m.Release()
		return false
	}
	r := q.machine.NextRef()
	*q.messages.grow(r) = m
	e := queue.Event{Kind: queue.Publish, Bytes: uint32(len(m.Body())), ExpiresAt: expiresAt}
	e.Msg.Priority = m.Priority()
	if q.settings.Load().Needs != 0 {
		q.hints(&e.Msg, m, t.headers)
	}
	q.counts.published++
	if expiresAt != 0 {
		q.timed = true
	}
	if tracer := t.broker.tracer; tracer != nil {
		tracer.Enqueued(m, q.name, t.time())
	}
	if m.StoreID() == 0 || q.storeID == 0 {
		q.step(t, &e)
	} else {
		q.stepStored(t, &e, r, m)
	}
	q.mu.Unlock()
	return true
}

// stepStored is step for a message that has to be stored: unless it was refused or
// delivered without acknowledgement at once.
func (q *Queue) stepStored(t *turn, e *queue.Event, r dispatch.Ref, m *message.Message) {
	t.fresh = m
	q.step(t, e)
	t.fresh = nil
	if *q.messages.at(r) != m {
		return
	}
	row, _ := q.machine.Message(r)
	t.broker.store.Add(q.storeID, store.MessageID(m.StoreID()), store.Entry{ExpiresAt: row.Expires})
	t.kept, t.changed = true, true
}

// restore is enqueue for a message that the store has.
func (q *Queue) restore(t *turn, m *message.Message, s store.Entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	*q.messages.grow(q.machine.NextRef()) = m
	e := queue.Event{Kind: queue.Publish, Bytes: uint32(len(m.Body())), ExpiresAt: s.ExpiresAt, Redelivered: s.Redelivered}
	e.Msg.Priority = m.Priority()
	properties := wire.ViewProperties(m.Properties())
	q.hints(&e.Msg, m, properties.Headers())
	q.timed = q.timed || s.ExpiresAt != 0
	q.step(t, &e)
}

// settle takes in acks, requeues or discards of deliveries of this queue.
func (q *Queue) settle(t *turn, kind queue.Kind, refs []dispatch.Ref, hold bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.deleted {
		return
	}
	switch kind {
	case queue.Ack:
		for _, r := range refs {
			q.acked(t, *q.messages.at(r))
			q.forget(t, r)
		}
	case queue.Requeue:
		q.sortByAge(refs)
	}
	q.step(t, &queue.Event{Kind: kind, Refs: refs, Hold: hold})
	q.messages.trim(q.machine)
}

// sortByAge puts refs in the order in which their messages came.
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

// event steps the queue, unless it is deleted.
func (q *Queue) event(t *turn, e queue.Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.deleted {
		q.step(t, &e)
	}
}

// wakeAt arms the one timer for messages that expire.
func (q *Queue) wakeAt(t *turn, at int64) {
	if q.wake != nil {
		q.wake.Stop()
	}
	q.timed = true
	q.wake = t.broker.after(at-t.time(), func(t *turn) { q.event(t, queue.Event{Kind: queue.Expire}) })
}
