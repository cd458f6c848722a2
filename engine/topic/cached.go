package topic

import (
	"math/rand/v2"
	"sync/atomic"
	"time"
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
//
// What a hit costs is mostly branches that the processor guesses wrong, so there
// are few that depend on the key: keys of 8 to 32 bytes are all four words, most
// entries are found in the first slot that is looked at, and a few destinations
// are copied whether there are as many or not.

func init() {
	RegisterWrapper(Wrapper{
		Name: "cached",
		Doc:  "with match sets of recent keys, while enough of them come again",
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

	// A generation for each hash of a first word, and one for all. They go up
	// after a change of bindings. An entry carries the sum, which has changed
	// if either has, since both only grow.
	all   atomic.Uint64
	first [cacheFirstWords]atomic.Uint64
}

const cacheFirstWords = 256 // generations

const (
	cacheSlotsFirst = 128 // of 128 bytes each
	cacheSlotsMax   = 8192
	cacheWays       = 4 // slots for a key
	cacheDoor       = 4 // new keys for one that gets in where all slots are taken
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

// generation returns the present generation of keys with a first word.
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

// get appends a slot's destinations to dst if it holds the key and is current,
// and nobody wrote it since its head was read. Where head and first word are the
// key's, so is all else but for rare twins.
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
		few := dst[from : from+cacheFew] // those too many are cut off
		few[0], few[1] = s.pair(key.n)
		few[2], few[3] = s.pair(key.n + 1)
		if key.n == 1 || n > 4 { // the others are on another cache line
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

// miss matches a key that is not there, and puts it there.
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

// fill puts a match set into the first slot for its key that is free or stale.
// Where all are current, one new key in cacheDoor gets in: filling costs more than
// a lookup, and most keys that come once do not come again. Slots take turns, or
// keys that come in turns would put each other out; an entry that was hit since it
// was filled is spared once.
func (c *cached) fill(key *cacheKey, gen uint64, dests []Dest) {
	table := *c.table.Load()
	home := key.hash & uint64(len(table)-1)
	turn := uint64(0) // how many entries the set has had
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

// count counts a lookup, and whether it hit, 1 or 0. At the end of a window it
// decides what to do.
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
		// Nothing about the size of a table says more than that keys miss it.
		if c.table.CompareAndSwap(table, new(make([]cacheSlot, 4*len(*table)))) {
			c.judge.mode.Store(modeWarm)
		}
	case 3*hits < 2*judgeWindow:
		c.judge.stepAside()
	default:
		c.judge.trust()
	}
}

// A cacheJudge watches whether a cache pays. It counts every lookup only for a
// window at a time: a shared counter costs as much as the hit it counts.
type cacheJudge struct {
	mode   atomic.Uint32
	_      [60]byte      // whoever reads the mode does not wait for whoever counts
	tally  atomic.Uint64 // lookups<<32 | hits
	bypass atomic.Int64  // how long the cache was left alone last
	_      [48]byte
}

const (
	modeMeasure = iota // count hits and misses of a window
	modeWarm           // the same with a table that was empty, so measure again
	modeTrust          // hits are not counted; after a window of misses, measure
	modeBypass         // no lookups; after a while, measure

	judgeWindow = 4096 // lookups

	// The cache is left alone twice as long each time that it proves useless. That
	// is a matter of time, not of matches, so that they need not be counted.
	bypassLeast = 50 * time.Millisecond
	bypassMost  = 3200 * time.Millisecond
)

// count counts a lookup and reports whether it ended a window, with the window's
// hits.
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
