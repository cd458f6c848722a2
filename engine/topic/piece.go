package topic

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
)

// A piece is a word of up to eight bytes, or eight bytes of a longer word. As an
// integer it needs no table of words: two pieces are equal if code and kind are.
// A longer word is a chain of pieces, all but the last of kind pieceInner.
type piece struct {
	code uint64 // the bytes, first one lowest, zeros above
	mix  uint64 // seeded hash of code and kind, with the kind as its lowest bits
}

// Kinds of pieces, which are also the kinds of edges between nodes. A last piece
// of a word is of kind 1 plus its length, 0 to 8, so that a word that ends in
// zero bytes differs from a shorter one.
const (
	pieceInner = 10
	edgeStar   = 11 // '*' of a binding key
	edgeHash   = 12 // '#' of a binding key
	kindBits   = 4
)

// A hasher turns pieces into hashes with numbers that differ from process to
// process: keys come from strangers, who must not be able to choose words that
// collide.
type hasher struct {
	code, fold uint64
	kind       [1 << kindBits]uint64
}

var seeded = newHasher(rand.Uint64)

func newHasher(random func() uint64) *hasher {
	h := &hasher{code: random(), fold: random()}
	for i := range h.kind {
		h.kind[i] = random() | 1
	}
	return h
}

// mix multiplies by a seed of the kind, then multiplies the halves of the product.
// The second multiplication breaks up arithmetic progressions, such as numbers in
// keys.
func (h *hasher) mix(code uint64, kind uint32) uint64 {
	hi, lo := bits.Mul64(code^h.code, h.kind[kind&(1<<kindBits-1)])
	hi, lo = bits.Mul64(hi^h.fold, lo)
	return hi ^ lo
}

// split writes the pieces of a routing key to buf and returns how many there
// are, or -1 if buf is too small. Bit i of inner says that piece i is not the
// first of its word; it is valid for up to 64 pieces. The empty key has no pieces;
// otherwise each dot begins a new word, which may be empty.
//
// Each iteration takes a word or eight bytes of one: a load, and three operations
// that find the first dot among the eight bytes.
func split(buf []piece, key []byte) (n int, inner uint64) {
	if len(key) == 0 {
		return 0, 0
	}
	for start := 0; ; n++ {
		if n == len(buf) {
			return -1, 0
		}
		p := &buf[n]
		x := load(key, start)
		rest := len(key) - start
		size := firstDot(x)
		switch {
		case size < 8:
			start += size + 1
			p.set(seeded, x&(1<<(8*size)-1), uint32(1+size))
		case rest <= 8:
			p.set(seeded, x, uint32(1+rest))
			return n + 1, inner
		case key[start+8] == '.':
			start += 9
			p.set(seeded, x, 1+8)
		default:
			start += 8
			p.set(seeded, x, pieceInner)
			inner |= 2 << n
		}
	}
}

func (p *piece) set(h *hasher, code uint64, kind uint32) {
	p.code, p.mix = code, h.mix(code, kind)&^(1<<kindBits-1)|uint64(kind)
}

func (p *piece) kind() uint32 { return uint32(p.mix) & (1<<kindBits - 1) }

// load returns up to eight bytes of key from start on, the first one lowest.
func load(key []byte, start int) uint64 {
	if start+8 <= len(key) {
		return binary.LittleEndian.Uint64(key[start:])
	}
	if len(key) >= 8 { // load the last eight bytes, and shift out those before start
		return binary.LittleEndian.Uint64(key[len(key)-8:]) >> (8 * uint(start+8-len(key)))
	}
	return loadShort(key) >> (8 * uint(start))
}

// loadShort returns a key of less than eight bytes. The loads overlap.
func loadShort(key []byte) uint64 {
	n := len(key)
	switch {
	case n >= 4:
		return uint64(binary.LittleEndian.Uint32(key)) |
			uint64(binary.LittleEndian.Uint32(key[n-4:]))<<(8*uint(n-4))
	case n > 0:
		return uint64(key[0]) | uint64(key[n/2])<<(8*uint(n/2)) | uint64(key[n-1])<<(8*uint(n-1))
	}
	return 0
}

// firstDot returns the index of the first dot among the eight bytes of x, or 8.
// Subtracting one from each byte after making dots zero borrows into the high
// bit of the first dot; what the borrow does above it does not matter.
func firstDot(x uint64) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	x ^= '.' * ones
	return bits.TrailingZeros64((x-ones)&^x&highs) / 8
}

// splitBinding appends the pieces of a binding key to dst, '*' and '#' as edges.
func splitBinding(dst []piece, bindingKey string) []piece {
	from := len(dst)
	dst = append(dst, make([]piece, len(bindingKey)+1)...)
	n, _ := split(dst[from:], []byte(bindingKey))
	dst = dst[:from+n]
	for i := from; i < len(dst); i++ {
		if dst[i].kind() != 1+1 || i > from && dst[i-1].kind() == pieceInner {
			continue // not a word of one byte
		}
		switch dst[i].code {
		case '*':
			dst[i].set(seeded, 0, edgeStar)
		case '#':
			dst[i].set(seeded, 0, edgeHash)
		}
	}
	return dst
}
