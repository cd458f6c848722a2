package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"harelab/engine/store"
)

// readingRules are about reading what was stored.
var readingRules = []rule{
	{"records come in order of their names", func(t *testing.T, h *harness) {
		h.Put('q', "b", []byte("2"))
		h.Put('q', "a", []byte("1"))
		h.Put('x', "a", []byte("other kind"))
		h.Put('q', "gone", nil)
		h.Put('q', "b", []byte("3"))
		h.Delete('q', "gone")
		h.Delete('q', "never there")
		h.reopen()
		h.wantRecords('q', "a=1", "b=3")
		h.wantRecords('x', "a=other kind")
	}},
	{"entries come in order of publishing", func(t *testing.T, h *harness) {
		for _, m := range []store.MessageID{300, 2, 1 << 40, 10} {
			h.publish(m, "m", 1, 256) // neighbours in any encoding
		}
		h.reopen()
		h.wantQueue(1, "2:m", "10:m", "300:m", "1099511627776:m")
		h.wantQueue(256, "2:m", "10:m", "300:m", "1099511627776:m")
		h.wantQueue(0)
	}},
	{"an entry is kept and can be replaced", func(t *testing.T, h *harness) {
		h.Message(1, nil, []byte("m"))
		h.Add(1, 1, store.Entry{ExpiresAt: 5})
		h.Add(2, 1, store.Entry{})
		h.Done(1)
		h.reopen()
		h.Add(2, 1, store.Entry{Redelivered: true})
		h.reopen()
		h.wantQueue(1, "1:m@5")
		h.wantQueue(2, "1:m!")
	}},
	{"an error of yield ends the reading", func(t *testing.T, h *harness) {
		h.Put('q', "a", nil)
		h.Put('q', "b", nil)
		h.publish(1, "m", 1)
		h.publish(2, "m", 1)
		h.reopen()
		stop := errors.New("stop")
		calls := 0
		if err := h.Records('q', func(string, []byte) error { calls++; return stop }); err != stop || calls != 1 {
			t.Errorf("Records = %v after %d calls, want %v after 1", err, calls, stop)
		}
		calls = 0
		if err := h.Entries(1, func(store.MessageID, store.Entry) error { calls++; return stop }); err != stop || calls != 1 {
			t.Errorf("Entries = %v after %d calls, want %v after 1", err, calls, stop)
		}
	}},
	{"a range is dropped with both its ends and no more", func(t *testing.T, h *harness) {
		for m := store.MessageID(1); m <= 5; m++ {
			h.publish(m, "m", 1, 2)
		}
		h.sync()
		h.publish(6, "m", 1, 2)
		h.Drop(1, 2, 4)
		h.Drop(2, 5, store.LastMessage)
		h.reopen()
		h.wantQueue(1, "1:m", "5:m", "6:m")
		h.wantQueue(2, "1:m", "2:m", "3:m", "4:m")
		h.Drop(1, 0, store.LastMessage)
		h.Drop(3, 0, store.LastMessage)
		h.reopen()
		h.wantQueue(1)
		h.wantQueue(2, "1:m", "2:m", "3:m", "4:m")
		h.wantGone(5)
		h.wantGone(6)
	}},
	{"messages added after a drop stay", func(t *testing.T, h *harness) {
		h.publish(2, "old", 1)
		h.sync()
		h.Drop(1, 0, store.LastMessage)
		h.publish(1, "late", 1)
		h.publish(3, "new", 1)
		h.reopen()
		h.wantQueue(1, "1:late", "3:new")
		h.wantGone(2)
	}},
}

