package broker

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"harelab/engine/auth"
	"harelab/engine/internal/invariants"
	"harelab/engine/store"
	"harelab/engine/store/memory"
	"harelab/engine/store/storetest"
	"harelab/engine/wire"
)

func newBroker(t *testing.T, o Options) *Broker {
	t.Helper()
	b, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// mustDo fails the test at the first error.
func mustDo(t *testing.T, errs ...error) {
	t.Helper()
	for i, err := range errs {
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
}

func hashOf(t *testing.T, password string) auth.Hash {
	t.Helper()
	h, err := auth.HashPassword(password)
	mustDo(t, err)
	return h
}

// usersOf prints everything that a broker knows about its users.
func usersOf(b *Broker) string {
	var out strings.Builder
	limit := func(n int, ok bool) string {
		if !ok {
			return "none"
		}
		return fmt.Sprint(n)
	}
	for _, u := range b.Auth().Users() {
		fmt.Fprintf(&out, "%s %v %s connections=%s channels=%s\n", u.Name, u.Tags, b.Auth().Hash(u.Name).Export(),
			limit(u.Limits.Connections()), limit(u.Limits.Channels()))
	}
	for _, g := range b.Auth().Grants() {
		fmt.Fprintf(&out, "%s on %s: %+v\n", g.User, g.VHost, g.Permissions)
	}
	for _, g := range b.Auth().TopicGrants() {
		fmt.Fprintf(&out, "%s on %s by %s: %+v\n", g.User, g.VHost, g.Exchange, g.TopicPermissions)
	}
	return out.String()
}

// TestUsersSurviveCrash calls verbs at random. After a crash a broker with the same store
// has the same users.
func TestUsersSurviveCrash(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	s := memory.New()
	b := newBroker(t, Options{Store: s})
	_, err := b.AddVHost("lab")
	mustDo(t, err)
	names := []string{"guest", "alice", "bob", "carol"}
	pick := func(all ...string) string { return all[r.IntN(len(all))] }
	limit := func() *int {
		if r.IntN(2) == 0 {
			return nil
		}
		n := r.IntN(5) - 1
		return &n
	}
	for step := range 400 {
		name, vhost, exchange := pick(names...), pick("/", "lab", "none"), pick("amq.topic", "x")
		var err error
		switch r.IntN(12) {
		case 0, 1, 2:
			err = b.AddUser(name, hashOf(t, "secret"), pick("administrator", "policymaker"))
		case 3:
			err = b.DeleteUser(name)
		case 4:
			err = b.SetPassword(name, "other")
		case 5:
			err = b.SetPasswordHash(name, auth.Hash{})
		case 6:
			err = b.SetTags(name, pick("monitoring", "management"), "own")
		case 7:
			err = b.SetUserLimits(name, auth.Limits{MaxConnections: limit(), MaxChannels: limit()})
		case 8:
			err = b.SetPermissions(name, vhost, auth.Permissions{Configure: pick("", "^a", "("), Read: ".*"})
		case 9:
			err = b.ClearPermissions(name, vhost)
		case 10:
			err = b.SetTopicPermissions(name, vhost, exchange, auth.TopicPermissions{Write: pick("", "^{username}"), Read: ".*"})
		case 11:
			err = b.ClearTopicPermissions(name, vhost, exchange)
		}
		if step%20 == 10 {
			b.DeleteVHost("lab")
			_, err := b.AddVHost("lab")
			mustDo(t, err)
		}
		_ = err // refused verbs change nothing, which the comparison checks
		if step%10 != 0 {
			continue
		}
		want := usersOf(b)
		s.Crash()
		b = newBroker(t, Options{Store: s})
		if got := usersOf(b); got != want {
			t.Fatalf("step %d: after a crash\n%swant\n%s", step, got, want)
		}
	}
}

// TestFirstUsers: a fresh store gets the user guest, or those of the options. A store that
// has users keeps them, even if there are none left.
func TestFirstUsers(t *testing.T) {
	s := memory.New()
	b := newBroker(t, Options{Store: s})
	if got := b.Auth().Users(); len(got) != 1 || got[0].Name != "guest" {
		t.Fatalf("users of a fresh store: %v, want guest", got)
	}
	mustDo(t, b.DeleteUser("guest"))
	s.Crash()
	if b = newBroker(t, Options{Store: s}); usersOf(b) != "" {
		t.Errorf("users after the only one was deleted:\n%s", usersOf(b))
	}

	s = memory.New()
	own := auth.Empty()
	mustDo(t, own.AddUser("own", "secret"))
	b = newBroker(t, Options{Store: s, Auth: own})
	mustDo(t, b.SetPassword("own", "new"))
	want := usersOf(b)
	s.Crash()
	if b = newBroker(t, Options{Store: s}); usersOf(b) != want {
		t.Errorf("users after a crash:\n%swant\n%s", usersOf(b), want)
	}
}

// TestBadUserRecords refuses a store whose users cannot be read: a broker without some of
// its restrictions would be worse than none.
func TestBadUserRecords(t *testing.T) {
	for _, record := range []struct {
		kind  store.Kind
		value string
	}{
		{kindUser, "not JSON"},
		{kindUser, `{"Name":"u","Hash":"AAAA"}`},
		{kindGrant, `{"User":"nobody","VHost":"/"}`},
		{kindTopic, `{"User":"guest","VHost":"/","Exchange":"x","Write":"("}`},
	} {
		s := memory.New()
		mustDo(t, newBroker(t, Options{Store: s}).Close())
		broken := memoryWith{s, record.kind, record.value}
		if _, err := New(Options{Store: broken}); err == nil {
			t.Errorf("New with record %q: no error", record.value)
		}
	}
}

// memoryWith is a store with one more record.
type memoryWith struct {
	store.Store
	kind  store.Kind
	value string
}

func (m memoryWith) Records(kind store.Kind, yield func(string, []byte) error) error {
	if err := m.Store.Records(kind, yield); err != nil || kind != m.kind {
		return err
	}
	return yield("bad", []byte(m.value))
}

// TestUsersOfFailedStore: after the store has failed no verb changes anything.
func TestUsersOfFailedStore(t *testing.T) {
	f := storetest.NewFaulty(memory.New())
	b := newBroker(t, Options{Store: f})
	before := usersOf(b)
	f.FailRound(1)
	if _, err := b.AddVHost("lab"); err == nil {
		t.Fatal("the store works")
	}
	for _, err := range []error{b.AddUser("u", auth.Hash{}), b.DeleteUser("guest"), b.SetTags("guest"), b.ClearPermissions("guest", "/")} {
		if err == nil || !strings.HasPrefix(refusal(t, err), "INTERNAL_ERROR store: ") {
			t.Errorf("got %v, want 541", err)
		}
	}
	if got := usersOf(b); got != before {
		t.Errorf("users\n%swant\n%s", got, before)
	}
}

// TestUserVerbsRefuse: what is wrong with a call is an error that callers can tell.
func TestUserVerbsRefuse(t *testing.T) {
	b := newBroker(t, Options{})
	for what, err := range map[string]error{
		"delete":      b.DeleteUser("nobody"),
		"password":    b.SetPassword("nobody", "x"),
		"tags":        b.SetTags("nobody"),
		"limits":      b.SetUserLimits("nobody", auth.Limits{}),
		"permissions": b.SetPermissions("nobody", "/", auth.All),
		"topics":      b.SetTopicPermissions("nobody", "/", "x", auth.TopicPermissions{}),
	} {
		if !errors.Is(err, auth.ErrNoUser) {
			t.Errorf("%s: %v, want auth.ErrNoUser", what, err)
		}
	}
	if got := refusal(t, b.SetPermissions("guest", "none", auth.All)); got != "NOT_FOUND no vhost 'none'" {
		t.Errorf("SetPermissions on a missing virtual host: %s", got)
	}
	for _, name := range []string{"", "guest", "a\x00b", "\xff"} {
		if err := b.AddUser(name, auth.Hash{}); err == nil {
			t.Errorf("AddUser(%q): no error", name)
		}
	}
}

// TestDeletedUserIsDisconnected: deleting a user ends its connections and no others, and
// what is left of them may do nothing.
func TestDeletedUserIsDisconnected(t *testing.T) {
	b := newBroker(t, Options{})
	mustDo(t, b.AddUser("u", hashOf(t, "secret")), b.SetPermissions("u", "/", auth.All))
	ended := make(map[string]string)
	open := func(user string) *Conn {
		c, err := b.Open("/", ConnOptions{User: user, Ended: func(reason error) { ended[user] = refusal(t, reason) }})
		mustDo(t, err)
		return c
	}
	gone := open("u")
	open("guest")
	ch := gone.Channel(1, nil)
	if _, err := ch.DeclareQueue(QueueSpec{Name: "q"}); err != nil {
		t.Fatal(err)
	}
	mustDo(t, b.DeleteUser("u"))
	if got, want := fmt.Sprint(ended), "map[u:CONNECTION_FORCED user 'u' was deleted]"; got != want {
		t.Errorf("ended: %s, want %s", got, want)
	}
	if _, err := ch.DeclareQueue(QueueSpec{Name: "q"}); refusal(t, err) != "ACCESS_REFUSED access to queue 'q' in vhost '/' refused for user 'u'" {
		t.Errorf("a declaration by a deleted user: %v", err)
	}
}

// TestUserLimits: a user has at most as many connections and channels as its limits say,
// over all virtual hosts, and gets what others have closed.
func TestUserLimits(t *testing.T) {
	b := newBroker(t, Options{})
	_, err := b.AddVHost("lab")
	mustDo(t, err, b.AddUser("u", auth.Hash{}), b.SetPermissions("u", "/", auth.All), b.SetPermissions("u", "lab", auth.All))
	two, none, unlimited := 2, 0, -1
	mustDo(t, b.SetUserLimits("u", auth.Limits{MaxConnections: &two, MaxChannels: &two}))
	open := func(vhost, want string) *Conn {
		t.Helper()
		c, err := b.Open(vhost, ConnOptions{User: "u"})
		if got := refusal(t, err); got != want {
			t.Errorf("Open: %q, want %q", got, want)
		}
		return c
	}
	channel := func(c *Conn, id uint16, want string) *Channel {
		t.Helper()
		ch, err := c.OpenChannel(id, nil)
		if got := refusal(t, err); got != want {
			t.Errorf("OpenChannel: %q, want %q", got, want)
		}
		return ch
	}
	first, second := open("/", ""), open("lab", "")
	const full = "NOT_ALLOWED connection refused for user 'u': user connection limit (2) is reached"
	open("/", full)
	open("none", "NOT_ALLOWED vhost none not found")
	channel(first, 1, "")
	ch := channel(second, 1, "")
	const crowded = "NOT_ALLOWED number of channels opened for user 'u' has reached the maximum allowed user limit of (2)"
	channel(first, 2, crowded)
	ch.Close()
	ch.Close()
	channel(first, 2, "")
	channel(second, 3, crowded)
	first.Close()
	first.Close()
	channel(second, 1, "")
	third := open("/", "")
	open("/", full)
	mustDo(t, b.SetUserLimits("u", auth.Limits{MaxConnections: &unlimited, MaxChannels: &none}))
	fourth := open("/", "")
	channel(fourth, 1, "NOT_ALLOWED number of channels opened for user 'u' has reached the maximum allowed user limit of (0)")
	mustDo(t, b.SetUserLimits("u", auth.Limits{}))
	channel(fourth, 1, "")
	for _, c := range []*Conn{second, third, fourth} {
		c.Close()
	}
	mustDo(t, b.SetUserLimits("u", auth.Limits{MaxConnections: &none}))
	open("/", "NOT_ALLOWED connection refused for user 'u': user connection limit (0) is reached")
	if n := len(b.usage.byUser); n != 0 {
		t.Errorf("%d users are counted after all connections were closed", n)
	}
}

// TestTopicPermissions checks routing keys of publishes and bindings, with RabbitMQ's texts.
func TestTopicPermissions(t *testing.T) {
	b := newBroker(t, Options{})
	root := sessionOf(t, b, "")
	mustDo(t, b.AddUser("u.1", auth.Hash{}), b.SetPermissions("u.1", "/", auth.All),
		b.SetTopicPermissions("u.1", "/", "amq.topic", auth.TopicPermissions{Write: `^{username}\.`, Read: "^open|^$"}),
		b.SetTopicPermissions("u.1", "/", "amq.direct", auth.TopicPermissions{}))
	_, err := root.DeclareQueue(QueueSpec{Name: "q"})
	mustDo(t, err, root.DeclareExchange(ExchangeSpec{Name: "x", Type: "topic"}))
	c, err := b.Open("/", ConnOptions{User: "u.1"})
	mustDo(t, err)
	ch := c.Channel(1, nil)
	refused := func(key string) string {
		return "ACCESS_REFUSED access to topic '" + key + "' in exchange 'amq.topic' in vhost '/' refused for user 'u.1'"
	}
	publish := func(exchange, key string, headers ...wire.Field) func() error {
		return func() error {
			p := &Publishing{Exchange: []byte(exchange), RoutingKey: []byte(key)}
			if headers != nil {
				p.Properties = wire.ViewProperties(wire.AppendProperties(nil, &wire.Properties{Headers: headers}))
			}
			_, err := ch.Publish(p)
			return err
		}
	}
	bind := func(exchange, key string) func() error {
		return func() error { return c.Bind(BindingSpec{Source: exchange, Destination: "q", RoutingKey: key}) }
	}
	unbind := func(key string) func() error {
		return func() error { return c.Unbind(BindingSpec{Source: "amq.topic", Destination: "q", RoutingKey: key}) }
	}
	set := func(p auth.TopicPermissions) func() error {
		return func() error { return b.SetTopicPermissions("u.1", "/", "amq.topic", p) }
	}
	for _, tt := range []struct {
		name, want string
		call       func() error
	}{
		{"publish with an allowed key", "", publish("amq.topic", "u.1.a")},
		{"with another", refused("u-1.a"), publish("amq.topic", "u-1.a")},
		{"a user's name is no expression", refused("ux1.a"), publish("amq.topic", "ux1.a")},
		{"with a copy by another", refused("other"), publish("amq.topic", "u.1.a", wire.Field{Key: "CC", Value: []any{"u.1.b", "other"}})},
		{"with a hidden copy by another", refused("other"), publish("amq.topic", "u.1.a", wire.Field{Key: "BCC", Value: []any{"other"}})},
		{"with allowed copies", "", publish("amq.topic", "u.1.a", wire.Field{Key: "CC", Value: []any{"u.1.b"}})},
		{"an exchange without topic permissions", "", publish("x", "other")},
		{"an exchange that is not a topic exchange", "", publish("amq.direct", "other")},
		{"bind by an allowed key", "", bind("amq.topic", "open.#")},
		{"by the empty key", "", bind("amq.topic", "")},
		{"by another", refused("#"), bind("amq.topic", "#")},
		{"to another exchange", "", bind("x", "#")},
		{"unbind by an allowed key", "", unbind("open.#")},
		{"by another", refused("#"), unbind("#")},
		{"permissions change", "", set(auth.TopicPermissions{Read: ".*"})},
		{"the empty expression is the empty key", refused("u.1.a"), publish("amq.topic", "u.1.a")},
		{"and only that", "", publish("amq.topic", "")},
		{"permissions are cleared", "", func() error { return b.ClearTopicPermissions("u.1", "/", "amq.topic") }},
		{"every key is allowed again", "", publish("amq.topic", "other")},
	} {
		if got := refusal(t, tt.call()); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestTopicPermissionDoesNotAllocate publishes under topic permissions in steady state.
func TestTopicPermissionDoesNotAllocate(t *testing.T) {
	if invariants.Enabled {
		t.Skip("checks of invariants allocate")
	}
	b := newBroker(t, Options{})
	mustDo(t, b.SetTopicPermissions("guest", "/", "amq.topic", auth.TopicPermissions{Write: `^orders\.[a-z]+\.new$`}))
	c, err := b.Open("/", ConnOptions{User: "guest"})
	mustDo(t, err)
	ch := c.Channel(1, nil)
	p := &Publishing{Exchange: []byte("amq.topic"), RoutingKey: []byte("orders.eu.new")}
	publish := func() {
		if _, err := ch.Publish(p); err != nil {
			t.Fatal(err)
		}
	}
	publish()
	if n := testing.AllocsPerRun(1000, publish); n != 0 {
		t.Errorf("%v allocations per publish, want 0", n)
	}
}
