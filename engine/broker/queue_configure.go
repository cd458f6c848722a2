package broker

import (
	"harelab/engine/queue"
	"harelab/engine/settings"
)

// configure changes the settings of the queue while it is in use, as policies do: limits,
// expiry, dead-lettering and fair key. The queue keeps its type and strategies. Messages
// beyond a new limit are dropped or dead-lettered at once. A change of x-expires restarts
// the time without use. configure reports whether the queue still exists.
func (q *Queue) configure(op *operation, s *settings.Queue) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.deleted {
		return false
	}
	old := q.settings.Load()
	s = old.With(s)
	q.settings.Store(s)
	q.needsTime = q.needsTime || s.Timed()
	if s.Expires != old.Expires {
		q.stopIdle()
		if q.machine.Consumers() == 0 {
			q.startIdle(op)
		}
	}
	q.step(op, &queue.Event{Kind: queue.Configure, Limits: &s.Limits})
	q.trim()
	return true
}
