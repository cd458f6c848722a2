package topic

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"sync/atomic"
)

const (
	cacheKeyBytes = 64 // length of the longest key that is cached
	cacheKeyWords = cacheKeyBytes / 8
	cacheWords    = 14 // words of a slot: those of the key, then one for every two destinations
	cacheFew      = 6  // destinations that a hit copies at least, whatever their number
)

// A cacheKey is a routing key in the form of a slot: one machine word for up to 7
// bytes, four for up to 32, and eight for longer keys. Words overlap where the key
// has fewer bytes than the words. Two keys are equal if their words and lengths
// are.
type cacheKey struct {
	words [cacheKeyWords]uint64
	n     int    // number of words
	head  uint64 // the part of a slot's head that the key determines
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

// cacheSeed is drawn for each process: keys come from strangers, who must not be
// able to choose keys that evict each other.
var cacheSeed = func() (seed [cacheKeyWords]uint64) {
	for i := range seed {
		seed[i] = rand.Uint64()
	}
	return seed
}()

// fold multiplies x and y and adds the halves of the product.
func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// A cacheSlot is an entry guarded by a sequence lock: a reader loads the head
// before and after the rest, and discards what it read if the head has changed. The
// fields are atomic words, since a reader may overlap a writer. A slot is two cache
// lines, of which many entries need only the first.
type cacheSlot struct {
	head  atomic.Uint64
	gen   atomic.Uint64 // generation of the match, and genHot
	words [cacheWords]atomic.Uint64
}

// A slot's head has, from the lowest bit on: the length of the key in bytes, whether
// the slot is used, the number of destinations, the hash of the key's first word,
// and a sequence number, which is odd while the slot is being written.
const (
	headUsed    = 1 << 8
	headKey     = 1<<9 - 1 // the part that the key determines
	headDests   = 16
	headFirst   = 24
	headWriting = 1 << 32

	genHot = 1 << 63 // hit since it was filled, or since it was spared
)

// pair returns the two destinations in word i. The second one is arbitrary if the
// number of destinations is odd and this is the last word.
func (s *cacheSlot) pair(word int) (Dest, Dest) {
	two := s.words[word].Load()
	return Dest(two), Dest(two >> 32)
}

// put writes an entry into the slot, unless another goroutine is writing it.
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
