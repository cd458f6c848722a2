package topic

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestPlaces checks that the places of a key are the pieces that split returns, each
// with the words that follow it and the position after its word.
func TestPlaces(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	keys := []string{"", ".", "a", "12345678", "123456789", strings.Repeat("a", 63), strings.Repeat("b", 64),
		strings.Repeat(".", 14), strings.Repeat(".", 15), strings.Repeat("12345678", 15), strings.Repeat("12345678", 16)}
	for range 20_000 {
		key := make([]byte, rng.IntN(70))
		for i := range key {
			if key[i] = byte(rng.Uint32()); rng.IntN(8) == 0 {
				key[i] = '.'
			}
		}
		keys = append(keys, string(key))
	}
	for _, key := range keys {
		var w walk
		var buf [shortPieces]piece
		n, inner := split(buf[:], []byte(key))
		if ok := w.prepare([]byte(key)); ok != (n >= 0) {
			t.Fatalf("seed %#x: prepare(%q) = %t, but split finds %d pieces", seed, key, ok, n)
		} else if !ok {
			continue
		}
		if w.end != uint(n) || w.inner != uint32(inner) || w.bounds != (2<<n-1)&^uint32(inner) {
			t.Fatalf("seed %#x: prepare(%q): end %d, inner %b, bounds %b", seed, key, w.end, w.inner, w.bounds)
		}
		next, rest := uint(n), uint(0)
		if need := w.places[n].need; need != maskRest {
			t.Fatalf("seed %#x: prepare(%q): need %#x at the end", seed, key, need)
		}
		for i := n - 1; i >= 0; i-- {
			if inner>>(i+1)&1 == 0 {
				next = uint(i) + 1
				rest = min(rest+1, manyRest)
			}
			want := place{buf[i], buf[i].restBit(rest) | maskRest<<rest}
			if w.places[i] != want || w.afterWord(uint(i)) != next {
				t.Fatalf("seed %#x: prepare(%q): place %d is %+v, its word ends at %d, want %+v and %d",
					seed, key, i, w.places[i], w.afterWord(uint(i)), want, next)
			}
		}
	}
}
