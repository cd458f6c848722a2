package selftest

import (
	"math"
	"testing"
)

// The values are those of the textbooks, to the digits printed there.
func TestFormulas(t *testing.T) {
	dm1, dm1Sigma := gm1Wait(1, fixedArrivals(0.8))
	em1, em1Sigma := gm1Wait(1, erlangArrivals(4, 0.8))
	mm1, mm1Sigma := gm1Wait(1, erlangArrivals(1, 0.8))
	bimodal := cobhamWaits([]priorityClass{
		{rate: 0.5 * 10 / 11, mean: 0.1, second: 0.01},
		{rate: 0.5 * 1 / 11, mean: 10, second: 100},
	})
	equal := cobhamWaits([]priorityClass{{0.4, 1, 2}, {0.4, 1, 2}})
	for _, c := range []struct {
		name      string
		got, want float64
		digits    float64
	}{
		{"M/M/1 load 0.8", mg1Wait(0.8, 1, 2), 4, 1e-12},
		{"M/M/1 as M/M/c", mmcWait(1, 0.8, 1), 4, 1e-12},
		{"M/M/1 as G/M/1", mm1, 4, 1e-9},
		{"M/M/1 as G/M/1, sigma", mm1Sigma, 0.8, 1e-9},
		{"M/D/1 load 0.8", mg1Wait(0.8, 1, 1), 2, 1e-12},
		{"M/M/2 load 0.8, C", erlangC(2, 1.6), 0.7111, 5e-5},
		{"M/M/2 load 0.8", mmcWait(2, 1.6, 1), 1.7778, 5e-5},
		{"M/M/4 load 0.8, C", erlangC(4, 3.2), 0.5964, 5e-5},
		{"M/M/4 load 0.8", mmcWait(4, 3.2, 1), 0.7455, 5e-5},
		{"D/M/1 load 0.8, sigma", dm1Sigma, 0.6286, 5e-5},
		{"D/M/1 load 0.8", dm1, 1.6927, 5e-5},
		{"E4/M/1 load 0.8, sigma", em1Sigma, 0.6939, 5e-5},
		{"E4/M/1 load 0.8", em1, 2.267, 5e-4},
		{"M/G/1 bimodal load 0.5", mg1Wait(0.5, 1, 9.1), 4.55, 1e-12},
		{"short first, short", bimodal[0], 2.383, 5e-4},
		{"short first, long", bimodal[1], 4.767, 5e-4},
		{"two equal priorities, high", equal[0], 1.333, 5e-4},
		{"two equal priorities, low", equal[1], 6.667, 5e-4},
		{"po2 load 0.9", po2Response(0.9), 2.614, 5e-4},
	} {
		if math.Abs(c.got-c.want) > c.digits {
			t.Errorf("%s = %.6f, want %v", c.name, c.got, c.want)
		}
	}
}
