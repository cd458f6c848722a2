package pebble

import (
	"maps"
	"slices"

	"harelab/engine/store"
)

// sweep deletes, as ranges, what lies between the first messages that queues hold and the
// ends of the queues before. Each entry there was deleted on its own; but Pebble gives up a
// table without writing another only if one range covers it, and a disk that is nearly full
// has no room for another. The space of entries behind a queue's first message waits for a
// compaction.
func (s *Store) sweep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || len(s.queues.byID) > sweepMax {
		return
	}
	next := store.QueueID(0) // the queues before are swept
	for _, id := range slices.Sorted(maps.Keys(s.queues.byID)) {
		q := s.queues.byID[id]
		first := store.LastMessage
		for _, m := range q.ids[q.start:] {
			if m < first && s.holds(q, m) {
				first = m
			}
		}
		s.open.add(op{kind: opSweep, queue: next, until: id, upTo: first})
		next = id + 1
	}
	s.open.add(op{kind: opSweep, queue: next, until: lastQueue, upTo: store.LastMessage})
	s.swept = true
	s.wake.Signal()
}

const (
	sweepMax  = 1000 // queues; more ranges would slow reading
	lastQueue = store.QueueID(1<<64 - 1)
)
