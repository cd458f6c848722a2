package main

import (
	"errors"
	"strings"
	"testing"

	"harelab/loadgen/run"
)

// TestVerdict: invalid comes before unmet, and a machine that was late is named
// where it may be what broke an expectation.
func TestVerdict(t *testing.T) {
	expect := func(op string, value float64) []run.Expectation {
		return []run.Expectation{{Text: "lost", Metric: "lost", Op: op, Value: value}}
	}
	met := &run.Result{Expect: expect("==", 0), Late: 900_000}
	unmet := &run.Result{Expect: expect(">", 0)}
	lateUnmet := &run.Result{Expect: expect(">", 0), Late: 186_000}
	invalid := &run.Result{Findings: []run.Finding{{Code: "late-generator", Invalid: true}}}
	for _, c := range []struct {
		name    string
		results []*run.Result
		code    int
		want    string
	}{
		{"met", []*run.Result{met}, exitDone, ""},
		{"unmet", []*run.Result{met, unmet}, exitExpectation, "expectations were not met in 1 of 2 runs"},
		{"unmet and late", []*run.Result{met, unmet, lateUnmet}, exitExpectation,
			"expectations were not met in 2 of 3 runs; the machine was busy there and late by up to 0.186 s: measure again"},
		{"invalid", []*run.Result{unmet, invalid}, exitInvalid, "is invalid"},
	} {
		err := verdict(c.results)
		if err == nil {
			if c.code != exitDone {
				t.Errorf("%s: no error, want %q", c.name, c.want)
			}
			continue
		}
		var coded *exit
		whole := c.name == "invalid" || err.Error() == c.want
		if !errors.As(err, &coded) || coded.code != c.code || !strings.Contains(err.Error(), c.want) || !whole {
			t.Errorf("%s: %v, want exit code %d, %q", c.name, err, c.code, c.want)
		}
	}
}
