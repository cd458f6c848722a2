// Package compare says whether runs differ, and by how much.
//
// The unit is the run, not the message: a side is the repeats of one arm or of
// several, and one run is one observation. Values on a real clock are compared by the
// U-test of golang.org/x/perf/benchmath, which makes no assumption about their
// distribution. The p values of a table are corrected for their number by Holm's
// method. A figure of a run in virtual time is exact. Runs with different loads get
// no verdict at all.
package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"golang.org/x/perf/benchmath"

	"harelab/reports/judge"
	"harelab/scenarios/metric"
)

// Alpha is the p value below which a difference is significant.
const Alpha = 0.05

const confidence = 0.95 // of intervals

// leastChange is the least relative change of a measured figure that counts: a smaller one
// prints as 0.0 %, and is no difference even if it is significant.
const leastChange = 0.0005

// A Comparison compares new sides with a base.
type Comparison struct {
	Base     *Side
	News     []*Side
	SameLoad bool   // no two loads are known to differ
	Known    bool   // each new side has a load to compare with the base; benchmark files have none
	Why      string // why there is no verdict: another load, or an invalid run; empty if there is one
	Rows     []Row
	Warnings []string // without repetitions
	Verdict  string   // what changed on each side, in a sentence
}

// A Row is one metric over all sides.
type Row struct {
	Key  Key
	Base Estimate
	News []Effect // one for each new side; N is 0 if it lacks the metric
}

// An Estimate is the median of a side's repeats with its 95 % interval. The interval
// is infinite if there are too few repeats.
type Estimate struct {
	Center, Lo, Hi float64
	N              int  // number of repeats
	Exact          bool // every repeat would give the same value
}

// An Effect is a new side's estimate against the base's.
type Effect struct {
	Estimate
	Ratio, RatioLo, RatioHi float64 // new/base; the bounds from both intervals
	P                       float64 // corrected for the number of tests; 0 when exact
	Change                  Change
	tested                  bool // neither exact nor constant on both sides
}

// A Change says whether and how a metric changed.
type Change int

// The changes.
const (
	NoChange Change = iota // no significant difference
	Better
	Worse
	Differs // a significant difference of a metric without a better direction
)

func (c Change) String() string {
	return [...]string{"no difference", "better", "worse", "differs"}[c]
}

// Compare compares each new side with the base, metric by metric in the
// base's order.
func Compare(base *Side, news ...*Side) *Comparison {
	c := &Comparison{Base: base, News: news, SameLoad: true, Why: unusable(append([]*Side{base}, news...)...)}
	c.Known = len(news) > 0
	c.warn(withoutValue(base))
	for _, n := range news {
		c.warn(withoutValue(n))
		if why := differentLoad(base, n); why != "" {
			c.SameLoad, c.Why = false, why
		}
		c.Known = c.Known && shareLoad(base, n)
		c.warn(oneSided(base, n))
		c.warn(leftOut(base, n))
	}
	for _, k := range base.Keys {
		row := Row{Key: k}
		var warnings []error
		row.Base, warnings = estimate(base, k)
		c.warn(warnings)
		some := false
		for _, n := range news {
			e, warnings := effect(base, n, k)
			c.warn(warnings)
			row.News = append(row.News, e)
			some = some || e.N > 0
		}
		if some {
			c.Rows = append(c.Rows, row)
		}
	}
	c.correct()
	c.Verdict = c.verdict()
	return c
}

func (c *Comparison) warn(errs []error) {
	for _, err := range errs {
		if s := err.Error(); !slices.Contains(c.Warnings, s) {
			c.Warnings = append(c.Warnings, s)
		}
	}
}

// exact reports whether every repeat would give the same value for k.
func exact(s *Side, k Key) bool {
	values := s.Values[k]
	return s.Exact[k] && !slices.ContainsFunc(values, func(v float64) bool { return v != values[0] })
}

func newSample(values []float64) *benchmath.Sample {
	t := benchmath.DefaultThresholds
	t.CompareAlpha = Alpha
	return benchmath.NewSample(slices.Clone(values), &t)
}

func estimate(s *Side, k Key) (Estimate, []error) {
	values := s.Values[k]
	if len(values) == 0 {
		return Estimate{}, nil
	}
	if exact(s, k) {
		return Estimate{Center: values[0], Lo: values[0], Hi: values[0], N: len(values), Exact: true}, nil
	}
	sum := benchmath.AssumeNothing.Summary(newSample(values), confidence)
	return Estimate{Center: sum.Center, Lo: sum.Lo, Hi: sum.Hi, N: len(values)}, sum.Warnings
}

