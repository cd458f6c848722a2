package broker

import (
	"fmt"
	"testing"

	"harelab/engine/store/memory"
	"harelab/engine/wire"
)

func limit(n int) *int { return &n }

// wantRefusal compares an error with a reply code and RabbitMQ's text.
func wantRefusal(t *testing.T, err error, code wire.ReplyCode, text string) {
	t.Helper()
	want := &Error{Code: code, Text: text}
	if got, ok := err.(*Error); !ok || *got != *want {
		t.Errorf("error %v, want %v", err, want)
	}
}

// TestVHostLimits: a virtual host has at most so many connections and queues; what is there
// when a limit is set stays. Limits survive a restart, and end with the virtual host.
func TestVHostLimits(t *testing.T) {
	s := memory.New()
	b, err := New(Options{Seed: 1, Store: s})
	if err != nil {
		t.Fatal(err)
	}
	v, _ := b.VHost("/")
	admin, err := b.Session("/", "")
	if err != nil {
		t.Fatal(err)
	}
	declare := func(name string) error {
		_, err := admin.DeclareQueue(QueueSpec{Name: name, Durable: true})
		return err
	}
	mustDo(t, declare("a"), declare("b"))
	mustDo(t, v.SetLimits(VHostLimits{MaxQueues: limit(2), MaxConnections: limit(1)}))
	wantRefusal(t, declare("c"), wire.PreconditionFailed, "cannot declare queue 'c': queue limit in vhost '/' (2) is reached")
	mustDo(t, declare("a"))
	if _, err := admin.DeleteQueue("b", DeleteIf{}); err != nil {
		t.Fatal(err)
	}
	mustDo(t, declare("c"))

	c, err := b.Open("/", ConnOptions{User: "guest"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Open("/", ConnOptions{User: "guest"})
	wantRefusal(t, err, wire.NotAllowed, "access to vhost '/' refused for user 'guest': connection limit (1) is reached")
	c.Close()
	for range 3 { // one that may not enter takes no room
		if _, err := b.Open("/", ConnOptions{User: "nobody"}); err == nil {
			t.Fatal("an unknown user may enter")
		}
	}
	if c, err = b.Open("/", ConnOptions{User: "guest"}); err != nil {
		t.Fatal(err)
	}
	c.Close()
	mustDo(t, b.Close())

	if b, err = New(Options{Seed: 1, Store: s}); err != nil {
		t.Fatal(err)
	}
	v, _ = b.VHost("/")
	if got := fmt.Sprint(v.Limits().Table()); got != "[{max-connections 1} {max-queues 2}]" {
		t.Errorf("limits %s after a restart", got)
	}
	mustDo(t, v.SetLimits(VHostLimits{MaxQueues: limit(-1), MaxConnections: limit(0)}))
	if _, err = b.Open("/", ConnOptions{User: "guest"}); err == nil {
		t.Error("a connection is let in where none may be")
	}
	if admin, err = b.Session("/", ""); err != nil {
		t.Fatal(err)
	}
	mustDo(t, declare("d"))
	b.DeleteVHost("/")
	mustDo(t, b.Close())
	if b, err = New(Options{Seed: 1, Store: s}); err != nil {
		t.Fatal(err)
	}
	v, _ = b.VHost("/")
	if v.Limits() != (VHostLimits{}) {
		t.Errorf("limits %v of a virtual host that was deleted", v.Limits())
	}
	mustDo(t, b.Close())
}

// TestDefaultQueueType: durable queues get the virtual host's type, unless they are declared
// with one or cannot have it.
func TestDefaultQueueType(t *testing.T) {
	b, err := New(Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	v, _ := b.VHost("/")
	wantRefusal(t, v.SetMetadata(Metadata{DefaultQueueType: "fast"}), wire.PreconditionFailed, "unsupported queue type 'fast' (have classic, quorum)")
	mustDo(t, v.SetMetadata(Metadata{DefaultQueueType: "quorum"}))
	admin, _ := b.Session("/", "")
	for name, spec := range map[string]QueueSpec{
		"quorum":  {Durable: true},
		"classic": {Durable: true, Arguments: wire.Table{{Key: "x-queue-type", Value: "classic"}}},
		"auto":    {Durable: true, AutoDelete: true},
		"brief":   {},
	} {
		spec.Name = name
		for range 2 { // the second declaration is equivalent
			if _, err := admin.DeclareQueue(spec); err != nil {
				t.Fatal(err)
			}
		}
		if q, _ := v.Queue(name); (q.Type == "quorum") != (name == "quorum") {
			t.Errorf("queue %s is of type %s", name, q.Type)
		}
	}
}
