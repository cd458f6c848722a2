package workload

import (
	"math"
	"slices"
	"sort"
)

// Zipf returns the bindings of rabbit2011-trailing with a stream of 20,000 different
// routing keys. The frequency of the k-th is proportional to 1/k^exponent: at 0 all keys
// are equally frequent, at 1 a tenth of the keys makes up four messages of five.
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
	sums := make([]float64, distinct) // sum of the weights up to each key
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
