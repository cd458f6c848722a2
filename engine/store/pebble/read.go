package pebble

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"harelab/engine/store"
)

// Records implements [store.Store].
func (s *Store) Records(kind store.Kind, yield func(name string, value []byte) error) error {
	return s.scan([]byte{recordKey, byte(kind)}, []byte{recordKey, byte(kind) + 1}, func(it *pebble.Iterator) error {
		v, err := value(it)
		if err != nil {
			return err
		}
		return yield(string(it.Key()[2:]), v)
	})
}

// scan calls f at each key from one bound to before another.
func (s *Store) scan(from, to []byte, f func(*pebble.Iterator) error) (err error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return readError(err)
	}
	defer func() {
		if closed := it.Close(); err == nil {
			err = readError(closed)
		}
	}()
	for ok := it.First(); ok; ok = it.Next() {
		if err := f(it); err != nil {
			return err
		}
	}
	return readError(it.Error())
}

// value returns the checked value at an iterator, without its sum.
func value(it *pebble.Iterator) ([]byte, error) {
	v, err := it.ValueAndErr()
	if err != nil {
		return nil, err
	}
	return checkSum(it.Key(), v)
}

// Entries implements [store.Store].
func (s *Store) Entries(q store.QueueID, yield func(store.MessageID, store.Entry) error) error {
	s.mu.Lock()
	held := s.queues.byID[q] != nil
	s.mu.Unlock()
	if !held {
		return nil
	}
	var last struct {
		m     store.MessageID
		e     store.Entry
		valid bool
	}
	flush := func() error {
		if !last.valid {
			return nil
		}
		last.valid = false
		return yield(last.m, last.e)
	}
	from := appendEntryKey(nil, q, 0, 0)
	to := appendEntryKey(nil, q, store.LastMessage, formOverride+1)
	err := s.scan(from, to, func(it *pebble.Iterator) error {
		_, m, form, err := parseEntryKey(it.Key())
		if err != nil {
			return err
		}
		if form != formOverride { // what was before has no override
			if err := flush(); err != nil {
				return err
			}
		}
		v, err := it.ValueAndErr()
		if err != nil {
			return readError(err)
		}
		e, _, err := parseEntry(it.Key(), v)
		last.m, last.e, last.valid = m, e, true
		return err
	})
	if err != nil {
		return err
	}
	return flush()
}

// Load implements [store.Store].
func (s *Store) Load(m store.MessageID, dst []byte) ([]byte, error) {
	var from area
	s.mu.Lock()
	at := s.index.get(m)
	switch at.kind() {
	case fresh:
		p, _ := s.pending(at)
		dst = append(dst, p.octets...)
		s.mu.Unlock()
		return dst, nil
	case single:
		from.queue = s.queues.all[at.number()].id
	case shared:
		if octets := s.shared[m].octets; octets != nil {
			dst = append(dst, octets...)
			s.mu.Unlock()
			return dst, nil
		}
		from.apart = true
	default:
		s.mu.Unlock()
		return dst, store.ErrNoMessage
	}
	s.mu.Unlock()
	return s.ahead.load(from, m, dst)
}

// readError names what cannot be read.
func readError(err error) error {
	switch {
	case err == nil:
		return nil
	case pebble.IsCorruptionError(err):
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return fmt.Errorf("store: %w", err)
}
