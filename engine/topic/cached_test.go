package topic

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// counting counts the matches that a cache passes on.
type counting struct {
	Matcher
	matches int
}

func (c *counting) Match(dst []Dest, routingKey []byte) []Dest {
	c.matches++
	return c.Matcher.Match(dst, routingKey)
}

func newCounted() (*cached, *counting) {
	inner := &counting{Matcher: newNFA()}
	return newCached(inner), inner
}

func TestCacheHits(t *testing.T) {
	c, inner := newCounted()
	c.Bind("a.*", 1)
	for range 10 {
		if got := c.Match(nil, []byte("a.b")); !slices.Equal(got, []Dest{1}) {
			t.Fatalf("Match(a.b) = %d, want [1]", got)
		}
	}
	if inner.matches != 1 {
		t.Errorf("%d matches got past the cache for one key, want 1", inner.matches)
	}
}

func TestCacheLimits(t *testing.T) {
	for _, tt := range []struct {
		rule       string
		key, dests int
		cached     bool
	}{
		{"a key of any length up to the limit", cacheKeyBytes, 1, true},
		{"no longer key", cacheKeyBytes + 1, 1, false},
		{"no destination is a result, too", 7, 0, true},
		{"destinations while there is room", 7, 2 * (cacheWords - 1), true},
		{"no more", 7, 2*(cacheWords-1) + 1, false},
		{"less room beside a longer key", 32, 2 * (cacheWords - 4), true},
		{"no more beside a longer key", 32, 2*(cacheWords-4) + 1, false},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			c, inner := newCounted()
			for d := range tt.dests {
				c.Bind("#", Dest(d))
			}
			key := []byte(strings.Repeat("a", tt.key))
			for _, room := range []int{0, cacheFew, tt.dests, 100} {
				if got := c.Match(make([]Dest, 0, room), key); len(got) != tt.dests {
					t.Errorf("%d destinations, want %d", len(got), tt.dests)
				}
			}
			if got := inner.matches == 1; got != tt.cached {
				t.Errorf("%d of 4 matches got past the cache, cached should be %t", inner.matches, tt.cached)
			}
		})
	}
}

func TestCacheForgetsWhatABindConcerns(t *testing.T) {
	// One word in 256 shares the counter of another. With these seeds, none here do.
	defer func(h *hasher) { seeded = h }(seeded)
	seeded = newHasher(rand.New(rand.NewPCG(1, 2)).Uint64)
	for _, tt := range []struct {
		rule, change, key string
		forgotten         bool
	}{
		{"the same first word", "a.#", "a.b", true},
		{"another first word", "b.#", "a.b", false},
		{"a wildcard first", "*.x", "a.b", true},
		{"'#' first", "#.x", "a.b", true},
		{"the same long first word", "a-long-word.#", "a-long-word.b", true},
		{"the empty key", "", "", true},
		{"an empty first word", ".x", ".b", true},
		{"'*' within the first word", "*a.x", "a.b", false},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			c, inner := newCounted()
			c.Match(nil, []byte(tt.key))
			c.Match(nil, []byte(tt.key))
			c.Bind(tt.change, 7)
			c.Match(nil, []byte(tt.key))
			if got := inner.matches == 2; got != tt.forgotten {
				t.Errorf("after Bind(%q) %q was forgotten: %t, want %t", tt.change, tt.key, got, tt.forgotten)
			}
			inner.matches = 0
			c.Unbind(tt.change, 7)
			c.Match(nil, []byte(tt.key))
			if got := inner.matches == 1; got != tt.forgotten {
				t.Errorf("after Unbind(%q) %q was forgotten: %t, want %t", tt.change, tt.key, got, tt.forgotten)
			}
		})
	}
}

// meddling changes bindings in the middle of a match, and matches in the middle of a
// change.
type meddling struct {
	Matcher
	afterMatch, beforeBind func()
}

func (m *meddling) Match(dst []Dest, routingKey []byte) []Dest {
	dst = m.Matcher.Match(dst, routingKey)
	if f := m.afterMatch; f != nil {
		m.afterMatch = nil
		f()
	}
	return dst
}

func (m *meddling) Bind(bindingKey string, d Dest) bool {
	if f := m.beforeBind; f != nil {
		m.beforeBind = nil
		f()
	}
	return m.Matcher.Bind(bindingKey, d)
}

