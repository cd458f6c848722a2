package broker

import (
	"fmt"
	"time"

	"harelab/engine/message"
	"harelab/engine/queue"
	"harelab/engine/store"
)

// A recovery puts messages back into their queues.
type recovery struct {
	broker  *Broker
	crashed bool // any message may have been delivered, so all count as redelivered

	// shared has every message that was read, by its identity, with a reference: a message
	// of several queues is read once, unless messages are paged out meanwhile. A queue is read in order, and in one go.
	shared map[store.MessageID]*message.Message

	began, told      int64 // microseconds of the clock
	queues, messages int
}

// fillQueues reads the entries and messages of all queues, in order of declaration, and
// returns the queues. It logs once a second how far it has come.
func (b *Broker) fillQueues(crashed bool) (queues []*Queue, err error) {
	r := &recovery{broker: b, crashed: crashed, shared: make(map[store.MessageID]*message.Message), began: b.clock.Now()}
	r.told = r.began
	for _, v := range b.VHosts() {
		queues = append(queues, v.sortedQueues()...)
	}
	b.run(func(op *operation) {
		for _, q := range queues {
			if err = r.fill(op, q); err != nil {
				err = fmt.Errorf("%s: %w", q.vhost.queueResource(q.name), err)
				return
			}
		}
		for _, m := range r.shared {
			op.release(m)
		}
	})
	if err == nil && len(queues) > 0 {
		r.tell("recovered", b.clock.Now())
	}
	return queues, err
}

// fill reads the messages of a queue.
func (r *recovery) fill(op *operation, q *Queue) error {
	r.queues++
	return r.broker.store.Entries(q.storeID, func(id store.MessageID, e store.Entry) error {
		r.broker.messageIDs.passed(uint64(id))
		m := r.shared[id]
		if m == nil {
			var err error
			if m, err = r.load(op, id); err != nil {
				return fmt.Errorf("message %d: %w", id, err)
			}
			if p := op.broker.pager; p == nil || !p.over(op) {
				r.shared[id] = m
			}
		}
		if r.shared[id] != nil {
			m.Retain()
		}
		e.Redelivered = e.Redelivered || r.crashed
		q.restore(op, m, e)
		r.messages++
		if r.messages%1024 == 0 {
			r.tellEverySecond()
		}
		return nil
	})
}

// load reads a message from the store. The caller releases it.
func (r *recovery) load(op *operation, id store.MessageID) (m *message.Message, err error) {
	if op.octets, err = r.broker.store.Load(id, op.octets[:0]); err != nil {
		return nil, err
	}
	if m, err = message.Decode(op.octets); err != nil {
		return nil, err
	}
	m.SetStoreID(uint64(id))
	return op.hold(m), nil
}

func (r *recovery) tellEverySecond() {
	if now := r.broker.clock.Now(); now-r.told >= 1e6 {
		r.told = now
		r.tell("recovering", now)
	}
}

// tell logs how far the recovery has come.
func (r *recovery) tell(what string, now int64) {
	took := max(now-r.began, 1)
	r.broker.notice(what, "queues", r.queues, "messages", r.messages,
		"messages/s", int64(float64(r.messages)*1e6/float64(took)), "took", time.Duration(took)*time.Microsecond)
}

// recovered runs a queue that was filled, for the first time: it drops what has expired or
// is beyond its limit now.
func (q *Queue) recovered(op *operation) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.step(op, &queue.Event{Kind: queue.Configure, Change: &queue.Change{Limits: q.settings.Load().Limits}})
	q.startIdle(op)
}
