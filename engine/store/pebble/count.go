package pebble

import (
	"github.com/cockroachdb/pebble/v2"

	"harelab/engine/store"
)

// count reads all keys of entries and octets, so that the store knows who holds what. It
// deletes the octets that nobody holds: their messages were being handed over when the
// store's last life ended.
func (s *Store) count(progress func(done, total uint64)) error {
	if err := s.countEntries(progress); err != nil {
		return err
	}
	return s.freeOctets()
}

const progressEvery = 1 << 16

func (s *Store) countEntries(progress func(done, total uint64)) error {
	var q *queue
	var done, total uint64
	if progress != nil {
		total = 0
		progress(0, total)
	}
	err := s.scan([]byte{entryKey}, []byte{entryKey + 1}, func(it *pebble.Iterator) error {
		id, m, form, err := parseEntryKey(it.Key())
		if err != nil {
			return err
		}
		if done++; progress != nil && done%progressEvery == 0 {
			progress(done, max(total, done))
		}
		if form == formOverride {
			s.countOverride(q, id, m)
			return nil
		}
		if q == nil || q.id != id {
			q = s.queues.get(id)
		}
		q.push(m)
		if form == formWhole {
			s.index.set(m, single|slot(q.no))
			return nil
		}
		h := s.shared[m]
		if h == nil {
			h = new(sharedMessage)
			s.shared[m] = h
			s.index.set(m, shared)
		}
		h.holders = append(h.holders, holder{queue: q.no})
		return nil
	})
	if err == nil && progress != nil {
		progress(done, done)
	}
	return err
}

// countOverride notes that the entry at which the scan was before has an override.
func (s *Store) countOverride(q *queue, id store.QueueID, m store.MessageID) {
	if q == nil || q.id != id {
		return
	}
	switch at := s.index.get(m); at.kind() {
	case single:
		s.index.set(m, at|mark)
	case shared:
		h := s.shared[m]
		if i := h.find(q); i >= 0 {
			h.holders[i].overridden = true
		}
	}
}

func (s *Store) freeOctets() error {
	batch := s.db.NewBatch()
	defer batch.Close()
	err := s.scan([]byte{messageKey}, []byte{messageKey + 1}, func(it *pebble.Iterator) error {
		m, err := parseMessageKey(it.Key())
		if err != nil {
			return err
		}
		if s.index.get(m).kind() == shared {
			return nil
		}
		return batch.Delete(it.Key(), nil)
	})
	if err != nil || batch.Empty() {
		return err
	}
	return batch.Commit(s.durability)
}
