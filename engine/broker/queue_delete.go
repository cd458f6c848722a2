package broker

import (
	"harelab/engine/auth"
	"harelab/engine/internal/pages"
	"harelab/engine/message"
	"harelab/engine/queue"
	"harelab/engine/store"
	"harelab/engine/wire"
)

// DeleteIf holds the conditions under which a queue is deleted. The zero value has none.
type DeleteIf struct {
	Unused bool // it has no consumers
	Empty  bool // it has no ready messages
}

// DeleteQueue deletes a queue and returns the number of its ready messages. It is no error
// if the queue does not exist.
//
// Errors: 403, 405, 406 if a condition is not met, 540 for a condition on a quorum
// queue, 541 if the queue is stored and the store has failed.
func (s *Session) DeleteQueue(name string, only DeleteIf) (messages int, err error) {
	name = lineEnds.Replace(name)
	v := s.vhost
	if err := s.may(auth.Configure, v.queueResource(name)); err != nil {
		return 0, err
	}
	q, ok := v.queues.GetString(name)
	if !ok {
		return 0, nil
	}
	if err := q.checkOwner(s.conn); err != nil {
		return 0, err
	}
	if q.settings.Load().Quorum {
		if err := checkQuorumDelete(only, v.queueResource(name)); err != nil {
			return 0, err
		}
	}
	if err := v.broker.mayStore(q.storeID != 0); err != nil {
		return 0, err
	}
	op := s.begin()
	q.mu.Lock()
	messages = q.machine.Ready()
	switch {
	case only.Empty && messages > 0:
		err = refuse(wire.PreconditionFailed, "%s not empty", v.queueResource(name))
	case only.Unused && q.machine.Consumers() > 0:
		err = refuse(wire.PreconditionFailed, "%s in use", v.queueResource(name))
	default:
		q.close(op)
	}
	q.mu.Unlock()
	if err != nil {
		return 0, err
	}
	v.removeQueue(op, q)
	s.end()
	return messages, s.promise(q.storeID != 0)
}

// close drops the queue's messages and marks the queue as deleted. The queue is locked.
func (q *Queue) close(op *operation) {
	if q.deleted {
		return
	}
	if q.storeID != 0 {
		op.broker.store.Drop(q.storeID, 0, store.LastMessage)
		op.changed, op.dropping = true, true
	}
	if q.spillID != 0 {
		op.broker.pager.spill.Drop(q.spillID, 0, store.LastMessage)
		op.spilled, op.dropping = true, true
	}
	for _, c := range q.consumers {
		if c != nil {
			q.dropWaiting(op, c, nil)
		}
	}
	q.step(op, &queue.Event{Kind: queue.Close})
	op.dropping = false
	q.deleted = true
	if q.recorder != nil {
		q.recorder.End()
	}
	if q.wakeTimer != nil {
		q.wakeTimer.Stop()
	}
	q.stopIdle()
}

// removeQueue deletes a queue: it drops the messages, cancels the consumers and removes
// the bindings. A second call does nothing. The caller holds no lock.
func (v *VHost) removeQueue(op *operation, q *Queue) {
	q.mu.Lock()
	q.close(op)
	consumers := q.consumers
	q.consumers = nil
	q.messages = pages.Table[*message.Message]{}
	q.mu.Unlock()
	v.mu.Lock()
	v.unlinkQueue(q)
	v.mu.Unlock()
	for _, c := range consumers {
		if c != nil {
			c.cancelled(op)
		}
	}
}

// cancelled tells a consumer's Sink that the subscription has ended, unless the channel
// has ended it.
func (c *Consumer) cancelled(op *operation) {
	ch := c.channel
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.removeConsumer(c) {
		ch.sink.Cancelled(c.Tag, op.batch)
	}
}
