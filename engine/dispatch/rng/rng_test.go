package rng

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
)

// TestVectors compares draws with those of an independent implementation.
func TestVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/splitmix64.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Seed    uint64
		NextHex []string `json:"next_hex"`
		U32     []uint32
		Below11 []int   `json:"below_11"`
		Exp     []int64 `json:"exp_mean_1000000"`
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	vector(t, "Uint64", want.Seed, want.NextHex, func(r *SplitMix64) string { return fmt.Sprintf("%016x", r.Uint64()) })
	vector(t, "Uint32", want.Seed, want.U32, (*SplitMix64).Uint32)
	vector(t, "Below(11)", want.Seed, want.Below11, func(r *SplitMix64) int { return r.Below(11) })
	vector(t, "Exp(1000000)", want.Seed, want.Exp, func(r *SplitMix64) int64 { return r.Exp(1_000_000) })
}

func vector[T comparable](t *testing.T, name string, seed uint64, want []T, draw func(*SplitMix64) T) {
	t.Helper()
	if len(want) == 0 {
		t.Errorf("%s: no vector", name)
	}
	r := New(seed)
	for i, w := range want {
		if got := draw(&r); got != w {
			t.Errorf("%s: draw %d of seed %d = %v, want %v", name, i, seed, got, w)
		}
	}
}

// TestExpEndsARunAtEquals draws from a seed, found by search, whose first two numbers
// are equal. The falling run ends with the first, and is accepted.
func TestExpEndsARunAtEquals(t *testing.T) {
	const seed, first = 1835623284, 1376685725
	r := New(seed)
	if a, b := r.Uint32(), r.Uint32(); a != first || b != first {
		t.Fatalf("seed %d draws %d and %d, want %d twice", seed, a, b, first)
	}
	r = New(seed)
	if got, want := r.Exp(1<<20), int64(first>>12); got != want {
		t.Errorf("Exp(1<<20) = %d, want %d", got, want)
	}
}

// TestExpIsExponential checks the first two moments, which a vector cannot show. The
// mean of a million draws has a standard error of 0.1 %.
func TestExpIsExponential(t *testing.T) {
	const n, mean = 1_000_000, 1_000_000
	r := New(12345)
	var sum, squares float64
	for range n {
		x := float64(r.Exp(mean)) / mean
		sum += x
		squares += x * x
	}
	if m := sum / n; m < 0.995 || m > 1.005 {
		t.Errorf("mean of %d draws is %.4f of the mean asked for", n, m)
	}
	if m := squares / n; m < 1.97 || m > 2.03 {
		t.Errorf("second moment of %d draws is %.4f, want 2", n, m)
	}
}

func TestBelowStaysBelow(t *testing.T) {
	r := New(7)
	for _, n := range []int{1, 2, 3, 1 << 30, 1<<31 - 1} {
		for range 1000 {
			if v := r.Below(n); v < 0 || v >= n {
				t.Fatalf("Below(%d) = %d", n, v)
			}
		}
	}
}
