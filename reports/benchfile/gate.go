package benchfile

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/perf/benchunit"

	"harelab/reports/compare"
	"harelab/reports/folder"
	"harelab/reports/stat"
	"harelab/scenarios/metric"
)

// A Rule bounds the change of a unit in every row that has it, as "cpu-ns/op +5%",
// "allocs/op{strategy=nfa} +0" or "msgs/s -3%". In a file of runs it may name a metric,
// as "wait.p99{class=q} +50ms".
type Rule struct {
	Text   string
	Unit   string // tidied, as "cpu-sec/op"
	Labels []metric.Label
	Up     bool    // an increase is worse
	Rel    float64 // allowed, as a share of the base
	Abs    float64 // allowed, in Unit
}

// ParseRule parses a rule.
func ParseRule(s string) (Rule, error) {
	r := Rule{Text: strings.TrimSpace(s)}
	i := strings.LastIndexByte(r.Text, ' ')
	if i < 0 || i+1 == len(r.Text) || r.Text[i+1] != '+' && r.Text[i+1] != '-' {
		return r, fmt.Errorf("rule %q: give a unit and the change that you allow, such as 'ns/op +5%%'", s)
	}
	of, amount := strings.TrimSpace(r.Text[:i]), r.Text[i+2:]
	r.Up = r.Text[i+1] == '+'
	unit, err := r.of(of)
	if err != nil {
		return r, fmt.Errorf("rule %q: %w", s, err)
	}
	factor := 1.0
	factor, r.Unit = benchunit.Tidy(1, unit)
	if share, ok := strings.CutSuffix(amount, "%"); ok {
		r.Rel, err = strconv.ParseFloat(share, 64)
		r.Rel /= 100
	} else if r.Abs, err = strconv.ParseFloat(amount, 64); err == nil {
		r.Abs *= factor
	} else if isTime(r.Unit) {
		var d time.Duration
		d, err = time.ParseDuration(amount)
		r.Abs = d.Seconds()
	}
	if err != nil || !(r.Rel >= 0 && r.Abs >= 0) || math.IsInf(r.Rel+r.Abs, 0) {
		return r, fmt.Errorf("rule %q: %q is not an amount: write 5%%, or 50ns for a time, or a number in the unit of the rule", s, amount)
	}
	return r, nil
}

// of reads what a rule is about and returns its unit.
func (r *Rule) of(s string) (string, error) {
	if q, err := metric.Parse(s); err == nil {
		workload := "all"
		for _, l := range q.Selecting() {
			if l.Key != "class" || l.Not {
				return "", fmt.Errorf("a benchmark file has the classes of a run and the whole run; for %s give the results folders", l)
			}
			workload = folder.KeyValue(l.Value)
		}
		r.Labels = []metric.Label{{Key: "workload", Value: workload}}
		return q.BenchUnit(), nil
	}
	unit, rest, braced := strings.Cut(s, "{")
	if !braced {
		return s, nil
	}
	inside, ok := strings.CutSuffix(rest, "}")
	if !ok {
		return "", fmt.Errorf("%q has no closing brace", s)
	}
	for _, part := range strings.Split(inside, ",") {
		key, value, ok := strings.Cut(part, "=")
		key, not := strings.CutSuffix(strings.TrimSpace(key), "!")
		if !ok || key == "" {
			return "", fmt.Errorf("%q: write key=value or key!=value, such as {strategy=nfa}", part)
		}
		r.Labels = append(r.Labels, metric.Label{Key: key, Value: strings.TrimSpace(value), Not: not})
	}
	return unit, nil
}

// limit returns the worst value that the rule allows.
func (r Rule) limit(base float64) float64 {
	d := r.Rel*math.Abs(base) + r.Abs
	if !r.Up {
		d = -d
	}
	return base + d
}

// admits reports whether a rule is about a benchmark. A key that the benchmark lacks has
// no value; the class of a whole run may be left out of the name.
func (r Rule) admits(l Label) bool {
	for _, want := range r.Labels {
		v := cmp.Or(l.Keys["/"+want.Key], l.Keys[want.Key])
		if want.Key == "workload" && v == "" {
			v = "all"
		}
		if (v == want.Value) == want.Not {
			return false
		}
	}
	return true
}

// A Verdict is the outcome of a rule in one row.
type Verdict struct {
	Label     Label
	Outcome   compare.GateOutcome
	Base, New Estimate
	P         float64
	Why       string
}

// A GateResult is the outcome of one rule in all rows, the worst first.
type GateResult struct {
	Rule     Rule
	Verdicts []Verdict
}

// Gate checks the second file of the set against the first by rules, row by row. What one
// of the two lacks is inconclusive.
func (s *Set) Gate(rules []Rule) ([]GateResult, error) {
	var out []GateResult
	for _, r := range rules {
		g := GateResult{Rule: r}
		for _, id := range s.order {
			base, news := s.Files[0].values[id][r.Unit], s.Files[1].values[id][r.Unit]
			if r.admits(s.labels[id]) && (len(base) > 0 || len(news) > 0) {
				g.Verdicts = append(g.Verdicts, s.verdict(id, r, base, news))
			}
		}
		if len(g.Verdicts) == 0 {
			return nil, s.noRow(r)
		}
		size := func(v Verdict) float64 {
			if v.Base.Center == v.New.Center {
				return 0
			}
			return math.Abs(math.Log(v.New.Center / v.Base.Center))
		}
		slices.SortStableFunc(g.Verdicts, func(a, b Verdict) int {
			return cmp.Or(cmp.Compare(b.Outcome, a.Outcome), cmp.Compare(size(b), size(a)))
		})
		out = append(out, g)
	}
	return out, nil
}