// octetRules are about the octets of messages.
var octetRules = []rule{
	{"octets are kept once and as long as a queue holds the message", func(t *testing.T, h *harness) {
		h.publish(7, "octets", 1, 2, 3)
		h.Drop(3, 0, store.LastMessage)
		h.reopen()
		h.wantQueue(3)
		h.Remove(1, 7)
		h.Remove(1, 7)
		h.Remove(9, 7)
		h.reopen()
		h.wantQueue(1)
		h.wantQueue(2, "7:octets")
		h.Remove(2, 7)
		h.sync()
		h.wantGone(7)
		h.reopen()
		h.wantQueue(2)
		h.wantGone(7)
	}},
	{"octets wait for all queues until the message is done", func(t *testing.T, h *harness) {
		h.Message(1, []byte("he"), []byte("ad"))
		h.Put('q', "another", nil)
		h.sync()
		h.Add(1, 1, store.Entry{})
		h.sync()
		h.Remove(1, 1)
		h.sync()
		h.Add(2, 1, store.Entry{})
		h.Done(1)
		h.reopen()
		h.wantQueue(1)
		h.wantQueue(2, "1:head")
	}},
	{"octets that no queue got are gone", func(t *testing.T, h *harness) {
		h.Message(1, nil, []byte("m"))
		h.Done(1)
		h.wantGone(1)
		h.Message(2, nil, []byte("m"))
		h.Put('q', "another", nil)
		h.sync()
		h.crash()
		h.open()
		h.wantGone(1)
		h.wantGone(2)
	}},
	{"octets can be read while they wait to be written", func(t *testing.T, h *harness) {
		h.publish(1, "early", 1)
		if got, err := h.Load(1, []byte("very ")); err != nil || string(got) != "very early" {
			t.Errorf("Load = %q, %v, want %q", got, err, "very early")
		}
	}},
	{"values and octets are copied", func(t *testing.T, h *harness) {
		b := []byte("mine")
		h.Put('q', "a", b)
		h.Message(1, b[:2], b[2:])
		h.Add(1, 1, store.Entry{})
		h.Done(1)
		copy(b, "your")
		h.reopen()
		h.wantRecords('q', "a=mine")
		h.wantQueue(1, "1:mine")
	}},
	{"empty messages are messages", func(t *testing.T, h *harness) {
		h.publish(1, "", 1)
		h.reopen()
		h.wantQueue(1, "1:")
	}},
}

// roundRules are about rounds.
var roundRules = []rule{
	{"a store without changes has no round", func(t *testing.T, h *harness) {
		if r := h.Commit(); r != 0 {
			t.Errorf("Commit = %d, want 0", r)
		}
		h.Put('q', "a", nil)
		first := h.Commit()
		if again := h.Commit(); first != 1 || again != 1 {
			t.Errorf("Commit after a change = %d, then %d, want 1 and 1", first, again)
		}
		if err := h.watch.wait(first); err != nil {
			t.Error(err)
		}
		if p := h.Pressure(); p != nil {
			t.Error("Pressure of a store that has nothing to write")
		}
	}},
	{"a committed round survives a crash", func(t *testing.T, h *harness) {
		h.Put('q', "a", []byte("1"))
		h.publish(1, "m", 1)
		h.publish(2, "m", 1)
		h.sync()
		h.Remove(1, 1)
		h.Put('q', "b", []byte("2"))
		h.sync()
		h.crash()
		h.open()
		h.wantRecords('q', "a=1", "b=2")
		h.wantQueue(1, "2:m")
	}},
	{"an entry added and removed in a round is never found", func(t *testing.T, h *harness) {
		h.publish(1, "m", 1, 2)
		h.Remove(1, 1)
		h.Drop(2, 0, store.LastMessage)
		h.Put('q', "a", nil)
		h.Delete('q', "a")
		h.sync()
		h.crash()
		h.open()
		h.wantQueue(1)
		h.wantQueue(2)
		h.wantGone(1)
		h.wantRecords('q')
	}},
	{"a closed store has all changes", func(t *testing.T, h *harness) {
		h.Put('q', "a", nil)
		h.publish(1, "m", 1)
		h.reopen()
		h.wantRecords('q', "a=")
		h.wantQueue(1, "1:m")
	}},
	{"rounds are reported in order, whichever goroutine commits", testConcurrent},
}

