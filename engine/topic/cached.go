package topic

import (
	"math/bits"
	"math/rand/v2"
	"sync/atomic"
)

// Cached keeps match sets of recent routing keys in front of another strategy. A
// hit costs one probe instead of a match. That pays where few keys carry most
// messages; with many keys the cache's own misses cost more than they save, so
// it measures its hit rate and steps aside while that is low.
//
// A bind makes stale only the entries that it can concern: those whose key
// begins with the same word, or all if the binding key begins with a wildcard.
// Entries live in a fixed table that readers fill in place: a miss does not
// allocate, and memory is bounded whatever keys strangers send.

func init() {
	RegisterWrapper(Wrapper{
		Name: "cached",
		Doc:  "with match sets of recent keys, while enough of them come again",
		Wrap: func(s Strategy) func() Matcher {
			return func() Matcher { return newCached(s.New()) }
		},
	})
}

const (
	cacheKeyBytes   = 47   // of the longest key that is cached: six words
	cacheWords      = 14   // for a key, padded, and a destination each
	cacheWays       = 4    // slots of a set
	cacheSlotsFirst = 256  // 128 bytes each
	cacheSlotsMax   = 4096 // 512 KiB
	cacheFirstWords = 256  // generations

	// Of up to so many destinations all are copied, into room that is there, and
	// those too many are cut off: a loop that ends after one, two or three is
	// mispredicted, which costs as much as the rest of a hit.
	cacheFew = 5
)

// cached is a cache in front of a Matcher.
type cached struct {
	inner Matcher
	table atomic.Pointer[[]cacheSlot] // a power of two of them, in sets of cacheWays
	judge cacheJudge

	// A generation for each hash of a first word, and one for all. They go up
	// after a change of bindings. An entry carries the sum, which has changed
	// if either has, since both only grow.
	first [cacheFirstWords]atomic.Uint64
	all   atomic.Uint64
}

// A cacheSlot is an entry, guarded by a sequence lock: whoever reads it reads
// seq before and after. All of it is atomic words, for a reader may overlap a
// writer and find out only then.
type cacheSlot struct {
	seq  atomic.Uint32 // odd while the slot is written
	meta atomic.Uint32 // hash of first word<<24 | metaUsed | metaHit | bytes of key<<8 | destinations
	gen  atomic.Uint64
	// The key and, behind it, the destinations: many entries end on the first
	// cache line.
	words [cacheWords]atomic.Uint64
}

const (
	metaUsed = 1 << 16
	metaHit  = 1 << 17 // hit since it was filled, or since it was spared
	metaKey  = 0xff00 | metaUsed
)

func newCached(inner Matcher) *cached {
	c := &cached{inner: inner}
	c.table.Store(new(make([]cacheSlot, cacheSlotsFirst)))
	return c
}

func (c *cached) Len() int { return c.inner.Len() }

func (c *cached) Bind(bindingKey string, d Dest) bool {
	bound := c.inner.Bind(bindingKey, d)
	if bound {
		c.outdate(bindingKey)
	}
	return bound
}

func (c *cached) Unbind(bindingKey string, d Dest) bool {
	unbound := c.inner.Unbind(bindingKey, d)
	if unbound {
		c.outdate(bindingKey)
	}
	return unbound
}

// outdate makes stale what a change of a binding may concern. It comes after the
// change, so that no entry of the new generation was matched before it.
func (c *cached) outdate(bindingKey string) {
	if w := words(bindingKey); len(w) > 0 && (w[0] == "*" || w[0] == "#") {
		c.all.Add(1)
		return
	}
	c.first[firstWord(load([]byte(bindingKey), 0))].Add(1)
}

// firstWord hashes the first word of a key, or the first eight bytes of it,
// given the first eight bytes of the key.
func firstWord(x uint64) uint8 {
	return uint8(seeded.mix(x&(1<<(8*firstDot(x))-1), 0) >> 56)
}

func (c *cached) Match(dst []Dest, routingKey []byte) []Dest {
	mode := c.judge.mode.Load()
	if mode == modeBypass && !c.judge.again() || len(routingKey) > cacheKeyBytes {
		return c.inner.Match(dst, routingKey)
	}
	begin := load(routingKey, 0)
	table := *c.table.Load()
	at := cacheHash(begin, routingKey) >> 32 & uint64(len(table)-cacheWays)
	set := table[at : at+cacheWays]
	meta := metaUsed | uint32(len(routingKey))<<8
	for i := range set {
		slot := &set[i]
		seq := slot.seq.Load()
		if slot.meta.Load()&metaKey != meta || slot.words[0].Load() != begin {
			continue
		}
		if out, ok := c.get(slot, seq, dst, routingKey); ok {
			if mode != modeTrust {
				c.count(1)
			}
			return out
		}
	}
	c.count(0)
	first := firstWord(begin)
	gen := c.generation(first)
	from := len(dst)
	dst = c.inner.Match(dst, routingKey)
	if len(routingKey)/8+1+len(dst)-from <= cacheWords {
		fill(set, routingKey, meta|uint32(first)<<24, gen, dst[from:])
	}
	return dst
}

