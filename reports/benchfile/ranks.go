package benchfile

import (
	"cmp"
	"math"
	"slices"
)

// ranks is how far rank sums are from what equal distributions would give, with its
// variance. Rank sums of independent rows add up. Step is the least distance between two
// rank sums.
type ranks struct{ off, variance, step float64 }

// rankSum returns the rank sum of the values in is among all, weighted by the number of
// values as van Elteren does, so that rows with few samples count little.
func rankSum(was, is []float64) ranks {
	type value struct {
		v   float64
		new bool
	}
	var all []value
	for _, v := range was {
		all = append(all, value{v, false})
	}
	for _, v := range is {
		all = append(all, value{v, true})
	}
	slices.SortFunc(all, func(a, b value) int { return cmp.Compare(a.v, b.v) })
	n, n1, n2 := float64(len(all)), float64(len(was)), float64(len(is))
	sum, ties := 0.0, 0.0
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].v == all[i].v {
			j++
		}
		t := float64(j - i)
		ties += t*t*t - t
		for k := i; k < j; k++ {
			if all[k].new {
				sum += float64(i+1+j) / 2
			}
		}
		i = j
	}
	weight := 1 / (n + 1)
	variance := n1 * n2 / 12 * ((n + 1) - ties/(n*(n-1)))
	return ranks{weight * (sum - n2*(n+1)/2), weight * weight * variance, weight}
}

func (r ranks) add(o ranks) ranks {
	return ranks{r.off + o.off, r.variance + o.variance, max(r.step, o.step)}
}

// p returns the two-sided p value by the normal approximation, corrected for continuity.
func (r ranks) p() float64 {
	if r.variance <= 0 {
		return 1
	}
	return math.Erfc(max(0, math.Abs(r.off)-r.step/2) / math.Sqrt(2*r.variance))
}