// noRow says that no benchmark has what a rule is about.
func (s *Set) noRow(r Rule) error {
	units := slices.Sorted(maps.Keys(s.Units))
	if !slices.Contains(units, r.Unit) {
		return fmt.Errorf("rule %q: no benchmark has the unit %s (have %s)", r.Text, r.Unit, strings.Join(units, ", "))
	}
	return fmt.Errorf("rule %q: no benchmark with the unit %s has these labels, for example %s", r.Text, r.Unit, s.labels[s.order[0]])
}

func (s *Set) verdict(id identity, r Rule, base, news []float64) Verdict {
	exact := s.Units[r.Unit].Exact
	v := Verdict{Label: s.labels[id], Outcome: compare.GateInconclusive, Base: estimate(base, exact), New: estimate(news, exact)}
	switch {
	case len(base) == 0:
		v.Why = "is not in " + s.Files[0].Name
	case len(news) == 0:
		v.Why = "is not in " + s.Files[1].Name
	case leastP(len(base), len(news)) >= compare.Alpha && !(v.Base.Exact && v.New.Exact):
		v.Why = fmt.Sprintf("at least %d samples are needed to tell a change at %.2f", toTell, compare.Alpha)
	case equal(base, base[0]) && equal(news, base[0]):
		v.Outcome = compare.GateOK
	default:
		v.Outcome, v.P, v.Why = compare.Beyond(base, news, v.Base.Exact && v.New.Exact, r.Up, r.limit)
	}
	return v
}

// Worst returns the outcome of all results together: the worst.
func Worst(gs []GateResult) compare.GateOutcome {
	worst := compare.GateOK
	for _, g := range gs {
		for _, v := range g.Verdicts {
			worst = max(worst, v.Outcome)
		}
	}
	return worst
}

// SelfCheck tests the gate itself: it plants a change of twice what a rule allows in the
// first file's own figures. It returns the number of rows in which the rule calls that
// worse, and an error unless it does so in all of them.
func (s *Set) SelfCheck(r Rule) (int, error) {
	doubled := r
	doubled.Rel, doubled.Abs = 2*r.Rel+0.01, 2*r.Abs
	n := 0
	for _, id := range s.order {
		base := s.Files[0].values[id][r.Unit]
		if len(base) == 0 || !r.admits(s.labels[id]) {
			continue
		}
		n++
		var planted []float64
		for _, v := range base {
			planted = append(planted, doubled.limit(v))
		}
		if v := s.verdict(id, r, base, planted); v.Outcome != compare.GateWorse {
			return n, fmt.Errorf("rule %q cannot fail in %s: its outcome for a planted regression is %s: %s", r.Text, s.labels[id], v.Outcome, v.Why)
		}
	}
	if n == 0 {
		return 0, s.noRow(r)
	}
	return n, nil
}

// WriteCanFail says that a rule found a regression that was planted in n rows.
func WriteCanFail(w io.Writer, r Rule, n int) error {
	_, err := fmt.Fprintf(w, "can fail      %s  in %s: a planted regression is found\n", r.Text, countOf(n, "row"))
	return err
}

// Rows of each outcome that a gate's text names.
const (
	mostWorse        = 20
	mostInconclusive = 5
)

// WriteGate writes each rule with the number of rows of each outcome, and the rows that
// are worse or inconclusive.
func WriteGate(w io.Writer, gs []GateResult) error {
	t := newText(w)
	for _, g := range gs {
		count := make(map[compare.GateOutcome]int)
		for _, v := range g.Verdicts {
			count[v.Outcome]++
		}
		var parts []string
		for _, o := range []compare.GateOutcome{compare.GateWorse, compare.GateInconclusive, compare.GateOK} {
			if count[o] > 0 {
				parts = append(parts, fmt.Sprintf("%s %s", stat.Count(count[o]), o))
			}
		}
		t.wrap("", fmt.Sprintf("%-12s  %s  in %s: %s", Worst([]GateResult{g}), g.Rule.Text, countOf(len(g.Verdicts), "row"), strings.Join(parts, ", ")))
		written := make(map[compare.GateOutcome]int)
		for _, v := range g.Verdicts {
			most := map[compare.GateOutcome]int{compare.GateWorse: mostWorse, compare.GateInconclusive: mostInconclusive}[v.Outcome]
			n := written[v.Outcome]
			written[v.Outcome]++
			switch {
			case n < most:
				t.wrap("  ", fmt.Sprintf("%-12s  %s", v.Outcome, v.Label))
				t.wrap("                ", v.change(g.Rule.Unit))
			case n == most && v.Outcome != compare.GateOK:
				t.line(fmt.Sprintf("  and %d more %s", count[v.Outcome]-most, v.Outcome))
			}
		}
	}
	return t.err
}

// change writes both values, the change and the evidence or the reason.
func (v Verdict) change(unit string) string {
	if v.Base.N == 0 || v.New.N == 0 {
		return v.Why
	}
	ratio := 1.0
	if v.New.Center != v.Base.Center {
		ratio = v.New.Center / v.Base.Center
	}
	s := fmt.Sprintf("%s -> %s  %s", Number(v.Base.Center, unit), Number(v.New.Center, unit), delta(ratio))
	if !v.Base.Exact || !v.New.Exact {
		s += fmt.Sprintf("  (%s n=%d+%d)", pText(v.P), v.Base.N, v.New.N)
	}
	return strings.TrimSpace(s + "  " + v.Why)
}