// generation returns the present generation of keys with a first word.
func (c *cached) generation(first uint8) uint64 { return c.first[first].Load() + c.all.Load() }

// fill puts a match set into one of the slots. They take turns, or keys that come
// in turns would put each other out; an entry that was hit since it was filled is
// spared once.
func fill(set []cacheSlot, key []byte, meta uint32, gen uint64, dests []Dest) {
	turn := uint32(0) // how many entries the set has had
	for i := range set {
		turn += set[i].seq.Load() / 2
	}
	for i := range uint32(cacheWays) {
		slot := &set[(turn+i)%cacheWays]
		if slot.meta.Load()&metaHit == 0 {
			slot.put(key, meta|uint32(len(dests)), gen, dests)
			return
		}
	}
	for i := range set {
		set[i].meta.And(^uint32(metaHit))
	}
}

// count counts a lookup, and whether it hit, 1 or 0. At the end of a window that
// was measured it decides what to do: nothing about the size of a table says more
// than that keys miss it.
func (c *cached) count(hit uint64) {
	hits, ended := c.judge.count(hit)
	if !ended {
		return
	}
	old := c.table.Load()
	switch {
	case c.judge.mode.Load() == modeTrust:
		c.judge.mode.Store(modeMeasure)
	case 10*hits > 9*judgeWindow:
		c.judge.mode.Store(modeTrust)
	case len(*old) < cacheSlotsMax:
		c.table.CompareAndSwap(old, new(make([]cacheSlot, 4*len(*old))))
	case 2*hits < judgeWindow:
		c.judge.mode.Store(modeBypass)
	default:
		c.judge.mode.Store(modeTrust)
	}
}

// cacheHash returns the hash of a routing key that begins with these bytes.
func cacheHash(begin uint64, key []byte) uint64 {
	hi, lo := bits.Mul64(begin^seeded.code, seeded.kind[0]^uint64(len(key)))
	for i := 8; i < len(key); i += 8 {
		hi, lo = bits.Mul64(load(key, i)^seeded.code, hi^lo)
	}
	hi, lo = bits.Mul64(hi^seeded.fold, lo)
	return hi ^ lo
}

// get appends a slot's destinations to dst if it is current, its key, of the same
// length and beginning, is the whole key, and nobody wrote it since seq.
func (c *cached) get(s *cacheSlot, seq uint32, dst []Dest, key []byte) ([]Dest, bool) {
	meta := s.meta.Load()
	at := 1
	for ; 8*at <= len(key) && at < cacheWords; at++ {
		if s.words[at].Load() != load(key, 8*at) {
			return dst, false
		}
	}
	if s.gen.Load() != c.generation(uint8(meta>>24)) {
		return dst, false
	}
	from, n := len(dst), int(meta&0xff)
	if n <= cacheFew && at <= cacheWords-cacheFew && cap(dst)-from >= cacheFew {
		few := dst[from : from+cacheFew]
		for i := range few {
			few[i] = Dest(s.words[at+i].Load())
		}
		dst = dst[:from+n]
	} else {
		for end := at + n; at < end && at < cacheWords; at++ {
			dst = append(dst, Dest(s.words[at].Load()))
		}
	}
	if seq%2 != 0 || s.seq.Load() != seq {
		return dst[:from], false
	}
	if meta&metaHit == 0 {
		s.meta.Or(metaHit)
	}
	return dst, true
}

// put makes the entry the key's, unless another reader is at it.
func (s *cacheSlot) put(key []byte, meta uint32, gen uint64, dests []Dest) {
	seq := s.seq.Load()
	if seq%2 != 0 || !s.seq.CompareAndSwap(seq, seq+1) {
		return
	}
	s.meta.Store(meta)
	s.gen.Store(gen)
	at := 0
	for ; 8*at <= len(key); at++ {
		s.words[at].Store(load(key, 8*at))
	}
	for i, d := range dests {
		s.words[at+i].Store(uint64(d))
	}
	s.seq.Store(seq + 2)
}

// A cacheJudge watches whether a cache pays. It counts every lookup only for a
// window at a time: a shared counter costs as much as the hit it counts.
type cacheJudge struct {
	mode  atomic.Uint32
	tally atomic.Uint64 // lookups<<32 | hits
}

const (
	modeMeasure = iota // count hits and misses of a window
	modeTrust          // hits are not counted; after a window of misses, measure
	modeBypass         // no lookups; after bypassMatches, measure

	judgeWindow   = 4096
	bypassMatches = 65536
	bypassSample  = 64 // matches counted as one
)

// count counts a lookup and reports whether it ended a window, with the window's
// hits.
func (j *cacheJudge) count(hit uint64) (hits uint32, ended bool) {
	tally := j.tally.Add(1<<32 | hit)
	if tally>>32 != judgeWindow {
		return 0, false
	}
	j.tally.Store(0)
	return uint32(tally), true
}

// again counts a match past the cache and reports whether to try it again.
func (j *cacheJudge) again() bool {
	if rand.Uint32()%bypassSample != 0 || j.tally.Add(1<<32)>>32 < bypassMatches/bypassSample {
		return false
	}
	j.tally.Store(0)
	j.mode.Store(modeMeasure)
	return true
}
