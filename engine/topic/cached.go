package topic

import (
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// Cached keeps match sets of recent routing keys in front of another strategy. A
// hit costs one probe instead of a match. The cache pays where few keys carry most
// messages. With many keys its misses cost more than its hits save, so it measures
// its hit rate and turns itself off for a while when the rate is low.
//
// A bind or unbind invalidates only the entries that it can affect: those whose key
// begins with the binding key's first word, or all entries if the binding key
// begins with a wildcard. Entries lie in a table that readers fill in place: a
// miss does not allocate, and memory is bounded whatever keys strangers send.
//
// Most of the cost of a hit is mispredicted branches, so few branches depend on
// the key: all keys of 8 to 32 bytes are four words, most entries are in the first
// slot of their set, and a hit copies a fixed number of destinations even if the
// entry has fewer.

func init() {
	RegisterWrapper(Wrapper{
		Name: "cached",
		Doc:  "caches the match sets of recent keys, while enough of them repeat",
		Wrap: func(s Strategy) func() Matcher {
			return func() Matcher { return newCached(s.New()) }
		},
	})
}

// cached is a cache in front of a Matcher.
type cached struct {
	inner Matcher
	table atomic.Pointer[[]cacheSlot] // a power of two of them
	judge cacheJudge

	// Generations count changes of bindings: one for each hash of a first word,
	// and one for binding keys that begin with a wildcard. An entry carries the
	// sum of the two that concern it. Both only grow, so the sum differs from the
	// current one if either has changed.
	all   atomic.Uint64
	first [cacheFirstWords]atomic.Uint64
}

const cacheFirstWords = 256 // generations

const (
	cacheSlotsFirst = 128 // slots of a new table, 128 bytes each
	cacheSlotsMax   = 8192
	cacheWays       = 4 // slots of a set: those in which a key may be
	cacheDoor       = 4 // one of so many new keys replaces an entry of a full set
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

// outdate invalidates the entries that a change of a binding may affect. The caller
// makes the change first, so that no entry of the new generation was matched
// before the change.
func (c *cached) outdate(bindingKey string) {
	if w := words(bindingKey); len(w) > 0 && (w[0] == "*" || w[0] == "#") {
		c.all.Add(1)
		return
	}
	c.first[firstWord(load([]byte(bindingKey), 0))].Add(1)
}

// firstWord hashes the first word of a key, of which x holds the first eight bytes.
// Of a longer word it hashes those eight.
func firstWord(x uint64) uint8 {
	return uint8(seeded.mix(x&(1<<(8*firstDot(x))-1), 0) >> 56)
}

// generation returns the current generation of keys whose first word has a hash.
func (c *cached) generation(first uint8) uint64 { return c.first[first].Load() + c.all.Load() }

func (c *cached) Match(dst []Dest, routingKey []byte) []Dest {
	mode := c.judge.mode.Load()
	if mode == modeBypass || len(routingKey) > cacheKeyBytes {
		return c.inner.Match(dst, routingKey)
	}
	var key cacheKey
	key.set(routingKey)
	table := *c.table.Load()
	home := key.hash & uint64(len(table)-1)
	for way := range uint64(cacheWays) {
		slot := &table[home^way]
		head := slot.head.Load()
		if head&headKey != key.head || slot.words[0].Load() != key.words[0] {
			continue
		}
		if out, ok := c.get(slot, head, dst, &key); ok {
			if mode != modeTrust {
				c.count(1)
			}
			return out
		}
	}
	return c.miss(dst, routingKey, &key)
}

// get appends a slot's destinations to dst if the slot holds the key, is current
// and was not written since its head was read. The caller has compared the head
// and the first word; the other words rarely differ then.
func (c *cached) get(s *cacheSlot, head uint64, dst []Dest, key *cacheKey) ([]Dest, bool) {
	var differ uint64
	for i := 1; i < key.n; i++ {
		differ |= s.words[i].Load() ^ key.words[i]
	}
	gen := s.gen.Load()
	if differ != 0 || gen&^genHot != c.generation(uint8(head>>headFirst)) {
		return dst, false
	}
	from, n := len(dst), int(head>>headDests&0xff)
	if n <= cacheFew && cap(dst)-from >= cacheFew {
		few := dst[from : from+cacheFew] // cut to n below
		few[0], few[1] = s.pair(key.n)
		few[2], few[3] = s.pair(key.n + 1)
		if key.n == 1 || n > 4 { // otherwise this pair is on another cache line, and not needed
			few[4], few[5] = s.pair(key.n + 2)
		}
		dst = dst[:from+n]
	} else {
		for i := range n {
			dst = append(dst, Dest(s.words[key.n+i/2].Load()>>(i%2*32)))
		}
	}
	if head&headWriting != 0 || s.head.Load() != head {
		return dst[:from], false
	}
	if gen&genHot == 0 {
		s.gen.Or(genHot)
	}
	return dst, true
}

// miss matches a key that the cache does not hold, and enters its match set.
func (c *cached) miss(dst []Dest, routingKey []byte, key *cacheKey) []Dest {
	c.count(0)
	first := firstWord(key.words[0])
	gen := c.generation(first)
	from := len(dst)
	dst = c.inner.Match(dst, routingKey)
	if key.n+(len(dst)-from+1)/2 <= cacheWords {
		key.head |= uint64(first) << headFirst
		c.fill(key, gen, dst[from:])
	}
	return dst
}

// fill puts a match set into the first slot of the key's set that is free or
// stale. If all slots are current, one in cacheDoor new keys replaces an entry:
// filling costs more than a lookup, and most keys that come once do not come again.
// Replacement goes round the slots, since keys that alternate would otherwise evict
// each other; an entry that was hit since it was filled is spared once.
func (c *cached) fill(key *cacheKey, gen uint64, dests []Dest) {
	table := *c.table.Load()
	home := key.hash & uint64(len(table)-1)
	turn := uint64(0) // number of entries that the set has had
	for way := range uint64(cacheWays) {
		slot := &table[home^way]
		head := slot.head.Load()
		if head&headUsed == 0 || slot.gen.Load()&^genHot != c.generation(uint8(head>>headFirst)) {
			slot.put(key, gen, dests)
			return
		}
		turn += head / (2 * headWriting)
	}
	if rand.Uint32()%cacheDoor != 0 {
		return
	}
	for way := range uint64(cacheWays) {
		slot := &table[home^(turn+way)%cacheWays]
		if slot.gen.Load()&genHot == 0 {
			slot.put(key, gen, dests)
			return
		}
	}
	for way := range uint64(cacheWays) {
		table[home^way].gen.And(^uint64(genHot))
	}
}

// count counts a lookup; hit is 1 if it hit and 0 if not. At the end of a window it
// chooses the next mode.
func (c *cached) count(hit uint64) {
	table, mode := c.table.Load(), c.judge.mode.Load()
	window := judgeWindow
	if mode == modeWarm {
		window = 2 * len(*table)
	}
	hits, ended := c.judge.count(hit, window)
	if !ended {
		return
	}
	switch {
	case mode != modeMeasure:
		c.judge.mode.Store(modeMeasure)
	case 100*hits > 99*judgeWindow:
		c.judge.trust()
	case len(*table) < cacheSlotsMax:
		// Keys miss: whether a larger table would hold them is found out by trying.
		if c.table.CompareAndSwap(table, new(make([]cacheSlot, 4*len(*table)))) {
			c.judge.mode.Store(modeWarm)
		}
	case 3*hits < 2*judgeWindow:
		c.judge.stepAside()
	default:
		c.judge.trust()
	}
}

// A cacheJudge decides whether a cache pays. It counts hits during some windows
// only, since a shared counter costs as much as the hit it counts.
type cacheJudge struct {
	mode   atomic.Uint32
	_      [60]byte      // keeps the tally, which is written, off the cache line of the mode
	tally  atomic.Uint64 // lookups<<32 | hits
	bypass atomic.Int64  // time.Duration of the latest bypass; 0: none since the cache last paid
	_      [48]byte
}

const (
	modeMeasure = iota // count the hits and misses of a window
	modeWarm           // count likewise, but the table was empty: measure again after it
	modeTrust          // count misses only; measure after a window of them
	modeBypass         // look nothing up; measure when a timer fires

	judgeWindow = 4096 // lookups

	// A bypass lasts twice as long as the one before it, within these bounds. It
	// ends by time, not after a number of matches, so that nobody counts those.
	bypassLeast = 50 * time.Millisecond
	bypassMost  = 3200 * time.Millisecond
)

// count counts a lookup. If that ends the window it returns the window's hits and
// true.
func (j *cacheJudge) count(hit uint64, window int) (hits int, ended bool) {
	tally := j.tally.Add(1<<32 | hit)
	ended = int(tally>>32) >= window && j.tally.CompareAndSwap(tally, 0)
	return int(uint32(tally)), ended
}

func (j *cacheJudge) trust() {
	j.bypass.Store(0)
	j.mode.Store(modeTrust)
}

func (j *cacheJudge) stepAside() {
	d := min(max(2*time.Duration(j.bypass.Load()), bypassLeast), bypassMost)
	j.bypass.Store(int64(d))
	j.mode.Store(modeBypass)
	time.AfterFunc(d, func() { j.mode.Store(modeMeasure) })
}
