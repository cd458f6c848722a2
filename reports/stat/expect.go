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

// An Outcome is the result of an expectation.
type Outcome string

// The outcomes of an expectation.
const (
	Met        Outcome = "met"
	NotMet     Outcome = "not met"
	NotVisible Outcome = "not visible" // the target does not show the metric
	CutOff     Outcome = "cut off"     // the run was interrupted before the result was certain
	NotDecided Outcome = "not decided" // lateness of the load generator can turn the result: it is not met, and the run is invalid
)

// A Verdict is an expectation with the measured value.
type Verdict struct {
	Text     string  `json:"text"`
	Unit     string  `json:"unit,omitempty"` // "s", "%" or ""
	Want     float64 `json:"want"`
	Measured Figure  `json:"measured"` // nil when there is no data, or the target does not show it
	Outcome  Outcome `json:"outcome"`
	Effect   float64 `json:"effect,omitempty"` // of a result that is not decided: by how much lateness may have changed what was measured
	Error    string  `json:"error,omitempty"`  // why an expectation is not met that has no value, or that the value would meet
}

// Check evaluates expectations that are not in the result itself.
func Check(r *run.Result, s *Summary, es []run.Expectation) []Verdict {
	ds := newDataset(r)
	b := newBlame(ds, nil, s.Virtual)
	var out []Verdict
	for _, e := range es {
		out = append(out, judge(ds, s, b, e))
	}
	return out
}

// check evaluates the result's own expectations.
func check(ds *dataset, s *Summary, b *blame) []Verdict {
	var out []Verdict
	for _, e := range ds.r.Expect {
		v := judge(ds, s, b, e)
		if s.Interrupted() && (v.Error == "" || v.Error == noData) {
			v.Outcome, v.Error = CutOff, ""
		}
		out = append(out, v)
	}
	return out
}

// noData is the error of an expectation on messages that the run does not have.
const noData = "no data: the run has nothing to measure it on"

func judge(ds *dataset, s *Summary, b *blame, e run.Expectation) Verdict {
	v := Verdict{Text: e.Text, Unit: e.Unit, Want: e.Value, Outcome: NotMet}
	if err := e.Of.Check(); err != nil {
		v.Error = err.Error()
		return v
	}
	got := ds.measure(e.Of)
	if nothing(ds, e.Of) {
		got = math.NaN()
	}
	missing := e.Of
	effect := b.effect(e.Of, got)
	if e.Times != "" {
		q, err := metric.Parse(e.Times)
		if err != nil {
			v.Error = err.Error()
			return v
		}
		times := ds.measure(q)
		effect += math.Abs(e.Value) * b.effect(q, times)
		e.Value *= times
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
		ok, margin, err := holds(got, e, s.Virtual)
		switch {
		case err != nil:
			v.Error = err.Error()
		case decides(effect, margin):
			v.Outcome, v.Effect = NotDecided, effect
		case ok:
			if v.Error = unfinished(ds, s, e); v.Error == "" {
				v.Outcome = Met
			}
		}
	}
	return v
}

// holds reports whether got meets the expectation. On a real clock every comparison
// has the expectation's tolerance. In virtual time, times are exact to the rounding
// of microseconds, and plain numbers are compared to the digits that were written:
// "== 0.599" is met from 0.5985 to 0.5995. margin is the change of got that would turn
// the result.
func holds(got float64, e run.Expectation, virtual bool) (ok bool, margin float64, err error) {
	slack := e.RelTol*math.Abs(e.Value) + e.AbsTol
	if e.Unit != "s" {
		slack = e.RelTol * math.Abs(e.Value)
	}
	if e.Times != "" { // two counts of one run: there is no tolerance
		slack = 0
	}
	if virtual {
		slack = 1e-9 * max(math.Abs(e.Value), 1)
		if e.Unit == "" {
			slack += rounding(e)
		}
	}
	d := got - e.Value
	switch e.Op {
	case "==":
		return math.Abs(d) <= slack, math.Abs(slack - math.Abs(d)), nil
	case "!=":
		return math.Abs(d) > slack, math.Abs(slack - math.Abs(d)), nil
	case "<=":
		return d <= slack, math.Abs(d - slack), nil
	case ">=":
		return d >= -slack, math.Abs(d + slack), nil
	case "<":
		return d < 0 || !virtual && d < slack, math.Abs(d - slack), nil
	case ">":
		return d > 0 || !virtual && d > -slack, math.Abs(d + slack), nil
	}
	return false, 0, fmt.Errorf("unknown operator %q (have %s)", e.Op, strings.Join(metric.Operators(), ", "))
}

// rounding is half a unit of the last decimal written, 0 for whole numbers.
func rounding(e run.Expectation) float64 {
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

// AllMet reports whether no expectation failed and each was decided. One that the target
// does not show has not failed.
func AllMet(vs []Verdict) bool {
	return !slices.ContainsFunc(vs, func(v Verdict) bool { return v.Outcome == NotMet || v.Outcome == NotDecided })
}
