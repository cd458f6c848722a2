package compare

import (
	"harelab/reports/arms"
	"slices"
	"strings"
	"testing"

	"harelab/loadgen/run"
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

// sides compares runs as two results folders are compared.
func sides(t *testing.T, runs ...[]*stat.Summary) *Comparison {
	t.Helper()
	names := []string{"main", "new", "other"}[:len(runs)]
	out, err := Sides(names, runs, nil)
	if err != nil {
		t.Fatal(err)
	}
	return Compare(out[0], out[1:]...)
}

// costly is the fair arm with its long jobs delayed.
func costly() *run.Result {
	r := specimen.CeleryOptimized("same-load-fair", 40, 1, true)
	for i := range r.Messages {
		if m := &r.Messages[i]; r.Classes[m.Class] == "fit_neural_net" {
			m.Started, m.Done = m.Started+5_000_000, m.Done+5_000_000
		}
	}
	return r
}

// TestHeadlineIsAboutTheGoals: the headline speaks of what the runs are judged by, with
// the price, and mirrors if the sides change places.
func TestHeadlineIsAboutTheGoals(t *testing.T) {
	split := func(by string) []*stat.Summary {
		return judged(virtual(specimen.CeleryOptimized("same-load", 40, 4, false)), by)
	}
	fair := func(by string) []*stat.Summary {
		return judged(virtual(specimen.CeleryOptimized("same-load-fair", 40, 1, true)), by)
	}
	paid := func(by string) []*stat.Summary { return judged(virtual(costly()), by) }
	const max = "wait.max{class=run_user_query}"
	for _, tt := range []struct {
		name        string
		a, b        []*stat.Summary
		there, back string
	}{
		{"a headline", split(max), fair(max),
			"Better with new: the longest wait of run_user_query is 3.9 s instead of 10.5 s.",
			"Worse with new: the longest wait of run_user_query is 10.5 s instead of 3.9 s."},
		{"a price", split(max), paid(max),
			"Better with new: the longest wait of run_user_query is 3.9 s instead of 10.5 s; the price: the longest wait of fit_neural_net is 15 s instead of 10 s.",
			"Worse with new: the longest wait of run_user_query is 10.5 s instead of 3.9 s; in return the longest wait of fit_neural_net is 10 s instead of 15 s."},
		{"all labels of the headline", split("wait.p99{class!=fit_neural_net}"), fair("wait.p99{class!=fit_neural_net}"),
			"Better with new: 99 % of messages other than fit_neural_net start within 3.9 s instead of 10.5 s.",
			"Worse with new: 99 % of messages other than fit_neural_net start within 10.5 s instead of 3.9 s."},
		{"a headline on one side", split(max), fair(""),
			"Better with new: the longest wait of run_user_query is 3.9 s instead of 10.5 s.",
			"Worse with new: the longest wait of run_user_query is 10.5 s instead of 3.9 s."},
		{"nothing moved", split("lost"), split("lost"), "No message is lost with both main and new: no difference.", "No message is lost with both main and new: no difference."},
		{"on a real clock", judged(repeats(6, 1, 0.01, 1), max), judged(repeats(6, 1, 0.01, 4), max), "", ""},
	} {
		there, back := sides(t, tt.a, tt.b).headline(), sides(t, tt.b, tt.a).headline()
		if tt.there == "" {
			if strings.HasPrefix(there, "Better") || strings.HasPrefix(there, "Worse") || !strings.HasSuffix(there, "difference.") {
				t.Errorf("%s: %q", tt.name, there)
			}
			continue
		}
		if there != tt.there || back != tt.back {
			t.Errorf("%s:\n got %q\nwant %q\nback %q\nwant %q", tt.name, there, tt.there, back, tt.back)
		}
	}
	if got, want := sides(t, split(max), fair(max), split(max)).headline(), "Better with new: the longest wait of run_user_query is 3.9 s instead of 10.5 s. No difference in 1 more."; got != want {
		t.Errorf("two sides: %q, want %q", got, want)
	}
}

// TestGoalsHaveRows: the table has a row for each goal, with all its labels, and all
// sides have the same rows whichever of them names a headline.
func TestGoalsHaveRows(t *testing.T) {
	const goal = "wait.p99{tenant!=noisy}"
	one, other := virtual(specimen.Tenants(500)), judged(virtual(specimen.Tenants(500)), goal)
	one[0].Headline = ""
	for _, c := range []*Comparison{sides(t, one, other), sides(t, other, one)} {
		var metrics []string
		for _, r := range c.Rows {
			metrics = append(metrics, r.Key.Metric)
		}
		for _, m := range []string{goal, "wait.p99{tenant=noisy}", "wait.p50", "wait.max", "starvation"} {
			if !slices.Contains(metrics, m) {
				t.Errorf("no row for %s: %q", m, metrics)
			}
		}
		if len(c.Warnings) > 0 {
			t.Errorf("warnings %q", c.Warnings)
		}
	}
}

// TestLeftOutIsSaid: a figure that one side has and the other has not is named.
func TestLeftOutIsSaid(t *testing.T) {
	none := specimen.CeleryInitial()
	for i := range none.Messages {
		if m := &none.Messages[i]; none.Classes[m.Class] == "run_user_query" {
			m.Received, m.Started, m.Done, m.Acked, m.State = run.None, run.None, run.None, run.None, run.Left
		}
	}
	c := sides(t, virtual(specimen.CeleryInitial()), virtual(none))
	if want := "wait.p99{class=run_user_query} is not compared: new has no value for it"; !slices.Contains(c.Warnings, want) {
		t.Errorf("warnings %q lack %q", c.Warnings, want)
	}
}

// TestEachArmHasItsSentence: of folders with several arms the headline says which arm
// changed.
func TestEachArmHasItsSentence(t *testing.T) {
	arms := func(r *run.Result) []*stat.Summary {
		r.Variant = "b"
		return virtual(specimen.CeleryOptimized("a", 40, 4, false), r)
	}
	got := sides(t, arms(specimen.CeleryOptimized("b", 40, 4, false)), arms(specimen.CeleryOptimized("b", 40, 1, true))).headline()
	if want := "celery-optimized/b on sim: Better with new: the longest wait of run_user_query is 3.9 s instead of 10.5 s."; !strings.Contains(got, want) {
		t.Errorf("%q lacks %q", got, want)
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
	k := Key{Metric: "jain.busy{by=worker}", Better: 1}
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
	}{{0.999961, 0.99997, NoChange}, {0.999, 1, NoChange}, {0.7, 1, Better}, {0, 0.5, Better}, {0, 0, NoChange}} {
		a, b := newSide("a"), newSide("b")
		a.add(k, tt.base)
		b.add(k, tt.new)
		a.Exact[k], b.Exact[k] = true, true
		if e := Compare(a, b).Rows[0].News[0]; e.Change != tt.want {
			t.Errorf("exactly %v to %v: %v, want %v", tt.base, tt.new, e.Change, tt.want)
		}
	}
}

// TestBelowTheNoise: a change that the judge of pages calls no clear difference is neither
// better nor worse in a comparison; neither is a measured one of less than 1 ms, however
// certain it is.
func TestBelowTheNoise(t *testing.T) {
	k := Key{Metric: "wait.p99", Unit: "s", Better: -1}
	for _, tt := range []struct {
		name      string
		exact     bool
		base, new float64
		want      Change
	}{
		{"0.7 % in virtual time", true, 53.6, 54, NoChange},
		{"19 % in virtual time", true, 1, 0.81, NoChange},
		{"half in virtual time", true, 1, 0.5, Better},
		{"0.9 ms in virtual time", true, 0, 0.0009, NoChange},
		{"0.4 ms, measured", false, 0.010, 0.0104, NoChange},
		{"0.7 %, measured and certain", false, 53.6, 54, Worse},
	} {
		a, b := newSide("a"), newSide("b")
		for i := range 8 {
			jitter := float64(i) * 1e-6
			if tt.exact {
				jitter = 0
			}
			a.add(k, tt.base+jitter)
			b.add(k, tt.new+jitter)
		}
		a.Exact[k], b.Exact[k] = tt.exact, tt.exact
		c := Compare(a, b)
		if got := c.Rows[0].News[0].Change; got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
		if said := strings.Contains(c.Verdict, "worse") || strings.Contains(c.Verdict, "better"); said != (tt.want != NoChange) {
			t.Errorf("%s: the verdict is %q", tt.name, c.Verdict)
		}
	}
}

// TestRepeatsWithoutAValueAreNamed: the median of some repeats does not speak for those that
// finished none of the messages.
func TestRepeatsWithoutAValueAreNamed(t *testing.T) {
	some := func(variant string, unfinished bool) []*stat.Summary {
		var rs []*run.Result
		for i := range 2 {
			r := specimen.CeleryOptimized(variant, 40, 4, false)
			r.Repeat = i
			for k := range r.Messages {
				if m := &r.Messages[k]; unfinished && i == 1 && r.Classes[m.Class] == "run_user_query" {
					m.Received, m.Started, m.Done, m.Acked, m.State = run.None, run.None, run.None, run.None, run.Dropped
				}
			}
			rs = append(rs, r)
		}
		return arms.Summaries(arms.Summarize(rs...))
	}
	ss, err := Sides([]string{"a", "b"}, [][]*stat.Summary{some("x", false), some("x", true)}, []string{"wait.p99{class=run_user_query}"})
	if err != nil {
		t.Fatal(err)
	}
	c := Compare(ss[0], ss[1])
	if want := "wait.p99{class=run_user_query}: 1 of the 2 repeats of b has no value and is left out"; !slices.Contains(c.Warnings, want) {
		t.Errorf("the warnings %q lack %q", c.Warnings, want)
	}
}
