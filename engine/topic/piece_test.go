package topic

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"
)

// join is the inverse of split.
func join(pieces []piece) string {
	var b strings.Builder
	for i, p := range pieces {
		var bytes [8]byte
		binary.LittleEndian.PutUint64(bytes[:], p.code)
		if p.kind() == pieceInner {
			b.Write(bytes[:])
			continue
		}
		b.Write(bytes[:p.kind()-1])
		if i < len(pieces)-1 {
			b.WriteByte('.')
		}
	}
	return b.String()
}

func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		rule  string
		key   string
		n     int
		inner uint64
	}{
		{"the empty key has no words", "", 0, 0},
		{"a dot is between two words", ".", 2, 0},
		{"a word of eight bytes is one piece", "12345678", 1, 0},
		{"a word of nine bytes is two", "123456789", 2, 0b10},
		{"a dot after eight bytes ends the word", "12345678.", 2, 0},
		{"a word of sixteen bytes is two", "1234567812345678.a", 3, 0b10},
		{"pieces within words are marked", "a.123456789.b.12345678123456781", 7, 0b1100100},
		{"seven bytes and a dot", "1234567.1234567", 2, 0},
		{"bytes above 0x7f are no dots", "\xae\xae.\xff", 2, 0},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			var buf [16]piece
			n, inner := split(buf[:], []byte(tt.key))
			if n != tt.n || inner != tt.inner {
				t.Fatalf("split(%q) = %d pieces, inner %b, want %d, %b", tt.key, n, inner, tt.n, tt.inner)
			}
			if got := join(buf[:n]); got != tt.key {
				t.Errorf("the pieces of %q spell %q", tt.key, got)
			}
		})
	}
}

func TestSplitSpellsTheKey(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 0))
	for range 20_000 {
		key := make([]byte, rng.IntN(60))
		for i := range key {
			if key[i] = byte(rng.Uint32()); rng.IntN(6) == 0 {
				key[i] = '.'
			}
		}
		buf := make([]piece, 64)
		n, inner := split(buf, key)
		if got := join(buf[:n]); got != string(key) {
			t.Fatalf("the pieces of %q spell %q", key, got)
		}
		for i := range n {
			if i > 0 && (buf[i-1].kind() == pieceInner) != (inner>>i&1 != 0) {
				t.Fatalf("split(%q): inner %b, but piece %d is of kind %d", key, inner, i-1, buf[i-1].kind())
			}
		}
		if n > 0 {
			if m, _ := split(buf[:n-1], key); m != -1 {
				t.Fatalf("split(%q) into %d of %d pieces = %d, want -1", key, n-1, n, m)
			}
		}
	}
}
