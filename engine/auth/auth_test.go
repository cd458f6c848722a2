package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
)

func TestGuest(t *testing.T) {
	a := New()
	for _, test := range []struct {
		name  string
		login Login
		peer  Peer
		ok    bool
	}{
		{"from this machine", NewLogin("guest", "guest"), Peer{Loopback: true}, true},
		{"from elsewhere", NewLogin("guest", "guest"), Peer{}, false},
		{"wrong password", NewLogin("guest", "guess"), Peer{Loopback: true}, false},
		{"empty password", NewLogin("guest", ""), Peer{Loopback: true}, false},
		{"unknown user", NewLogin("gast", "guest"), Peer{Loopback: true}, false},
		{"the placeholder for unknown users", NewLogin("", "\x00"), Peer{Loopback: true}, false},
		{"certificate", Login{Mechanism: External}, Peer{Loopback: true, Certificate: "guest"}, true},
		{"no certificate", Login{Mechanism: External, User: "guest"}, Peer{Loopback: true}, false},
		{"certificate of nobody", Login{Mechanism: External}, Peer{Certificate: "gast"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			user, err := a.Authenticate(test.login, test.peer)
			if (err == nil) != test.ok || test.ok && user != "guest" {
				t.Errorf("Authenticate(%v, %+v) = %q, %v, want success: %t", test.login, test.peer, user, err, test.ok)
			}
			if err != nil && !errors.Is(err, ErrRefused) {
				t.Errorf("error %v tells why", err)
			}
		})
	}
	if !a.MayOpen("guest", "/") || a.MayOpen("guest", "other") || a.MayOpen("gast", "/") {
		t.Error("guest may open / and nothing else")
	}
	if !a.HasTag("guest", TagAdministrator) || a.HasTag("guest", TagImpersonator) {
		t.Error("guest is an administrator and nothing else")
	}
}

