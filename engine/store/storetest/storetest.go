// Package storetest is the suite that every store must pass, and a wrapper that makes
// stores fail, lag and press ([Faulty]).
package storetest

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"testing"

	"harelab/engine/store"
)

// A Place is where one store after the other lives: a folder, or a file system in memory.
type Place struct {
	// Open opens the place's store with the contents that its last life left, none at
	// first. It does not start the store.
	Open func(t *testing.T) store.Store

	// Crash ends a store's life, and all its goroutines, as a power cut would: only what
	// is durable is left. Nobody is using the store.
	Crash func(t *testing.T, s store.Store)

	// Fail, if not nil, makes the n-th write of the disk from now fail, and all writes
	// after it.
	Fail func(s store.Store, n int)
}

// Run tests the stores of newPlace. Each subtest gets a Place of its own.
func Run(t *testing.T, newPlace func(t *testing.T) Place) {
	for _, group := range [][]rule{readingRules, octetRules, roundRules, failureRules} {
		for _, r := range group {
			t.Run(r.name, func(t *testing.T) {
				h := &harness{t: t, place: newPlace(t)}
				h.open()
				r.run(t, h)
				h.end()
			})
		}
	}
	t.Run("random histories with crashes", func(t *testing.T) { testHistories(t, newPlace) })
}

// A rule is one sentence of the contract and the test that proves it.
type rule struct {
	name string
	run  func(*testing.T, *harness)
}

// A harness is a place with its current store, which may be wrapped.
type harness struct {
	t     *testing.T
	place Place
	store.Store
	inner store.Store
	watch *watch
	over  bool // the current store's life has ended
}

// open begins the place's next life.
func (h *harness) open() { h.openThrough(func(s store.Store) store.Store { return s }) }

// openThrough begins the next life behind a wrapper.
func (h *harness) openThrough(wrap func(store.Store) store.Store) {
	h.inner = h.place.Open(h.t)
	h.Store = wrap(h.inner)
	h.watch = newWatch()
	h.Start(h.watch)
	h.over = false
}

// openFaulty begins the next life behind a Faulty.
func (h *harness) openFaulty() *Faulty {
	var f *Faulty
	h.openThrough(func(s store.Store) store.Store { f = NewFaulty(s); return f })
	return f
}

// reopen closes the store and begins the next life.
func (h *harness) reopen() {
	h.t.Helper()
	if err := h.Close(); err != nil {
		h.t.Fatal(err)
	}
	h.watch.check(h.t)
	h.open()
}

// crash ends the store's life with a crash.
func (h *harness) crash() {
	h.place.Crash(h.t, h.inner)
	h.watch.check(h.t)
	h.over = true
}

// end closes the store, unless its life has ended.
func (h *harness) end() {
	if h.over {
		return
	}
	h.over = true
	if err := h.Close(); err != nil && h.watch.failure() == nil {
		h.t.Errorf("Close = %v of a store that has not failed", err)
	}
	h.watch.check(h.t)
}

// sync commits and waits until the round is durable.
func (h *harness) sync() {
	h.t.Helper()
	if err := h.watch.wait(h.Commit()); err != nil {
		h.t.Fatal(err)
	}
}

// publish hands over a message and adds it to some queues.
func (h *harness) publish(m store.MessageID, octets string, queues ...store.QueueID) {
	h.Message(m, []byte(octets)[:len(octets)/2], []byte(octets)[len(octets)/2:])
	for _, q := range queues {
		h.Add(q, m, store.Entry{})
	}
	h.Done(m)
}

func (h *harness) wantRecords(kind store.Kind, want ...string) {
	h.t.Helper()
	var got []string
	err := h.Records(kind, func(name string, value []byte) error {
		got = append(got, fmt.Sprintf("%s=%s", name, value))
		return nil
	})
	if err != nil || !slices.Equal(got, want) {
		h.t.Errorf("records of kind %c are %q, %v, want %q", kind, got, err, want)
	}
}

// wantQueue wants a queue to hold some messages, written like "7:octets", with "!" at
// the end of one that is redelivered and "@5" at the end of one that expires.
func (h *harness) wantQueue(q store.QueueID, want ...string) {
	h.t.Helper()
	var got []string
	err := h.Entries(q, func(m store.MessageID, e store.Entry) error {
		octets, err := h.Load(m, nil)
		got = append(got, describe(m, octets, e))
		return err
	})
	if err != nil || !slices.Equal(got, want) {
		h.t.Errorf("queue %d holds %q, %v, want %q", q, got, err, want)
	}
}

// wantGone wants the store not to have the octets of a message.
func (h *harness) wantGone(m store.MessageID) {
	h.t.Helper()
	if octets, err := h.Load(m, []byte("kept")); err != store.ErrNoMessage || string(octets) != "kept" {
		h.t.Errorf("Load(%d) = %q, %v, want %v", m, octets, err, store.ErrNoMessage)
	}
}

func describe(m store.MessageID, octets []byte, e store.Entry) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%d:%s", m, octets)
	if e.ExpiresAt != 0 {
		fmt.Fprintf(&b, "@%d", e.ExpiresAt)
	}
	if e.Redelivered {
		b.WriteByte('!')
	}
	return b.String()
}

// A watch is the observer of a store. It notes violations of the contract.
type watch struct {
	mu        sync.Mutex
	change    sync.Cond
	completed store.Round
	failed    error
	faults    []string
}

func newWatch() *watch {
	w := new(watch)
	w.change.L = &w.mu
	return w
}

// Completed implements [store.Observer].
func (w *watch) Completed(r store.Round) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r != w.completed+1 {
		w.faults = append(w.faults, fmt.Sprintf("round %d was reported after round %d", r, w.completed))
	}
	if w.failed != nil {
		w.faults = append(w.faults, fmt.Sprintf("round %d was reported after the store had failed", r))
	}
	w.completed = r
	w.change.Broadcast()
}

// Failed implements [store.Observer].
func (w *watch) Failed(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed != nil || err == nil {
		w.faults = append(w.faults, fmt.Sprintf("Failed(%v) after Failed(%v)", err, w.failed))
	}
	w.failed = err
	w.change.Broadcast()
}

// wait waits for a round to be reported, or for the store to fail.
func (w *watch) wait(r store.Round) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.completed < r && w.failed == nil {
		w.change.Wait()
	}
	if w.completed >= r {
		return nil
	}
	return w.failed
}

func (w *watch) round() store.Round {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.completed
}

func (w *watch) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed
}

func (w *watch) check(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.faults {
		t.Error(f)
	}
}
