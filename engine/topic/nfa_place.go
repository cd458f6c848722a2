package topic

import (
	"encoding/binary"
	"math/bits"
)

// A place is a position in a routing key and the piece that follows.
type place struct {
	piece
	need uint64 // a node whose mask has none of these bits accepts nothing from here on
}

func (p *place) set(h *hasher, code uint64, kind uint32, rest uint) {
	p.piece.set(h, code, kind)
	rest = min(rest, manyRest)
	p.need = p.restBit(rest) | maskRest<<(rest%64)
}

// prepare splits a key into places and reports whether it is short enough.
func (w *walk) prepare(key []byte) bool {
	if len(key) < 64 {
		return w.prepareWord(key)
	}
	var parts [shortPieces]piece
	n, inner := split(parts[:], key)
	if n < 0 {
		return false
	}
	rest := uint(n - bits.OnesCount64(inner))
	for i := range n {
		w.places[i].set(seeded, parts[i].code, parts[i].kind(), rest)
		w.next[i] = uint8(i) + 1
		if parts[i].kind() != pieceInner {
			rest--
		}
	}
	w.finish(uint(n), uint32(inner))
	return true
}

// prepareWord is prepare for a routing key of fewer than 64 bytes, whose dots are
// a bit set in one machine word.
//
// It yields the same pieces as split, but finds all dots before it cuts the first
// word. A processor cannot predict where a word ends: split costs a mispredicted
// branch for most words, and this loop costs one for each key, at the last word.
func (w *walk) prepareWord(key []byte) bool {
	if len(key) == 0 {
		w.finish(0, 0)
		return true
	}
	var short [8]byte
	src := key // padded with zeros to at least eight bytes
	if len(key) < len(short) {
		binary.LittleEndian.PutUint64(short[:], loadShort(key))
		src = short[:]
	}
	ends := 1<<len(key) | dots(src)
	h, start, n, inner := seeded, 0, uint(0), uint32(0)
	for rest := uint(bits.OnesCount64(ends)); rest > 0; rest-- {
		end := bits.TrailingZeros64(ends)
		ends &= ends - 1
		for ; end-start > 8; start += 8 {
			if n == shortPieces {
				return false
			}
			w.places[n].set(h, binary.LittleEndian.Uint64(src[start:]), pieceInner, rest)
			n++
			inner |= 1 << n
		}
		if n == shortPieces {
			return false
		}
		size := uint(end - start)
		from := min(start, len(src)-8)
		code := binary.LittleEndian.Uint64(src[from:]) >> (8 * uint(start-from) % 64)
		w.places[n].set(h, code&lowBytes[size%16], uint32(1+size), rest)
		n++
		w.next[n-1] = uint8(n)
		start = end + 1
	}
	w.finish(n, inner)
	return true
}

// lowBytes[n] is the mask of the n lowest bytes.
var lowBytes = [16]uint64{
	0, 1<<8 - 1, 1<<16 - 1, 1<<24 - 1, 1<<32 - 1, 1<<40 - 1, 1<<48 - 1, 1<<56 - 1, 1<<64 - 1,
}

// finish sets what the walk derives from the number of pieces, n, and from inner,
// which has bit i if piece i is not the first of its word.
func (w *walk) finish(n uint, inner uint32) {
	w.end, w.inner = n, inner
	w.bounds = (2<<n - 1) &^ inner
	w.places[n].need = maskRest
	for ; inner != 0; inner &^= 1 << (bits.Len32(inner) - 1) {
		i := bits.Len32(inner) - 1
		w.next[i-1] = w.next[i]
	}
}

// dots returns the set of dots in a key of 8 to 64 bytes: bit i for byte i. It
// examines 8, 32 or 64 bytes and reads the last eight repeatedly to fill up: that
// costs less than mispredicted branches on the exact length.
func dots(key []byte) (at uint64) {
	last := len(key) - 8
	at = dotsOf(key, 0)
	if last > 0 {
		at |= dotsOf(key, min(8, last)) | dotsOf(key, min(16, last)) | dotsOf(key, min(24, last))
	}
	if last > 24 {
		at |= dotsOf(key, min(32, last)) | dotsOf(key, min(40, last)) |
			dotsOf(key, min(48, last)) | dotsOf(key, last)
	}
	return at
}

// dotsOf returns the set of dots among eight bytes of a key: bit from+i for byte
// from+i. XOR turns dots into zero bytes. Adding 0x7f carries into the high bit of
// each byte that is not zero, and the multiplication gathers the high bits.
func dotsOf(key []byte, from int) uint64 {
	const ones, lows = 0x0101010101010101, 0x7f7f7f7f7f7f7f7f
	x := binary.LittleEndian.Uint64(key[from:]) ^ '.'*ones
	zero := ^(x&lows + lows | x | lows)
	return zero >> 7 * 0x0102040810204080 >> 56 << (from % 64)
}
