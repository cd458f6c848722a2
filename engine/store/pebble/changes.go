package pebble

import (
	"unsafe"

	"harelab/engine/store"
)

// A sharedMessage is a message that has, or had, several entries, or that may get more. Its
// octets have a key of their own.
type sharedMessage struct {
	holders []holder
	handing bool   // Done was not called yet
	octets  []byte // while they are not written
}

// A holder is an entry of a sharedMessage.
type holder struct {
	queue      uint32 // its number
	op         int32  // its add, if it is in the open buffer
	buffer     uint64 // generation of the buffer that has the add
	overridden bool
}

// begin locks the store for a change and reports whether it may be made.
func (s *Store) begin() bool {
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return false
	}
	s.changed = true
	return true
}

// Put implements [store.Store].
func (s *Store) Put(kind store.Kind, name string, value []byte) {
	if s.begin() {
		s.putRecord(kind, name, recordChange{value: s.open.arena.copy(value, nil)})
		s.mu.Unlock()
	}
}

// Delete implements [store.Store].
func (s *Store) Delete(kind store.Kind, name string) {
	if s.begin() {
		s.putRecord(kind, name, recordChange{deleted: true})
		s.mu.Unlock()
	}
}

func (s *Store) putRecord(kind store.Kind, name string, c recordChange) {
	b := s.open
	key := make([]byte, 0, 64)
	key = append(append(key, byte(kind)), name...)
	if _, known := b.records[string(key)]; known {
		b.records[string(key)] = c
	} else {
		k := b.arena.copy(key, nil)
		b.records[unsafe.String(&k[0], len(k))] = c // as immutable as the arena until it is cleared
	}
	b.bytes += len(key) + len(c.value) + opBytes
}

// Message implements [store.Store].
func (s *Store) Message(m store.MessageID, head, data []byte) {
	if !s.begin() {
		return
	}
	b := s.open
	b.msgs = append(b.msgs, pending{id: m, octets: b.arena.copy(head, data), first: -1, handing: true})
	b.bytes += len(head) + len(data) + opBytes
	s.index.set(m, fresh|b.parity|slot(len(b.msgs)-1))
	s.mu.Unlock()
}

// Add implements [store.Store].
func (s *Store) Add(q store.QueueID, m store.MessageID, e store.Entry) {
	if !s.begin() {
		return
	}
	s.add(q, m, e)
	s.mu.Unlock()
}

func (s *Store) add(id store.QueueID, m store.MessageID, e store.Entry) {
	b := s.open
	at := s.index.get(m)
	switch at.kind() {
	case fresh:
		p, open := s.pending(at)
		if o := s.findAdd(p, id, at); o != nil {
			if open {
				o.entry = e
				return
			}
			p.overridden = true
			b.add(op{kind: opOverride, queue: id, message: m, entry: e})
			return
		}
		if !open {
			return // Done was called: no further queue gets the message
		}
		q := s.queues.get(id)
		p.first = b.add(op{kind: opAdd, queue: id, no: q.no, message: m, entry: e, msg: int32(at.number()), next: p.first})
		p.holders++
		q.push(m)
	case single:
		if s.queues.all[at.number()].id == id {
			s.index.set(m, at|mark)
			b.add(op{kind: opOverride, queue: id, message: m, entry: e})
		}
	case shared:
		h := s.shared[m]
		q := s.queues.get(id)
		if i := h.find(q); i < 0 {
			n := b.add(op{kind: opAddBare, queue: id, no: q.no, message: m, entry: e})
			h.holders = append(h.holders, holder{queue: q.no, op: n, buffer: s.generation})
			q.push(m)
		} else if held := &h.holders[i]; held.buffer == s.generation {
			b.ops[held.op].entry = e
		} else {
			held.overridden = true
			b.add(op{kind: opOverride, queue: id, message: m, entry: e})
		}
	}
}

// pending returns the pending message of a fresh slot, and whether it is in the open
// buffer.
func (s *Store) pending(at slot) (p *pending, open bool) {
	if at&mark == s.open.parity {
		return &s.open.msgs[at.number()], true
	}
	return &s.writing.msgs[at.number()], false
}

// findAdd returns the add of a pending message to a queue, or nil.
func (s *Store) findAdd(p *pending, id store.QueueID, at slot) *op {
	b := s.open
	if at&mark != b.parity {
		b = s.writing
	}
	for i := p.first; i >= 0; i = b.ops[i].next {
		if o := &b.ops[i]; o.queue == id && o.kind == opAdd {
			return o
		}
	}
	return nil
}

func (h *sharedMessage) find(q *queue) int {
	for i := range h.holders {
		if h.holders[i].queue == q.no {
			return i
		}
	}
	return -1
}

// Done implements [store.Store].
func (s *Store) Done(m store.MessageID) {
	if !s.begin() {
		return
	}
	defer s.mu.Unlock()
	at := s.index.get(m)
	switch at.kind() {
	case fresh:
		if p, open := s.pending(at); open {
			p.handing = false
			s.forgetUnheld(p)
		}
	case shared:
		h := s.shared[m]
		h.handing = false
		s.freeUnheld(m, h)
	}
}

