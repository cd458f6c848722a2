package broker

import (
	"harelab/engine/queue"
	"harelab/engine/settings"
)

// Configure changes the settings of the queue called name while the queue is in use, as a
// policy does: limits, expiry, dead-lettering and fair key. The queue keeps its type and
// strategies. Messages beyond a new limit are dropped or dead-lettered at once. A change
// of x-expires restarts the time without use. Configure reports whether the queue exists.
func (v *VHost) Configure(name string, s *settings.Queue) bool {
	q, ok := v.queues.GetString(name)
	if !ok {
		return false
	}
	v.broker.run(func(op *operation) { ok = q.configure(op, s) })
	return ok
}

// configure replaces the queue's settings, which other goroutines may be reading, and
// steps the state machine with the new limits.
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
