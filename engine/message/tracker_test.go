//go:build invariants || race

package message

import (
	"strings"
	"testing"

	"harelab/engine/internal/invariants"
)

// TestUseAfterRelease checks that each use of a released message fails, and that its
// octets are overwritten.
func TestUseAfterRelease(t *testing.T) {
	for name, use := range map[string]func(*Message){
		"body":        func(m *Message) { m.Body() },
		"key":         func(m *Message) { m.ExchangeAndKey() },
		"hidden keys": func(m *Message) { m.AppendHidden(nil) },
		"retain":      func(m *Message) { m.Retain() },
		"share":       func(m *Message) { m.Share(2) },
		"release":     func(m *Message) { m.Release() },
	} {
		m := New([]byte("x"), []byte("k"), noProperties, []byte("body"))
		m.Retain()
		m.Release()
		if got := invariants.Failure(func() { use(m) }); got != "" {
			t.Errorf("%s with a reference: %s", name, got)
			continue
		}
		m = NewHiding([]byte("x"), []byte("k"), noProperties, []byte("body"), [][]byte{[]byte("h")})
		body := m.Body()
		m.Release()
		if got := invariants.Failure(func() { use(m) }); got == "" {
			t.Errorf("%s after release is not found", name)
		}
		if want := strings.Repeat(string([]byte{buried}), 4); string(body) != want {
			t.Errorf("the body of a released message is %q, want %q", body, want)
		}
	}
}

func TestLeaks(t *testing.T) {
	var ours, others Tracker
	kept := ours.Track(New([]byte("x"), []byte("kept"), noProperties, []byte("body")))
	queued := ours.Track(New(nil, []byte("queued"), noProperties, nil))
	ours.Track(New(nil, nil, noProperties, nil)).Release()
	theirs := others.Track(New(nil, []byte("theirs"), noProperties, nil))
	kept.Retain()
	got := ours.Leaks(map[*Message]int{queued: 1, kept: 1})
	want := `message to exchange "x" with routing key "kept" and 4 octets behind its properties has 2 references, of which 1 are known`
	if len(got) != 1 || got[0] != want {
		t.Errorf("got  %q\nwant [%q]", got, want)
	}
	for _, m := range []*Message{kept, kept, queued, theirs} {
		m.Release()
	}
	if got := ours.Leaks(nil); len(got) != 0 {
		t.Errorf("all messages are released: got %q", got)
	}
}
