package broker

import (
	"harelab/engine/auth"
	"harelab/engine/queue"
)

// PurgeQueue drops a queue's ready messages and returns how many there were.
//
// Errors: 403, 404, 405.
func (s *Session) PurgeQueue(name string) (messages int, err error) {
	if err := s.may(auth.Read, name, s.vhost.queueName); err != nil {
		return 0, err
	}
	q, err := s.findQueue(name)
	if err != nil {
		return 0, err
	}
	t := s.begin()
	q.mu.Lock()
	if !q.deleted {
		messages = q.machine.Ready()
		q.step(t, &queue.Event{Kind: queue.Purge})
		q.messages.trim(q.machine)
	}
	q.mu.Unlock()
	s.end()
	return messages, nil
}
