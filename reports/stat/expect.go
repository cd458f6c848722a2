package stat

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"harelab/loadgen/run"
	"harelab/scenarios/metric"
)

// An Outcome is what an expectation came to.
type Outcome string

// The outcomes of an expectation.
const (
	Met        Outcome = "met"
	NotMet     Outcome = "not met"
	NotVisible Outcome = "not visible" // the target does not show the metric
	CutOff     Outcome = "cut off"     // the run was interrupted before it could be told
)

// A Verdict is an expectation with what was measured.
type Verdict struct {
	Text     string  `json:"text"`
	Unit     string  `json:"unit,omitempty"` // "s", "%" or ""
	Want     float64 `json:"want"`
	Measured Figure  `json:"measured"` // nil when there is no data, or not visible
	Outcome  Outcome `json:"outcome"`
	Error    string  `json:"error,omitempty"` // there is no data, or the expectation makes no sense; then it is not met
}

// Check evaluates expectations that are not in the result itself.
func Check(r *run.Result, s *Summary, es []run.Expectation) []Verdict {
	b := newBook(r)
	var out []Verdict
	for _, e := range es {
		out = append(out, judge(b, s, e))
	}
	return out
}

// check evaluates the result's own expectations.
func check(b *book, s *Summary) []Verdict {
	var out []Verdict
	for _, e := range b.r.Expect {
		v := judge(b, s, e)
		if s.Interrupted() && (v.Error == "" || v.Error == noData) {
			v.Outcome, v.Error = CutOff, ""
		}
		out = append(out, v)
	}
	return out
}

// noData is what is said of an expectation on what the run has nothing of.
const noData = "no data: the run has nothing to measure it on"

func judge(b *book, s *Summary, e run.Expectation) Verdict {
	v := Verdict{Text: e.Text, Unit: e.Unit, Want: e.Value, Outcome: NotMet}
	if err := e.Of.Check(); err != nil {
		v.Error = err.Error()
		return v
	}
	got := b.measure(e.Of)
	missing := e.Of
	if e.Times != "" {
		q, err := metric.Parse(e.Times)
		if err != nil {
			v.Error = err.Error()
			return v
		}
		e.Value *= b.measure(q)
		if v.Want = e.Value; math.IsNaN(e.Value) {
			got, v.Want, missing = math.NaN(), 0, q
		}
	}
	switch {
	case math.IsNaN(got) && s.Hides(missing):
		v.Outcome = NotVisible
	case math.IsNaN(got):
		v.Error = noData
	default:
		v.Measured = figure(got)
		ok, err := holds(got, e, s.Virtual)
		if err != nil {
			v.Error = err.Error()
		} else if ok {
			v.Outcome = Met
		}
	}
	return v
}

// holds compares. On a real clock every comparison has the expectation's
// tolerance; in virtual time times are exact to the microsecond's rounding,
// and a plain number counts at the precision in which it was written:
// "== 0.599" means 0.599 to three digits.
func holds(got float64, e run.Expectation, virtual bool) (bool, error) {
	slack := e.RelTol*math.Abs(e.Value) + e.AbsTol
	if e.Unit != "s" {
		slack = e.RelTol * math.Abs(e.Value)
	}
	if e.Times != "" { // counts of one ledger agree or do not
		slack = 0
	}
	if virtual {
		slack = 1e-9 * max(math.Abs(e.Value), 1)
		if e.Unit == "" {
			slack += written(e)
		}
	}
	d := got - e.Value
	switch e.Op {
	case "==":
		return math.Abs(d) <= slack, nil
	case "!=":
		return math.Abs(d) > slack, nil
	case "<=":
		return d <= slack, nil
	case ">=":
		return d >= -slack, nil
	case "<":
		return d < 0 || !virtual && d < slack, nil
	case ">":
		return d > 0 || !virtual && d > -slack, nil
	}
	return false, fmt.Errorf("unknown operator %q (have %s)", e.Op, strings.Join(metric.Operators(), ", "))
}

// written is half a unit of the last decimal written, 0 for whole numbers.
func written(e run.Expectation) float64 {
	if e.Grain >= 1 || e.Times != "" {
		return 0
	}
	if e.Grain > 0 {
		return e.Grain / 2
	}
	_, decimals, ok := strings.Cut(strconv.FormatFloat(e.Value, 'f', -1, 64), ".")
	if !ok {
		return 0
	}
	return 0.5 * math.Pow10(-len(decimals))
}

// CountMet returns how many expectations were met.
func CountMet(vs []Verdict) int {
	n := 0
	for _, v := range vs {
		if v.Outcome == Met {
			n++
		}
	}
	return n
}

// AllMet reports whether no expectation failed; what is not visible does not
// count against a run.
func AllMet(vs []Verdict) bool {
	return !slices.ContainsFunc(vs, func(v Verdict) bool { return v.Outcome == NotMet })
}
