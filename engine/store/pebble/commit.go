package pebble

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"harelab/engine/store"
)

// Commit implements [store.Store].
func (s *Store) Commit() store.Round {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.round + 1 // which no change after the failure will live to see
	}
	if s.changed {
		s.changed = false
		s.round++
		s.wake.Signal()
	}
	return s.round
}

// Pressure implements [store.Store].
func (s *Store) Pressure() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pressure == nil && s.presses() {
		s.pressure = make(chan struct{})
	}
	return s.pressure
}

// presses reports whether callers should wait. The caller holds s.mu.
func (s *Store) presses() bool {
	return s.err == nil && (s.open.bytes > s.unwrittenMax || s.space.isShort())
}

// relieve ends the pressure if its cause has gone. The caller holds s.mu.
func (s *Store) relieve() {
	if s.pressure != nil && !s.presses() {
		close(s.pressure)
		s.pressure = nil
	}
}

// Durability implements [store.Store].
func (s *Store) Durability() store.Durability {
	if s.durability == pebble.NoSync {
		return store.Unsynced
	}
	return store.Fsynced
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
	for {
		b, upTo := s.next()
		if b == nil {
			return
		}
		s.space.check(time.Now(), b.bytes)
		if err := s.write(b); err != nil {
			s.fail(err)
			return
		}
		s.mu.Lock()
		if s.err != nil {
			s.mu.Unlock()
			return
		}
		s.settle(b)
		s.relieve()
		from := s.written
		s.written = upTo
		s.mu.Unlock()
		s.reports.completed(from+1, upTo)
	}
}

// next waits for a round and returns what to write for it and the rounds before, or nil if
// the committer should end.
func (s *Store) next() (*buffer, store.Round) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.written == s.round && !s.swept && s.err == nil && !s.closing {
		s.wake.Wait()
	}
	if s.written == s.round && !s.swept || s.err != nil {
		return nil, 0
	}
	s.swept = false
	return s.swap(), s.round
}

// fail makes the store fail for good. The disk calls it, in any goroutine, before the error
// gets to Pebble, in which the committer may be stuck from then on.
func (s *Store) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	s.err = err
	close(s.stopped)
	s.relieve()
	s.wake.Broadcast()
	go s.reports.failed(err)
}

// reports makes one call of the observer at a time, and none after a failure.
type reports struct {
	mu       sync.Mutex
	observer store.Observer
	err      error
}

// start sets the observer, and reports a failure that came before.
func (r *reports) start(o store.Observer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.observer = o
	if r.err != nil {
		o.Failed(r.err)
	}
}

func (r *reports) completed(first, last store.Round) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for round := first; round <= last && r.err == nil; round++ {
		r.observer.Completed(round)
	}
}

func (r *reports) failed(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
	if r.observer != nil {
		r.observer.Failed(err)
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
					at |= mark
				}
				s.index.set(p.id, at)
			}
		}
	}
	b.clear()
}

// write makes a buffer durable, unless the disk makes the store fail, of which write may not
// know.
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
	for _, r := range b.sweeps {
		if err := batch.DeleteRange(r.from, r.to, nil); err != nil {
			return err
		}
	}
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
		d := batch.DeleteDeferred(entryKeyLen)
		putEntryKey(d.Key, o.queue, o.message, formOverride)
		return d.Finish()
	case opFree:
		d := batch.DeleteDeferred(messageKeyLen)
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

// removeEntry deletes an entry. It is no SingleDelete, although each key is set once: Pebble
// panics if it cannot read a table while it compacts those.
func removeEntry(batch *pebble.Batch, o *op, form byte) error {
	d := batch.DeleteDeferred(entryKeyLen)
	putEntryKey(d.Key, o.queue, o.message, form)
	return d.Finish()
}

// Close implements [store.Store]. If the disk is full, it waits some seconds for space.
func (s *Store) Close() error {
	s.Commit()
	s.mu.Lock()
	s.closing = true
	s.wake.Broadcast()
	started := s.started
	s.mu.Unlock()
	if started {
		defer time.AfterFunc(closePatience, s.disk.stopWaiting).Stop()
		select {
		case <-s.ended:
		case <-s.stopped:
			s.disk.stopWaiting()
			<-s.ended
		}
	}
	err := s.Failed()
	return errors.Join(err, s.end())
}

// closePatience is how long Close waits for space on the disk.
const closePatience = 5 * time.Second
