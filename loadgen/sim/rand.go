package sim

import "harelab/engine/dispatch/rng"

// Rand is the random generator of the known answers: splitmix64, in integers only.
type Rand = rng.SplitMix64

// NewRand returns a generator with the given seed.
func NewRand(seed uint64) *Rand {
	r := rng.New(seed)
	return &r
}
