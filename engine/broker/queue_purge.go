package broker

import (
	"harelab/engine/auth"
	"harelab/engine/queue"
	"harelab/engine/wire"
)

// QueuePurge drops a queue's ready messages and returns how many there were.
//
// Errors: 403, 404, 405.
func (ch *Channel) QueuePurge(m *wire.QueuePurge) (messages int, err error) {
	name, err := ch.queueShortcut(m.Queue)
	if err != nil {
		return 0, err
	}
	if err := ch.conn.may(auth.Read, name, ch.vhost.queueName); err != nil {
		return 0, err
	}
	q, err := ch.findQueue(name)
	if err != nil {
		return 0, err
	}
	t := ch.begin()
	q.mu.Lock()
	if !q.deleted {
		messages = q.machine.Ready()
		q.step(t, &queue.Event{Kind: queue.Purge})
		q.messages.trim(q.machine)
	}
	q.mu.Unlock()
	t.end()
	return messages, nil
}
