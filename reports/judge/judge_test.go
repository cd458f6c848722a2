package judge

import (
	"math"
	"slices"
	"strings"
	"testing"

	"harelab/loadgen/run"
	"harelab/reports/internal/specimen"
	"harelab/reports/stat"
	"harelab/scenarios/metric"
)

// split and fair are one load under two settings: fair is better for run_user_query.
func split() *run.Result { return specimen.CeleryOptimized("same-load", 40, 4, false) }
func fair() *run.Result  { return specimen.CeleryOptimized("same-load-fair", 40, 1, true) }

// of summarizes results, each with a headline and with expectations on the metrics.
func of(headline string, expect []string, rs ...*run.Result) []*stat.Summary {
	var out []*stat.Summary
	for _, r := range rs {
		r.Headline, r.Expect = headline, nil
		for _, e := range expect {
			r.Expect = append(r.Expect, run.Expectation{Text: e + " < 1", Of: metric.Must(e), Op: "<", Value: 1})
		}
		out = append(out, stat.Summarize(r))
	}
	return out
}

// later delays every message of a class by some seconds.
func later(r *run.Result, class string, by int64) *run.Result {
	for i := range r.Messages {
		if m := &r.Messages[i]; r.Classes[m.Class] == class {
			m.Started, m.Done = m.Started+by*1_000_000, m.Done+by*1_000_000
		}
	}
	return r
}

func texts(gs []Goal) string {
	var out []string
	for _, g := range gs {
		out = append(out, g.String())
	}
	return strings.Join(out, " ")
}

