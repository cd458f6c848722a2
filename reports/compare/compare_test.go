package compare

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"harelab/loadgen/run"
	"harelab/reports/internal/specimen"
	"harelab/reports/stat"
)

// repeats returns n runs on a real clock whose waits are factor times as long, with
// some noise.
func repeats(n int, factor, noise float64, seed uint64) []*stat.Summary {
	rng := rand.New(rand.NewPCG(seed, 1))
	var out []*stat.Summary
	for i := range n {
		r := specimen.Measured(specimen.CeleryOptimized("same-load", 40, 4, false))
		r.Repeat = i
		f := factor * (1 + noise*rng.NormFloat64())
		for k := range r.Messages {
			m := &r.Messages[k]
			work := m.Done - m.Started
			m.Started = m.Intended + int64(float64(m.Started-m.Intended)*f)
			m.Done = m.Started + work
		}
		out = append(out, stat.Summarize(r))
	}
	return out
}

func side(t *testing.T, name string, ss []*stat.Summary, metrics ...string) *Side {
	t.Helper()
	s, err := FromSummaries(name, ss, metrics)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func virtual(rs ...*run.Result) []*stat.Summary {
	var out []*stat.Summary
	for _, r := range rs {
		out = append(out, stat.Summarize(r))
	}
	return out
}

var shoot = flag.String("shoot", "", "write the page of the specimens to this folder")

const wait = "wait.mean{class=run_user_query}"

func TestCompareFindsADifference(t *testing.T) {
	for _, tt := range []struct {
		name   string
		new    []*stat.Summary
		want   Change
		says   string
		warned bool
	}{
		{"a fifth longer", repeats(6, 1.2, 0.01, 2), Worse, "is worse in " + wait, false},
		{"a fifth shorter", repeats(6, 0.8, 0.01, 3), Better, "is better in " + wait, false},
		{"the same", repeats(6, 1, 0.01, 4), NoChange, "shows no significant difference", false},
		{"too few to say", repeats(3, 1.2, 0.01, 5), NoChange, "shows no significant difference", true},
	} {
		c := Compare(side(t, "main", repeats(len(tt.new), 1, 0.01, 1), wait), side(t, "pr", tt.new, wait))
		if got := c.Rows[0].News[0].Change; got != tt.want {
			t.Errorf("%s: %v (p=%v), want %v", tt.name, got, c.Rows[0].News[0].P, tt.want)
		}
		if !strings.Contains(c.Verdict, tt.says) || len(c.Warnings) > 0 != tt.warned {
			t.Errorf("%s: verdict %q, warnings %q", tt.name, c.Verdict, c.Warnings)
		}
	}
}

func TestVirtualTimeIsExact(t *testing.T) {
	a := side(t, "same-load", virtual(specimen.CeleryOptimized("same-load", 40, 4, false)))
	b := side(t, "fair", virtual(specimen.CeleryOptimized("same-load-fair", 40, 1, true)))
	var buf bytes.Buffer
	if err := WriteText(&buf, Compare(a, b)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"wait.max{class=run_user_query}          10.5 s  3.9 s   -62.9 %", "  2.2/s  2.2/s         =", "  39.3x  20.5x ", "  0.5702  0.599 ",
		"same load: yes", "Better with fair: the longest wait of run_user_query is 3.9 s instead of 10.5 s.", "fair is better in wait.max",
	} {
		if !strings.Contains(buf.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, buf.String())
		}
	}
}

func TestNumbersHaveUnitsAndFourDigits(t *testing.T) {
	for _, tt := range []struct {
		v          float64
		unit, want string
	}{
		{559.235, "/s", "559.2/s"}, {26083.4, "/s", "26,083/s"}, {116.24, "x", "116x"}, {0.999961, "", "1"}, {0.570163, "", "0.5702"},
		{14105, "", "14,105"}, {0.2442, "s", "0.2442 s"}, {0.69584, "%", "69.58 %"},
	} {
		if got := number(tt.v, tt.unit); got != tt.want {
			t.Errorf("%v %s: %q, want %q", tt.v, tt.unit, got, tt.want)
		}
	}
}

func TestDifferentLoadsGetNoVerdict(t *testing.T) {
	a := side(t, "40 queries", virtual(specimen.CeleryInitial()))
	b := side(t, "200 queries", virtual(specimen.CeleryOptimized("", 200, 4, false)))
	c := Compare(a, b)
	var buf bytes.Buffer
	if err := WriteText(&buf, c); err != nil {
		t.Fatal(err)
	}
	if c.SameLoad || !strings.HasPrefix(c.Verdict, "No verdict: the loads differ") || !strings.Contains(buf.String(), "same load: no") {
		t.Errorf("verdict %q\n%s", c.Verdict, buf.String())
	}
	if strings.Contains(buf.String(), "%  (exact)") {
		t.Errorf("changes are shown though the loads differ:\n%s", buf.String())
	}
}

