package broker

import (
	"errors"
	"testing"

	"harelab/engine/auth"
	"harelab/engine/store/memory"
	"harelab/engine/wire"
)

// sessionOf returns a session on "/".
func sessionOf(t *testing.T, b *Broker, user string) *Session {
	t.Helper()
	s, err := b.Session("/", user)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// refusal formats an error as "code text", empty for none.
func refusal(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v of type %T, want *Error", err, err)
	}
	return e.Code.Name() + " " + e.Text
}

// TestSessionAdministers: a session can declare exchanges, queues and bindings without a
// connection, a channel or a Sink; durable ones outlive the broker.
func TestSessionAdministers(t *testing.T) {
	stored := memory.New()
	b, err := New(Options{Store: stored})
	if err != nil {
		t.Fatal(err)
	}
	s := sessionOf(t, b, "guest")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.DeclareExchange(ExchangeSpec{Name: "x", Type: "topic", Durable: true, Arguments: wire.Table{{Key: "x-matcher", Value: "trie"}}}))
	must(s.DeclareExchange(ExchangeSpec{Name: "y", Type: "fanout", Durable: true}))
	must(s.DeclareExchange(ExchangeSpec{Name: "x", Passive: true}))
	q, err := s.DeclareQueue(QueueSpec{Name: "q", Durable: true, Arguments: wire.Table{{Key: "x-max-length", Value: int32(5)}}})
	must(err)
	made, err := s.DeclareQueue(QueueSpec{})
	must(err)
	if q != (QueueStatus{Name: "q"}) || made.Name == "" {
		t.Errorf("declared %+v and %+v", q, made)
	}
	must(s.Bind(BindingSpec{Source: "x", Destination: "q", RoutingKey: "a.#"}))
	must(s.Bind(BindingSpec{Source: "x", Destination: "y", ToExchange: true, RoutingKey: "#"}))
	must(s.Bind(BindingSpec{Source: "y", Destination: "q"}))
	must(s.Unbind(BindingSpec{Source: "y", Destination: "q"}))

	ch := s.VHost().Connect(ConnOptions{}).Channel(1, nil)
	for range 3 {
		_, err := ch.Publish(&Publishing{Exchange: []byte("x"), RoutingKey: []byte("a.b"), Body: []byte("body")})
		must(err)
	}
	if q, err := s.DeclareQueue(QueueSpec{Name: "q", Passive: true}); err != nil || q.Messages != 3 {
		t.Errorf("passive: %+v, %v, want 3 messages", q, err)
	}
	if n, err := s.PurgeQueue("q"); err != nil || n != 3 {
		t.Errorf("PurgeQueue = %d, %v, want 3", n, err)
	}
	must(s.DeleteExchange("y", true))
	must(b.Close())

	if b, err = New(Options{Store: stored}); err != nil {
		t.Fatal(err)
	}
	s = sessionOf(t, b, "guest")
	if _, err := s.DeclareQueue(QueueSpec{Name: made.Name, Passive: true}); refusal(t, err) != "NOT_FOUND no queue '"+made.Name+"' in vhost '/'" {
		t.Errorf("the transient queue after a restart: %v", err)
	}
	infos := s.VHost().Bindings()
	if len(infos) != 2 || infos[1].Source != "x" || infos[1].Destination != "q" || infos[1].RoutingKey != "a.#" {
		t.Errorf("bindings after a restart: %+v", infos)
	}
	if xs := s.VHost().Exchanges(); xs[len(xs)-1].Name != "x" || xs[len(xs)-1].Matcher != "trie" {
		t.Errorf("exchanges after a restart: %+v", xs)
	}
	must(s.DeleteExchange("x", false))
	if n, err := s.DeleteQueue("q", DeleteIf{Unused: true, Empty: true}); err != nil || n != 0 {
		t.Errorf("DeleteQueue = %d, %v", n, err)
	}
}

