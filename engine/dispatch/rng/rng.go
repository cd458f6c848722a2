// Package rng draws the random numbers of the lab's virtual time: splitmix64 and
// distributions from it, in integers only, so that every language and machine gets the
// same numbers to the bit.
//
// Its users are the dispatch strategies that draw (random, po2, jiq) and the
// generators of arrivals and service times in virtual time.
package rng

// A SplitMix64 is the generator of Steele, Lea and Flood, "Fast splittable
// pseudorandom number generators" (2014). Its state is its seed; the zero value
// is seeded with 0. It is not safe for concurrent use.
type SplitMix64 struct{ state uint64 }

// New returns a generator with the given seed.
func New(seed uint64) SplitMix64 { return SplitMix64{state: seed} }

// Uint64 draws 64 bits.
func (r *SplitMix64) Uint64() uint64 {
	r.state += 0x9E3779B97F4A7C15
	z := r.state
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// Uint32 draws the upper half of 64 bits.
func (r *SplitMix64) Uint32() uint32 { return uint32(r.Uint64() >> 32) }

// Below draws an integer in [0, n) with one call of Uint64, for 0 < n < 2^31. The bias
// of the multiplication, less than n/2^32, is part of the definition.
func (r *SplitMix64) Below(n int) int {
	return int(uint64(r.Uint32()) * uint64(n) >> 32)
}

// Exp draws from the exponential distribution with the given mean, rounded
// down; 0 <= mean < 2^26.
//
// It is von Neumann's comparison method ("Various techniques used in connection
// with random digits", 1951). The length of a falling run of uniform numbers is odd
// with exactly the probability with which the run's first number must be accepted as
// the fraction, and each rejected run adds one mean. The method needs no logarithm, so
// the result does not depend on the last bit of a mathematical library.
func (r *SplitMix64) Exp(mean int64) int64 {
	for k := uint64(0); ; k++ {
		first := r.Uint32()
		odd := true
		for last := first; ; odd = !odd {
			v := r.Uint32()
			if v >= last {
				break
			}
			last = v
		}
		if odd {
			return int64(uint64(mean) * (k<<32 + uint64(first)) >> 32)
		}
	}
}
