package compare

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/perf/benchmath"

	"harelab/reports/arms"
	"harelab/reports/stat"
	"harelab/reports/terminal"
	"harelab/scenarios/metric"
)

// A GateRule bounds the change of a metric, as "wait.p99 +5%", "throughput -3%" or
// "wait.max{class=q} +50ms".
type GateRule struct {
	Text   string
	Metric metric.Query
	Up     bool    // an increase is worse
	Rel    float64 // allowed, as a share of the base
	Abs    float64 // allowed, in the metric's unit
}

// ParseGateRule parses a rule.
func ParseGateRule(s string) (GateRule, error) {
	r := GateRule{Text: strings.TrimSpace(s)}
	q, rest, err := metric.Cut(r.Text)
	if err != nil && r.Text != "" {
		return r, fmt.Errorf("rule %q: %w", s, err)
	}
	allowed := strings.TrimSpace(rest)
	if allowed == "" || allowed[0] != '+' && allowed[0] != '-' {
		return r, fmt.Errorf("rule %q: give a metric and the change that you allow, such as 'wait.p99 +5%%'", s)
	}
	r.Metric, r.Up = q, allowed[0] == '+'
	amount := allowed[1:]
	if share, ok := strings.CutSuffix(amount, "%"); ok {
		r.Rel, err = strconv.ParseFloat(share, 64)
		r.Rel /= 100
	} else if r.Metric.IsTime() {
		var d time.Duration
		d, err = time.ParseDuration(amount)
		r.Abs = d.Seconds()
	} else {
		r.Abs, err = strconv.ParseFloat(amount, 64)
	}
	if err != nil || !(r.Rel >= 0 && r.Abs >= 0) || math.IsInf(r.Rel+r.Abs, 0) {
		return r, fmt.Errorf("rule %q: %q is not an amount: write 5%%, or 50ms for a time, or a number", s, amount)
	}
	return r, nil
}

// limit returns the worst value that the rule allows.
func (r GateRule) limit(base float64) float64 {
	d := r.Rel*math.Abs(base) + r.Abs
	if !r.Up {
		d = -d
	}
	return base + d
}

// A GateOutcome is the result of a rule.
type GateOutcome int

// The outcomes, from good to bad.
const (
	GateOK           GateOutcome = iota
	GateInconclusive             // too few or too noisy repeats, or different loads
	GateWorse
)

func (o GateOutcome) String() string { return [...]string{"ok", "inconclusive", "WORSE"}[o] }

// A GateResult is the result of a rule for one arm.
type GateResult struct {
	Rule      GateRule
	Arm       string
	Outcome   GateOutcome
	Base, New Estimate
	P         float64
	Why       string // why the outcome is inconclusive
}

// Gate checks new runs against a base by rules, arm by arm. A rule does not ask
// whether the two differ, but whether the new side is beyond the limit, so the test
// compares it with the base's values moved to the limit. Significantly beyond the
// limit is worse, significantly within it is ok, and everything else is
// inconclusive. A rule that can never fail with this number of repeats is therefore
// inconclusive, never ok.
func Gate(base, new []*stat.Summary, rules []GateRule) ([]GateResult, error) {
	var out []GateResult
	pairs := pairArms(base, new)
	if len(pairs) == 0 {
		return nil, fmt.Errorf("the two folders have no arm in common: %s in the base, %s in the new one",
			stat.List(arms.Missing(base, new), "and"), stat.List(arms.Missing(new, base), "and"))
	}
	for _, p := range pairs {
		for _, r := range rules {
			b, err := FromSummaries("base", p.base, []string{r.Metric.String()})
			if err != nil {
				return nil, err
			}
			n, err := FromSummaries("new", p.new, []string{r.Metric.String()})
			if err != nil {
				return nil, err
			}
			g := gate(b, n, r)
			g.Arm = p.name
			out = append(out, g)
		}
	}
	return out, nil
}

// A pair is an arm that both sides have.
type pair struct {
	name      string
	base, new []*stat.Summary
}

// pairArms pairs the arms of two sides by what they are, in the order of the new side.
func pairArms(base, new []*stat.Summary) []pair {
	sides := arms.Align(base, new)
	var out []pair
	for _, n := range sides[1] {
		for _, b := range sides[0] {
			if b.Name == n.Name {
				out = append(out, pair{n.Name, arms.Summaries(b.Runs), arms.Summaries(n.Runs)})
			}
		}
	}
	return out
}

func gate(base, new *Side, r GateRule) GateResult {
	g := GateResult{Rule: r, Outcome: GateInconclusive}
	if why := cmp.Or(unusable(base, new), differentLoad(base, new)); why != "" {
		g.Why = why
		return g
	}
	if len(base.Keys) == 0 || len(new.Keys) == 0 {
		g.Why = "no data for " + r.Metric.String()
		return g
	}
	k := base.Keys[0]
	g.Base, _ = estimate(base, k)
	g.New, _ = estimate(new, k)
	g.Outcome, g.P, g.Why = Beyond(base.Values[k], new.Values[k], g.Base.Exact && g.New.Exact, r.Up, r.limit)
	return g
}

