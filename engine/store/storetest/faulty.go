package storetest

import (
	"errors"
	"sync"

	"harelab/engine/store"
)

// ErrFault is why a [Faulty] fails.
var ErrFault = errors.New("injected fault")

// A Faulty is a store in front of another one, for one life, whose rounds can be held
// back, whose writes can fail, and which can ask its callers to wait. Its rounds are
// its own: one that is held is not committed in the store behind, so that it is lost
// in a crash of that.
type Faulty struct {
	store.Store

	mu       sync.Mutex
	observer store.Observer
	changes  int         // since Start
	open     int         // of them in the open round
	ended    store.Round // the last one that Commit returned
	passed   store.Round // the last one that was committed behind
	behind   []passage
	inner    store.Round // the last one that is durable behind
	due      store.Round // the last one that is durable
	holding  bool
	failAt   int         // the change whose round fails, 0: none
	doomed   store.Round // the round that fails, 0: none
	err      error
	pressure chan struct{}

	reporting       sync.Mutex // one call of the observer at a time
	reported        store.Round
	reportedFailure bool
}

// A passage says what commits round outer: round inner of the store behind.
type passage struct{ inner, outer store.Round }

// NewFaulty returns a store that is as good as the one behind it until it is told to be
// otherwise. It is to be started before any other of its methods is called.
func NewFaulty(behind store.Store) *Faulty { return &Faulty{Store: behind} }

// FailWrite has the n-th change from now fail, with its round.
func (f *Faulty) FailWrite(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failAt = f.changes + n
}

// FailRound has the n-th round from now fail.
func (f *Faulty) FailRound(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.doomed = f.ended + store.Round(n)
}

// Hold has rounds wait for Release from now on.
func (f *Faulty) Hold() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.holding = true
}

// Release completes the n oldest of the rounds that are held, in one step, or has them
// fail if one of them is to fail. It returns how many are still held.
func (f *Faulty) Release(n int) (held int) {
	f.mu.Lock()
	upTo := min(f.passed+store.Round(n), f.ended)
	f.mu.Unlock()
	f.pass(upTo)
	f.mu.Lock()
	defer f.mu.Unlock()
	return int(f.ended - f.passed)
}

// Rounds returns the last round that was ended and the last one that is durable.
func (f *Faulty) Rounds() (ended, durable store.Round) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ended, f.due
}

// Press has Pressure ask callers to wait, or lets them go on.
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

// change counts a change and reports whether the store still takes any.
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

// pass commits the rounds up to one in the store behind, or has them fail.
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

// report tells the observer what it does not know yet.
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

// behind is how a Faulty observes the store behind it.
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

// Close implements [store.Store]. It lets go of what is held. Of a store that has failed
// it leaves the one behind as it is, to crash.
func (f *Faulty) Close() error {
	f.pass(f.Commit())
	if err := f.Failed(); err != nil {
		return err
	}
	return f.Store.Close()
}
