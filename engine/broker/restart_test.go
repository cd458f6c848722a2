package broker

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"

	"harelab/engine/store"
	"harelab/engine/store/memory"
)

// TestRestart declares, publishes and settles. The next broker with the same store has the
// durable part.
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

// TestTransientStaysOutOfStore publishes messages that need not be stored.
func TestTransientStaysOutOfStore(t *testing.T) {
	s := startScript(t, untouched{memory.New(), t})
	s.run(`
> a1 declare q
> a1 publish - q m1 persistent
> a1 get q
> a1 ack 1
> a1 declare excl exclusive durable
> a1 publish - excl m2 persistent
> a1 purge excl
> a1 declare kept durable
> a1 publish - kept transient
> a1 purge kept
`)
}

// An untouched store fails the test when it gets a message.
type untouched struct {
	store.Store
	t *testing.T
}

func (u untouched) Message(store.MessageID, []byte, []byte)              { u.t.Error("Message") }
func (u untouched) Add(store.QueueID, store.MessageID, store.Entry)      { u.t.Error("Add") }
func (u untouched) Remove(store.QueueID, store.MessageID)                { u.t.Error("Remove") }
func (u untouched) Drop(store.QueueID, store.MessageID, store.MessageID) { u.t.Error("Drop") }

// TestBadStore refuses a store whose records cannot be read.
func TestBadStore(t *testing.T) {
	for _, record := range []struct {
		kind  store.Kind
		value string
	}{
		{kindQueue, "not JSON"},
		{kindQueue, `{"VHost":"/","Name":"q","Arguments":"AAAA"}`},
		{kindExchange, `{"VHost":"/","Name":"x","Type":"bogus"}`},
		{kindBinding, `{"VHost":"/","Name":"missing","Dest":"q"}`},
		{kindBinding, `{"VHost":"/","Name":"amq.direct","Dest":"missing"}`},
		{kindBinding, `{"VHost":"/","Name":"amq.direct","Dest":"missing","ToExchange":true}`},
	} {
		s := memory.New()
		s.Put(record.kind, "bad", []byte(record.value))
		if _, err := New(Options{Store: s}); err == nil {
			t.Errorf("New with record %q: no error", record.value)
		}
	}
	s := memory.New()
	s.Put(kindQueue, "q", []byte(`{"VHost":"/","Name":"q","Queue":1}`))
	s.Message(1, nil, []byte{0, 9, 0, 0, 0, 1, 0})
	s.Add(1, 1, store.Entry{})
	s.Done(1)
	if _, err := New(Options{Store: s}); err == nil {
		t.Error("New with a message whose parts overlap: no error")
	}
	s = memory.New()
	s.Put(kindIdentity, "queue", []byte("short"))
	if _, err := New(Options{Store: s}); err == nil {
		t.Error("New with a record of identities that is too short: no error")
	}
}

// TestRestartOverLimit: a queue that refuses messages at its limit gets all its messages
// back, also those that were unacked and did not count.
func TestRestartOverLimit(t *testing.T) {
	m := memory.New()
	s := startScript(t, m)
	s.run(`
> a1 declare q durable x-max-length=1 x-overflow=reject-publish
> a1 publish - q first persistent
> a1 get q
> a1 publish - q second persistent
`)
	m.Crash()
	wantText(t, "after a crash", ready(t, m), "q=first! q=second!")
}

// TestExpiredMeanwhile: what expired while the broker was down is dead-lettered when it
// starts, behind what lies in the dead-letter queue already.
func TestExpiredMeanwhile(t *testing.T) {
	m := memory.New()
	s := startScript(t, m)
	s.run(`
> a1 declare q durable x-dead-letter-exchange= x-dead-letter-routing-key=dead
> a1 declare dead durable
> a1 declare dropped durable
> a1 publish - dead old persistent
> a1 publish - q short persistent expiration=5
> a1 publish - q long persistent expiration=3600000
> a1 publish - q behind persistent expiration=5
> a1 publish - dropped short persistent expiration=5
`)
	if err := s.broker.Close(); err != nil {
		t.Fatal(err)
	}
	clock := &testClock{now: s.clock.now + 1_000_000}
	after := newScript(t)
	b, err := New(Options{Clock: clock, Seed: 1, Store: m})
	if err != nil {
		t.Fatal(err)
	}
	after.clock, after.broker = clock, b
	wantText(t, "the queues", after.fresh("> queues\n"),
		"q: 2 ready, 0 unacked, 0 consumers; dead: 2 ready, 0 unacked, 0 consumers; dropped: 0 ready, 0 unacked, 0 consumers")
	wantText(t, "the old dead letter", after.fresh("> a1 get dead\n"), `get #1 "old" from dead, 1 left`)
	wantText(t, "the new dead letter", after.fresh("> a1 get dead\n"), `get #2 "short" from dead exchange= key=dead headers=[`+
		`{x-death [[{count 1} {reason expired} {queue q} {time 1000001} {exchange } {routing-keys [q]} {original-expiration 5}]]} `+
		`{x-first-death-exchange } {x-first-death-queue q} {x-first-death-reason expired}], 0 left`)
}