// forgetUnheld forgets a pending message of the open buffer if nothing keeps it.
func (s *Store) forgetUnheld(p *pending) {
	if p.holders == 0 && !p.handing {
		s.index.set(p.id, 0)
		p.octets = nil
	}
}

// freeUnheld deletes the octets of a shared message if nothing keeps it.
func (s *Store) freeUnheld(m store.MessageID, h *sharedMessage) {
	if len(h.holders) == 0 && !h.handing {
		s.index.set(m, 0)
		delete(s.shared, m)
		s.open.add(op{kind: opFree, message: m})
	}
}

// Remove implements [store.Store].
func (s *Store) Remove(id store.QueueID, m store.MessageID) {
	if !s.begin() {
		return
	}
	defer s.mu.Unlock()
	q := s.queues.byID[id]
	if q == nil {
		return
	}
	if written, ok := s.remove(q, m); ok {
		if written.kind != opNone {
			s.removals++
		}
		written.delete(s.open, id, m)
		s.unheld(q, m)
	}
}

// A writtenEntry is what has to be deleted of an entry.
type writtenEntry struct {
	kind       opKind // opRemove, opRemoveBare, or opNone if nothing was written
	overridden bool
}

func (w writtenEntry) delete(b *buffer, id store.QueueID, m store.MessageID) {
	if w.kind != opNone {
		b.add(op{kind: w.kind, queue: id, message: m})
	}
	if w.overridden {
		b.add(op{kind: opRestore, queue: id, message: m})
	}
}

// remove takes a message out of a queue, except for q.held and q.ids. It reports what the
// disk has of the entry, and whether the queue held the message.
func (s *Store) remove(q *queue, m store.MessageID) (w writtenEntry, ok bool) {
	at := s.index.get(m)
	switch at.kind() {
	case fresh:
		p, open := s.pending(at)
		o := s.findAdd(p, q.id, at)
		if o == nil {
			return w, false
		}
		if !open {
			s.index.set(m, 0)
			return writtenEntry{opRemove, p.overridden}, true
		}
		o.kind = opNone
		p.holders--
		s.forgetUnheld(p)
		return w, true
	case single:
		if at.number() != int(q.no) {
			return w, false
		}
		s.index.set(m, 0)
		return writtenEntry{opRemove, at.marked()}, true
	case shared:
		h := s.shared[m]
		i := h.find(q)
		if i < 0 {
			return w, false
		}
		held := h.holders[i]
		if held.buffer == s.generation {
			s.open.ops[held.op].kind = opNone
		} else {
			w = writtenEntry{opRemoveBare, held.overridden}
		}
		h.holders[i] = h.holders[len(h.holders)-1]
		h.holders = h.holders[:len(h.holders)-1]
		s.freeUnheld(m, h)
		return w, true
	}
	return w, false
}

// holds reports whether a queue holds a message.
func (s *Store) holds(q *queue, m store.MessageID) bool {
	at := s.index.get(m)
	switch at.kind() {
	case fresh:
		p, _ := s.pending(at)
		return s.findAdd(p, q.id, at) != nil
	case single:
		return at.number() == int(q.no)
	case shared:
		return s.shared[m].find(q) >= 0
	}
	return false
}

// unheld notes that a queue holds a message no more.
func (s *Store) unheld(q *queue, m store.MessageID) {
	if q.held--; q.held == 0 {
		s.queues.release(q)
		return
	}
	for q.start < len(q.ids) && (q.ids[q.start] == m || !s.holds(q, q.ids[q.start])) {
		q.start++
	}
	if len(q.ids)-q.start > 2*q.held+64 {
		kept := q.ids[:0]
		for _, m := range q.ids[q.start:] {
			if s.holds(q, m) {
				kept = append(kept, m)
			}
		}
		q.ids, q.start = kept, 0
	}
}

// Drop implements [store.Store].
func (s *Store) Drop(id store.QueueID, first, last store.MessageID) {
	if !s.begin() {
		return
	}
	defer s.mu.Unlock()
	q := s.queues.byID[id]
	if q == nil {
		return
	}
	// Of a few entries each is deleted, since a range costs more to read past.
	var few [rangeMin]struct {
		m store.MessageID
		w writtenEntry
	}
	written, overridden := 0, false
	kept := q.ids[:0]
	for _, m := range q.ids[q.start:] {
		if m < first || m > last {
			kept = append(kept, m)
			continue
		}
		w, ok := s.remove(q, m)
		if !ok {
			continue
		}
		q.held--
		if w.kind == opNone {
			continue
		}
		if written < len(few) {
			few[written].m, few[written].w = m, w
		}
		written++
		overridden = overridden || w.overridden
	}
	q.ids, q.start = kept, 0
	s.removals += uint64(written)
	if written <= len(few) {
		for _, f := range few[:written] {
			f.w.delete(s.open, id, f.m)
		}
	} else {
		s.open.add(op{kind: opDrop, queue: id, message: first, upTo: last})
	}
	if q.held == 0 {
		s.queues.release(q)
	}
}

// rangeMin is the number of entries up to which a Drop deletes each on its own.
const rangeMin = 8