func effect(base, side *Side, k Key) (Effect, []error) {
	e, warnings := estimate(side, k)
	b, _ := estimate(base, k)
	out := Effect{Estimate: e}
	if e.N == 0 || b.N == 0 {
		return out, nil
	}
	out.Ratio, out.RatioLo, out.RatioHi = ratio(e.Center, b.Center), ratio(e.Lo, b.Hi), ratio(e.Hi, b.Lo)
	if e.Exact && b.Exact {
		if q, err := metric.Parse(k.Metric); err == nil && judge.Clear(q, b.Center, e.Center) {
			out.Change = k.direction(e.Center - b.Center)
		}
		return out, warnings
	}
	if allEqual(base.Values[k], side.Values[k]) {
		out.P = 1
		return out, nil
	}
	out.tested = true
	cmp := benchmath.AssumeNothing.Compare(newSample(base.Values[k]), newSample(side.Values[k]))
	out.P = cmp.P
	return out, append(warnings, cmp.Warnings...)
}

// counts reports whether a change that is significant is also large enough to be called
// one: it does not print as 0.0 %, and it is not below what the metric resolves. A change
// from 0 has no ratio.
func (r Row) counts(e Effect) bool {
	q, err := metric.Parse(r.Key.Metric)
	return err == nil && !(math.Abs(e.Ratio-1) < leastChange) && judge.Resolved(q, r.Base.Center, e.Center)
}

// allEqual reports whether all values are the same, so that there is nothing to test.
func allEqual(samples ...[]float64) bool {
	for _, s := range samples {
		for _, v := range s {
			if v != samples[0][0] {
				return false
			}
		}
	}
	return true
}

// ratio is new/base, and 1 if both are 0.
func ratio(n, b float64) float64 {
	if n == b {
		return 1
	}
	return n / b
}

// Holm returns p values corrected for their number by Holm's step-down method, in the
// same order (S. Holm, Scand. J. Statist. 6, 1979).
func Holm(ps []float64) []float64 {
	order := make([]int, len(ps))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(ps[a], ps[b]) })
	out, floor := make([]float64, len(ps)), 0.0
	for i, k := range order {
		floor = max(floor, min(1, ps[k]*float64(len(ps)-i)))
		out[k] = floor
	}
	return out
}

// correct corrects the p values for their number and decides which differences count.
// Rows in which all values are the same are no tests and do not count.
func (c *Comparison) correct() {
	var tests []*Effect
	for i := range c.Rows {
		for j := range c.Rows[i].News {
			if e := &c.Rows[i].News[j]; e.tested {
				tests = append(tests, e)
			}
		}
	}
	ps := make([]float64, len(tests))
	for i, e := range tests {
		ps[i] = e.P
	}
	for i, p := range Holm(ps) {
		tests[i].P = p
	}
	for i := range c.Rows {
		row := &c.Rows[i]
		for j := range row.News {
			if e := &row.News[j]; e.N > 0 && e.P > 0 && e.P < Alpha && row.counts(*e) {
				e.Change = row.Key.direction(e.Center - row.Base.Center)
			}
		}
	}
}

// verdict says in a sentence what changed on each side.
func (c *Comparison) verdict() string {
	if c.Why != "" {
		return "No verdict: " + c.Why + "."
	}
	var out []string
	for j, n := range c.News {
		var better, worse []string
		tested := 0
		for _, r := range c.Rows {
			e := r.News[j]
			if e.N == 0 {
				continue
			}
			tested++
			switch t := r.Key.String() + " (" + r.change(e) + ")"; e.Change {
			case Better:
				better = append(better, t)
			case Worse:
				worse = append(worse, t)
			}
		}
		kind := "significant"
		if c.exact() {
			kind = "clear"
		}
		out = append(out, n.Name+" "+weigh(better, worse, tested, kind)+".")
	}
	return strings.Join(out, " ")
}

// change writes the change of a side: relative, or with both values if the base is 0.
func (r Row) change(e Effect) string {
	if r.Base.Center == 0 {
		return number(r.Base.Center, r.Key.Unit) + " -> " + number(e.Center, r.Key.Unit)
	}
	return Delta(e.Ratio)
}

// weigh makes a sentence of what is better and worse on a side. Kind is what a difference
// has to be.
func weigh(better, worse []string, tested int, kind string) string {
	few := func(xs []string) string {
		if len(xs) > 3 {
			return strings.Join(xs[:3], ", ") + fmt.Sprintf(" and %d more", len(xs)-3)
		}
		return strings.Join(xs, ", ")
	}
	switch {
	case tested == 0:
		return "has no metric in common with the base"
	case len(better) > 0 && len(worse) > 0:
		return "is better in " + few(better) + ", worse in " + few(worse)
	case len(better) > 0:
		return "is better in " + few(better)
	case len(worse) > 0:
		return "is worse in " + few(worse)
	}
	return "shows no " + kind + " difference"
}

// Delta writes a ratio as a change: "-63.1 %", or "from 0" if it is infinite.
func Delta(ratio float64) string {
	switch {
	case math.IsNaN(ratio) || math.IsInf(ratio, 0):
		return "from 0"
	case ratio >= 1e6:
		return fmt.Sprintf("x%.3g", ratio)
	case ratio >= 100:
		return fmt.Sprintf("x%.0f", ratio)
	}
	s := fmt.Sprintf("%+.1f %%", 100*(ratio-1))
	if s == "-0.0 %" || s == "+0.0 %" {
		return "0.0 %"
	}
	return s
}
