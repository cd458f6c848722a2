package judge

import (
	"math"
	"slices"

	"harelab/reports/stat"
	"harelab/scenarios/metric"
)

// Value returns the value of a query in a run, in the metric's unit. It is NaN if the
// run cannot be asked, has no such messages, or ran on a target that does not show
// the metric. A time that only finished messages have is +Inf, and thus worse than
// any other, if messages were published and none of them was finished.
func Value(s *stat.Summary, q metric.Query) float64 {
	v, err := s.Ask(q)
	if err != nil {
		return math.NaN()
	}
	if m := q.Def(); math.IsNaN(v) && (m.Kind == metric.Interval || m.Kind == metric.Ratio) && q.Better() == metric.Lower && !s.Hides(q) {
		if sent(s, q) > 0 && finished(s, q) == 0 {
			return math.Inf(1)
		}
	}
	return v
}

// sent and finished count the messages that a query selects, those of the warm-up left
// out, as they are from metrics about finished messages. They are NaN if the run cannot
// be asked.
func sent(s *stat.Summary, of metric.Query) float64 {
	return count(s, metric.Query{Metric: "schedule_lag", Stat: "n", Labels: of.Selecting()})
}

func finished(s *stat.Summary, of metric.Query) float64 {
	return count(s, metric.Query{Metric: "finished", Labels: of.Selecting()})
}

func count(s *stat.Summary, q metric.Query) float64 {
	n, err := s.Ask(q)
	if err != nil {
		return math.NaN()
	}
	return n
}

// An Estimate is a figure over the repeats of an arm: the median, and the least and
// the greatest value. N is the number of repeats that have the figure; if it is 0,
// Center, Lo and Hi are NaN.
type Estimate struct {
	Center, Lo, Hi float64
	N              int
}

// Center returns the estimate of a goal over the repeats of an arm.
func Center(g Goal, repeats []*stat.Summary) Estimate {
	return Over(repeats, func(s *stat.Summary) float64 { return Value(s, g.Query) })
}

// Over returns the estimate of any figure over the repeats of an arm; repeats for
// which it is NaN do not have it.
func Over(repeats []*stat.Summary, figure func(*stat.Summary) float64) Estimate {
	var xs []float64
	for _, s := range repeats {
		if v := figure(s); !math.IsNaN(v) {
			xs = append(xs, v)
		}
	}
	return Median(xs)
}

// Median returns the estimate of values, none of which is NaN. It sorts them.
func Median(xs []float64) Estimate {
	n := len(xs)
	if n == 0 {
		return Estimate{math.NaN(), math.NaN(), math.NaN(), 0}
	}
	slices.Sort(xs)
	e := Estimate{xs[n/2], xs[0], xs[n-1], n}
	if a := xs[(n-1)/2]; a != e.Center {
		e.Center = (a + e.Center) / 2
	}
	return e
}

// overlaps reports whether the repeats of two estimates have values in common.
func (e Estimate) overlaps(o Estimate) bool { return e.Lo <= o.Hi && o.Lo <= e.Hi }

// A Change says how a figure differs between two arms.
type Change int

// The changes. Differs is a clear difference of a metric without a better direction.
const (
	Unknown Change = iota // one of the two has no value
	Same                  // no difference that is clear; see [Clear]
	Better
	Worse
	Differs
)

// clearShare is the least difference that counts, as a share of the greater value.
const clearShare = 0.2

// least returns the least difference that counts, in the metric's unit: a wait of
// 0.1 ms instead of 0 s is no news, however many times longer it is.
func least(q metric.Query) float64 {
	switch q.Unit() {
	case "s":
		return 1e-3
	case "%":
		return 0.01
	case "x":
		return 0.05
	case "/s":
		return 0
	}
	if q.Def().Kind == metric.Figure { // Jain's index, from 0 to 1
		return 0.01
	}
	return 1
}

// Clear reports whether two values of a query differ enough to be called better or
// worse: by more than a fifth of the greater one, and by at least 1 ms, one
// percentage point, or 1 for counts. It does not matter which of the two is given
// first.
func Clear(q metric.Query, a, b float64) bool {
	if math.IsInf(a, 1) || math.IsInf(b, 1) {
		return a != b
	}
	d := math.Abs(a - b)
	return d > clearShare*max(math.Abs(a), math.Abs(b)) && d >= least(q)
}

// Resolved reports whether two values of a query differ by at least the least that counts:
// 1 ms, one percentage point, or 1 for counts. A smaller difference is not worth a word,
// even where it is no chance.
func Resolved(q metric.Query, a, b float64) bool { return !(math.Abs(a-b) < least(q)) }

// Compare says what a change of the query's value means.
func Compare(q metric.Query, from, to float64) Change {
	switch {
	case math.IsNaN(from) || math.IsNaN(to):
		return Unknown
	case !Clear(q, from, to):
		return Same
	case q.Better() == metric.Neither:
		return Differs
	case (to > from) == (q.Better() == metric.Higher):
		return Better
	}
	return Worse
}

// IsBetter reports whether a is a better value of the query than b, by however little.
// No value is better than one.
func IsBetter(q metric.Query, a, b float64) bool {
	switch {
	case math.IsNaN(a):
		return false
	case math.IsNaN(b):
		return true
	case q.Better() == metric.Higher:
		return a > b
	}
	return a < b
}
