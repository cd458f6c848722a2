package topic

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"sync/atomic"
)

const (
	cacheKeyBytes = 64 // of the longest key that is cached
	cacheKeyWords = cacheKeyBytes / 8
	cacheWords    = 14 // of a slot, for a key and two destinations each
	cacheFew      = 6  // destinations that are copied whether there are as many or not
)

// A cacheKey is a routing key as slots hold it: one word if it has up to 7 bytes,
// four if it has up to 32, and eight otherwise. The words overlap if it has fewer
// bytes than they, and keys are equal if words and lengths are.
type cacheKey struct {
	words [cacheKeyWords]uint64
	n     int    // words
	head  uint64 // of its slots, as far as the key decides
	hash  uint64
}

func (k *cacheKey) set(key []byte) {
	size := len(key)
	k.head = headUsed | uint64(size)
	if size < 8 {
		k.n = 1
		k.words[0] = loadShort(key)
		k.hash = fold(k.words[0]^cacheSeed[0], k.head^cacheSeed[1])
		return
	}
	le := binary.LittleEndian
	if size <= 32 {
		k.n = 4
		k.words[0] = le.Uint64(key)
		k.words[1] = le.Uint64(key[min(8, size-8):])
		k.words[2] = le.Uint64(key[max(16, size)-16:])
		k.words[3] = le.Uint64(key[size-8:])
		h := fold(k.words[0]^cacheSeed[0], k.words[1]^cacheSeed[1])
		k.hash = fold(h^k.words[2]^cacheSeed[2], k.words[3]^k.head^cacheSeed[3])
		return
	}
	k.n = 8
	for i := range 4 {
		k.words[i] = le.Uint64(key[8*i:])
		k.words[i+4] = le.Uint64(key[size-32+8*i:])
	}
	h := k.head
	for i := 0; i < 8; i += 2 {
		h = fold(h^k.words[i]^cacheSeed[i], k.words[i+1]^cacheSeed[i+1])
	}
	k.hash = h
}

// cacheSeed differs from process to process: keys come from strangers, who must
// not be able to choose some that put each other out.
var cacheSeed = func() (seed [cacheKeyWords]uint64) {
	for i := range seed {
		seed[i] = rand.Uint64()
	}
	return seed
}()

// fold multiplies and adds the halves of the product.
func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// A cacheSlot is an entry, guarded by a sequence lock: whoever reads it reads its
// head before and after. All of it is atomic words, for a reader may overlap a
// writer and find out only then. Many entries end on the first of two cache lines.
type cacheSlot struct {
	head  atomic.Uint64
	gen   atomic.Uint64 // of the match, and genHot
	words [cacheWords]atomic.Uint64
}

// A slot's head is, from the lowest bit on: the bytes of the key, whether the slot
// is used, the destinations, the hash of the key's first word, and how many times
// the slot was written, twice, and once more while it is being written.
const (
	headUsed    = 1 << 8
	headKey     = 1<<9 - 1 // what a key decides
	headDests   = 16
	headFirst   = 24
	headWriting = 1 << 32

	genHot = 1 << 63 // hit since it was filled, or since it was spared
)

// pair returns two destinations, of which the second may be none.
func (s *cacheSlot) pair(word int) (Dest, Dest) {
	two := s.words[word].Load()
	return Dest(two), Dest(two >> 32)
}

// put makes the entry the key's, unless another reader is at it.
func (s *cacheSlot) put(key *cacheKey, gen uint64, dests []Dest) {
	head := s.head.Load()
	if head&headWriting != 0 || !s.head.CompareAndSwap(head, head+headWriting) {
		return
	}
	s.gen.Store(gen)
	for i, w := range key.words[:key.n] {
		s.words[i].Store(w)
	}
	for i := 0; i < len(dests); i += 2 {
		two := uint64(dests[i])
		if i+1 < len(dests) {
			two |= uint64(dests[i+1]) << 32
		}
		s.words[key.n+i/2].Store(two)
	}
	s.head.Store(head>>32<<32 + 2*headWriting | key.head | uint64(len(dests))<<headDests)
}