// A recordLog is a store that notes all changes of records.
type recordLog struct {
	store.Store
	changes []func(store.Store)
}

func (l *recordLog) Put(kind store.Kind, name string, value []byte) {
	value = bytes.Clone(value)
	l.changes = append(l.changes, func(s store.Store) { s.Put(kind, name, value) })
	l.Store.Put(kind, name, value)
}

func (l *recordLog) Delete(kind store.Kind, name string) {
	l.changes = append(l.changes, func(s store.Store) { s.Delete(kind, name) })
	l.Store.Delete(kind, name)
}

// TestAnyPrefixOfRecordsRestores: a crash leaves some first part of the changes of records,
// and a broker starts with any. No record refers to one that is not there.
func TestAnyPrefixOfRecordsRestores(t *testing.T) {
	for seed := range uint64(20) {
		log := &recordLog{Store: memory.New()}
		s := startScript(t, log)
		r := rand.New(rand.NewPCG(seed, 0))
		name := func(prefix string) string { return fmt.Sprint(prefix, r.IntN(4)) }
		for range 80 {
			call := ""
			switch r.IntN(9) {
			case 0, 1:
				call = "declare " + name("q") + " durable"
			case 2, 3:
				call = "exchange " + name("x") + " topic durable auto-delete"
			case 4:
				call = "bind " + name("q") + " " + name("x") + " " + name("k")
			case 5:
				call = "bind-exchange " + name("x") + " " + name("x") + " " + name("k")
			case 6:
				call = "unbind " + name("q") + " " + name("x") + " " + name("k")
			case 7:
				call = "delete " + name("q")
			case 8:
				call = "delete-exchange " + name("x")
			}
			s.run("> a1 " + call + "\n")
		}
		for n := range len(log.changes) + 1 {
			m := memory.New()
			for _, change := range log.changes[:n] {
				change(m)
			}
			if _, err := New(Options{Store: m}); err != nil {
				t.Fatalf("seed %d: after %d of %d changes: %v\n%s", seed, n, len(log.changes), err, s.out.String())
			}
		}
	}
}

// A loadFails store loses the octets of a message.
type loadFails struct {
	untouched
	lost store.MessageID
}

func (l loadFails) Load(m store.MessageID, dst []byte) ([]byte, error) {
	if m == l.lost {
		return dst, errors.New("checksum mismatch")
	}
	return l.Store.Load(m, dst)
}

func (l loadFails) Put(store.Kind, string, []byte) { l.t.Error("Put") }
func (l loadFails) Delete(store.Kind, string)      { l.t.Error("Delete") }
func (l loadFails) Start(store.Observer)           { l.t.Error("Start") }

// TestDamagedMessage: a broker that cannot read a message does not start, names the message
// and its queue, and changes nothing in the store, although another message has expired.
func TestDamagedMessage(t *testing.T) {
	m := memory.New()
	s := startScript(t, m)
	s.run("> a1 declare q durable\n> a1 publish - q expired persistent expiration=0\n> a1 publish - q second persistent\n")
	m.Crash()
	_, err := New(Options{Store: loadFails{untouched{m, t}, 2}})
	if want := "broker: queue 'q' in vhost '/': message 2: checksum mismatch"; err == nil || err.Error() != want {
		t.Errorf("New = %v, want %s", err, want)
	}
}

// TestRecoveryTells: the log says once a second how far the recovery has come, and in the
// end what it found.
func TestRecoveryTells(t *testing.T) {
	m := memory.New()
	s := startScript(t, m)
	s.run("> a1 declare q durable\n")
	s.burst = true
	for range 3000 {
		s.run("> a1 publish - q m persistent\n")
	}
	s.burst = false
	s.commit()
	m.Crash()
	var log bytes.Buffer
	handler := slog.NewTextHandler(&log, &slog.HandlerOptions{Level: LevelNotice, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}})
	if _, err := New(Options{Store: m, Clock: &slowClock{}, Logger: slog.New(handler)}); err != nil {
		t.Fatal(err)
	}
	const want = `msg=recovering queues=1 messages=1024 messages/s=1024 took=1s
msg=recovering queues=1 messages=2048 messages/s=1024 took=2s
msg=recovered queues=1 messages=3000 messages/s=1000 took=3s
`
	reportDifference(t, want, log.String())
}

// A slowClock says at each look that another second has passed.
type slowClock struct {
	testClock
	seconds int64
}

func (c *slowClock) Now() int64 {
	c.seconds++
	return c.seconds * 1e6
}
