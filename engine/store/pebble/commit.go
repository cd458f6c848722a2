package pebble

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"harelab/engine/store"
)

// Commit implements [store.Store].
func (s *Store) Commit() store.Round {
	s.mu.Lock()
	if s.changed && s.err == nil {
		s.changed = false
		s.round++
		s.wake.Signal()
	}
	r := s.round
	s.mu.Unlock()
	return r
}

// Pressure implements [store.Store].
func (s *Store) Pressure() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pressure == nil && s.err == nil && s.open.bytes > s.unwrittenMax {
		s.pressure = make(chan struct{})
	}
	return s.pressure
}

// relieve ends the pressure. The caller holds s.mu.
func (s *Store) relieve() {
	if s.pressure != nil {
		close(s.pressure)
		s.pressure = nil
	}
}

// Failed implements [store.Store].
func (s *Store) Failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// commitRounds is the committer: it writes what was gathered and reports the rounds that
// are durable then, until the store is closed or has failed. All rounds that end during a
// write share the next one.
func (s *Store) commitRounds() {
	defer close(s.ended)
	defer s.reportFailure()
	for {
		s.mu.Lock()
		for s.written == s.round && s.err == nil && !s.closing {
			s.wake.Wait()
		}
		if s.err != nil || s.written == s.round {
			s.mu.Unlock()
			return
		}
		b, upTo := s.swap(), s.round
		s.mu.Unlock()

		if err := s.write(b); err != nil {
			s.fail(err)
			return
		}
		s.mu.Lock()
		s.settle(b)
		s.relieve()
		failed := s.err != nil
		from := s.written
		s.written = upTo
		s.mu.Unlock()
		if failed {
			return
		}
		for r := from + 1; r <= upTo; r++ {
			s.observer.Completed(r)
		}
	}
}

// fail makes the store fail for good. The committer reports it.
func (s *Store) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	s.err = err
	s.relieve()
	s.wake.Broadcast()
}

func (s *Store) reportFailure() {
	if err := s.Failed(); err != nil {
		s.observer.Failed(err)
	}
}

// swap opens an empty buffer and returns the one that was open. The messages in it that
// have several entries, or may get more, become shared. The caller holds s.mu.
func (s *Store) swap() *buffer {
	b := s.open
	s.open, s.writing = s.writing, b
	s.generation++
	for i := range b.msgs {
		p := &b.msgs[i]
		switch {
		case p.holders == 0 && !p.handing, p.holders == 1 && !p.handing:
		case p.holders == 0:
			s.carry(p)
		default:
			s.share(b, p)
		}
	}
	return b
}

// carry moves a message that has no entries yet into the open buffer.
func (s *Store) carry(p *pending) {
	b := s.open
	b.msgs = append(b.msgs, pending{id: p.id, octets: b.arena.copy(p.octets, nil), first: -1, handing: true})
	b.bytes += len(p.octets) + opBytes
	s.index.set(p.id, fresh|b.parity|slot(len(b.msgs)-1))
	p.handing = false
}

// share makes a pending message shared.
func (s *Store) share(b *buffer, p *pending) {
	h := &sharedMessage{handing: p.handing, octets: p.octets, holders: make([]holder, 0, p.holders)}
	for i := p.first; i >= 0; i = b.ops[i].next {
		if o := &b.ops[i]; o.kind == opAdd {
			o.kind = opAddBare
			h.holders = append(h.holders, holder{queue: o.no})
		}
	}
	p.shared = true
	s.shared[p.id] = h
	s.index.set(p.id, shared)
}

// settle notes that a buffer is written, and empties it. The caller holds s.mu.
func (s *Store) settle(b *buffer) {
	for i := range b.msgs {
		p := &b.msgs[i]
		if p.shared {
			if h := s.shared[p.id]; h != nil {
				h.octets = nil
			}
			continue
		}
		if s.index.get(p.id) != fresh|b.parity|slot(i) {
			continue // removed meanwhile, or carried
		}
		for n := p.first; n >= 0; n = b.ops[n].next {
			if o := &b.ops[n]; o.kind == opAdd {
				at := single | slot(o.no)
				if p.overridden {
					at |= flag
				}
				s.index.set(p.id, at)
			}
		}
	}
	b.clear()
}

