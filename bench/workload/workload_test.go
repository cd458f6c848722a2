package workload

import (
	"bytes"
	"slices"
	"testing"
	"unsafe"

	"harelab/engine/topic"
)

// TestMatches checks the stated number of matches against the default strategy on the
// whole stream, and the default against the oracle on some keys.
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

// TestArriving checks that an arriving workload has the same routing keys in another
// order, next to each other in memory.
func TestArriving(t *testing.T) {
	spec, err := Lookup("celery")
	if err != nil {
		t.Fatal(err)
	}
	w := spec.Make()
	in, again, other := w.Arriving(1), w.Arriving(1), w.Arriving(2)
	if !slices.EqualFunc(in.Keys, again.Keys, bytes.Equal) {
		t.Error("the same seed gives two orders")
	}
	if slices.EqualFunc(in.Keys, other.Keys, bytes.Equal) || slices.EqualFunc(in.Keys, w.Keys, bytes.Equal) {
		t.Error("the order is not drawn from the seed")
	}
	if !slices.EqualFunc(slices.SortedFunc(slices.Values(in.Keys), bytes.Compare),
		slices.SortedFunc(slices.Values(w.Keys), bytes.Compare), bytes.Equal) {
		t.Error("the routing keys are not those of the workload")
	}
	for i := range in.Keys[1:] {
		before, k := in.Keys[i], in.Keys[i+1]
		gap := uintptr(unsafe.Pointer(&k[0])) - uintptr(unsafe.Pointer(&before[0]))
		if want := uintptr(len(before) + frameOctets); gap != want {
			t.Fatalf("key %d lies %d octets after the one before, want %d", i+1, gap, want)
		}
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
