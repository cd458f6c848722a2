package broker

import (
	"harelab/engine/dispatch"
	"harelab/engine/message"
	"harelab/engine/queue"
	"harelab/engine/settings"
	"harelab/engine/wire"
)

// configure changes the settings of the queue while it is in use, as policies do: limits,
// expiry, dead-lettering, strategies and fair key. s has the queue's type. Messages beyond a
// new limit are dropped or dead-lettered at once. A change of x-expires restarts the time
// without use. configure reports whether the queue still exists. Other goroutines may be
// reading the settings.
func (q *Queue) configure(op *operation, s *settings.Queue) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.deleted {
		return false
	}
	old := q.settings.Load()
	q.settings.Store(s)
	q.needsTime = q.needsTime || s.Timed()
	if s.Expires != old.Expires {
		q.stopIdle()
		if q.machine.Consumers() == 0 {
			q.startIdle(op)
		}
	}
	change := &queue.Change{Limits: s.Limits}
	if !s.SameStrategies(old) {
		change.Strategies = &queue.Strategies{Selector: s.Selector, Order: s.Order, Dispatch: s.Dispatch}
		if s.ReadsMore(old) {
			change.Strategies.Hints = q.allHints()
		}
	}
	q.step(op, &queue.Event{Kind: queue.Configure, Change: change})
	q.trim()
	return true
}

// allHints returns the hints of all messages that the queue holds, read anew from their
// headers and routing keys. The queue is locked.
func (q *Queue) allHints() []queue.Hint {
	hints := make([]queue.Hint, 0, q.machine.Ready()+q.machine.Unacked())
	q.eachMessage(func(r dispatch.Ref, m *message.Message) {
		var meta dispatch.Meta
		properties := wire.ViewProperties(m.Properties())
		q.hints(&meta, m, properties.Headers())
		hints = append(hints, queue.Hint{Ref: r, Cost: meta.Cost, Tenant: meta.Tenant, Task: meta.Task})
	})
	return hints
}
