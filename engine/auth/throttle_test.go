package auth

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// tries counts how many of n logins with a wrong password were tried, and not refused
// without a look.
func tries(a *Auth, n int, peer func(i int) Peer, user func(i int) string) (tried int) {
	for i := range n {
		_, err := a.Authenticate(NewLogin(user(i), "wrong"), peer(i))
		if err != nil && !strings.Contains(err.Error(), "too many failed logins") {
			tried++
		}
	}
	return tried
}

func always[T any](v T) func(int) T { return func(int) T { return v } }

// TestGuessingIsSlow: after the first failures, logins are tried at the limits' rates.
func TestGuessingIsSlow(t *testing.T) {
	numbered := func(i int) string { return fmt.Sprint("user", i) }
	from := func(i int) Peer { return Peer{Address: fmt.Sprint("192.0.2.", i)} }
	for _, tt := range []struct {
		name        string
		peer        func(int) Peer
		user        func(int) string
		first, next int // tries at once, and in the ten seconds after them
	}{
		{"one user from one address", always(Peer{Address: "192.0.2.1"}), always("alice"), 5, 10},
		{"many users from one address", always(Peer{Address: "192.0.2.1"}), numbered, 50, 100},
		{"one user from many addresses", from, always("alice"), 50, 100},
		{"users who do not exist", always(Peer{Address: "192.0.2.1"}), always("nobody"), 5, 10},
		{"names that begin alike and are long", always(Peer{Address: "192.0.2.1"}), func(i int) string {
			return strings.Repeat("x", maxTrackedName) + fmt.Sprint(i)
		}, 5, 10},
		{"from this machine", always(Peer{Address: "127.0.0.1", Loopback: true}), always("alice"), 200, 2000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := Empty()
				if err := a.AddUser("alice", "secret"); err != nil {
					t.Fatal(err)
				}
				if got := tries(a, 200, tt.peer, tt.user); got != tt.first {
					t.Errorf("%d of 200 were tried at once, want %d", got, tt.first)
				}
				next := 0
				for range 100 {
					time.Sleep(100 * time.Millisecond)
					next += tries(a, 20, tt.peer, tt.user)
				}
				if next != tt.next {
					t.Errorf("%d more were tried in 10 s, want %d", next, tt.next)
				}
				time.Sleep(time.Minute)
				if _, err := a.Authenticate(NewLogin("alice", "secret"), tt.peer(0)); err != nil {
					t.Errorf("a minute later: %v", err)
				}
			})
		})
	}
}

// TestFailuresHarmNoOthers: a client with a wrong password keeps out no other user at its
// address, and no client of its user elsewhere. Logins that succeed are never slowed.
func TestFailuresHarmNoOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := Empty()
		if err := errors.Join(a.AddUser("alice", "secret"), a.AddUser("bob", "secret")); err != nil {
			t.Fatal(err)
		}
		here, there := Peer{Address: "192.0.2.1"}, Peer{Address: "192.0.2.2"}
		tries(a, 1000, always(here), always("alice"))
		if _, err := a.Authenticate(NewLogin("alice", "secret"), here); !errors.Is(err, ErrRefused) {
			t.Errorf("alice at her address: %v, want a refusal: the password was looked at", err)
		}
		for range 1000 {
			if _, err := a.Authenticate(NewLogin("bob", "secret"), here); err != nil {
				t.Fatalf("bob at the same address: %v", err)
			}
			if _, err := a.Authenticate(NewLogin("alice", "secret"), there); err != nil {
				t.Fatalf("alice elsewhere: %v", err)
			}
		}
	})
}

// TestThrottleIsBounded: names and addresses from strangers take bounded memory, and what
// is forgiven is forgotten first.
func TestThrottleIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var th throttle
		for i := range 5 * maxTracked {
			th.fail(fmt.Sprint(i), fmt.Sprint(i), time.Now())
			if len(th.failed) > maxTracked {
				t.Fatalf("%d counts after %d failures, want at most %d", len(th.failed), i+1, maxTracked)
			}
		}
		time.Sleep(time.Minute)
		for range pairLimit.burst {
			th.fail("192.0.2.1", "alice", time.Now())
		}
		for i := range maxTracked / 4 {
			th.fail(fmt.Sprint("new", i), fmt.Sprint("new", i), time.Now())
		}
		if th.allows("192.0.2.1", "alice", time.Now()) {
			t.Error("a fresh failure was forgotten, and old ones were there to forget")
		}
	})
}

// TestLoopbackUsers: the setting says who may log in from this machine only.
func TestLoopbackUsers(t *testing.T) {
	a := New()
	if err := a.AddUser("alice", "secret"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		names        []string
		guest, alice bool
	}{
		{[]string{"guest"}, false, true},
		{[]string{"alice"}, true, false},
		{nil, true, true},
	} {
		a.SetLoopbackUsers(tt.names...)
		_, err := a.Authenticate(NewLogin("guest", "guest"), Peer{Address: "192.0.2.1"})
		_, err2 := a.Authenticate(NewLogin("alice", "secret"), Peer{Address: "192.0.2.1"})
		if (err == nil) != tt.guest || (err2 == nil) != tt.alice {
			t.Errorf("%v: guest %v, alice %v", tt.names, err, err2)
		}
	}
}
