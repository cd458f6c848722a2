// Package memory is a store in memory: its contents outlive a broker, but not the program.
// It serves tests of restarts and crashes, and is the model that other stores are compared
// with.
package memory

import (
	"bytes"
	"maps"
	"slices"
	"sync"

	"harelab/engine/store"
)

// A Store implements [store.Store]. A round is durable when Commit returns: it survives
// Crash. After Close or Crash the same store may be read and started again.
type Store struct {
	mu      sync.Mutex
	live    state                       // what the store holds, with the open round
	durable state                       // what survives a crash: live without the open round
	holders map[store.MessageID]holders // holders of the messages in live
	open    changes
	round   store.Round // the last round that Commit ended
	written int         // see Written

	reporting sync.Mutex  // held during a call of the observer
	reported  store.Round // the last round that the observer got
	observer  store.Observer
}

// state is the contents of a store. It has no queues without entries.
type state struct {
	records  map[recordKey][]byte
	entries  map[store.QueueID]map[store.MessageID]store.Entry
	messages map[store.MessageID][]byte
}

// holders says what keeps a message's octets.
type holders struct {
	queues  int  // number of queues that hold the message
	handing bool // Done was not called yet
}

type recordKey struct {
	kind store.Kind
	name string
}

// changes are the keys at which live and durable may differ.
type changes struct {
	records  map[recordKey]struct{}
	entries  map[entryKey]struct{}
	messages map[store.MessageID]struct{}
}

type entryKey struct {
	queue   store.QueueID
	message store.MessageID
}

func newState() state {
	return state{
		records:  make(map[recordKey][]byte),
		entries:  make(map[store.QueueID]map[store.MessageID]store.Entry),
		messages: make(map[store.MessageID][]byte),
	}
}

// New returns an empty store.
func New() *Store {
	return &Store{
		live:    newState(),
		durable: newState(),
		holders: make(map[store.MessageID]holders),
		open: changes{
			records:  make(map[recordKey]struct{}),
			entries:  make(map[entryKey]struct{}),
			messages: make(map[store.MessageID]struct{}),
		},
	}
}

// Start implements [store.Store].
func (s *Store) Start(o store.Observer) {
	s.reporting.Lock()
	s.reported, s.observer = 0, o
	s.reporting.Unlock()
	s.mu.Lock()
	s.round = 0
	s.mu.Unlock()
}

// Put implements [store.Store].
func (s *Store) Put(kind store.Kind, name string, value []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := recordKey{kind, name}
	s.live.records[k] = bytes.Clone(value)
	s.open.records[k] = struct{}{}
}

// Delete implements [store.Store].
func (s *Store) Delete(kind store.Kind, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := recordKey{kind, name}
	delete(s.live.records, k)
	s.open.records[k] = struct{}{}
}

// Message implements [store.Store].
func (s *Store) Message(m store.MessageID, head, data []byte) {
	octets := append(append(make([]byte, 0, len(head)+len(data)), head...), data...)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live.messages[m] = octets
	s.holders[m] = holders{handing: true}
}

// Add implements [store.Store].
func (s *Store) Add(q store.QueueID, m store.MessageID, e store.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.live.has(q, m) {
		h := s.holders[m]
		h.queues++
		s.hold(m, h)
	}
	s.live.set(q, m, e)
	s.open.entries[entryKey{q, m}] = struct{}{}
}

// Done implements [store.Store].
func (s *Store) Done(m store.MessageID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.holders[m]
	h.handing = false
	s.hold(m, h)
}

// hold sets the holders of a message, and deletes its octets if there are none.
func (s *Store) hold(m store.MessageID, h holders) {
	s.open.messages[m] = struct{}{}
	if h == (holders{}) {
		delete(s.holders, m)
		delete(s.live.messages, m)
		return
	}
	s.holders[m] = h
}

// Remove implements [store.Store].
func (s *Store) Remove(q store.QueueID, m store.MessageID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(q, m)
}

func (s *Store) remove(q store.QueueID, m store.MessageID) {
	if s.live.has(q, m) {
		s.live.unset(q, m)
		s.open.entries[entryKey{q, m}] = struct{}{}
		h := s.holders[m]
		h.queues--
		s.hold(m, h)
	}
}

// Drop implements [store.Store].
func (s *Store) Drop(q store.QueueID, first, last store.MessageID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for m := range s.live.entries[q] {
		if first <= m && m <= last {
			s.remove(q, m)
		}
	}
}

// Commit implements [store.Store].
func (s *Store) Commit() store.Round {
	s.mu.Lock()
	if s.open.any() {
		s.write()
		s.round++
	}
	r := s.round
	s.mu.Unlock()

	s.reporting.Lock()
	defer s.reporting.Unlock()
	for s.reported < r {
		s.reported++
		if s.observer != nil {
			s.observer.Completed(s.reported)
		}
	}
	return r
}

