package scenarios

import (
	"hash/fnv"
	"math/rand/v2"
)

// Stream returns the generator of one random purpose, such as "arrivals/web".
// Streams of different purposes are independent, so drawing more from one does not
// shift what another draws. Two scenarios with the same seed draw the same numbers
// for the same purpose.
func Stream(seed uint64, purpose string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(purpose))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}