func TestInvalidRunsGetNoVerdict(t *testing.T) {
	r := specimen.CeleryInitial()
	r.Findings = []run.Finding{{Code: "lateness", Invalid: true}}
	a, b := side(t, "a", virtual(specimen.CeleryInitial())), side(t, "b", virtual(r))
	if c := Compare(a, b); !strings.HasPrefix(c.Verdict, "No verdict: b: celery-initial is invalid") {
		t.Errorf("verdict %q", c.Verdict)
	}
}

// TestPartialRunsGetNoVerdict: a run that was cut off looks better than it is, since
// the messages with the longest waits have not started yet.
func TestPartialRunsGetNoVerdict(t *testing.T) {
	r := specimen.CeleryInitial()
	r.Partial = true
	whole, cut := virtual(specimen.CeleryInitial()), virtual(r)
	a, b := side(t, "a", whole), side(t, "b", cut)
	if c := Compare(a, b); !strings.HasPrefix(c.Verdict, "No verdict: b: celery-initial was cut off") {
		t.Errorf("verdict %q", c.Verdict)
	}
	rule, err := ParseGateRule("wait.p99 +5%")
	if err != nil {
		t.Fatal(err)
	}
	if results, err := Gate(whole, cut, []GateRule{rule}); err != nil || WorstOutcome(results) != GateInconclusive {
		t.Errorf("gate: %+v, %v", results, err)
	}
}

// TestConstantRowsAreNoTests: they would make the correction stricter for nothing.
func TestConstantRowsAreNoTests(t *testing.T) {
	a, b := newSide("a"), newSide("b")
	for i := range 6 {
		a.add(Key{Metric: "wait.p99", Unit: "s", Better: -1}, 1+0.01*float64(i))
		b.add(Key{Metric: "wait.p99", Unit: "s", Better: -1}, 2+0.01*float64(i))
		for k := range 50 {
			a.add(Key{Metric: fmt.Sprint("constant", k)}, 5)
			b.add(Key{Metric: fmt.Sprint("constant", k)}, 5)
		}
	}
	if e := Compare(a, b).Rows[0].News[0]; e.Change != Worse {
		t.Errorf("%v with p=%v beside 50 constant rows, want worse", e.Change, e.P)
	}
	if e := Compare(b, a).Rows[0].News[0]; e.Change != Better {
		t.Errorf("swapped: %v with p=%v, want better", e.Change, e.P)
	}
}

// TestHolm: with many tests of equal distributions hardly any is significant.
func TestHolm(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	found := 0
	for range 50 {
		a, b := newSide("a"), newSide("b")
		for k := range 20 {
			key := Key{Metric: fmt.Sprint("m", k), Better: -1}
			for range 8 {
				a.add(key, rng.NormFloat64())
				b.add(key, rng.NormFloat64())
			}
		}
		for _, r := range Compare(a, b).Rows {
			if r.News[0].Change != NoChange {
				found++
			}
		}
	}
	if found > 8 {
		t.Errorf("%d of 1000 tests of equals are significant in 50 tables at level 0.05", found)
	}
}

func TestParseGateRule(t *testing.T) {
	for _, tt := range []struct {
		in       string
		up       bool
		rel, abs float64
	}{
		{"wait.p99 +5%", true, 0.05, 0},
		{"throughput -3%", false, 0.03, 0},
		{"wait.max{class=q, tenant!=noisy} +50ms", true, 0, 0.05},
		{"lost +0", true, 0, 0},
	} {
		r, err := ParseGateRule(tt.in)
		if err != nil || r.Up != tt.up || r.Rel != tt.rel || r.Abs != tt.abs {
			t.Errorf("ParseGateRule(%q) = %+v, %v", tt.in, r, err)
		}
	}
	for in, want := range map[string]string{
		"wait.p99": "give a metric and the change that you allow", "wait.p99 5%": "give a metric and the change", "wayt.p99 +5%": `unknown metric "wayt`,
		"wait.p99 +x%": `"x%" is not an amount`, "wait.p99 +5": `"5" is not an amount`, "wait.p99 +NaN%": "is not an amount", "": "give a metric",
	} {
		if _, err := ParseGateRule(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseGateRule(%q): error %v, want one with %q", in, err, want)
		}
	}
}

func FuzzParseGateRule(f *testing.F) {
	f.Add("wait.p99{class=a} +5%")
	f.Add("throughput -3%")
	f.Add("lost +0")
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := ParseGateRule(s); err == nil && !(r.Rel >= 0 && r.Abs >= 0) {
			t.Errorf("ParseGateRule(%q) = %+v", s, r)
		}
	})
}

