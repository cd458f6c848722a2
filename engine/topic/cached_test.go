package topic

import (
	"fmt"
	"slices"
	"testing"
)

// counting counts the matches that get past a cache.
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

func TestCacheForgetsWhatABindConcerns(t *testing.T) {
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

func TestCacheStepsAside(t *testing.T) {
	c, _ := newCounted()
	for i := range 5 * judgeWindow {
		c.Match(nil, fmt.Appendf(nil, "key.%d", i))
	}
	if mode := c.judge.mode.Load(); mode != modeBypass {
		t.Errorf("mode %d after keys that never came again, want %d", mode, modeBypass)
	}
	for i := range 8 * bypassMatches {
		c.Match(nil, fmt.Appendf(nil, "key.%d", i%50))
	}
	if mode := c.judge.mode.Load(); mode != modeTrust {
		t.Errorf("mode %d after 50 keys came again and again, want %d", mode, modeTrust)
	}
}

// TestCacheSparesHotKeys sends many keys once between those that come often.
func TestCacheSparesHotKeys(t *testing.T) {
	c, inner := newCounted()
	hot, once := 0, 0
	for i := range 200_000 { // hot keys come in turns
		if i%5 == 0 {
			once++
			c.Match(nil, fmt.Appendf(nil, "once.%d", i))
		} else {
			hot++
			c.Match(nil, fmt.Appendf(nil, "hot.%d", i%100))
		}
	}
	if missed := inner.matches - once; missed > hot/20 {
		t.Errorf("%d of %d matches of hot keys missed", missed, hot)
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

// TestCacheComparesWholeKeys matches keys that are alike in length and beginning.
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
