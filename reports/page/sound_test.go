package page

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/internal/specimen"
)

// TestFindingsAreToldOnce: what several runs found is one line, and what all findings of a
// kind begin with is said once.
func TestFindingsAreToldOnce(t *testing.T) {
	finding := func(code, text string) run.Finding { return run.Finding{Code: code, Text: text} }
	a, b, c := specimen.CeleryInitial(), specimen.Measured(specimen.CeleryInitial()), specimen.Foreign(specimen.CeleryInitial())
	a.Findings = []run.Finding{finding("race", "Order hangs on a race. It is 1 s to 2 s."), finding("clock", "Odd. Very.")}
	b.Findings = []run.Finding{finding("race", "Order hangs on a race. It is 1 s to 2 s.")}
	c.Findings = []run.Finding{finding("race", "Order hangs on a race. It is 3 s.")}
	in := arms.NewSet(arms.Summarize(a, b, c))
	var got []Check
	checkFindings(in, func(state, name, _ string, args ...any) {
		text := ""
		for _, arg := range args {
			text += "|" + arg.(string)
		}
		got = append(got, Check{state, name, text})
	})
	name := func(i int) string { return in.RunName(in.Runs[i]) }
	want := []Check{
		{"info", "race", "|Order hangs on a race."},
		{"info", "", "|" + name(0) + " and " + name(1) + "|It is 1 s to 2 s."},
		{"info", "", "|" + name(2) + "|It is 3 s."},
		{"note", "clock", "|" + name(0) + "|Odd. Very."},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