// Beyond says whether values are beyond a limit: significantly beyond the limit is worse,
// significantly within it is ok, and everything else is inconclusive, with the reason.
// Limit returns the worst value that is allowed for a value of the base; up says that
// higher values are worse. Exact values need no test.
func Beyond(base, values []float64, exact, up bool, limit func(float64) float64) (o GateOutcome, p float64, why string) {
	var moved []float64
	for _, v := range base {
		moved = append(moved, limit(v))
	}
	to, is := newSample(moved), newSample(values)
	over := median(is) > median(to)
	if !up {
		over = median(is) < median(to)
	}
	outcome := GateOK
	if over {
		outcome = GateWorse
	}
	if exact {
		return outcome, 0, ""
	}
	test := benchmath.AssumeNothing.Compare(to, is)
	switch {
	case test.P >= Alpha && len(test.Warnings) > 0:
		return GateInconclusive, test.P, test.Warnings[0].Error()
	case test.P >= Alpha:
		return GateInconclusive, test.P, "the values are too noisy to say on which side of the limit they are"
	}
	return outcome, test.P, ""
}

func median(s *benchmath.Sample) float64 {
	return benchmath.AssumeNothing.Summary(s, confidence).Center
}

// WorstOutcome returns the outcome of a gate as a whole: the worst of its results.
func WorstOutcome(gs []GateResult) GateOutcome {
	worst := GateOK
	for _, g := range gs {
		worst = max(worst, g.Outcome)
	}
	return worst
}

// SelfCheck tests the gate itself: it plants a regression of twice the allowed change
// in the base's own figures, and returns an error unless the rule calls it worse.
func SelfCheck(base []*stat.Summary, r GateRule) error {
	b, err := FromSummaries("base", base, []string{r.Metric.String()})
	if err != nil {
		return err
	}
	if len(b.Keys) == 0 {
		return fmt.Errorf("rule %q cannot fail: there is no data for %s", r.Text, r.Metric)
	}
	planted := *b
	planted.Values = make(map[Key][]float64)
	doubled := r
	doubled.Rel, doubled.Abs = 2*r.Rel+0.01, 2*r.Abs
	for k, values := range b.Values {
		for _, v := range values {
			planted.Values[k] = append(planted.Values[k], doubled.limit(v))
		}
	}
	if g := gate(b, &planted, r); g.Outcome != GateWorse {
		return fmt.Errorf("rule %q cannot fail: its outcome for a planted regression is %s: %s", r.Text, g.Outcome, g.Why)
	}
	return nil
}

// WriteGate writes a line for each rule and arm. An arm's name is a line above its rules.
func WriteGate(w io.Writer, gs []GateResult) error {
	var tables []terminal.Table
	groups := arms.By(gs, func(g GateResult) string { return g.Arm })
	for _, of := range groups {
		tables = append(tables, gateTable(of))
	}
	err := terminal.WriteTables(w, tables, func(i int) error {
		return terminal.WriteText(w, terminal.Neutral, "", "  ", groups[i][0].Arm)
	})
	var whys []string
	for _, g := range gs {
		if g.Why != "" && !slices.Contains(whys, g.Why) {
			whys = append(whys, g.Why)
			err = errors.Join(err, terminal.WriteText(w, terminal.Doubt, "inconclusive: ", "  ", g.Why))
		}
	}
	return err
}

// gateTable is the results of the rules for one arm.
func gateTable(gs []GateResult) terminal.Table {
	t := terminal.Table{Columns: []terminal.Column{
		{Left: true}, {Left: true, Head: "rule"}, {Head: "base"}, {Head: "new"}, {Head: "change"}, {Name: "p", Need: 1},
	}}
	for _, g := range gs {
		row := []string{g.Outcome.String(), g.Rule.Text, "", "", "", ""}
		if unit := g.Rule.Metric.Unit(); g.Base.N > 0 && g.New.N > 0 {
			row[2], row[3], row[4] = number(g.Base.Center, unit), number(g.New.Center, unit), Delta(ratio(g.New.Center, g.Base.Center))
			if !g.Base.Exact || !g.New.Exact {
				row[5] = fmt.Sprintf("(p=%.3f n=%d+%d)", g.P, g.Base.N, g.New.N)
			}
		}
		t.Rows = append(t.Rows, row)
	}
	t.Tone = func(row, column int) terminal.Tone {
		if column > 0 {
			return terminal.Neutral
		}
		return map[GateOutcome]terminal.Tone{GateOK: terminal.Good, GateInconclusive: terminal.Doubt, GateWorse: terminal.Bad}[gs[row].Outcome]
	}
	return t
}
