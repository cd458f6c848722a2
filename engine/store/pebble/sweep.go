package pebble

import (
	"context"
	"maps"
	"slices"
	"time"

	"harelab/engine/store"
)

const sweepEvery = time.Second // while there is little space

// freeSpace frees space while there is little, until ctx is done.
func (s *Store) freeSpace(ctx context.Context) {
	compactedAt := uint64(0) // number of removals at the last compaction
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(sweepEvery):
		}
		free, little := s.space.little()
		if !little || s.Failed() != nil {
			continue
		}
		s.sweep()
		if removals, worth := s.mayCompact(compactedAt, free); worth {
			compactedAt = removals
			// An error is the disk's, which has noted it. What was not compacted stays.
			s.db.Compact(ctx, []byte{entryKey}, []byte{messageKey + 1}, false)
		}
	}
}

// mayCompact reports whether to write all tables anew, without what is deleted: whether
// more entries have been removed since the last time than are left, so that this does not
// become a habit, and, if messages are of a size, what is left fits into half of the free
// space and what is freed is worth the work.
func (s *Store) mayCompact(compactedAt, free uint64) (removals uint64, worth bool) {
	s.mu.Lock()
	held := uint64(0)
	for _, q := range s.queues.byID {
		held += uint64(q.held)
	}
	removals = s.removals
	s.mu.Unlock()
	removed := removals - compactedAt
	if removed <= held {
		return removals, false
	}
	tables := float64(s.db.Metrics().Table.Local.LiveSize)
	left := tables * float64(held) / float64(held+removed)
	return removals, left < float64(free)/2 && tables-left > float64(s.space.reserve)/4
}

// sweep deletes, as ranges, what lies between the first messages that queues hold and the
// ends of the queues before, and what lies before the first message in several queues. Each
// key there was deleted on its own; but Pebble gives up a table without writing another only
// if one range covers it, and a disk that is nearly full has no room for another. The space
// of entries behind a queue's first message waits for a compaction.
//
// A batch gets these ranges before its changes, so that they cover none of what it writes.
func (s *Store) sweep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || s.removals == s.sweptAt || len(s.queues.byID) > sweepMax {
		return
	}
	s.sweptAt = s.removals
	b := s.open
	from := appendEntryKey(nil, 0, 0, 0) // what is before is swept
	for _, id := range slices.Sorted(maps.Keys(s.queues.byID)) {
		q := s.queues.byID[id]
		first := store.LastMessage
		for _, m := range q.ids[q.start:] {
			if m < first && s.holds(q, m) {
				first = m
			}
		}
		b.sweeps = append(b.sweeps, span{from, appendEntryKey(nil, id, first, 0)})
		from = appendEntryKey(nil, id+1, 0, 0)
	}
	first := store.LastMessage
	for m := range s.shared {
		first = min(first, m)
	}
	to := make([]byte, messageKeyLen)
	putMessageKey(to, first) // no other keys are between entries and these
	b.sweeps = append(b.sweeps, span{from, to})
	s.swept = true
	s.wake.Signal()
}

// sweepMax is the number of queues with messages above which nothing is swept: more ranges
// would slow reading.
const sweepMax = 1000
