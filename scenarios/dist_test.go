package scenarios

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func distribution(t *testing.T, text string) Dist {
	t.Helper()
	f, err := Parse("t.yaml", []byte(strings.Replace(sound, "service: 10ms", "service: "+text, 1)))
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Resolve(Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s.Classes[0].Service
}

// TestDistributions draws from each kind and compares mean, median and a
// bound, all in microseconds, with what theory says.
func TestDistributions(t *testing.T) {
	for _, c := range []struct {
		text         string
		mean, median float64
	}{
		{"{dist: fixed, value: 10ms}", 10000, 10000},
		{"{dist: uniform, from: 1ms, to: 3ms}", 2000, 2000},
		{"{dist: exponential, mean: 10ms}", 10000, 10000 * math.Ln2},
		{"{dist: erlang, k: 4, mean: 10ms}", 10000, 9180},
		{"{dist: gamma, shape: 0.5, mean: 10ms}", 10000, 4549},
		{"{dist: lognormal, median: 10ms, p99: 40ms}", 10000 * math.Exp(math.Pow(math.Log(4)/z99, 2)/2), 10000},
		{"{dist: weibull, mean: 10ms, shape: 0.7}", 10000, 10000 / math.Gamma(1+1/0.7) * math.Pow(math.Ln2, 1/0.7)},
		{"{dist: pareto, least: 10ms, shape: 3}", 15000, 10000 * math.Cbrt(2)},
		{"{dist: bimodal, modes: [{p: 90%, value: 10ms}, {p: 10%, value: 200ms}]}", 29000, 10000},
		{"{dist: empirical, values: [3ms, 1ms, 2ms]}", 2000, 2000},
	} {
		d := distribution(t, c.text)
		if math.Abs(d.Mean()/c.mean-1) > 1e-9 {
			t.Errorf("%s: Mean() = %v, want %v", c.text, d.Mean(), c.mean)
		}
		r := Stream(1, "test")
		const n = 200_001
		sum, draws := 0.0, make([]int64, n)
		for i := range draws {
			draws[i] = d.Draw(r)
			sum += float64(draws[i])
		}
		slices.Sort(draws)
		if mean := sum / n; math.Abs(mean/c.mean-1) > 0.02 {
			t.Errorf("%s: mean of the draws %v, want %v", c.text, mean, c.mean)
		}
		if median := float64(draws[n/2]); math.Abs(median/c.median-1) > 0.02 {
			t.Errorf("%s: median of the draws %v, want %v", c.text, median, c.median)
		}
	}
}

func TestMaxCutsDraws(t *testing.T) {
	d := distribution(t, "{dist: pareto, least: 1ms, shape: 0.5, max: 7ms}")
	if !math.IsInf(d.Mean(), 1) {
		t.Errorf("Mean() = %v, want +Inf", d.Mean())
	}
	r, most := Stream(1, "test"), int64(0)
	for range 1000 {
		most = max(most, d.Draw(r))
	}
	if most != 7000 {
		t.Errorf("largest draw %d us, want 7000", most)
	}
}

func TestEmpiricalFile(t *testing.T) {
	const text = "{dist: empirical, file: times.csv, fallback: {dist: fixed, value: 5ms}}"
	if d := distribution(t, text); d.Kind != "fixed" {
		t.Errorf("without the file: %+v, want the fallback", d)
	}
	f, err := Load("testdata/empirical.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Resolve(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if d := s.Classes[0].Service; !slices.Equal(d.Values, []float64{2000, 5000, 9500}) {
		t.Errorf("values %v", d.Values)
	}
	if rows := s.Load[0].Phases[0].Rows; len(rows) != 2 || rows[1].Size != 2048 || rows[1].Service != -1 || rows[0].Service != 3e6 {
		t.Errorf("trace %+v", rows)
	}
}
