package topic

import (
	"encoding/binary"
	"math/bits"
)

// A place is a position in a routing key and the piece that follows.
type place struct {
	piece
	need uint64 // bits of a node's mask, without which it accepts nothing from here on
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

// prepareWord is prepare for a key with a position of each byte, and of the end,
// in a machine word.
//
// It does what split does, but finds all dots beforehand. Where words end is what
// a processor cannot guess, and it guesses wrong once a key here, at the last
// word, where split does at most words.
func (w *walk) prepareWord(key []byte) bool {
	if len(key) == 0 {
		w.finish(0, 0)
		return true
	}
	var short [8]byte
	src := key // and zeros up to eight bytes
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

// lowBytes are masks of a number of bytes.
var lowBytes = [16]uint64{
	0, 1<<8 - 1, 1<<16 - 1, 1<<24 - 1, 1<<32 - 1, 1<<40 - 1, 1<<48 - 1, 1<<56 - 1, 1<<64 - 1,
}

// finish tells the walk how many pieces there are, and which of them are not the
// first of their word.
func (w *walk) finish(n uint, inner uint32) {
	w.end, w.inner = n, inner
	w.bounds = (2<<n - 1) &^ inner
	w.places[n].need = maskRest
	for ; inner != 0; inner &^= 1 << (bits.Len32(inner) - 1) {
		i := bits.Len32(inner) - 1
		w.next[i-1] = w.next[i]
	}
}

// dots returns where dots are in a key of 8 to 64 bytes: bit i for byte i. It
// looks at 8, 32 or 64 bytes, at the last ones several times if need be, which is
// less than wrong guesses at the length would cost.
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

// dotsOf returns where dots are among eight bytes of a key: bit from+i for byte
// from+i. The sum carries into the high bit of each byte that has one of its
// lower bits once dots are made zero; the product brings the high bits together.
func dotsOf(key []byte, from int) uint64 {
	const ones, lows = 0x0101010101010101, 0x7f7f7f7f7f7f7f7f
	x := binary.LittleEndian.Uint64(key[from:]) ^ '.'*ones
	zero := ^(x&lows + lows | x | lows)
	return zero >> 7 * 0x0102040810204080 >> 56 << (from % 64)
}
