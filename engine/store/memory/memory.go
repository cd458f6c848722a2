// Package memory is a store in memory: what it holds outlives a broker, but not the
// program. It is for tests of restarts, and the model that other stores are held to.
package memory

import (
	"bytes"
	"maps"
	"slices"
	"sync"

	"harelab/engine/store"
)

// A Store implements [store.Store]. Everything is durable at once, as far as memory
// goes. After Close it may be opened again.
type Store struct {
	mu       sync.Mutex
	records  map[recordKey][]byte
	queues   map[store.QueueID]map[store.MessageID]entry
	messages map[store.MessageID]*message
}

type recordKey struct {
	kind store.Kind
	name string
}

type entry struct {
	expiresAt   int64
	redelivered bool
}

type message struct {
	data   []byte
	queues int // that hold it
}

// New returns an empty store.
func New() *Store {
	return &Store{
		records:  make(map[recordKey][]byte),
		queues:   make(map[store.QueueID]map[store.MessageID]entry),
		messages: make(map[store.MessageID]*message),
	}
}

// Put implements [store.Store].
func (s *Store) Put(kind store.Kind, name string, value []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[recordKey{kind, name}] = bytes.Clone(value)
}

// Delete implements [store.Store].
func (s *Store) Delete(kind store.Kind, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.records, recordKey{kind, name})
}

// Add implements [store.Store].
func (s *Store) Add(q store.QueueID, m store.MessageID, e store.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entries := s.queues[q]
	if entries == nil {
		entries = make(map[store.MessageID]entry)
		s.queues[q] = entries
	}
	_, known := entries[m]
	entries[m] = entry{e.ExpiresAt, e.Redelivered}
	if known {
		return
	}
	if s.messages[m] == nil {
		s.messages[m] = &message{data: bytes.Clone(e.Data)}
	}
	s.messages[m].queues++
}

// Remove implements [store.Store].
func (s *Store) Remove(q store.QueueID, m store.MessageID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(q, m)
}

func (s *Store) remove(q store.QueueID, m store.MessageID) {
	if _, ok := s.queues[q][m]; !ok {
		return
	}
	delete(s.queues[q], m)
	if len(s.queues[q]) == 0 {
		delete(s.queues, q)
	}
	if s.messages[m].queues--; s.messages[m].queues == 0 {
		delete(s.messages, m)
	}
}

// Delivered implements [store.Store].
func (s *Store) Delivered(q store.QueueID, m store.MessageID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.queues[q][m]; ok {
		e.redelivered = true
		s.queues[q][m] = e
	}
}

// Drop implements [store.Store].
func (s *Store) Drop(q store.QueueID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for m := range s.queues[q] {
		s.remove(q, m)
	}
}

// Commit implements [store.Store]. It is always true.
func (s *Store) Commit(store.Waiter) (durable bool) { return true }

// Sync implements [store.Store].
func (s *Store) Sync() error { return nil }

// Records implements [store.Store].
func (s *Store) Records(kind store.Kind, yield func(name string, value []byte) error) error {
	s.mu.Lock()
	records := maps.Clone(s.records)
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
	entries := maps.Clone(s.queues[q])
	s.mu.Unlock()
	for _, m := range slices.Sorted(maps.Keys(entries)) {
		s.mu.Lock()
		known := s.messages[m]
		s.mu.Unlock()
		if known == nil {
			continue // removed since
		}
		e := store.Entry{ExpiresAt: entries[m].expiresAt, Redelivered: entries[m].redelivered, Data: known.data}
		if err := yield(m, e); err != nil {
			return err
		}
	}
	return nil
}

// Close implements [store.Store]. What the store holds stays.
func (s *Store) Close() error { return nil }
