package broker

import (
	"slices"

	"harelab/engine/auth"
	"harelab/engine/dispatch"
	"harelab/engine/queue"
	"harelab/engine/store"
)

// PurgeQueue drops a queue's ready messages and returns their number.
//
// Errors: 403, 404, 405, 541 if the store has failed.
func (s *Session) PurgeQueue(name string) (messages int, err error) {
	if err := s.may(auth.Read, s.vhost.queueResource(name)); err != nil {
		return 0, err
	}
	q, err := s.findQueue(name)
	if err != nil {
		return 0, err
	}
	if err := s.vhost.broker.mayStore(q.storeID != 0); err != nil {
		return 0, err
	}
	op := s.begin()
	q.mu.Lock()
	if !q.deleted {
		messages = q.machine.Ready()
		op.dropping = q.dropReady(op)
		q.step(op, &queue.Event{Kind: queue.Purge})
		op.dropping = false
		q.trim()
	}
	q.mu.Unlock()
	s.end()
	return messages, s.promise(q.storeID != 0)
}

// dropReady drops the ready messages from the stores. It reports whether a store has any of
// the queue's messages.
func (q *Queue) dropReady(op *operation) bool {
	if q.storeID != 0 {
		q.dropRanges(op.broker.store, q.storeID, false)
		op.changed = true
	}
	if q.spillID != 0 {
		q.dropRanges(op.broker.pager.spill, q.spillID, true)
		op.spilled = true
	}
	return q.storeID != 0 || q.spillID != 0
}

// dropRanges drops the ready messages from one of the stores, in as few ranges as the
// unacked messages between them allow.
func (q *Queue) dropRanges(from store.Store, id store.QueueID, spilled bool) {
	var kept, ready []store.MessageID
	q.eachStored(func(row *dispatch.Message, s stub) {
		switch {
		case s.spilled() != spilled:
		case row.State == dispatch.Unacked:
			kept = append(kept, s.id())
		default:
			ready = append(ready, s.id())
		}
	})
	kept = q.waitingWithoutAck(spilled, kept)
	slices.Sort(kept)
	slices.Sort(ready)
	for len(ready) > 0 {
		n := len(ready)
		if i, _ := slices.BinarySearch(kept, ready[0]); i < len(kept) {
			n, _ = slices.BinarySearch(ready, kept[i])
		}
		from.Drop(id, ready[0], ready[n-1])
		ready = ready[n:]
	}
}