// testConcurrent adds and removes messages from several goroutines, each in a queue of its
// own and all in a shared one, and waits for each commit.
func testConcurrent(t *testing.T, h *harness) {
	const goroutines, messages = 4, 200
	var all sync.WaitGroup
	for g := range goroutines {
		all.Go(func() {
			for i := range messages {
				m := store.MessageID(1 + i*goroutines + g)
				h.publish(m, "m", store.QueueID(1+g), 1+goroutines)
				h.Remove(store.QueueID(1+g), m)
				if err := h.watch.wait(h.Commit()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	h.crash()
	h.open()
	for g := range goroutines {
		h.wantQueue(store.QueueID(1 + g))
	}
	var want []string
	for m := range goroutines * messages {
		want = append(want, fmt.Sprintf("%d:m", 1+m))
	}
	h.wantQueue(1+goroutines, want...)
}

// failureRules are about writes that fail: those of a Faulty, and those of the place if it
// has Fail.
var failureRules = []rule{
	{"a store that has failed stays failed", func(t *testing.T, h *harness) {
		h.end()
		f := h.openFaulty()
		testFailure(t, h, func(n int) { f.FailWrite(n) })
		if h.place.Fail == nil {
			return
		}
		h.open()
		testFailure(t, h, func(n int) { h.place.Fail(h.inner, n) })
	}},
	{"a round fails with the rounds behind it", func(t *testing.T, h *harness) {
		h.end()
		f := h.openFaulty()
		f.FailRound(3)
		f.Hold()
		for m := store.MessageID(1); m <= 5; m++ {
			h.publish(m, "m", 1)
			if r := h.Commit(); r != store.Round(m) {
				t.Errorf("Commit = %d, want %d", r, m)
			}
		}
		if held := f.Release(2); held != 3 || h.watch.wait(2) != nil {
			t.Errorf("Release(2) left %d rounds and %d were reported, want 3 and 2", held, h.watch.round())
		}
		f.Release(1)
		if err := h.watch.wait(5); err != ErrFault || h.watch.round() != 2 {
			t.Errorf("round 5: %v after round %d was reported, want %v after 2", err, h.watch.round(), ErrFault)
		}
		h.crash()
	}},
	{"pressure lasts until its channel is closed", func(t *testing.T, h *harness) {
		h.end()
		f := h.openFaulty()
		f.Press(true)
		p := h.Pressure()
		select {
		case <-p:
			t.Error("Pressure = a closed channel")
		default:
		}
		f.Press(false)
		<-p
		if h.Pressure() != nil {
			t.Error("Pressure goes on")
		}
	}},
}

// testFailure commits a round, makes the writes of another fail, and checks what the store
// reports then and what its next life has.
func testFailure(t *testing.T, h *harness, fail func(n int)) {
	before := h.watch.round()
	name := fmt.Sprintf("kept%d", before)
	h.Put('k', name, nil)
	h.sync()
	fail(1)
	h.Put('l', "lost?", nil)
	r := h.Commit()
	err := h.watch.wait(r)
	if err == nil {
		t.Fatalf("round %d was reported although its write failed", r)
	}
	if got := h.Failed(); got == nil || h.Pressure() != nil {
		t.Errorf("Failed = %v, Pressure = %v after Failed(%v)", got, h.Pressure(), err)
	}
	h.Put('l', "too late", nil)
	h.publish(99, "too late", 1)
	if err := h.watch.wait(h.Commit()); err == nil {
		t.Error("a store that had failed completed a round")
	}
	if h.Close() == nil {
		t.Error("Close = nil of a store that had failed")
	}
	h.crash()
	h.open()
	found := false
	h.Records('k', func(n string, _ []byte) error { found = found || n == name; return nil })
	if !found {
		t.Error("a round committed before the failure is lost")
	}
	h.Records('l', func(n string, _ []byte) error {
		if n == "too late" {
			t.Error("a change after the failure was kept")
		}
		return nil
	})
	h.wantQueue(1)
	h.end()
}