// TestSessionAsksForPermissions: each verb checks its user's permissions and refuses with
// RabbitMQ's code and text.
func TestSessionAsksForPermissions(t *testing.T) {
	users := auth.New()
	for name, p := range map[string]auth.Permissions{
		"configures": {Configure: "^own", Read: "^$", Write: "^$"},
		"reads":      {Read: ".*", Write: "^own"},
	} {
		if err := users.AddUser(name, "secret"); err != nil {
			t.Fatal(err)
		}
		if err := users.SetPermissions(name, "/", p); err != nil {
			t.Fatal(err)
		}
	}
	b, err := New(Options{Auth: users})
	if err != nil {
		t.Fatal(err)
	}
	root := sessionOf(t, b, "")
	v := root.VHost()
	if _, err := root.DeclareQueue(QueueSpec{Name: "q"}); err != nil {
		t.Fatal(err)
	}
	owner := v.Connect(ConnOptions{})
	if _, err := owner.DeclareQueue(QueueSpec{Name: "exclusive", Exclusive: true}); err != nil {
		t.Fatal(err)
	}
	locked := "RESOURCE_LOCKED cannot obtain exclusive access to locked queue 'exclusive' in vhost '/'. It could be originally declared on another connection or the exclusive property value does not match that of the original declaration."
	refused := func(what, user string) string {
		return "ACCESS_REFUSED access to " + what + " in vhost '/' refused for user '" + user + "'"
	}
	for _, tt := range []struct {
		name, user, want string
		call             func(*Session) error
	}{
		{"declare a queue", "configures", refused("queue 'q'", "configures"), func(s *Session) error { _, err := s.DeclareQueue(QueueSpec{Name: "q"}); return err }},
		{"declare one's own", "configures", "", func(s *Session) error { _, err := s.DeclareQueue(QueueSpec{Name: "own"}); return err }},
		{"with a dead letter exchange", "configures", refused("queue 'own2'", "configures"), func(s *Session) error {
			_, err := s.DeclareQueue(QueueSpec{Name: "own2", Arguments: wire.Table{{Key: "x-dead-letter-exchange", Value: "amq.topic"}}})
			return err
		}},
		{"delete a queue", "configures", refused("queue 'q'", "configures"), func(s *Session) error { _, err := s.DeleteQueue("q", DeleteIf{}); return err }},
		{"purge a queue", "configures", refused("queue 'q'", "configures"), func(s *Session) error { _, err := s.PurgeQueue("q"); return err }},
		{"purge it with leave to read", "reads", "", func(s *Session) error { _, err := s.PurgeQueue("q"); return err }},
		{"declare an exchange", "reads", refused("exchange 'x'", "reads"), func(s *Session) error { return s.DeclareExchange(ExchangeSpec{Name: "x", Type: "direct"}) }},
		{"delete an exchange", "reads", refused("exchange 'x'", "reads"), func(s *Session) error { return s.DeleteExchange("x", false) }},
		{"bind", "reads", refused("queue 'q'", "reads"), func(s *Session) error { return s.Bind(BindingSpec{Source: "amq.topic", Destination: "q"}) }},
		{"unbind", "reads", refused("queue 'q'", "reads"), func(s *Session) error { return s.Unbind(BindingSpec{Source: "amq.topic", Destination: "q"}) }},
		{"bind one's own", "reads", "", func(s *Session) error { return s.Bind(BindingSpec{Source: "amq.topic", Destination: "own"}) }},
		{"delete another connection's queue", "", locked, func(s *Session) error { _, err := s.DeleteQueue("exclusive", DeleteIf{}); return err }},
		{"declare an exclusive queue", "", "PRECONDITION_FAILED exclusive queue 'mine' in vhost '/' would belong to no connection", func(s *Session) error {
			_, err := s.DeclareQueue(QueueSpec{Name: "mine", Exclusive: true})
			return err
		}},
		{"the program itself may do all", "", "", func(s *Session) error { _, err := s.DeleteQueue("q", DeleteIf{}); return err }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := refusal(t, tt.call(sessionOf(t, b, tt.user))); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
	if _, err := b.Session("/", "nobody"); refusal(t, err) != "NOT_ALLOWED access to vhost '/' refused for user 'nobody'" {
		t.Errorf("Session of an unknown user: %v", err)
	}
	if _, err := b.Session("none", ""); refusal(t, err) != "NOT_ALLOWED vhost none not found" {
		t.Errorf("Session on an unknown virtual host: %v", err)
	}
}

// A wokenSink touches its writer when the broker sends something, as a server's does.
type wokenSink struct {
	cancelled string
	woken     int
}

func (s *wokenSink) Deliver(*Delivery, *Batch) bool         { return true }
func (s *wokenSink) Confirmed(uint64, uint64, bool, *Batch) {}
func (s *wokenSink) Cancelled(tag string, b *Batch) {
	s.cancelled = tag
	b.Touch(s)
}
func (s *wokenSink) Wake() { s.woken++ }

// TestSessionWakesWriters: the writer of a cancelled consumer is woken, although no
// connection flushes a batch.
func TestSessionWakesWriters(t *testing.T) {
	b, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := sessionOf(t, b, "")
	if _, err := s.DeclareQueue(QueueSpec{Name: "q"}); err != nil {
		t.Fatal(err)
	}
	sink := new(wokenSink)
	if _, err := s.VHost().Connect(ConnOptions{}).Channel(1, sink).Consume(ConsumerSpec{Queue: "q", Tag: "t"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.DeleteQueue("q", DeleteIf{Unused: true}); refusal(t, err) != "PRECONDITION_FAILED queue 'q' in vhost '/' in use" {
		t.Errorf("DeleteQueue if it is unused: %v", err)
	}
	if _, err := s.DeleteQueue("q", DeleteIf{}); err != nil || sink.cancelled != "t" || sink.woken != 1 {
		t.Errorf("DeleteQueue: %v, consumer %q cancelled, its writer woken %d times, want t and once", err, sink.cancelled, sink.woken)
	}
}

// TestChannelWithoutSink publishes, gets and settles.
func TestChannelWithoutSink(t *testing.T) {
	b, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	v, _ := b.VHost("/")
	ch := v.Connect(ConnOptions{}).Channel(1, nil)
	if _, err := ch.DeclareQueue(QueueSpec{Name: "q"}); err != nil {
		t.Fatal(err)
	}
	if r, err := ch.Publish(&Publishing{RoutingKey: []byte("q"), Body: []byte("body")}); err != nil || !r.Routed {
		t.Errorf("Publish = %+v, %v", r, err)
	}
	r, ok, err := ch.Get("", false)
	if err != nil || !ok || string(r.Msg.Body()) != "body" {
		t.Fatalf("Get = %+v, %t, %v", r, ok, err)
	}
	r.Msg.Release()
	if err := ch.Nack(r.DeliveryTag, false, true); err != nil {
		t.Error(err)
	}
	if q, _ := v.Queue("q"); q.Ready != 1 {
		t.Errorf("%d messages ready, want the one that went back", q.Ready)
	}
}