func TestUsers(t *testing.T) {
	a := Empty()
	for _, name := range []string{"carol", "alice", "bob"} {
		if err := a.AddUser(name, "secret", TagMonitoring); err != nil {
			t.Fatal(err)
		}
	}
	for what, err := range map[string]error{
		"a name that is taken":      a.AddUser("bob", "x"),
		"no name":                   a.AddUser("", "x"),
		"no password":               a.AddUser("dave", ""),
		"no password for a user":    a.SetPassword("bob", ""),
		"the password of nobody":    a.SetPassword("dave", "x"),
		"the tags of nobody":        a.SetTags("dave"),
		"the permissions of nobody": a.SetPermissions("dave", "/", All),
		"a broken expression":       a.SetPermissions("bob", "/", Permissions{Read: "("}),
		"a look-ahead":              a.SetPermissions("bob", "/", Permissions{Read: "(?!x)"}),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	if err := errors.Join(a.SetPassword("bob", "new"), a.SetTags("bob", TagManagement)); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Authenticate(NewLogin("bob", "new"), Peer{}); err != nil {
		t.Errorf("the new password: %v", err)
	}
	if _, err := a.Authenticate(NewLogin("bob", "secret"), Peer{}); err == nil {
		t.Error("the old password is still good")
	}
	if !a.DeleteUser("carol") || a.DeleteUser("carol") {
		t.Error("DeleteUser twice, want true and false")
	}
	got := ""
	for _, u := range a.Users() {
		got += fmt.Sprint(u.Name, u.Tags, " ")
	}
	if got != "alice[monitoring] bob[management] " {
		t.Errorf("Users() = %s", got)
	}
}

func TestPermissions(t *testing.T) {
	a := Empty()
	if err := errors.Join(a.AddUser("u", "p"),
		a.SetPermissions("u", "/", Permissions{Configure: "^mine-", Write: "orders|amq.default", Read: ""})); err != nil {
		t.Fatal(err)
	}
	s := a.NewSession("u", "/")
	for _, test := range []struct {
		op       Op
		resource string
		want     bool
	}{
		{Configure, "mine-1", true},
		{Configure, "not-mine-1", false},
		{Write, "eu.orders.new", true}, // not anchored
		{Write, "", true},              // the default exchange
		{Write, "amq.direct", false},
		{Read, "", false}, // the empty expression
		{Read, "orders", false},
	} {
		for range 2 { // asked, and remembered
			if got := s.May(test.op, []byte(test.resource)); got != test.want {
				t.Errorf("May(%d, %q) = %t, want %t", test.op, test.resource, got, test.want)
			}
		}
	}
	if a.NewSession("u", "other").May(Write, []byte("orders")) || a.NewSession("v", "/").May(Write, []byte("orders")) {
		t.Error("permissions reach to another virtual host or user")
	}
	want := []Grant{{"u", "/", Permissions{"^mine-", "orders|amq.default", ""}}}
	if got := a.Grants(); !slices.Equal(got, want) {
		t.Errorf("Grants() = %v, want %v", got, want)
	}
	if err := a.SetPermissions("u", "/", All); err != nil {
		t.Fatal(err)
	}
	if !s.May(Read, []byte("orders")) {
		t.Error("the session remembers what has changed")
	}
	if err := a.ClearPermissions("u", "/"); err != nil || s.May(Read, []byte("orders")) || a.MayOpen("u", "/") {
		t.Error("cleared permissions still count")
	}
}

func TestTopicRules(t *testing.T) {
	a := Empty()
	if err := errors.Join(a.AddUser("a.b", "p"),
		a.SetTopicPermissions("a.b", "(v)", "x", TopicPermissions{Write: `^{username}-{vhost}-{client_id}$`, Read: ""})); err != nil {
		t.Fatal(err)
	}
	s := a.NewSession("a.b", "(v)")
	for _, test := range []struct {
		exchange string
		op       Op
		key      string
		want     bool
	}{
		{"x", Write, "a.b-(v)-{client_id}", true},
		{"x", Write, "acb-(v)-{client_id}", false}, // names are no expressions
		{"x", Write, "", false},
		{"x", Read, "", true}, // the empty expression
		{"x", Read, "a", false},
		{"x", Configure, "a.b-(v)-{client_id}", false},
		{"y", Write, "a", true},
	} {
		if got := s.Topics(test.exchange).May(test.op, []byte(test.key)); got != test.want {
			t.Errorf("exchange %s, op %d, key %q: %t, want %t", test.exchange, test.op, test.key, got, test.want)
		}
	}
	if a.NewSession("a.b", "other").Topics("x") != nil || a.NewSession("nobody", "(v)").Topics("x") != nil {
		t.Error("topic permissions reach to another virtual host or user")
	}
	if err := a.SetTopicPermissions("a.b", "(v)", "x", TopicPermissions{Write: "("}); err == nil {
		t.Error("a broken expression: no error")
	}
	before := s.Generation()
	if err := a.ClearTopicPermissions("a.b", "(v)", "x"); err != nil || s.Topics("x") != nil || s.Generation() == before {
		t.Errorf("ClearTopicPermissions: %v, and sessions remember", err)
	}
}

func TestSessionIsBounded(t *testing.T) {
	s := New().NewSession("guest", "/")
	for i := range 10 * maxCached {
		s.May(Write, fmt.Append(nil, i))
	}
	if len(s.answers) > maxCached {
		t.Errorf("%d answers remembered, want at most %d", len(s.answers), maxCached)
	}
	name := []byte("orders")
	if n := testing.AllocsPerRun(100, func() { s.May(Write, name) }); n != 0 {
		t.Errorf("May allocates %v times, want 0", n)
	}
}

// TestHashes verifies hashes that other programs made, of the password "test12".
func TestHashes(t *testing.T) {
	for _, test := range []struct{ algorithm, hash string }{
		{"rabbit_password_hashing_sha256", "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"}, // from RabbitMQ's documentation
		{"rabbit_password_hashing_sha512", "kI3GChuNuIYf8lRbCCxZjgjKwsY19ns6+uFO0zcXRBGA/XGJPYD8OWMy7EB8TaOmAzjP2azv84GbINYwX2cDWb4DHnc="},
		{"rabbit_password_hashing_md5", "kI3GChNpte2FApYFXScl+0dIluk="},
		{"bcrypt", `$2a$04$T5DQegyyNfVhXfMf3fxlSenO8zIfa05dSurIjO.YAc9y7495l4/a6`},
	} {
		t.Run(test.algorithm, func(t *testing.T) {
			h, err := ParseHash(test.hash)
			if err != nil {
				t.Fatal(err)
			}
			if got := h.Algorithm(); got != test.algorithm {
				t.Errorf("Algorithm() = %s", got)
			}
			for _, name := range append(algorithmNames(), "", "rabbit_password_hashing_md4") {
				_, err := ParseNamedHash(name, test.hash)
				if want := name == "" || name == test.algorithm; want != (err == nil) {
					t.Errorf("ParseNamedHash(%s): %v, want success: %t", name, err, want)
				}
			}
			if !h.Verify([]byte("test12")) || h.Verify([]byte("test13")) || h.Verify(nil) {
				t.Error("want test12 to fit, and nothing else")
			}
			if h.Export() != test.hash {
				t.Errorf("Export() = %s, want %s", h.Export(), test.hash)
			}
		})
	}
	for _, bad := range []string{"short", "AAAA", "$9$nothing", "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2PO=" + "="} {
		if _, err := ParseHash(bad); err == nil {
			t.Errorf("ParseHash(%q): no error", bad)
		}
	}
	if h, err := ParseHash(""); err != nil || h.Verify(nil) || h.Verify([]byte("x")) {
		t.Error("the empty hash fits a password")
	}
	x, _ := HashPassword("same")
	y, _ := HashPassword("same")
	if x.Export() == y.Export() {
		t.Error("two hashes of one password are equal: no salt")
	}
}

// TestSecretsDoNotPrint prints what holds secrets in all ways there are.
func TestSecretsDoNotPrint(t *testing.T) {
	h, err := HashPassword("hunter2")
	if err != nil {
		t.Fatal(err)
	}
	l := NewLogin("u", "hunter2")
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb, h)
		fmt.Fprintf(&out, verb, l)
		fmt.Fprintf(&out, verb, &l)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("login", "login", l, "hash", h)
	hex := fmt.Sprintf("%x", "hunter2")
	for _, secret := range []string{"hunter2", h.Export(), hex, fmt.Sprint([]byte("hunter2")), fmt.Sprintf("%x", h.octets), fmt.Sprint(h.octets)} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q is in %s", secret, out.String())
		}
	}
}