// TestCacheKeepsNothingOlderThanABind checks that the cache never answers with a match
// set from before a bind after the bind.
func TestCacheKeepsNothingOlderThanABind(t *testing.T) {
	for _, binding := range []string{"a.*", "#"} {
		inner := &meddling{Matcher: newNFA()}
		c := newCached(inner)
		inner.afterMatch = func() { c.Bind(binding, 1) }
		c.Match(nil, []byte("a.b"))
		if got := c.Match(nil, []byte("a.b")); !slices.Equal(got, []Dest{1}) {
			t.Errorf("Bind(%s, 1) during a match; the next one is %d, want [1]", binding, got)
		}
		inner.beforeBind = func() { c.Match(nil, []byte("a.c")) }
		c.Bind(binding, 2)
		if got := c.Match(nil, []byte("a.c")); len(got) != 2 {
			t.Errorf("a match during Bind(%s, 2); the next one is %d, want [1 2]", binding, got)
		}
	}
}

// TestCacheStepsAside checks that a cache whose keys miss turns itself off, for longer
// each time, and turns itself on when keys repeat.
func TestCacheStepsAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, inner := newCounted()
		n := 0
		useless := func() (lookups int) {
			for ; c.judge.mode.Load() != modeBypass; lookups++ {
				c.Match(nil, fmt.Appendf(nil, "key.%d", n))
				n++
			}
			return lookups
		}
		if lookups := useless(); lookups > 20*judgeWindow {
			t.Errorf("the cache turned itself off after %d keys that never repeated", lookups)
		}
		for rest := bypassLeast; rest < 4*bypassMost; rest *= 2 {
			time.Sleep(min(rest, bypassMost) - 1)
			if mode := c.judge.mode.Load(); mode != modeBypass {
				t.Fatalf("mode %d within %v, want %d", mode, rest, modeBypass)
			}
			time.Sleep(2 * time.Nanosecond)
			if lookups := useless(); lookups != judgeWindow {
				t.Errorf("the cache tried again with %d lookups, want %d", lookups, judgeWindow)
			}
		}
		time.Sleep(bypassMost + 1)
		for i := range 2 * judgeWindow {
			c.Match(nil, fmt.Appendf(nil, "key.%d", i%50))
		}
		if mode := c.judge.mode.Load(); mode != modeTrust {
			t.Errorf("mode %d after 50 keys repeated many times, want %d", mode, modeTrust)
		}
		inner.matches = 0
		for i := range 1000 {
			c.Match(nil, fmt.Appendf(nil, "key.%d", i%50))
		}
		if inner.matches > 0 {
			t.Errorf("%d of 1000 matches of 50 keys got past the cache", inner.matches)
		}
	})
}

// reseed fixes the hashes of keys for the rest of a test. A test with a limit on misses
// needs fixed ones, because the number of keys that share a set is random.
func reseed(t *testing.T, rng *rand.Rand) {
	old := cacheSeed
	t.Cleanup(func() { cacheSeed = old })
	for i := range cacheSeed {
		cacheSeed[i] = rng.Uint64()
	}
}

// TestCacheGrowsForItsKeys checks that as many keys hit as the cache has room for.
func TestCacheGrowsForItsKeys(t *testing.T) {
	reseed(t, rand.New(rand.NewPCG(1, 2)))
	c, inner := newCounted()
	const keys, rounds = 3000, 30
	for i := range keys * rounds {
		if i == keys*(rounds-1) {
			inner.matches = 0
		}
		c.Match(nil, fmt.Appendf(nil, "service.task_%d", i%keys))
	}
	if inner.matches > keys/20 {
		t.Errorf("%d of %d matches got past the cache, with %d slots", inner.matches, keys, len(*c.table.Load()))
	}
}

// TestCacheSparesHotKeys draws from 20,000 keys, the k-th of them with a probability in
// proportion to 1/k. The 8,192 most frequent keys make 91 % of the matches. Without the
// rule that spares entries that were hit, 85 % hit.
func TestCacheSparesHotKeys(t *testing.T) {
	reseed(t, rand.New(rand.NewPCG(1, 2)))
	c, inner := newCounted()
	rng := rand.New(rand.NewPCG(1, 2))
	zipf := rand.NewZipf(rng, 1.0001, 1, 20_000-1)
	const warm, matches = 200_000, 200_000
	for i := range warm + matches {
		if i == warm {
			inner.matches = 0
		}
		c.Match(nil, fmt.Appendf(nil, "key.%d", zipf.Uint64()))
	}
	if missed := float64(inner.matches) / matches; missed > 0.13 {
		t.Errorf("%.1f %% of the matches got past the cache, want at most 13 %%", 100*missed)
	}
}

// TestCacheSeldomGivesWay looks up keys that do not repeat in a full table.
func TestCacheSeldomGivesWay(t *testing.T) {
	reseed(t, rand.New(rand.NewPCG(1, 2)))
	c, _ := newCounted()
	const keys = 4000
	n := 0
	send := func() (written uint64) {
		for range keys {
			c.Match(nil, fmt.Appendf(nil, "key.%d", n))
			n++
		}
		table := *c.table.Load()
		for i := range table {
			written += table[i].head.Load() / (2 * headWriting)
		}
		return written
	}
	full := send()
	if more := send() - full; more > keys/2 || more == 0 {
		t.Errorf("%d of %d keys were put into a full table of %d slots", more, keys, len(*c.table.Load()))
	}
}