// TestGoals: the headline decides, else the expectations, else the class that waits
// longest for what it is; the order of the runs does not.
func TestGoals(t *testing.T) {
	quick, slow := "wait.p99{class=run_user_query}", "wait.p99{class=fit_neural_net}"
	for _, tt := range []struct {
		name string
		runs []*stat.Summary
		want string
	}{
		{"the headline with its labels", of("wait.max{class!=fit_neural_net}", []string{slow}, split(), fair()), "wait.max{class!=fit_neural_net}"},
		{"a headline that one run has", append(of("", []string{slow}, split()), of(quick, nil, fair())...), quick},
		{"two headlines", append(of(slow, nil, split()), of(quick, nil, split(), fair())...), quick + " " + slow},
		{"expectations, each once", of("", []string{slow, "wait.max", slow}, split(), fair()), slow + " wait.max"},
		{"counts come last", of("", []string{"lost", "redelivered", slow}, split()), slow + " lost redelivered"},
		{"no direction, no goal", of("", []string{"utilisation", "published", slow}, split()), slow},
		{"only counts", of("", []string{"lost"}, split()), quick + " lost"},
		{"nothing is said", of("", nil, split(), fair()), quick},
		{"a headline without a value in any run", of("confirm.p99", nil, split()), quick},
		{"a single class", of("", nil, specimen.Tenants(200)), "wait.p99{class=job}"},
	} {
		if got := texts(Goals(tt.runs)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		slices.Reverse(tt.runs)
		if got := texts(Goals(tt.runs)); got != tt.want {
			t.Errorf("%s, reversed: %s, want %s", tt.name, got, tt.want)
		}
	}
	if got := Goals(nil); got != nil {
		t.Errorf("goals of nothing: %v", got)
	}
}

// TestStarvedClassIsTheGoal: a class of which nothing was finished waits longest.
func TestStarvedClassIsTheGoal(t *testing.T) {
	starve := func(r *run.Result) *run.Result {
		for i := range r.Messages {
			if m := &r.Messages[i]; r.Classes[m.Class] == "fit_neural_net" {
				m.Received, m.Started, m.Done, m.Acked, m.State = run.None, run.None, run.None, run.None, run.Left
			}
		}
		return r
	}
	g := Goals(of("", nil, starve(split()), fair()))[0]
	if g.String() != "wait.p99{class=fit_neural_net}" {
		t.Fatalf("goal %s", g)
	}
	got := Weigh([]Goal{g}, of("", nil, starve(split())), of("", nil, fair())).Sentence("fair", "split")
	if want := "Better with fair: 99 % of fit_neural_net start within 10 s instead of never"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestSentencesMirror: if two arms change places, better and worse do, and the price
// becomes the return.
func TestSentencesMirror(t *testing.T) {
	price := func() *run.Result { return later(fair(), "fit_neural_net", 5) }
	dropping := func() *run.Result { // most of a class is never finished
		r := fair()
		for i := range r.Messages {
			if m := &r.Messages[i]; r.Classes[m.Class] == "run_user_query" && m.Seq%4 != 0 {
				m.Received, m.Started, m.Done, m.Acked, m.State = run.None, run.None, run.None, run.None, run.Left
				r.Ledger.Left++
			}
		}
		return r
	}
	lossy := func() *run.Result { r := fair(); r.Ledger.Lost = 3; return r }
	for _, tt := range []struct {
		name, headline string
		a, b           *run.Result
		there, back    string
	}{
		{"without a price", "wait.max{class=run_user_query}", split(), fair(),
			"Better with B: the longest wait of run_user_query is 3.9 s instead of 10.5 s",
			"Worse with A: the longest wait of run_user_query is 10.5 s instead of 3.9 s"},
		{"without a headline", "", split(), fair(),
			"Better with B: 99 % of run_user_query start within 3.9 s instead of 10.5 s",
			"Worse with A: 99 % of run_user_query start within 10.5 s instead of 3.9 s"},
		{"with a price", "wait.p99{class=run_user_query}", split(), price(),
			"Better with B: 99 % of run_user_query start within 3.9 s instead of 10.5 s; the price: 99 % of fit_neural_net start within 15 s instead of 10 s",
			"Worse with A: 99 % of run_user_query start within 10.5 s instead of 3.9 s; in return 99 % of fit_neural_net start within 10 s instead of 15 s"},
		{"some are not finished", "wait.p99{class=run_user_query}", split(), dropping(),
			"Better with B: 99 % of finished run_user_query start within 3.6 s instead of 10.5 s; the price: 30 instead of 0 messages are not served",
			"Worse with A: 99 % of finished run_user_query start within 10.5 s instead of 3.6 s; in return 0 instead of 30 messages are not served"},
		{"losses are a price", "wait.p99{class=run_user_query}", split(), lossy(),
			"Better with B: 99 % of run_user_query start within 3.9 s instead of 10.5 s; the price: 3 instead of 0 messages are lost",
			"Worse with A: 99 % of run_user_query start within 10.5 s instead of 3.9 s; in return 0 instead of 3 messages are lost"},
		{"the goal stays, another class pays", "wait.p99{class=run_user_query}", fair(), price(),
			"Worse with B: 99 % of fit_neural_net start within 15 s instead of 10 s; 99 % of run_user_query start within 3.9 s with both A and B",
			"Better with A: 99 % of fit_neural_net start within 10 s instead of 15 s; 99 % of run_user_query start within 3.9 s with both B and A"},
		{"nothing changes", "wait.p99{class=run_user_query}", fair(), fair(),
			"99 % of run_user_query start within 3.9 s with both A and B: no difference",
			"99 % of run_user_query start within 3.9 s with both B and A: no difference"},
		{"hardly anything changes", "wait.max{class=fit_neural_net}", fair(), later(fair(), "fit_neural_net", 1),
			"The longest wait of fit_neural_net is 10 s (A) and 11 s (B): no clear difference",
			"The longest wait of fit_neural_net is 11 s (B) and 10 s (A): no clear difference"},
		{"a time without starts", "starvation{class=run_user_query}", split(), fair(),
			"Better with B: for 0.1 s instead of 7.2 s no run_user_query starts",
			"Worse with A: for 7.2 s instead of 0.1 s no run_user_query starts"},
		{"no direction is better", "unacked.max", split(), fair(),
			"Different with B: at most 4 instead of 16 messages are unacked at a time",
			"Different with A: at most 16 instead of 4 messages are unacked at a time"},
	} {
		a, b := of(tt.headline, nil, tt.a), of(tt.headline, nil, tt.b)
		goals := Goals(slices.Concat(a, b))
		there, back := Weigh(goals, a, b).Sentence("B", "A"), Weigh(goals, b, a).Sentence("A", "B")
		if there != tt.there || back != tt.back {
			t.Errorf("%s:\n got %q\nwant %q\nback %q\nwant %q", tt.name, there, tt.there, back, tt.back)
		}
	}
}

// TestWarmupIsNotUnfinished: messages of the warm-up are left out of a figure, and their
// number is no sign that messages were not finished.
func TestWarmupIsNotUnfinished(t *testing.T) {
	r := specimen.Tenants(500)
	r.Warmup = r.Messages[100].Intended
	got := Goals(of("wait.p99{tenant!=noisy}", nil, r))[0].Who()
	if want := "messages of tenants other than noisy"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestClear: what counts is the same in both directions, has a least size, and a time
// without end differs from every other.
func TestClear(t *testing.T) {
	inf := math.Inf(1)
	for _, tt := range []struct {
		metric string
		a, b   float64
		want   bool
	}{
		{"wait.p99", 0, 0.0001, false},
		{"wait.p99", 0, 0.002, true},
		{"wait.p99", 1, 1.2, false},
		{"wait.p99", 1, 1.24, false}, // more than a fifth of the lesser value only
		{"wait.p99", 1, 1.3, true},
		{"wait.p99", 1, inf, true},
		{"wait.p99", inf, inf, false},
		{"lost", 0, 1, true},
		{"lost", 1000, 1001, false},
		{"throughput", 0.01, 0.02, true},
		{"jain.busy{by=worker}", 0.6, 0.9, true},
		{"jain.busy{by=worker}", 0.99, 0.98, false},
	} {
		q := metric.Must(tt.metric)
		if Clear(q, tt.a, tt.b) != tt.want || Clear(q, tt.b, tt.a) != tt.want {
			t.Errorf("%s %v %v: want %v", tt.metric, tt.a, tt.b, tt.want)
		}
	}
}

// TestMedians: an estimate is the median with the range of the repeats that have the
// figure.
func TestMedians(t *testing.T) {
	for _, tt := range []struct {
		of   []float64
		want Estimate
	}{
		{[]float64{3, 1, 2}, Estimate{2, 1, 3, 3}},
		{[]float64{1, 4}, Estimate{2.5, 1, 4, 2}},
		{[]float64{5}, Estimate{5, 5, 5, 1}},
		{[]float64{math.Inf(1), 1, math.Inf(1)}, Estimate{math.Inf(1), 1, math.Inf(1), 3}},
	} {
		if got := Median(tt.of); got != tt.want {
			t.Errorf("%v, want %v", got, tt.want)
		}
	}
	if e := Median(nil); e.N != 0 || !math.IsNaN(e.Center) {
		t.Errorf("median of nothing: %v", e)
	}
}

// TestRepeatsThatOverlapAreSaid: the sentence gives the ranges if the runs of one arm
// reach into those of the other.
func TestRepeatsThatOverlapAreSaid(t *testing.T) {
	a, b := of("wait.max{class=fit_neural_net}", nil, fair(), later(fair(), "fit_neural_net", 8), fair()), of("wait.max{class=fit_neural_net}", nil, later(fair(), "fit_neural_net", 5))
	got := Weigh(Goals(slices.Concat(a, b)), a, b).Sentence("B", "A")
	if want := "Worse with B: the longest wait of fit_neural_net is 15 s instead of 10 s (the runs overlap: 15 s, and 10 s to 18 s in 3 runs)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