func TestGate(t *testing.T) {
	exactBase := virtual(specimen.CeleryOptimized("same-load-fair", 40, 1, true))
	exactWorse := virtual(specimen.CeleryOptimized("same-load-fair", 40, 4, false))
	tests := []struct {
		name      string
		base, new []*stat.Summary
		rule      string
		want      GateOutcome
	}{
		{"within", repeats(8, 1, 0.005, 1), repeats(8, 1, 0.005, 2), wait + " +5%", GateOK},
		{"beyond", repeats(8, 1, 0.005, 1), repeats(8, 1.2, 0.005, 2), wait + " +5%", GateWorse},
		{"better", repeats(8, 1, 0.005, 1), repeats(8, 0.7, 0.005, 2), wait + " +5%", GateOK},
		{"a fall that is allowed", repeats(8, 1, 0.005, 1), repeats(8, 0.98, 0.005, 2), wait + " -5%", GateOK},
		{"a fall that is not", repeats(8, 1, 0.005, 1), repeats(8, 0.8, 0.005, 2), wait + " -5%", GateWorse},
		{"too noisy", repeats(8, 1, 0.2, 1), repeats(8, 1.02, 0.2, 2), wait + " +5%", GateInconclusive},
		{"too few to ever fail", repeats(2, 1, 0.005, 1), repeats(2, 2, 0.005, 2), wait + " +5%", GateInconclusive},
		{"exact and equal", exactBase, exactBase, wait + " +0%", GateOK},
		{"exact and worse", exactBase, exactWorse, wait + " +5%", GateWorse},
		{"another load", exactBase, virtual(specimen.CeleryOptimized("same-load-fair", 200, 1, true)), wait + " +5%", GateInconclusive},
	}
	for _, tt := range tests {
		r, err := ParseGateRule(tt.rule)
		if err != nil {
			t.Fatal(err)
		}
		gs, err := Gate(tt.base, tt.new, []GateRule{r})
		if err != nil {
			t.Fatal(err)
		}
		if got := WorstOutcome(gs); got != tt.want {
			t.Errorf("%s: %v (%+v), want %v", tt.name, got, gs[0], tt.want)
		}
	}
}

// TestGateCanFail: the gate finds a planted regression, or says that the rule cannot
// fail.
func TestGateCanFail(t *testing.T) {
	r, err := ParseGateRule(wait + " +5%")
	if err != nil {
		t.Fatal(err)
	}
	if err := SelfCheck(repeats(8, 1, 0.005, 1), r); err != nil {
		t.Error(err)
	}
	if err := SelfCheck(repeats(2, 1, 0.005, 1), r); err == nil || !strings.Contains(err.Error(), "cannot fail") {
		t.Errorf("a gate of two repeats: %v", err)
	}
}

func TestWriteGate(t *testing.T) {
	r, _ := ParseGateRule("wait.max{class=run_user_query} +5%")
	gs, err := Gate(virtual(specimen.CeleryOptimized("x", 40, 1, true)), virtual(specimen.CeleryOptimized("x", 40, 4, false)), []GateRule{r})
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := WriteGate(&buf, gs); err != nil {
		t.Fatal(err)
	}
	want := `       rule                                 base     new    change
celery-optimized/x on sim
WORSE  wait.max{class=run_user_query} +5%  3.9 s  10.5 s  +169.2 %
`
	if buf.String() != want {
		t.Errorf("got %q, want %q", buf.String(), want)
	}
}

func TestSheet(t *testing.T) {
	base := side(t, "main", repeats(6, 1, 0.01, 1), wait, "held.max", "throughput", "lost")
	fast := side(t, "pr", repeats(6, 0.6, 0.01, 2), wait, "held.max", "throughput", "lost")
	slow := side(t, "draft", repeats(6, 1.3, 0.02, 3), wait, "held.max", "throughput", "lost")
	sheet := Compare(base, fast, slow).Sheet([]string{"harelab", "compare", "main", "pr"})
	var html, md bytes.Buffer
	if err := errors.Join(sheet.WriteHTML(&html), sheet.WriteMarkdown(&md)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Better with pr: the mean wait of run_user_query is 2.3\u00a0s instead of 3.84\u00a0s.", "Worse with draft: ", "B is pr. C is draft.", "same load", "harelab compare main pr", "<svg"} {
		if !strings.Contains(html.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(strings.ReplaceAll(html.String(), "isNaN", ""), "NaN") || strings.Contains(md.String(), "NaN") {
		t.Error("the page holds NaN")
	}
	if *shoot != "" {
		if err := os.WriteFile(filepath.Join(*shoot, "compare.html"), html.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}