func TestParseLogin(t *testing.T) {
	for _, test := range []struct {
		mechanism, response string
		user, password      string
		ok                  bool
	}{
		{Plain, "\x00guest\x00secret", "guest", "secret", true},
		{Plain, "other\x00guest\x00secret", "guest", "secret", true},
		{Plain, "\x00guest\x00", "guest", "", true},
		{Plain, "guest\x00secret", "", "", false},
		{Plain, "\x00guest\x00secret\x00", "", "", false},
		{Plain, "", "", "", false},
		{AMQPlain, "\x05LOGINS\x00\x00\x00\x05guest\x08PASSWORDS\x00\x00\x00\x06secret", "guest", "secret", true},
		{AMQPlain, "\x08PASSWORDS\x00\x00\x00\x00\x05LOGINS\x00\x00\x00\x05guest", "guest", "", true},
		{AMQPlain, "\x05LOGINS\x00\x00\x00\x05guest", "", "", false},
		{AMQPlain, "\x05LOGINS\xff\xff\xff\xffguest", "", "", false},
		{AMQPlain, "\x05LOGINI\x00\x00\x00\x05", "", "", false},
		{AMQPlain, "\xff", "", "", false},
		{External, "", "", "", true},
		{"CRAM-MD5", "", "", "", false},
	} {
		l, err := ParseLogin(test.mechanism, []byte(test.response))
		if (err == nil) != test.ok || l.User != test.user || string(l.password) != test.password {
			t.Errorf("ParseLogin(%s, %q) = %q, %q, %v, want %q, %q, success: %t",
				test.mechanism, test.response, l.User, l.password, err, test.user, test.password, test.ok)
		}
	}
}

func FuzzParseLogin(f *testing.F) {
	f.Add(Plain, []byte("\x00guest\x00secret"))
	f.Add(AMQPlain, []byte("\x05LOGINS\x00\x00\x00\x05guest\x08PASSWORDS\x00\x00\x00\x06secret"))
	f.Add(AMQPlain, []byte("\x05LOGINS\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, mechanism string, response []byte) {
		l, err := ParseLogin(mechanism, response)
		if err == nil && len(l.User)+len(l.password) > len(response) {
			t.Errorf("%d octets of user and password from %d", len(l.User)+len(l.password), len(response))
		}
	})
}