// write makes durable equal to live at the changed keys.
func (s *Store) write() {
	for k := range s.open.records {
		value, ok := s.live.records[k]
		s.written += follow(s.durable.records, k, value, ok)
	}
	for m := range s.open.messages {
		_, written := s.durable.messages[m]
		if held := s.holders[m].queues > 0; held != written { // octets do not change
			s.written += follow(s.durable.messages, m, s.live.messages[m], held)
		}
	}
	for k := range s.open.entries {
		e, ok := s.live.entries[k.queue][k.message]
		switch {
		case ok:
			s.durable.set(k.queue, k.message, e)
			s.written++
		case s.durable.has(k.queue, k.message):
			s.durable.unset(k.queue, k.message)
			s.written++
		}
	}
	s.open.clear()
}

// follow sets dst[k] to v if ok, deletes dst[k] otherwise, and returns the number of
// writes that this takes.
func follow[K comparable, V any](dst map[K]V, k K, v V, ok bool) (written int) {
	if ok {
		dst[k] = v
		return 1
	}
	if _, was := dst[k]; !was {
		return 0
	}
	delete(dst, k)
	return 1
}

// Pressure implements [store.Store]: there is none.
func (s *Store) Pressure() <-chan struct{} { return nil }

// Durability implements [store.Store].
func (s *Store) Durability() store.Durability { return store.Volatile }

// Failed implements [store.Store]: memory does not fail.
func (s *Store) Failed() error { return nil }

// Records implements [store.Store].
func (s *Store) Records(kind store.Kind, yield func(name string, value []byte) error) error {
	s.mu.Lock()
	records := maps.Clone(s.live.records)
	s.mu.Unlock()
	var names []string
	for k := range records {
		if k.kind == kind {
			names = append(names, k.name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if err := yield(name, records[recordKey{kind, name}]); err != nil {
			return err
		}
	}
	return nil
}

// Entries implements [store.Store].
func (s *Store) Entries(q store.QueueID, yield func(store.MessageID, store.Entry) error) error {
	s.mu.Lock()
	entries := maps.Clone(s.live.entries[q])
	s.mu.Unlock()
	for _, m := range slices.Sorted(maps.Keys(entries)) {
		if err := yield(m, entries[m]); err != nil {
			return err
		}
	}
	return nil
}

// Load implements [store.Store].
func (s *Store) Load(m store.MessageID, dst []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	octets, ok := s.live.messages[m]
	if !ok {
		return dst, store.ErrNoMessage
	}
	return append(dst, octets...), nil
}

// Close implements [store.Store]. The store keeps its contents.
func (s *Store) Close() error {
	s.Commit()
	s.forgetUnheld()
	return nil
}

// Crash ends the store's life as a power cut would: the changes since the last Commit are
// lost. Nobody may be using the store.
func (s *Store) Crash() {
	s.mu.Lock()
	s.live.records = maps.Clone(s.durable.records)
	s.live.messages = maps.Clone(s.durable.messages)
	for k := range s.open.entries {
		if e, ok := s.durable.entries[k.queue][k.message]; ok {
			s.live.set(k.queue, k.message, e)
		} else {
			s.live.unset(k.queue, k.message)
		}
	}
	s.open.clear()
	s.mu.Unlock()
	s.forgetUnheld()
}

// forgetUnheld counts the holders again and deletes the octets of messages that no queue
// holds, for which Done was never called.
func (s *Store) forgetUnheld() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.holders)
	for _, entries := range s.live.entries {
		for m := range entries {
			s.holders[m] = holders{queues: s.holders[m].queues + 1}
		}
	}
	unheld := func(m store.MessageID, _ []byte) bool { return s.holders[m].queues == 0 }
	maps.DeleteFunc(s.live.messages, unheld)
	maps.DeleteFunc(s.durable.messages, unheld)
}

// Written returns the number of writes and deletions so far, where a record, an entry and
// the octets of a message count one each.
func (s *Store) Written() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written
}

func (s *state) has(q store.QueueID, m store.MessageID) bool {
	_, ok := s.entries[q][m]
	return ok
}

func (s *state) set(q store.QueueID, m store.MessageID, e store.Entry) {
	if s.entries[q] == nil {
		s.entries[q] = make(map[store.MessageID]store.Entry)
	}
	s.entries[q][m] = e
}

func (s *state) unset(q store.QueueID, m store.MessageID) {
	delete(s.entries[q], m)
	if len(s.entries[q]) == 0 {
		delete(s.entries, q)
	}
}

func (c *changes) any() bool { return len(c.records)+len(c.entries)+len(c.messages) > 0 }

func (c *changes) clear() {
	clear(c.records)
	clear(c.entries)
	clear(c.messages)
}