// write makes a buffer durable.
func (s *Store) write(b *buffer) error {
	if b.empty() {
		return nil
	}
	batch := s.db.NewBatchWithSize(b.bytes + 1024)
	defer batch.Close()
	if err := b.encode(batch); err != nil {
		return err
	}
	if batch.Empty() {
		return nil
	}
	if err := batch.Commit(s.durability); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}

// encode writes the buffer's changes to a batch.
func (b *buffer) encode(batch *pebble.Batch) error {
	var key []byte
	for name, c := range b.records {
		key = append(append(key[:0], recordKey), name...)
		if c.deleted {
			if err := batch.Delete(key, nil); err != nil {
				return err
			}
			continue
		}
		d := batch.SetDeferred(len(key), len(c.value)+sumLen)
		copy(d.Key, key)
		copy(d.Value, c.value)
		putSum(d.Key, c.value, d.Value[len(c.value):])
		if err := d.Finish(); err != nil {
			return err
		}
	}
	for i := range b.msgs {
		if p := &b.msgs[i]; p.shared {
			d := batch.SetDeferred(messageKeyLen, len(p.octets)+sumLen)
			putMessageKey(d.Key, p.id)
			copy(d.Value, p.octets)
			putSum(d.Key, p.octets, d.Value[len(p.octets):])
			if err := d.Finish(); err != nil {
				return err
			}
		}
	}
	for i := range b.ops {
		if err := b.encodeOp(batch, &b.ops[i]); err != nil {
			return err
		}
	}
	return nil
}

func (b *buffer) encodeOp(batch *pebble.Batch, o *op) error {
	switch o.kind {
	case opAdd:
		return setEntry(batch, o, formWhole, b.msgs[o.msg].octets)
	case opAddBare:
		return setEntry(batch, o, formBare, nil)
	case opOverride:
		return setEntry(batch, o, formOverride, nil)
	case opRemove:
		return removeEntry(batch, o, formWhole)
	case opRemoveBare:
		return removeEntry(batch, o, formBare)
	case opRestore:
		d := batch.DeleteDeferred(entryKeyLen) // an entry can be replaced several times
		putEntryKey(d.Key, o.queue, o.message, formOverride)
		return d.Finish()
	case opFree:
		d := batch.SingleDeleteDeferred(messageKeyLen)
		putMessageKey(d.Key, o.message)
		return d.Finish()
	case opDrop:
		var from, to [entryKeyLen]byte
		putEntryKey(from[:], o.queue, o.message, 0)
		putEntryKey(to[:], o.queue, o.upTo, formOverride+1)
		return batch.DeleteRange(from[:], to[:], nil)
	}
	return nil
}

func setEntry(batch *pebble.Batch, o *op, form byte, octets []byte) error {
	d := batch.SetDeferred(entryKeyLen, entryLen(o.entry)+len(octets))
	putEntryKey(d.Key, o.queue, o.message, form)
	putEntry(d.Key, d.Value, o.entry, octets)
	return d.Finish()
}

// removeEntry deletes a key that was set once.
func removeEntry(batch *pebble.Batch, o *op, form byte) error {
	d := batch.SingleDeleteDeferred(entryKeyLen)
	putEntryKey(d.Key, o.queue, o.message, form)
	return d.Finish()
}

// Close implements [store.Store].
func (s *Store) Close() error {
	s.Commit()
	s.mu.Lock()
	s.closing = true
	s.wake.Broadcast()
	started := s.observer != nil
	s.mu.Unlock()
	if started {
		<-s.ended
	}
	err := s.Failed()
	closed := s.end()
	return errors.Join(err, closed)
}
