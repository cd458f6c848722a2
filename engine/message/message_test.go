package message

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"harelab/engine/wire"
)

// noProperties is an empty list.
var noProperties = new(wire.PropertyView)

// TestMessageParts checks the parts of messages of all sizes, new and from the pools.
func TestMessageParts(t *testing.T) {
	properties := wire.ViewProperties(wire.AppendProperties(nil, &wire.Properties{DeliveryMode: 2, Priority: 7}))
	for n := 0; n < 40_000; n += 1 + n/3 {
		body := bytes.Repeat([]byte{byte(n)}, n)
		for range 3 {
			m := New([]byte("amq.topic"), []byte("a.b"), &properties, body)
			if string(m.Exchange()) != "amq.topic" || string(m.RoutingKey()) != "a.b" || string(m.ExchangeAndKey()) != "\x09amq.topic\x03a.b" ||
				!bytes.Equal(m.Properties(), properties.Raw()) || !bytes.Equal(m.Body(), body) || !m.Persistent() || m.Priority() != 7 {
				t.Fatalf("a body of %d octets: %q", n, m.data())
			}
			m.Retain()
			m.Release()
			m.Release()
		}
		plain := New(nil, nil, noProperties, body)
		if plain.Persistent() || plain.Priority() != 0 || plain.storeID != 0 || len(plain.Exchange()) != 0 || !bytes.Equal(plain.Body(), body) {
			t.Fatalf("a plain body of %d octets: %q", n, plain.data())
		}
		plain.Release()
	}
}

// TestHiddenKeys: hidden keys are not in the body or the properties, and survive a
// restart.
func TestHiddenKeys(t *testing.T) {
	keys := [][]byte{[]byte("a"), {}, bytes.Repeat([]byte("b"), 300)}
	for _, n := range []int{0, 5, 70_000} {
		body := bytes.Repeat([]byte{7}, n)
		m := NewHiding([]byte("x"), []byte("k"), noProperties, body, keys)
		stored, err := Decode(append(m.AppendHead(nil), m.Octets()...))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []*Message{m, stored} {
			if got := m.AppendHidden(nil); !slices.EqualFunc(got, keys, bytes.Equal) || !bytes.Equal(m.Body(), body) || !bytes.Equal(m.Properties(), []byte{0, 0}) {
				t.Errorf("a body of %d octets: keys %q, body of %d octets", n, got, len(m.Body()))
			}
			m.Release()
		}
	}
	plain := NewHiding(nil, nil, noProperties, []byte("body"), nil)
	defer plain.Release()
	if got := plain.AppendHidden(nil); len(got) != 0 || string(plain.Body()) != "body" {
		t.Errorf("without hidden keys: keys %q, body %q", got, plain.Body())
	}
}

func TestReleaseTooOften(t *testing.T) {
	m := New(nil, nil, noProperties, make([]byte, 100_000)) // not pooled
	m.Release()
	defer func() {
		if r := fmt.Sprint(recover()); r != "invariant broken: message: released more often than retained" {
			t.Errorf("panic %q", r)
		}
	}()
	m.Release()
}

// FuzzDecode decodes stored messages that may be damaged.
func FuzzDecode(f *testing.F) {
	m := New([]byte("x"), []byte("key"), noProperties, []byte("body"))
	f.Add(append(m.AppendHead(nil), m.Octets()...))
	hiding := NewHiding([]byte("x"), nil, noProperties, []byte("body"), [][]byte{[]byte("key"), {}})
	f.Add(append(hiding.AppendHead(nil), hiding.Octets()...))
	f.Add([]byte("\x80\x02\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x09\x00\x00\x00\x04"))
	f.Add([]byte{0, 9, 0, 0, 0, 1, 0})
	f.Add([]byte{0, 2, 0, 0, 0, 2, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b)
		if err != nil {
			return
		}
		defer m.Release()
		again, err := Decode(append(m.AppendHead(nil), m.Octets()...))
		if err != nil || !bytes.Equal(again.data(), m.data()) {
			t.Errorf("%x decodes to %x and that to %v", b, m.data(), err)
		}
		m.AppendHidden(nil)
	})
}
