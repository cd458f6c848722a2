package stat

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"harelab/loadgen/run"
)

func TestParseMetric(t *testing.T) {
	tests := []struct {
		in   string
		want run.Expectation
	}{
		{"makespan", run.Expectation{Metric: "makespan", Unit: "s"}},
		{"wait.p99.9", run.Expectation{Metric: "wait", Stat: "p99.9", Unit: "s"}},
		{"jain.busy{by=worker}", run.Expectation{Metric: "jain.busy", Labels: []run.Label{{Key: "by", Value: "worker"}}}},
		{"wait.max{class=q, tenant!=noisy}", run.Expectation{Metric: "wait", Stat: "max", Unit: "s",
			Labels: []run.Label{{Key: "class", Value: "q"}, {Key: "tenant", Value: "noisy", Not: true}}}},
	}
	for _, tt := range tests {
		tt.want.Text = tt.in
		got, err := ParseMetric(tt.in)
		if err != nil {
			t.Errorf("ParseMetric(%q): %v", tt.in, err)
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("ParseMetric(%q):\n%s", tt.in, d)
		}
	}
	for in, want := range map[string]string{
		"wait.max{class=q": "want a closing }", "wait.max{q}": `label "q": want key=value`, "speed": `unknown metric "speed"`, "wait": "unknown statistic",
	} {
		if _, err := ParseMetric(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseMetric(%q): error %v, want one with %q", in, err, want)
		}
	}
}

func FuzzParseMetric(f *testing.F) {
	for _, s := range []string{"wait.p99{class=a,tenant!=b}", "jain.busy{by=worker}", "{", "wait.{=}", "makespan"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := ParseMetric(s)
		if err == nil && Validate(e) != nil {
			t.Errorf("ParseMetric(%q) gives %+v, which is not valid", s, e)
		}
	})
}
