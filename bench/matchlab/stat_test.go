package matchlab

import (
	"fmt"
	"math"
	"testing"

	"golang.org/x/perf/benchmath"

	"harelab/bench/workload"
	"harelab/engine/topic"
)

func TestFormatNanos(t *testing.T) {
	for _, tt := range []struct {
		ns   float64
		want string
	}{
		{0, "0 ns"}, {7.25, "7.25 ns"}, {14.04, "14 ns"}, {999.4, "999 ns"}, {999.6, "1 µs"}, {36_370, "36.4 µs"},
		{999_700, "1 ms"}, {5.226e6, "5.23 ms"}, {2.5e9, "2.5 s"}, {1.2345e12, "1,235 s"},
	} {
		if got := FormatNanos(tt.ns); got != tt.want {
			t.Errorf("FormatNanos(%v) = %q, want %q", tt.ns, got, tt.want)
		}
	}
}

func TestFormatP(t *testing.T) {
	for p, want := range map[float64]string{0.0001: "p<0.001", 0.0012: "p=0.001", 0.05: "p=0.050"} {
		if got := formatP(p); got != want {
			t.Errorf("formatP(%v) = %q, want %q", p, got, want)
		}
	}
}

// TestGrowth checks that the sentence is about the default and the curve that ends lowest.
func TestGrowth(t *testing.T) {
	rises := func(contender string, ys ...float64) curve {
		c := curve{contender: contender, y: ys}
		for i := range ys {
			c.x = append(c.x, float64(i+1))
		}
		return c
	}
	plain := func(v float64) string { return fmt.Sprint(v) }
	for _, tt := range []struct {
		all  []curve
		want string
	}{
		{[]curve{rises("much", 1, 5, 9), rises("nfa", 2, 2, 30), rises("least", 4, 9, 5)}, "Bindings: from 1 to 3 a match with nfa goes from 2 to 30; the least at the end is 5 with least."},
		{[]curve{rises("much", 1, 5, 9), rises("nfa", 4, 9, 5), rises("least", 2, 2, 30)}, "Bindings: from 1 to 3 a match with nfa goes from 4 to 5, the least at the end."},
		{[]curve{rises("nfa", 1, 5, 9)}, "Bindings: from 1 to 3 a match with nfa goes from 1 to 9."},
		{[]curve{rises("much", 1, 5, 9), rises("less", 1, 5, 8)}, "Bindings: from 1 to 3 a match with less goes from 1 to 8, the least at the end."},
	} {
		if got := growth(tt.all, "bindings", plain); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

// TestSteps checks that steps are counted for strategies that walk, and not behind a
// cache.
func TestSteps(t *testing.T) {
	w := workload.Adversarial(3, sweepWords)
	few, many := steps(topic.Default, w), steps("scan", w)
	if few < sweepWords || many < 10*few {
		t.Errorf("%s takes %v steps, scan %v", topic.Default, few, many)
	}
	if stepper(CachedDefault) != nil {
		t.Errorf("%s counts steps", CachedDefault)
	}
}

// TestFewestSamples checks that fewestSamples have an interval and one sample less has
// none.
func TestFewestSamples(t *testing.T) {
	all := []float64{1, 2, 3, 4, 5, 6, 7}
	for n, want := range map[int]bool{fewestSamples - 1: false, fewestSamples: true} {
		s := benchmath.AssumeNothing.Summary(benchmath.NewSample(all[:n], &benchmath.DefaultThresholds), confidence)
		if got := !math.IsInf(s.Lo, 0) && !math.IsInf(s.Hi, 0); got != want {
			t.Errorf("%d samples have an interval: %t, want %t (%+v)", n, got, want, s)
		}
	}
}
