package main

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"harelab/bench/lab"
	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/folder"
	"harelab/reports/stat"
	"harelab/scenarios/metric"
)

// TestVerdict checks that invalid comes before unmet, and that a late machine is not called
// the cause of an expectation that was not met: where it may be, the run is invalid.
func TestVerdict(t *testing.T) {
	expect := func(op string, value float64) []run.Expectation {
		return []run.Expectation{{Text: "lost", Of: metric.Query{Metric: "lost"}, Op: op, Value: value}}
	}
	one := []run.Message{{Class: -1, Queue: -1, Tenant: -1, Worker: -1, State: run.Done}}
	met := &run.Result{Messages: one, Expect: expect("==", 0), Late: 900_000}
	unmet := &run.Result{Messages: one, Expect: expect(">", 0)}
	lateUnmet := &run.Result{Messages: one, Expect: expect(">", 0), Late: 186_000}
	invalid := &run.Result{Findings: []run.Finding{{Code: "lateness", Invalid: true}}}
	for _, c := range []struct {
		name    string
		results []*run.Result
		code    int
		want    string
	}{
		{"met", []*run.Result{met}, exitDone, ""},
		{"unmet", []*run.Result{met, unmet}, exitExpectation, "expectations were not met in 1 of 2 runs"},
		{"unmet and late", []*run.Result{met, unmet, lateUnmet}, exitExpectation,
			"expectations were not met in 2 of 3 runs"},
		{"invalid", []*run.Result{unmet, invalid}, exitInvalid, "is invalid"},
	} {
		err := lab.Verdict(arms.Summaries(arms.Summarize(c.results...)))
		if err == nil {
			if c.code != exitDone {
				t.Errorf("%s: no error, want %q", c.name, c.want)
			}
			continue
		}
		whole := c.name == "invalid" || err.Error() == c.want
		if codeOf(err) != c.code || !strings.Contains(err.Error(), c.want) || !whole {
			t.Errorf("%s: %v, want exit code %d, %q", c.name, err, c.code, c.want)
		}
	}
}

// TestRunSummarizesOnce checks that the figures of a run are computed only once for
// printing, writing and judging.
func TestRunSummarizesOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	cmd := newRun()
	cmd.SetArgs([]string{"celery-optimized", "--target", "sim", "--quiet", "--out", dir})
	cmd.SetOut(io.Discard)
	before := stat.Summarized()
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	ss, err := folder.ReadSummaries(dir)
	if err != nil || len(ss) < 3 {
		t.Fatalf("%d runs, %v", len(ss), err)
	}
	if n := stat.Summarized() - before; n != int64(len(ss)) {
		t.Errorf("%d runs were summarized %d times", len(ss), n)
	}
}
