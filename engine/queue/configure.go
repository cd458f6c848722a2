package queue

import (
	"cmp"
	"slices"

	"harelab/engine/dispatch"
)

// A Change is what a Configure event changes.
type Change struct {
	Limits     Limits
	Strategies *Strategies // nil: they stay
}

// Strategies are the strategies of a queue that is in use. Selector and Order must be set.
// They begin anew: as if the ready messages had just arrived, in the order of their IDs,
// and the consumers had just joined, in the order in which they did.
type Strategies struct {
	Selector dispatch.SelectorStrategy
	Order    dispatch.OrderStrategy
	Dispatch dispatch.Config

	// Hints replace those of messages in the queue: they hold what the strategies need and
	// the earlier ones did not.
	Hints []Hint
}

// A Hint is what dispatch knows of a message, as in [dispatch.Meta].
type Hint struct {
	Ref          dispatch.Ref
	Cost         int64
	Tenant, Task string
}

func (q *Queue) configure(e *Event, out []Decision) []Decision {
	if e.Change == nil {
		return out
	}
	q.lim = e.Change.Limits
	if s := e.Change.Strategies; s != nil {
		q.restart(s)
	}
	return q.dropHeads(out)
}

// restart replaces the strategies. It builds their state from the rows of messages and
// consumers.
func (q *Queue) restart(s *Strategies) {
	q.cfg.Selector, q.cfg.Order, q.cfg.Dispatch = s.Selector, s.Order, s.Dispatch
	q.setNeeds()
	for i := range s.Hints {
		q.hint(&s.Hints[i])
	}
	q.order = s.Order.New(s.Dispatch, q.msgs)
	for _, r := range q.readyByAge() {
		q.order.Push(r)
	}
	q.forgetStarts()
	q.cons.Restart(q.now)
	q.touched = q.touched[:0]
	q.sel = s.Selector.New(s.Dispatch, q.cons)
	for c := q.cons.First(); c != dispatch.NoConsumer; c = q.cons.After(c) {
		q.sel.Join(c)
		q.sel.Changed(c, q.now) // it may be full
	}
}

// setNeeds notes which inputs the strategies read.
func (q *Queue) setNeeds() {
	q.tenant = q.cfg.Order.Needs&dispatch.NeedTenant != 0
	q.learns = (q.cfg.Order.Needs|q.cfg.Selector.Needs)&dispatch.NeedCost != 0
}

// readyByAge returns the ready messages, the oldest first.
func (q *Queue) readyByAge() []dispatch.Ref {
	refs := make([]dispatch.Ref, 0, q.ready)
	for r := dispatch.Ref(0); len(refs) < q.ready; r++ {
		if q.msgs.At(r).State == dispatch.Ready {
			refs = append(refs, r)
		}
	}
	slices.SortFunc(refs, func(a, b dispatch.Ref) int { return cmp.Compare(q.msgs.At(a).ID, q.msgs.At(b).ID) })
	return refs
}

// forgetStarts makes the queue learn no service from the messages that are delivered:
// nobody knows when they were started, and [dispatch.Consumers.Restart] says now.
func (q *Queue) forgetStarts() {
	for r, left := dispatch.Ref(0), q.unacked; left > 0; r++ {
		if q.isUnacked(r) {
			q.msgs.At(r).Task = 0
			left--
		}
	}
}

// hint sets what a message's row holds of a hint.
func (q *Queue) hint(h *Hint) {
	if !q.msgs.Valid(h.Ref) || q.msgs.At(h.Ref).State == dispatch.Free {
		return
	}
	m := q.msgs.At(h.Ref)
	before := m.Cost
	m.Cost, m.Costless = max(h.Cost, 0), h.Cost < 0
	if q.tenant {
		q.msgs.Retenant(h.Ref, h.Tenant)
	}
	if q.learns {
		q.predict(m, h.Task)
	}
	if m.State == dispatch.Unacked && m.Consumer != dispatch.NoConsumer {
		q.cons.Recost(m.Consumer, m.Cost-before)
	}
}
