package broker

import (
	"harelab/engine/auth"
	"harelab/engine/queue"
	"harelab/engine/wire"
)

// QueueDelete deletes a queue and returns how many ready messages it had. One that
// does not exist is no error.
//
// Errors: 403, 405, 406 if m is IfUnused or IfEmpty and it is not, 540 if m is and
// it is a quorum queue.
func (ch *Channel) QueueDelete(m *wire.QueueDelete) (messages int, err error) {
	name, err := ch.queueShortcut(m.Queue)
	if err != nil {
		return 0, err
	}
	name = lineEnds.Replace(name)
	v := ch.vhost
	if err := ch.conn.may(auth.Configure, name, v.queueName); err != nil {
		return 0, err
	}
	q, ok := v.queues.GetString(name)
	if !ok {
		return 0, nil
	}
	if err := q.checkOwner(ch.conn); err != nil {
		return 0, err
	}
	if q.settings.Load().Quorum {
		if err := checkQuorumDelete(m, v.queueName(name)); err != nil {
			return 0, err
		}
	}
	t := ch.begin()
	q.mu.Lock()
	messages = q.machine.Ready()
	switch {
	case m.IfEmpty && messages > 0:
		err = wire.Errorf(wire.PreconditionFailed, "%s not empty", v.queueName(name))
	case m.IfUnused && q.machine.Consumers() > 0:
		err = wire.Errorf(wire.PreconditionFailed, "%s in use", v.queueName(name))
	default:
		q.close(t)
	}
	q.mu.Unlock()
	if err != nil {
		return 0, err
	}
	v.removeQueue(t, q)
	t.end()
	return messages, v.broker.sync()
}

// close makes the queue refuse everything and drops what it holds. The queue is
// locked.
func (q *Queue) close(t *turn) {
	if q.deleted {
		return
	}
	q.step(t, &queue.Event{Kind: queue.Close})
	q.deleted = true
	if q.wake != nil {
		q.wake.Stop()
	}
	q.stopIdle()
}

// removeQueue deletes a queue: its messages are dropped, its consumers told, its
// bindings removed. A second call does nothing. No lock is held.
func (v *VHost) removeQueue(t *turn, q *Queue) {
	q.mu.Lock()
	q.close(t)
	consumers := q.consumers
	q.consumers = nil
	q.messages = messages{}
	q.mu.Unlock()
	v.mu.Lock()
	v.unlinkQueue(q)
	v.mu.Unlock()
	for _, c := range consumers {
		if c == nil {
			continue
		}
		ch := c.channel
		ch.mu.Lock()
		if ch.removeConsumer(c) {
			ch.sink.Cancelled(c.Tag, t.batch)
		}
		ch.mu.Unlock()
	}
}
