package broker

import (
	"fmt"
	"testing"

	"harelab/engine/store"
	"harelab/engine/store/memory"
)

// TestRestart declares, publishes and settles, and finds what is durable in the next
// broker with the same store.
func TestRestart(t *testing.T) {
	s := memory.New()
	before := startScript(t, s)
	before.run(`
> a1 declare q durable x-max-priority=3
> a1 declare other durable
> a1 declare transient
> a1 declare excl durable exclusive
> a1 exchange x topic durable alternate-exchange=amq.fanout
> a1 exchange y fanout
> a1 bind q x a.* note=kept
> a1 bind q x a.#
> a1 unbind q x a.#
> a1 bind transient x a.*
> a1 bind q y
> a1 bind other amq.fanout
> a1 bind-exchange amq.fanout x b
> a1 declare gone durable
> a1 bind gone x a.*
> a1 publish - gone m persistent
> a1 delete gone
> a1 publish x a.1 low persistent
> a1 publish x a.2 high priority=3 persistent expiration=60000
> a1 publish x a.3 transient-message
> a1 publish x b both-ways persistent
> a1 publish - q acked persistent
> a1 publish - q delivered persistent priority=2
> a1 get q
> a1 get q
> a1 publish - q short persistent expiration=5
> a1 tx
> a1 publish - other committed persistent
> a1 commit
> a1 publish - other never persistent
> a2 declare busy durable
> a2 consume busy tag=t
> a2 publish - busy with-a-consumer persistent
`)
	if err := before.broker.Close(); err != nil {
		t.Fatal(err)
	}
	after := startScript(t, s)
	after.out.Reset()
	after.run(`
> queues
> bindings
> a1 exchange x topic durable alternate-exchange=amq.fanout
> a1 declare q durable x-max-priority=3
> a1 get q
> a1 get q
> a1 get q
> a1 get q
> a1 get q
> a1 get other
> a1 get other
> a1 get other
> a1 get busy
> advance 1h
> queues
`)
	const want = `
> queues
  q: 5 ready, 0 unacked, 0 consumers
  other: 2 ready, 0 unacked, 0 consumers
  busy: 1 ready, 0 unacked, 0 consumers
> bindings
  "" -> queue q by "q" []
  "" -> queue other by "other" []
  "" -> queue busy by "busy" []
  "amq.fanout" -> queue other by "" []
  "x" -> queue q by "a.*" [{note kept}]
  "x" -> exchange amq.fanout by "b" []
> a1 exchange x topic durable alternate-exchange=amq.fanout
> a1 declare q durable x-max-priority=3
  q: 5 messages, 0 consumers
> a1 get q
  get #1 "high" from q redelivered expiration=60000, 4 left
> a1 get q
  get #2 "delivered" from q redelivered, 3 left
> a1 get q
  get #3 "low" from q, 2 left
> a1 get q
  get #4 "acked" from q, 1 left
> a1 get q
  get #5 "short" from q expiration=5, 0 left
> a1 get other
  get #6 "both-ways" from other, 1 left
> a1 get other
  get #7 "committed" from other, 0 left
> a1 get other
  empty
> a1 get busy
  get #8 "with-a-consumer" from busy redelivered, 0 left
> advance 1h
> queues
  q: 0 ready, 5 unacked, 0 consumers
  other: 0 ready, 2 unacked, 0 consumers
  busy: 0 ready, 1 unacked, 0 consumers
`
	reportDifference(t, want, after.out.String())
}

// startScript returns a script whose broker has a store.
func startScript(t *testing.T, s store.Store) *script {
	t.Helper()
	sc := newScript(t)
	b, err := New(Options{Clock: sc.clock, Seed: 1, Store: s})
	if err != nil {
		t.Fatal(err)
	}
	sc.broker = b
	return sc
}

