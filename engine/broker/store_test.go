package broker

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"harelab/engine/store"
	"harelab/engine/store/memory"
	"harelab/engine/store/storetest"
	"harelab/engine/wire"
)

// startFaulty returns a script whose broker has a Faulty store, and the store behind that.
func startFaulty(t *testing.T) (*script, *storetest.Faulty, *memory.Store) {
	t.Helper()
	m := memory.New()
	f := storetest.NewFaulty(m)
	return startScript(t, f), f, m
}

// together runs lines as one burst of calls, and returns what it printed.
func (s *script) together(lines string) string {
	s.burst = true
	defer func() { s.burst = false }()
	return s.fresh(lines)
}

// fresh runs lines and returns what they printed, without the calls.
func (s *script) fresh(lines string) string {
	s.out.Reset()
	s.run(lines)
	return s.printed()
}

// printed returns what was printed since fresh or printed, without the calls.
func (s *script) printed() string {
	var answers []string
	for line := range strings.Lines(s.out.String()) {
		if !strings.HasPrefix(line, "> ") && strings.TrimSpace(line) != "" {
			answers = append(answers, strings.TrimSpace(line))
		}
	}
	s.out.Reset()
	return strings.Join(answers, "; ")
}

func wantText(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// TestConfirmsByRound: a burst of publishes is confirmed with one call for each channel when
// its round is durable. Publishes that are not stored do not wait.
func TestConfirmsByRound(t *testing.T) {
	s, f, _ := startFaulty(t)
	s.run(`
> a1 declare q durable
> a1 declare full durable x-max-length=0 x-overflow=reject-publish
> a1 exchange f fanout
> a1 bind q f
> a1 bind full f
> b1 declare swift durable
> b1 consume swift tag=t no-ack
> a1 confirm
> a2 confirm
`)
	f.Hold()
	wantText(t, "the first burst", s.together(`
> a1 publish - q 1 persistent
> a2 publish - q 1 persistent
> a1 publish - q 2 persistent
> a1 publish - q 3 persistent
> a1 publish - q transient
> a1 publish - full refused persistent
> a1 publish f - refused-by-one persistent
> a1 publish - swift at-once persistent
> a1 publish - q 8 persistent
> a2 publish - q 2 persistent
`), `ack 4; nack 5; nack 6; b1 gets t #1 "at-once" from swift; ack 7`)
	s.commit()
	wantText(t, "the second burst", s.fresh("> a2 publish - q 3 persistent\n"), "")
	wantText(t, "the third burst", s.fresh("> a1 publish - q 9 persistent\n"), "")
	f.Release(1)
	wantText(t, "the first round", s.printed(),
		"a1: publishes 1 to 3 confirmed: true; a1: publishes 8 to 8 confirmed: true; a2: publishes 1 to 2 confirmed: true")
	f.Release(2)
	wantText(t, "two rounds in one step", s.printed(),
		"a2: publishes 3 to 3 confirmed: true; a1: publishes 9 to 9 confirmed: true")
}

// TestClosedChannelHearsNothing: a closed channel gets no confirms, since its number may be
// in use again.
func TestClosedChannelHearsNothing(t *testing.T) {
	s, f, _ := startFaulty(t)
	s.run("> a1 declare q durable\n> a1 confirm\n")
	f.Hold()
	s.run("> a1 publish - q m persistent\n> a1 close\n> a1 confirm\n> a1 publish - q m persistent\n")
	s.out.Reset()
	f.Release(9)
	wantText(t, "confirms", s.printed(), "a1: publishes 1 to 1 confirmed: true")
}

// An answered conn notes the calls of Durable and Ended.
type answered struct {
	*Conn
	rounds []Round
	ended  error
}

func connect(b *Broker) *answered {
	a := new(answered)
	v, _ := b.VHost("/")
	a.Conn = v.Connect(ConnOptions{
		Ended:   func(reason error) { a.ended = reason },
		Durable: func(r Round, _ *Batch) { a.rounds = append(a.rounds, r) },
	})
	return a
}

// TestAnswersWaitForRounds: answers about something durable are held until it is durable,
// all of a burst for one round; other answers are not held.
func TestAnswersWaitForRounds(t *testing.T) {
	s, f, _ := startFaulty(t)
	s.run("> z1 declare old durable\n> z1 exchange x direct durable\n> z1 bind old x k\n")
	for _, test := range []struct {
		name string
		call string
		want bool
	}{
		{"a durable queue", "declare q durable", true},
		{"the same again, which may not be durable yet", "declare q durable", true},
		{"a transient queue", "declare t", false},
		{"an exclusive queue", "declare e durable exclusive", false},
		{"a durable exchange", "exchange y direct durable", true},
		{"a transient exchange", "exchange z direct", false},
		{"a durable binding", "bind q x k", true},
		{"a binding of a transient queue", "bind t x k", false},
		{"the end of a durable binding", "unbind q x k", true},
		{"a purge of a durable queue", "purge q", true},
		{"the end of a transient queue", "delete t", false},
		{"the end of a durable queue", "delete q", true},
		{"a get", "get old", false},
		{"a consumer", "consume old tag=t", false},
	} {
		s.together("> a1 " + test.call + "\n")
		c := s.conns["a"]
		if got := c.Holding(); got != test.want {
			t.Errorf("%s: Holding = %t, want %t", test.name, got, test.want)
		}
		if r := c.Commit(); r != 0 || c.Holding() {
			t.Errorf("%s: Commit = %d, Holding = %t, want 0, false: the store is at once", test.name, r, c.Holding())
		}
	}
	f.Hold()
	c := connect(s.broker)
	ch := c.Channel(1, new(ackingSink))
	for i := range 3 {
		if _, err := ch.DeclareQueue(QueueSpec{Name: fmt.Sprint("burst", i), Durable: true}); err != nil {
			t.Fatal(err)
		}
	}
	r := c.Commit()
	if _, err := ch.DeclareQueue(QueueSpec{Name: "burst0", Durable: true}); err != nil {
		t.Fatal(err)
	}
	if again := c.Commit(); r == 0 || again != r || len(c.rounds) != 0 {
		t.Errorf("Commit = %d, then %d without a change; durable %v, want the same round and none durable", r, again, c.rounds)
	}
	if held := f.Release(1); held != 0 || !slices.Equal(c.rounds, []Round{r}) {
		t.Errorf("%d rounds are held, durable %v, want 0, [%d]", held, c.rounds, r)
	}
}

// TestTxCommitWaits: the answer is held, and no goroutine waits with a lock.
func TestTxCommitWaits(t *testing.T) {
	s, f, m := startFaulty(t)
	s.run("> a1 declare q durable\n> a1 declare other durable\n> a1 publish - other m persistent\n> a1 get other\n> a1 tx\n")
	f.Hold()
	s.together("> a1 publish - q m persistent\n> a1 ack 1\n> a1 commit\n")
	c := s.conns["a"]
	if r := c.Commit(); r == 0 {
		t.Error("Commit = 0 after a tx.commit whose round is held")
	}
	m.Crash()
	wantText(t, "after a crash before the round", ready(t, m), "other=m!")
}

// TestTxCommitIsFound: after a crash the publishes and acks of a transaction are found
// together.
func TestTxCommitIsFound(t *testing.T) {
	s, _, m := startFaulty(t)
	s.run("> a1 declare q durable\n> a1 declare other durable\n> a1 publish - other m persistent\n> a1 get other\n> a1 tx\n")
	s.run("> a1 publish - q m persistent\n> a1 ack 1\n> a1 commit\n")
	m.Crash()
	wantText(t, "after a crash", ready(t, m), "q=m!")
}

// ready returns the messages that a broker finds in a store, by queue; "!" means
// redelivered.
func ready(t *testing.T, s store.Store) string {
	t.Helper()
	b, err := New(Options{Store: s})
	if err != nil {
		t.Fatal(err)
	}
	v, _ := b.VHost("/")
	ch := v.Connect(ConnOptions{}).Channel(1, new(ackingSink))
	var found []string
	for _, q := range v.sortedQueues() {
		for {
			r, ok, err := ch.Get(q.name, false)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			text := fmt.Sprintf("%s=%s", q.name, r.Msg.Body())
			if r.Redelivered {
				text += "!"
			}
			found = append(found, text)
			r.Msg.Release()
		}
	}
	return strings.Join(found, " ")
}

// TestFailedStore: when a round fails, publishes with confirms are nacked. Connections with
// held answers, or with publishes without confirms, end. Others go on.
func TestFailedStore(t *testing.T) {
	s, f, _ := startFaulty(t)
	s.run("> a1 declare q durable\n> a1 declare t\n> a1 confirm\n")
	f.Hold()
	s.run("> a1 publish - q m persistent\n> a1 publish - q m persistent\n")
	declares, publishes, idle := connect(s.broker), connect(s.broker), connect(s.broker)
	if _, err := declares.Channel(1, new(ackingSink)).DeclareQueue(QueueSpec{Name: "new", Durable: true}); err != nil {
		t.Fatal(err)
	}
	persistent := wire.ViewProperties(wire.AppendProperties(nil, &wire.Properties{DeliveryMode: 2}))
	if _, err := publishes.Channel(1, new(ackingSink)).Publish(&Publishing{RoutingKey: []byte("q"), Properties: persistent}); err != nil {
		t.Fatal(err)
	}
	if _, err := idle.Channel(1, new(ackingSink)).Publish(&Publishing{RoutingKey: []byte("t"), Properties: persistent}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*answered{declares, publishes, idle} {
		c.Commit()
	}
	s.out.Reset()
	f.FailRound(0)
	f.Release(9)
	wantText(t, "confirms", s.printed(), "a1: publishes 1 to 1 confirmed: false; a1: publishes 2 to 2 confirmed: false")
	for _, c := range []struct {
		name string
		conn *answered
		want string
	}{
		{"one that waits for an answer", declares, "541"},
		{"one that publishes without confirms", publishes, "541"},
		{"one that needs no store", idle, ""},
	} {
		e, _ := errors.AsType[*Error](c.conn.ended)
		if got := ""; e != nil {
			got = fmt.Sprint(uint16(e.Code))
			if got != c.want {
				t.Errorf("%s ended with %v, want code %s", c.name, e, c.want)
			}
		} else if c.want != "" {
			t.Errorf("%s did not end, want code %s", c.name, c.want)
		}
		if len(c.conn.rounds) != 0 {
			t.Errorf("Durable of %s was called for rounds %v", c.name, c.conn.rounds)
		}
	}
}

// TestAfterFailure: the broker refuses or nacks whatever it would have to store.
func TestAfterFailure(t *testing.T) {
	s, f, _ := startFaulty(t)
	s.run(`
> a1 declare q durable
> a1 declare t x-dead-letter-exchange= x-dead-letter-routing-key=q
> a1 exchange x direct durable
> a1 bind q x k
> a1 publish - q there persistent
`)
	f.FailWrite(1)
	s.run("> a1 declare lost durable\n")
	const refused = " 541 INTERNAL_ERROR - store: injected fault"
	for _, test := range []struct{ name, call, want string }{
		{"a publish with confirms", "> a1 confirm\n> a1 publish - q m persistent\n", "nack 1"},
		{"a publish without", "> b1 publish - q m persistent\n", "connection" + refused},
		{"a transaction", "> c1 tx\n> c1 publish - q m persistent\n> c1 commit\n", "connection" + refused},
		{"a durable queue", "> b1 declare new durable\n", "connection" + refused},
		{"a durable exchange", "> b1 exchange new direct durable\n", "connection" + refused},
		{"a durable binding", "> b1 bind q x k2\n", "connection" + refused},
		{"the end of a binding", "> b1 unbind q x k\n", "connection" + refused},
		{"the end of a queue", "> b1 delete q\n", "connection" + refused},
		{"the end of an exchange", "> b1 delete-exchange x\n", "connection" + refused},
		{"a purge", "> b1 purge q\n", "connection" + refused},
		{"a transient message", "> b1 publish - q light mandatory\n", ""},
		{"a persistent message for a transient queue", "> b1 publish - t m persistent\n", ""},
		{"a transient queue", "> b1 declare new\n", "new: 0 messages, 0 consumers"},
		{"what is there", "> b1 get q\n", `get #1 "there" from q, 1 left`},
		{"its ack", "> b1 ack 1\n", ""},
		{"a dead letter", "> b1 get t\n> b1 nack 2\n> queues q\n", `get #2 "m" from t, 0 left; q: 2 ready, 0 unacked, 0 consumers`},
	} {
		wantText(t, test.name, s.fresh(test.call), test.want)
	}
}

// A loggedStore logs changes.
type loggedStore struct {
	store.Store
	log []string
}

func (l *loggedStore) note(format string, args ...any) {
	l.log = append(l.log, fmt.Sprintf(format, args...))
}

func (l *loggedStore) Message(m store.MessageID, head, data []byte) {
	l.note("message")
	l.Store.Message(m, head, data)
}

func (l *loggedStore) Add(q store.QueueID, m store.MessageID, e store.Entry) {
	l.note("add %d", q)
	l.Store.Add(q, m, e)
}

func (l *loggedStore) Done(m store.MessageID) {
	l.note("done")
	l.Store.Done(m)
}

func (l *loggedStore) Remove(q store.QueueID, m store.MessageID) {
	l.note("remove %d", q)
	l.Store.Remove(q, m)
}

func (l *loggedStore) Drop(q store.QueueID, first, last store.MessageID) {
	l.note("drop %d", q)
	l.Store.Drop(q, first, last)
}

func (l *loggedStore) Delete(kind store.Kind, name string) {
	l.note("delete %c", kind)
	l.Store.Delete(kind, name)
}

// TestWhatTheStoreIsTold: octets are handed over once however many queues get the message,
// deliveries change nothing, a dead letter is in one queue or the other at any time, and
// messages that are dropped together are one range.
func TestWhatTheStoreIsTold(t *testing.T) {
	l := &loggedStore{Store: memory.New()}
	s := startScript(t, l)
	s.run(`
> a1 declare one durable x-dead-letter-exchange= x-dead-letter-routing-key=two
> a1 declare two durable
> a1 declare three durable
> a1 bind one amq.fanout
> a1 bind two amq.fanout
> a1 bind three amq.fanout
> b1 consume three tag=t no-ack
`)
	for _, test := range []struct{ name, lines, want string }{
		{"three queues, one of which delivers at once", "> a1 publish amq.fanout - m persistent\n", "message; add 1; add 2; done"},
		{"a delivery", "> c1 get one\n", ""},
		{"its return", "> c1 nack 1 requeue\n", ""},
		{"a dead letter", "> c1 get one\n> c1 nack 2\n", "message; add 2; done; remove 1"},
		{"an ack", "> c1 get two\n> c1 ack 3\n", "remove 2"},
		{"a purge", strings.Repeat("> a1 publish - two m persistent\n", 2) + "> a1 purge two\n", "message; add 2; done; message; add 2; done; drop 2"},
		{"a purge around what is unacked", `
> a1 publish - two 1 persistent
> a1 publish - two 2 persistent
> a1 publish - two 3 persistent
> a1 publish - two 4 persistent
> d1 get two
> d1 get two
> d1 nack 1 requeue
> a1 purge two
> d1 ack 2
`, strings.Repeat("message; add 2; done; ", 4) + "drop 2; drop 2; remove 2"},
		{"a purge of nothing", "> a1 purge two\n", ""},
		{"the end of a queue", strings.Repeat("> a1 publish - one m persistent\n", 2) + "> a1 delete one\n",
			"message; add 1; done; message; add 1; done; drop 1; delete b; delete q"},
	} {
		l.log = nil
		s.run(test.lines)
		wantText(t, test.name, strings.Join(l.log, "; "), test.want)
	}
}

// TestDeadLetterSurvivesACrash crashes the store after each round that dead-lettering may
// make: the message is in one queue or the other.
func TestDeadLetterSurvivesACrash(t *testing.T) {
	for rounds := range 3 {
		s, f, m := startFaulty(t)
		s.run("> a1 declare q durable x-dead-letter-exchange= x-dead-letter-routing-key=dead\n> a1 declare dead durable\n> a1 publish - q m persistent\n> a1 get q\n")
		f.Hold()
		s.run("> a1 nack 1\n")
		f.Release(rounds)
		m.Crash()
		if got := ready(t, m); got != "q=m!" && got != "dead=m!" {
			t.Errorf("after %d rounds: %q, want the message in q or in dead", rounds, got)
		}
	}
}

// TestExpiredWhileDown: messages that expired while the broker was down are dead-lettered
// after all queues are restored.
func TestExpiredWhileDown(t *testing.T) {
	m := memory.New()
	s := startScript(t, m)
	s.run("> a1 declare q durable x-dead-letter-exchange=amq.fanout x-message-ttl=5\n> a1 declare dead durable\n> a1 bind dead amq.fanout\n> a1 publish - q m persistent\n")
	if err := s.broker.Close(); err != nil {
		t.Fatal(err)
	}
	after := startScript(t, m)
	after.clock.now = s.clock.now
	wantText(t, "queues", after.fresh("> advance 10ms\n> queues\n"), "q: 0 ready, 0 unacked, 0 consumers; dead: 1 ready, 0 unacked, 0 consumers")
}

// TestRedeliveredAfterRestart: a broker that was closed knows which messages were delivered;
// after a crash all messages are redelivered.
func TestRedeliveredAfterRestart(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(*Broker, *memory.Store)
		want string
	}{
		{"a close", func(b *Broker, _ *memory.Store) { b.Close() }, "q=came-back! q=unacked! q=never-delivered"},
		{"a crash", func(_ *Broker, m *memory.Store) { m.Crash() }, "q=came-back! q=unacked! q=never-delivered!"},
		{"a crash after a close", func(b *Broker, m *memory.Store) {
			b.Close()
			if _, err := New(Options{Store: m}); err != nil {
				t.Error(err)
			}
			m.Crash()
		}, "q=came-back! q=unacked! q=never-delivered!"},
	} {
		m := memory.New()
		s := startScript(t, m)
		s.run("> a1 declare q durable\n> a1 publish - q came-back persistent\n> a1 publish - q unacked persistent\n> a1 publish - q never-delivered persistent\n")
		s.run("> b1 get q\n> b1 get q\n> b1 nack 1 requeue\n")
		test.end(s.broker, m)
		wantText(t, "after "+test.name, ready(t, m), test.want)
	}
}

// TestSharedAfterRestart: after a restart a message of several queues is in memory once.
func TestSharedAfterRestart(t *testing.T) {
	m := memory.New()
	s := startScript(t, m)
	s.run("> a1 declare one durable\n> a1 declare two durable\n> a1 bind one amq.fanout\n> a1 bind two amq.fanout\n> a1 publish amq.fanout - m persistent\n")
	if err := s.broker.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := New(Options{Store: m})
	if err != nil {
		t.Fatal(err)
	}
	v, _ := b.VHost("/")
	queues := v.sortedQueues()
	if one, two := *queues[0].messages.At(0), *queues[1].messages.At(0); one != two || string(one.Body()) != "m" {
		t.Errorf("queues hold %p and %p, want one message", one, two)
	}
}

// TestIdentitiesAreNeverGivenAgain deletes the newest queue and the newest message, restarts
// and wants new identities.
func TestIdentitiesAreNeverGivenAgain(t *testing.T) {
	for _, end := range []string{"a close", "a crash"} {
		m := memory.New()
		l := &numberStore{Store: m}
		for life := range 4 {
			s := startScript(t, l)
			s.run("> a1 declare kept durable\n> a1 publish - kept m persistent\n")
			s.run("> a1 declare newest durable\n> a1 publish - newest m persistent\n> a1 delete newest\n")
			s.run("> a1 publish - kept m persistent\n> a1 purge kept\n")
			if end == "a close" {
				s.broker.Close()
			} else {
				m.Crash()
			}
			if len(l.twice) > 0 {
				t.Fatalf("after %s, life %d: %v", end, life, l.twice)
			}
		}
		if len(l.queues) != 1+4 || len(l.messages) != 3*4 {
			t.Errorf("%d queues and %d messages, want 5 and 12", len(l.queues), len(l.messages))
		}
	}
}

// A numberStore knows which identities were used.
type numberStore struct {
	store.Store
	queues   []store.QueueID
	messages []store.MessageID
	twice    []string
}

func (n *numberStore) Message(m store.MessageID, head, data []byte) {
	if len(n.messages) > 0 && m <= n.messages[len(n.messages)-1] {
		n.twice = append(n.twice, fmt.Sprintf("message %d after %d", m, n.messages[len(n.messages)-1]))
	}
	n.messages = append(n.messages, m)
	n.Store.Message(m, head, data)
}

func (n *numberStore) Add(q store.QueueID, m store.MessageID, e store.Entry) {
	if !slices.Contains(n.queues, q) {
		if len(n.queues) > 0 && q < slices.Max(n.queues) {
			n.twice = append(n.twice, fmt.Sprintf("queue %d after %d", q, slices.Max(n.queues)))
		}
		n.queues = append(n.queues, q)
	}
	n.Store.Add(q, m, e)
}

// TestSync: Sync returns when the changes before it are durable, and not before. It does not
// wait for a store that has failed, and says so.
func TestSync(t *testing.T) {
	if err := newScript(t).broker.Sync(); err != nil {
		t.Errorf("Sync without a store = %v, want nil", err)
	}
	synctest.Test(t, func(t *testing.T) {
		s, f, _ := startFaulty(t)
		f.Hold()
		s.together("> a1 declare q durable\n")
		synced := make(chan error, 1)
		go func() { synced <- s.broker.Sync() }()
		synctest.Wait()
		select {
		case err := <-synced:
			t.Errorf("Sync = %v before its round was durable", err)
		default:
		}
		f.Release(1)
		if err := <-synced; err != nil {
			t.Errorf("Sync = %v, want nil", err)
		}
		f.FailWrite(1)
		s.together("> a1 declare lost durable\n")
		go func() { synced <- s.broker.Sync() }()
		synctest.Wait()
		f.Release(1)
		for _, what := range []string{"a Sync that waited for the round that failed", "a Sync after the failure"} {
			if err := <-synced; err == nil {
				t.Errorf("%s = nil, want an error", what)
			}
			go func() { synced <- s.broker.Sync() }()
		}
		<-synced
	})
}
