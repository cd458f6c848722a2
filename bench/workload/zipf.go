package workload

import (
	"math"
	"slices"
	"sort"
)

// Zipf returns the bindings of rabbit2011-trailing with a stream of 20,000
// different routing keys, the k-th of which comes in proportion to 1/k^exponent:
// at 0 all alike, at 1 a tenth of them brings four messages of five.
func Zipf(exponent float64) *Workload {
	const distinct, stream = 20_000, 200_000
	w := rabbit2011Trailing()
	seen := make(map[string]bool)
	w.Keys = slices.DeleteFunc(w.Keys, func(k []byte) bool {
		again := seen[string(k)]
		seen[string(k)] = true
		return again
	})[:distinct]
	rng := newRand(6)
	sums := make([]float64, distinct) // of the weights so far
	sum := 0.0
	for i := range sums {
		sum += math.Pow(float64(i+1), -exponent)
		sums[i] = sum
	}
	keys := make([][]byte, stream)
	for i := range keys {
		keys[i] = w.Keys[min(sort.SearchFloat64s(sums, rng.Float64()*sum), distinct-1)]
	}
	w.Keys = keys
	return w
}
