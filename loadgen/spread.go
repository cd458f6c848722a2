package loadgen

import (
	"fmt"

	"harelab/scenarios"
)

// spread returns for each phase of each sequence the share of a period by which its
// messages come later than at the start of the phase. Sequences that would publish at
// the very same instants, as ten producers of one message a second each do, are spread
// evenly within the period: the k-th of n, from 0, comes k/n of it later. In step they
// would publish bursts, which is what nobody means by a constant rate. Sequences with
// in_step, other arrivals than constant ones, and phases that differ in rate, class or
// start are not shifted.
func spread(s *scenarios.Scenario) [][]float64 {
	type place struct{ sequence, phase int }
	alike := map[string][]place{}
	shares := make([][]float64, len(s.Load))
	for i := range s.Load {
		q := &s.Load[i]
		shares[i] = make([]float64, len(q.Phases))
		start := q.Start
		for j := range q.Phases {
			p := &q.Phases[j]
			if p.Model == scenarios.Open && p.Arrival.Process == "constant" && !q.InStep {
				key := fmt.Sprintf("%v %v %v %v %q %d", start, p.Shape, p.Pattern, p.Weights, p.Fix, p.Count)
				alike[key] = append(alike[key], place{i, j})
			}
			start += p.Duration
		}
	}
	for _, places := range alike {
		for k, p := range places {
			shares[p.sequence][p.phase] = float64(k) / float64(len(places))
		}
	}
	return shares
}
