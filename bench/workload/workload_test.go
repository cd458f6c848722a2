package workload

import (
	"testing"

	"harelab/engine/topic"
)

// TestMatches holds the stated number of matches to what the strategies find:
// the default on the whole stream, the oracle on some keys of it.
func TestMatches(t *testing.T) {
	for _, spec := range Specs() {
		t.Run("workload="+spec.Name, func(t *testing.T) {
			w := spec.Make()
			m, oracle := newMatcher(t, topic.Default), newMatcher(t, "scan")
			w.Fill(m)
			w.Fill(oracle)
			matches, bytes := 0, 0
			distinct := make(map[string]bool)
			var dst []topic.Dest
			for i, key := range w.Keys {
				dst = m.Match(dst[:0], key)
				matches += len(dst)
				bytes += len(key)
				distinct[string(key)] = true
				if i%(len(w.Keys)/40) == 0 {
					if want := oracle.Match(nil, key); len(want) != len(dst) {
						t.Fatalf("Match(%q): %d destinations, want %d", key, len(dst), len(want))
					}
				}
			}
			n := float64(len(w.Keys))
			t.Logf("%d bindings, %d keys, %d distinct, %.1f bytes each, %.3f matches each",
				len(w.Bindings), len(w.Keys), len(distinct), float64(bytes)/n, float64(matches)/n)
			if matches != spec.Matches {
				t.Errorf("%d matches, want %d", matches, spec.Matches)
			}
		})
	}
}

func newMatcher(t *testing.T, strategy string) topic.Matcher {
	t.Helper()
	s, err := topic.Lookup(strategy)
	if err != nil {
		t.Fatal(err)
	}
	return s.New()
}