// TestTransientStaysOutOfStore publishes what need not be kept.
func TestTransientStaysOutOfStore(t *testing.T) {
	s := startScript(t, failingStore{t})
	s.run(`
> a1 declare q
> a1 publish - q m1 persistent
> a1 get q
> a1 ack 1
> a1 declare excl exclusive durable
> a1 publish - excl m2 persistent
> a1 purge excl
`)
}

// failingStore fails the test when it is told of a message.
type failingStore struct{ t *testing.T }

func (f failingStore) Put(store.Kind, string, []byte)                       {}
func (f failingStore) Delete(store.Kind, string)                            {}
func (f failingStore) Add(store.QueueID, store.MessageID, store.Entry)      { f.t.Error("Add") }
func (f failingStore) Remove(store.QueueID, store.MessageID)                { f.t.Error("Remove") }
func (f failingStore) Delivered(store.QueueID, store.MessageID)             { f.t.Error("Delivered") }
func (f failingStore) Drop(store.QueueID)                                   { f.t.Error("Drop") }
func (f failingStore) Commit(store.Waiter) bool                             { f.t.Error("Commit"); return true }
func (f failingStore) Sync() error                                          { return nil }
func (f failingStore) Close() error                                         { return nil }
func (f failingStore) Records(store.Kind, func(string, []byte) error) error { return nil }
func (f failingStore) Entries(store.QueueID, func(store.MessageID, store.Entry) error) error {
	return nil
}

// lateStore is durable only when it is told to be.
type lateStore struct {
	*memory.Store
	waiting []store.Waiter
}

func (l *lateStore) Commit(w store.Waiter) bool {
	if w != nil {
		l.waiting = append(l.waiting, w)
	}
	return w == nil
}

// TestLateConfirms confirms what has to be durable once it is.
func TestLateConfirms(t *testing.T) {
	s := &lateStore{Store: memory.New()}
	sc := startScript(t, s)
	sc.run(`
> a1 declare q durable
> a1 declare full durable x-max-length=0 x-overflow=reject-publish
> a1 exchange f fanout
> a1 bind q f
> a1 bind full f
> a1 confirm
> a1 publish - q transient
> a1 publish - q one persistent
> a1 publish - q two persistent
> a1 publish f - refused-by-one persistent
> a1 publish - full refused persistent
> b1 declare swift durable
> b1 consume swift no-ack
> a1 publish - swift delivered-at-once persistent
`)
	if len(s.waiting) != 3 {
		t.Fatalf("%d commits wait, want 3", len(s.waiting))
	}
	sc.out.Reset()
	s.waiting[1].Committed(nil)
	s.waiting[0].Committed(fmt.Errorf("disk is full"))
	s.waiting[2].Committed(nil)
	const want = "  a1: publish 3 confirmed: true\n  a1: publish 2 confirmed: false\n  a1: publish 4 confirmed: false\n"
	if got := sc.out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestBadStore refuses a store whose records cannot be read.
func TestBadStore(t *testing.T) {
	for _, record := range []struct {
		kind  store.Kind
		value string
	}{
		{recordQueue, "not JSON"},
		{recordQueue, `{"VHost":"/","Name":"q","Arguments":"AAAA"}`},
		{recordExchange, `{"VHost":"/","Name":"x","Type":"bogus"}`},
		{recordBinding, `{"VHost":"/","Name":"missing","Dest":"q"}`},
	} {
		s := memory.New()
		s.Put(record.kind, "bad", []byte(record.value))
		if _, err := New(Options{Store: s}); err == nil {
			t.Errorf("New with record %q: no error", record.value)
		}
	}
	s := memory.New()
	s.Put(recordQueue, "q", []byte(`{"VHost":"/","Name":"q","Queue":1}`))
	s.Add(1, 1, store.Entry{Data: []byte{0, 9, 0, 0, 0, 1, 0}})
	if _, err := New(Options{Store: s}); err == nil {
		t.Error("New with a message whose parts overlap: no error")
	}
}
