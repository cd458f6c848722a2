package storetest

import (
	"errors"
	"sync"

	"harelab/engine/store"
)

// ErrFault is the error with which a [Faulty] fails.
var ErrFault = errors.New("injected fault")

// A Faulty wraps another store for one life. A test can hold its rounds back, make its
// writes fail, and make it ask its callers to wait. It numbers rounds itself: a round that
// is held is not committed in the store behind, so a crash of that store loses it.
type Faulty struct {
	store.Store

	mu       sync.Mutex
	observer store.Observer
	changes  int         // number of changes since Start
	open     int         // number of changes in the open round
	ended    store.Round // the last round that Commit ended
	passed   store.Round // the last round that was committed in the store behind
	behind   []passage
	inner    store.Round // the last round of the store behind that is durable
	due      store.Round // the last round that is durable
	holding  bool
	failAt   int         // number of the change whose round fails; 0: none
	doomed   store.Round // the round that fails; 0: none
	err      error
	pressure chan struct{}

	reporting       sync.Mutex  // held during a call of the observer
	reported        store.Round // the last round that the observer got
	reportedFailure bool
}

// A passage says that round outer is durable when round inner of the store behind is.
type passage struct{ inner, outer store.Round }

// NewFaulty returns a store that works as the one behind it does until a method makes it
// fail, hold or press. Start must be called before any other method of store.Store.
func NewFaulty(behind store.Store) *Faulty { return &Faulty{Store: behind} }

// FailWrite makes the n-th change from now fail, with its round.
func (f *Faulty) FailWrite(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failAt = f.changes + n
}

// FailRound makes the n-th round from now fail.
func (f *Faulty) FailRound(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.doomed = f.ended + store.Round(n)
}

// Hold makes rounds that end from now on wait for Release.
func (f *Faulty) Hold() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.holding = true
}

// Release completes the n oldest held rounds in one step. If one of them is to fail, all
// of them fail. Release returns the number of rounds that are still held.
func (f *Faulty) Release(n int) (held int) {
	f.mu.Lock()
	upTo := min(f.passed+store.Round(n), f.ended)
	f.mu.Unlock()
	f.pass(upTo)
	f.mu.Lock()
	defer f.mu.Unlock()
	return int(f.ended - f.passed)
}

// Rounds returns the last round that Commit ended and the last one that is durable.
func (f *Faulty) Rounds() (ended, durable store.Round) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ended, f.due
}

// Press turns pressure on or off: whether Pressure asks callers to wait.
func (f *Faulty) Press(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case on && f.pressure == nil:
		f.pressure = make(chan struct{})
	case !on && f.pressure != nil:
		close(f.pressure)
		f.pressure = nil
	}
}

// change counts a change. It reports false, and counts nothing, if the store has failed.
func (f *Faulty) change() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return false
	}
	f.changes++
	f.open++
	if f.changes == f.failAt {
		f.doomed = f.ended + 1
	}
	return true
}

// Start implements [store.Store].
func (f *Faulty) Start(o store.Observer) {
	f.observer = o
	f.Store.Start((*behind)(f))
}

// Put implements [store.Store].
func (f *Faulty) Put(kind store.Kind, name string, value []byte) {
	if f.change() {
		f.Store.Put(kind, name, value)
	}
}

// Delete implements [store.Store].
func (f *Faulty) Delete(kind store.Kind, name string) {
	if f.change() {
		f.Store.Delete(kind, name)
	}
}

// Message implements [store.Store].
func (f *Faulty) Message(m store.MessageID, head, data []byte) {
	if f.change() {
		f.Store.Message(m, head, data)
	}
}

// Add implements [store.Store].
func (f *Faulty) Add(q store.QueueID, m store.MessageID, e store.Entry) {
	if f.change() {
		f.Store.Add(q, m, e)
	}
}

// Done implements [store.Store].
func (f *Faulty) Done(m store.MessageID) {
	if f.change() {
		f.Store.Done(m)
	}
}

// Remove implements [store.Store].
func (f *Faulty) Remove(q store.QueueID, m store.MessageID) {
	if f.change() {
		f.Store.Remove(q, m)
	}
}

// Drop implements [store.Store].
func (f *Faulty) Drop(q store.QueueID, first, last store.MessageID) {
	if f.change() {
		f.Store.Drop(q, first, last)
	}
}

// Commit implements [store.Store].
func (f *Faulty) Commit() store.Round {
	f.mu.Lock()
	if f.open > 0 {
		f.open = 0
		f.ended++
	}
	r, hold := f.ended, f.holding
	f.mu.Unlock()
	if !hold {
		f.pass(r)
	}
	return r
}

// pass commits the rounds up to upTo in the store behind, or makes them fail.
func (f *Faulty) pass(upTo store.Round) {
	f.mu.Lock()
	if f.err != nil || upTo <= f.passed {
		f.mu.Unlock()
		return
	}
	if f.doomed != 0 && upTo >= f.doomed {
		f.err = ErrFault
		f.mu.Unlock()
		f.report()
		return
	}
	f.passed = upTo
	f.mu.Unlock()
	inner := f.Store.Commit() // may call behind.Completed
	f.mu.Lock()
	f.behind = append(f.behind, passage{inner, upTo})
	f.mu.Unlock()
	f.completed(0)
}

// completed notes that a round of the store behind is durable.
func (f *Faulty) completed(inner store.Round) {
	f.mu.Lock()
	f.inner = max(f.inner, inner)
	left := f.behind[:0]
	for _, p := range f.behind {
		switch {
		case p.inner > f.inner:
			left = append(left, p)
		case f.err == nil:
			f.due = max(f.due, p.outer)
		}
	}
	f.behind = left
	f.mu.Unlock()
	f.report()
}

// report calls the observer for the rounds, or the failure, that it has not got yet.
func (f *Faulty) report() {
	f.reporting.Lock()
	defer f.reporting.Unlock()
	f.mu.Lock()
	due, err := f.due, f.err
	f.mu.Unlock()
	for f.reported < due {
		f.reported++
		f.observer.Completed(f.reported)
	}
	if err != nil && !f.reportedFailure {
		f.reportedFailure = true
		f.observer.Failed(err)
	}
}

// behind is a Faulty as the observer of the store behind it.
type behind Faulty

// Completed implements [store.Observer].
func (b *behind) Completed(r store.Round) { (*Faulty)(b).completed(r) }

// Failed implements [store.Observer].
func (b *behind) Failed(err error) {
	f := (*Faulty)(b)
	f.mu.Lock()
	if f.err == nil {
		f.err = err
	}
	f.mu.Unlock()
	f.report()
}

// Pressure implements [store.Store].
func (f *Faulty) Pressure() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.err != nil:
		return nil
	case f.pressure != nil:
		return f.pressure
	}
	return f.Store.Pressure()
}

// Failed implements [store.Store].
func (f *Faulty) Failed() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// Close implements [store.Store]. It completes the held rounds. If the store has failed,
// it does not close the store behind, which a test should crash.
func (f *Faulty) Close() error {
	f.pass(f.Commit())
	if err := f.Failed(); err != nil {
		return err
	}
	return f.Store.Close()
}
