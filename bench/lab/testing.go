package lab

import (
	"context"
	"errors"
	"fmt"

	"harelab/reports/arms"
	"harelab/reports/stat"
)

// A TB has the methods of a test that Run needs. Every testing.TB is one.
type TB interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Run runs a scenario, given by name or file, and returns the run with its figures. It
// runs once in virtual time unless changes to the request say otherwise; of several runs
// it returns the last. It fails the test for each expectation that is not met and for
// each finding that makes a run invalid. It ends the test if the scenario could not run.
func Run(t TB, scenario string, changes ...func(*Request)) *arms.Run {
	t.Helper()
	q := Request{Scenarios: []string{scenario}, Variants: []string{Base}, Targets: []Target{{Kind: Sim}}, Repeat: 1}
	for _, change := range changes {
		change(&q)
	}
	asked, err := Expand(q)
	if err != nil {
		t.Fatalf("%v", err)
	}
	runs, err := Measure(t.Context(), asked, 1, nil)
	if err == nil && len(runs) == 0 {
		err = errors.New("nothing was run")
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, r := range runs {
		complain(t, r.Summary)
	}
	return runs[len(runs)-1]
}

// complain fails the test for an invalid run and for expectations that are not met.
func complain(t TB, s *stat.Summary) {
	t.Helper()
	name := fmt.Sprintf("%s on %s, seed %d", s.Arm, s.Target.Name(), s.Seed)
	if !s.Valid() {
		for _, f := range s.Findings {
			if f.Invalid {
				t.Errorf("%s: invalid: %s", name, f.Text)
			}
		}
	}
	for _, v := range s.Verdicts {
		if v.Outcome == stat.Met {
			continue
		}
		what := v.Error
		if what == "" {
			what = "no data"
		}
		if v.Error == "" && v.Measured != nil {
			what = "measured " + stat.Entry(*v.Measured, v.Unit)
		}
		t.Errorf("%s: %s is %s: %s", name, v.Text, v.Outcome, what)
	}
}

// On makes Run use this target.
func On(target Target) func(*Request) {
	return func(q *Request) { q.Targets = []Target{target} }
}

// Variant makes Run run a variant of the scenario.
func Variant(name string) func(*Request) {
	return func(q *Request) { q.Variants = []string{name} }
}

// Seed replaces the scenario's seed.
func Seed(n uint64) func(*Request) {
	return func(q *Request) { q.Seed = &n }
}

// Set sets a param of the scenario. The value has the form that it has in a scenario
// file: 40, "10ms", "on-done".
func Set(param string, value any) func(*Request) {
	return func(q *Request) {
		if q.Set == nil {
			q.Set = make(map[string]string)
		}
		q.Set[param] = fmt.Sprint(value)
	}
}

// Strategies replaces the scenario's strategies; an empty name keeps the scenario's.
func Strategies(matcher, dispatch, order string) func(*Request) {
	return func(q *Request) { q.Matcher, q.Dispatch, q.Order = matcher, dispatch, order }
}

// Figure returns one figure of a run, for example "wait.max{class=quick}": seconds for
// times, a fraction for shares. It ends the test if the metric is unknown or has no
// value.
func Figure(t TB, r *arms.Run, name string) float64 {
	t.Helper()
	v, err := Ask(r.Summary, name)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return v
}
