package compare

import (
	"strings"
	"testing"

	"harelab/reports/internal/specimen"
	"harelab/reports/stat"
)

// judged sets the metric by which runs are judged.
func judged(ss []*stat.Summary, by string) []*stat.Summary {
	for _, s := range ss {
		s.Headline = by
	}
	return ss
}

func TestHeadlineNamesTheGoal(t *testing.T) {
	base := func(by string) *Side {
		return side(t, "main", judged(virtual(specimen.CeleryOptimized("same-load", 40, 4, false)), by))
	}
	fair := func(by string) *Side {
		return side(t, "fair", judged(virtual(specimen.CeleryOptimized("same-load-fair", 40, 1, true)), by))
	}
	const max = "wait.max{class=run_user_query}"
	for _, tt := range []struct {
		name string
		c    *Comparison
		want string
	}{
		{"among the usual figures", Compare(base(max), fair(max)), "With fair wait.max{class=run_user_query} goes from 10.5 s to 3.9 s (-62.9 %, better); 6 other figures are better."},
		{"besides them", Compare(base("queued.max{class=run_user_query}"), fair("queued.max{class=run_user_query}")), "With fair queued.max{class=run_user_query} goes from 2.4 s to 3.9 s (+62.5 %, worse); 7 other figures are better."},
		{"nothing moved", Compare(base("lost"), base("lost")), "With main lost stays at 0."},
		{"two goals", Compare(base(max), fair("held.max{class=run_user_query}")), "fair is better."},
		{"two goals on one side", Compare(base(max), side(t, "fair", append(judged(virtual(specimen.CeleryOptimized("same-load-fair", 40, 1, true)), max), judged(virtual(specimen.CeleryOptimized("same-load-fair", 40, 1, true)), "held.max{class=run_user_query}")...))), "fair is better."},
		{"two sides", Compare(base(max), fair(max), base(max)), "wait.max{class=run_user_query} is 10.5 s with main, 3.9 s with fair (-62.9 %, better) and 10.5 s with main (the same)."},
		{"on a real clock", Compare(side(t, "main", judged(repeats(6, 1, 0.01, 1), max)), side(t, "pr", judged(repeats(6, 1, 0.01, 4), max))), "With pr wait.max{class=run_user_query} shows no significant difference (10.5 s and 10.5 s)."},
	} {
		if got := tt.c.headline(); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
	}
}

// TestVerdictFromZero: a change from 0 has no ratio, so the verdict has both values.
func TestVerdictFromZero(t *testing.T) {
	of := func(name string, wait float64) *Side {
		s := newSide(name)
		k := Key{Metric: "wait.p50", Unit: "s", Better: -1}
		s.add(k, wait)
		s.Exact[k] = true
		return s
	}
	if got, want := Compare(of("a", 0), of("b", 0.0718)).Verdict, "b is worse in wait.p50 (0 s -> 71.8 ms)."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestNothingVisibleChanges: a difference that prints as 0.0 % is no change, even if it
// is certain.
func TestNothingVisibleChanges(t *testing.T) {
	a, b := newSide("a"), newSide("b")
	k := Key{Metric: "jain.busy", Better: 1}
	for i := range 8 {
		a.add(k, 0.99996+float64(i)*1e-7)
		b.add(k, 0.99972+float64(i)*1e-7)
	}
	if e := Compare(a, b).Rows[0].News[0]; e.P >= Alpha || e.Change != NoChange {
		t.Errorf("change %v with p=%v, ratio %v", e.Change, e.P, e.Ratio)
	}
	for _, tt := range []struct {
		base, new float64
		want      Change
	}{{0.999961, 0.99997, NoChange}, {0.999, 1, Better}, {0, 0.001, Better}, {0, 0, NoChange}} {
		a, b := newSide("a"), newSide("b")
		a.add(k, tt.base)
		b.add(k, tt.new)
		a.Exact[k], b.Exact[k] = true, true
		if e := Compare(a, b).Rows[0].News[0]; e.Change != tt.want {
			t.Errorf("exactly %v to %v: %v, want %v", tt.base, tt.new, e.Change, tt.want)
		}
	}
}

// TestSentenceKeepsToOneUnit: all times of a row are in one unit; other figures have
// their own unit.
func TestSentenceKeepsToOneUnit(t *testing.T) {
	for _, tt := range []struct {
		unit string
		of   []float64
		want string
	}{
		{"s", []float64{0.0183, 0.232, 0}, "18.3 ms 232 ms 0 s"},
		{"s", []float64{0.232, 1.5}, "0.232 s 1.5 s"},
		{"%", []float64{0.5, 0.75}, "50 % 75 %"},
	} {
		row := Row{Key: Key{Metric: "m", Unit: tt.unit}, Base: Estimate{Center: tt.of[0]}}
		for _, v := range tt.of[1:] {
			row.News = append(row.News, Effect{Estimate: Estimate{Center: v}})
		}
		format := row.format()
		var got []string
		for _, v := range tt.of {
			got = append(got, format(v))
		}
		if got := strings.Join(got, " "); got != tt.want {
			t.Errorf("%v in %s: %q, want %q", tt.of, tt.unit, got, tt.want)
		}
	}
}
