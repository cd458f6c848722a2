package broker

import (
	"slices"

	"harelab/engine/auth"
	"harelab/engine/dispatch"
	"harelab/engine/message"
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

// dropReady drops the ready messages from the store, in as few ranges as the unacked
// messages between them allow. It reports whether the queue is stored.
func (q *Queue) dropReady(op *operation) bool {
	if q.storeID == 0 {
		return false
	}
	var kept, ready []store.MessageID
	q.eachMessage(func(r dispatch.Ref, m *message.Message) {
		id := store.MessageID(m.StoreID())
		if row, ok := q.machine.Message(r); id == 0 || !ok {
			return
		} else if row.State == dispatch.Unacked {
			kept = append(kept, id)
		} else {
			ready = append(ready, id)
		}
	})
	slices.Sort(kept)
	slices.Sort(ready)
	for len(ready) > 0 {
		n := len(ready)
		if i, _ := slices.BinarySearch(kept, ready[0]); i < len(kept) {
			n, _ = slices.BinarySearch(ready, kept[i])
		}
		op.broker.store.Drop(q.storeID, ready[0], ready[n-1])
		op.changed = true
		ready = ready[n:]
	}
	return true
}
