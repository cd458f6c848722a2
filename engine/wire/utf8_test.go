package wire

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

// TestValidText puts each octet, and a rune, at each place of strings of each
// length up to three words.
func TestValidText(t *testing.T) {
	for n := range 25 {
		for i := range n {
			s := bytes.Repeat([]byte("a"), n)
			for c := range 256 {
				s[i] = byte(c)
				if got, want := validText(s), c < utf8.RuneSelf; got != want {
					t.Fatalf("validText(%q) = %v, want %v", s, got, want)
				}
			}
			s[i] = 'a'
			if copy(s[i:], "é") == 2 && !validText(s) {
				t.Fatalf("validText(%q) = false", s)
			}
		}
		if !validText(make([]byte, n)) {
			t.Fatalf("validText of %d zeros = false", n)
		}
	}
}