func TestCacheIsBounded(t *testing.T) {
	c, _ := newCounted()
	for i := range 100_000 {
		c.Match(nil, fmt.Appendf(nil, "key.%d", i))
	}
	if got := len(*c.table.Load()); got > cacheSlotsMax {
		t.Errorf("%d slots, want at most %d", got, cacheSlotsMax)
	}
}

// TestCacheComparesWholeKeys matches keys that have the same length and beginning.
func TestCacheComparesWholeKeys(t *testing.T) {
	c, _ := newCounted()
	const n = 3000
	key := func(i int) string { return fmt.Sprintf("a-common-beginning.%06d", i) }
	for i := range n {
		c.Bind(key(i), Dest(i))
	}
	for range 3 {
		for i := range n {
			if got := c.Match(nil, []byte(key(i))); !slices.Equal(got, []Dest{Dest(i)}) {
				t.Fatalf("Match(%q) = %d, want [%d]", key(i), got, i)
			}
		}
	}
}

// TestCacheKeysDiffer checks that the cache's forms of keys differ if the keys differ in
// one byte or in length, at every length.
func TestCacheKeysDiffer(t *testing.T) {
	seen := make(map[[cacheKeyWords + 1]uint64]string)
	add := func(key string) {
		var k cacheKey
		k.set([]byte(key))
		as := [cacheKeyWords + 1]uint64{k.head}
		copy(as[1:], k.words[:k.n])
		if other, ok := seen[as]; ok {
			t.Errorf("%q and %q have the same form in the cache", key, other)
		}
		seen[as] = key
	}
	for n := range cacheKeyBytes + 1 {
		add(strings.Repeat("a", n))
		for i := range n {
			add(strings.Repeat("a", i) + "b" + strings.Repeat("a", n-i-1))
			add(strings.Repeat("a", i) + "\x00" + strings.Repeat("a", n-i-1))
		}
	}
}

// TestCacheSlotTornReads reads a slot that another goroutine writes between the reads of
// its head, and one that it is writing.
func TestCacheSlotTornReads(t *testing.T) {
	c, _ := newCounted()
	var key cacheKey
	key.set([]byte("a.b"))
	var s cacheSlot
	s.put(&key, 0, []Dest{1, 2, 3})
	head := s.head.Load()
	if got, ok := c.get(&s, head, nil, &key); !ok || !slices.Equal(got, []Dest{1, 2, 3}) {
		t.Fatalf("get = %d, %t, want [1 2 3], true", got, ok)
	}
	for _, room := range []int{0, cacheFew} {
		s.put(&key, 0, []Dest{4})
		if got, ok := c.get(&s, head, make([]Dest, 0, room), &key); ok || len(got) > 0 {
			t.Errorf("get over a put = %d, %t, want none, false", got, ok)
		}
		head = s.head.Load()
	}
	s.head.Store(head + headWriting)
	if got, ok := c.get(&s, head+headWriting, nil, &key); ok || len(got) > 0 {
		t.Errorf("get within a put = %d, %t, want none, false", got, ok)
	}
	if s.put(&key, 0, nil); s.head.Load() != head+headWriting {
		t.Error("a slot was written by two at once")
	}
}

// TestCacheFlood puts keys into the cache that all go to a few sets with known seeds, as
// a stranger who knew the seeds would choose them. With other seeds they must spread.
func TestCacheFlood(t *testing.T) {
	for _, format := range []string{"%x", "a.crafted.key.%010x", "a.crafted.key.of.more.than.%012x.bytes"} {
		sets := func(keys []string) int {
			homes := make(map[uint64]bool)
			for _, key := range keys {
				var k cacheKey
				k.set([]byte(key))
				homes[k.hash%cacheSlotsMax/cacheWays] = true
			}
			return len(homes)
		}
		reseed(t, rand.New(rand.NewPCG(1, 2)))
		var crafted []string
		for i := 0; len(crafted) < 200; i++ {
			var k cacheKey
			key := fmt.Sprintf(format, i)
			if k.set([]byte(key)); k.hash%cacheSlotsMax < 16*cacheWays {
				crafted = append(crafted, key)
			}
		}
		if got := sets(crafted); got > 16 {
			t.Errorf("crafted keys like %s go to %d sets with the seeds they were made for: this test shows nothing", format, got)
		}
		reseed(t, rand.New(rand.NewPCG(rand.Uint64(), 0)))
		if got := sets(crafted); got < 150 {
			t.Errorf("200 crafted keys like %s go to %d sets", format, got)
		}
	}
}
