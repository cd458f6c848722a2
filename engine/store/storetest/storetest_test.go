package storetest_test

import (
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"harelab/engine/store"
	"harelab/engine/store/memory"
	"harelab/engine/store/storetest"
)

// faultVariable names the fault that TestPlanted has.
const faultVariable = "HARELAB_STORE_FAULT"

// planted are stores with one fault each, and the rule that catches it.
var planted = map[string]struct {
	wrap   func(*memory.Store) store.Store
	caught string
}{
	"forgets the last round":    {func(m *memory.Store) store.Store { return &lagging{Store: m} }, "a_committed_round_survives_a_crash"},
	"reports a round twice":     {func(m *memory.Store) store.Store { return &stuttering{Store: m} }, "a_store_without_changes_has_no_round"},
	"drops one too many":        {func(m *memory.Store) store.Store { return greedy{m} }, "a_range_is_dropped_with_both_its_ends_and_no_more"},
	"forgets octets too early":  {func(m *memory.Store) store.Store { return hasty{m} }, "octets_wait_for_all_queues_until_the_message_is_done"},
	"commits nothing on Close":  {func(m *memory.Store) store.Store { return careless{m} }, "a_closed_store_has_all_changes"},
	"completes rounds unasked":  {func(m *memory.Store) store.Store { return &eager{Store: m} }, "a_store_without_changes_has_no_round"},
	"keeps octets for too long": {func(m *memory.Store) store.Store { return hoarding{m} }, "octets_that_no_queue_got_are_gone"},
}

// TestSuiteCatches runs the suite on each planted fault and wants it to fail.
func TestSuiteCatches(t *testing.T) {
	for fault, p := range planted {
		t.Run(fault, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestPlanted$")
			cmd.Env = append(os.Environ(), faultVariable+"="+fault)
			out, err := cmd.CombinedOutput()
			if _, failed := err.(*exec.ExitError); !failed {
				t.Fatalf("the suite passes a store that %s: %v", fault, err)
			}
			if want := "--- FAIL: TestPlanted/" + p.caught; !strings.Contains(string(out), want) {
				t.Errorf("the suite printed no %q:\n%s", want, out)
			}
		})
	}
}

// TestPlanted is what TestSuiteCatches runs.
func TestPlanted(t *testing.T) {
	p, ok := planted[os.Getenv(faultVariable)]
	if !ok {
		return // without the variable there is nothing to test
	}
	storetest.Run(t, func(*testing.T) storetest.Place {
		m := memory.New()
		return storetest.Place{
			Open:  func(*testing.T) store.Store { return p.wrap(m) },
			Crash: func(*testing.T, store.Store) { m.Crash() },
		}
	})
}

// lagging reports a round when it ends and writes it when the next one begins.
type lagging struct {
	*memory.Store
	mu       sync.Mutex
	observer store.Observer
	changed  bool
	round    store.Round
}

func (l *lagging) Start(o store.Observer) {
	l.observer = o
	l.Store.Start(silent{})
}

func (l *lagging) change() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.changed {
		l.Store.Commit()
	}
	l.changed = true
}

func (l *lagging) Put(kind store.Kind, name string, value []byte) {
	l.change()
	l.Store.Put(kind, name, value)
}

func (l *lagging) Delete(kind store.Kind, name string) {
	l.change()
	l.Store.Delete(kind, name)
}

func (l *lagging) Add(q store.QueueID, m store.MessageID, e store.Entry) {
	l.change()
	l.Store.Add(q, m, e)
}

func (l *lagging) Remove(q store.QueueID, m store.MessageID) {
	l.change()
	l.Store.Remove(q, m)
}

func (l *lagging) Drop(q store.QueueID, first, last store.MessageID) {
	l.change()
	l.Store.Drop(q, first, last)
}

func (l *lagging) Commit() store.Round {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changed {
		l.changed = false
		l.round++
		l.observer.Completed(l.round)
	}
	return l.round
}

// silent observes nothing.
type silent struct{}

func (silent) Completed(store.Round) {}
func (silent) Failed(error)          {}

// stuttering reports the first round twice.
type stuttering struct{ *memory.Store }

func (s *stuttering) Start(o store.Observer) { s.Store.Start(twice{o}) }

type twice struct{ store.Observer }

func (w twice) Completed(r store.Round) {
	w.Observer.Completed(r)
	if r == 1 {
		w.Observer.Completed(r)
	}
}

// greedy drops one message too many.
type greedy struct{ *memory.Store }

func (g greedy) Drop(q store.QueueID, first, last store.MessageID) {
	if last != store.LastMessage {
		last++
	}
	g.Store.Drop(q, first, last)
}

// hasty calls Done after the first Add.
type hasty struct{ *memory.Store }

func (h hasty) Add(q store.QueueID, m store.MessageID, e store.Entry) {
	h.Store.Add(q, m, e)
	h.Store.Done(m)
}

func (h hasty) Done(store.MessageID) {}

// careless closes without committing.
type careless struct{ *memory.Store }

func (c careless) Close() error {
	c.Crash()
	return nil
}

// eager makes a round of each Put.
type eager struct{ *memory.Store }

func (e *eager) Put(kind store.Kind, name string, value []byte) {
	e.Store.Put(kind, name, value)
	e.Store.Commit()
	e.Store.Delete(kind, "no such name")
}

// hoarding ignores Done.
type hoarding struct{ *memory.Store }

func (hoarding) Done(store.MessageID) {}
