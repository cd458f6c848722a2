package stat

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"harelab/loadgen/run"
)

// An Outcome is what an expectation came to.
type Outcome string

// The outcomes of an expectation.
const (
	Met        Outcome = "met"
	NotMet     Outcome = "not met"
	NotVisible Outcome = "not visible" // the target does not show the metric, or nothing had it
	CutOff     Outcome = "cut off"     // the run was interrupted before it could be told
)

// A Verdict is an expectation with what was measured.
type Verdict struct {
	Text     string  `json:"text"`
	Unit     string  `json:"unit,omitempty"` // "s", "%" or ""
	Want     float64 `json:"want"`
	Measured Figure  `json:"measured"` // nil when not visible
	Outcome  Outcome `json:"outcome"`
	Error    string  `json:"error,omitempty"` // the expectation makes no sense; then it is not met
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
		if s.Interrupted() && v.Error == "" {
			v.Outcome = CutOff
		}
		out = append(out, v)
	}
	return out
}

// Validate says what is wrong with an expectation before there is a result:
// an unknown metric, statistic or label.
func Validate(e run.Expectation) error {
	m, err := lookup(e.Metric)
	if err != nil {
		return err
	}
	for _, l := range e.Labels {
		if !slices.Contains(m.labels, l.Key) {
			return fmt.Errorf("stat: %s has no label %q (%s)", m.name, l.Key, have(m.labels))
		}
	}
	if _, err := before(e.Labels); err != nil {
		return err
	}
	if m.sample == nil {
		if e.Stat != "" {
			return fmt.Errorf("stat: %s is one number and has no %q", m.name, e.Stat)
		}
		return nil
	}
	if _, ok := (sample{}).stat(e.Stat); !ok {
		return fmt.Errorf("stat: %s.%s: unknown statistic %q (have mean, min, max, n, p50, p99, p99.9, ...)", m.name, e.Stat, e.Stat)
	}
	return nil
}

func have(names []string) string {
	if len(names) == 0 {
		return "it takes none"
	}
	return "have " + strings.Join(names, ", ")
}

func judge(b *book, s *Summary, e run.Expectation) Verdict {
	v := Verdict{Text: e.Text, Unit: e.Unit, Want: e.Value, Outcome: NotMet}
	got, err := b.measure(s, e)
	if err == nil && e.Times != "" {
		e.Value, err = b.times(s, e)
		v.Want = e.Value
		if math.IsNaN(e.Value) {
			got, v.Want = math.NaN(), 0
		}
	}
	switch {
	case err != nil:
		v.Error = err.Error()
	case math.IsNaN(got):
		v.Outcome = NotVisible
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

// times returns the right side of an expectation that is a multiple of
// another metric.
func (b *book) times(s *Summary, e run.Expectation) (float64, error) {
	m, err := ParseMetric(e.Times)
	if err != nil {
		return 0, err
	}
	factor, err := b.measure(s, m)
	return e.Value * factor, err
}

// measure returns the left side of an expectation, NaN when it is not
// visible.
func (b *book) measure(s *Summary, e run.Expectation) (float64, error) {
	if err := Validate(e); err != nil {
		return 0, err
	}
	m, _ := lookup(e.Metric)
	q := &question{b: b, s: s, e: e, view: b.view(b.chosen(e.Labels))}
	if m.value != nil {
		return m.value(q)
	}
	x, err := m.sample(q)
	if err != nil {
		return 0, err
	}
	got, _ := x.stat(e.Stat)
	return got, nil
}

// chosen is the filter that labels make.
func (b *book) chosen(labels []run.Label) func(*run.Message) bool {
	names := func(list []string, i int32) string {
		if i < 0 || int(i) >= len(list) {
			return ""
		}
		return list[i]
	}
	var workers []string
	for _, w := range b.r.Workers {
		workers = append(workers, w.Name)
	}
	return func(m *run.Message) bool {
		return matches(labels, "class", names(b.r.Classes, m.Class)) &&
			matches(labels, "queue", names(b.r.Queues, m.Queue)) &&
			matches(labels, "tenant", names(b.r.Tenants, m.Tenant)) &&
			matches(labels, "worker", names(workers, m.Worker))
	}
}

// matches reports whether the labels of that key, if any, admit the value.
func matches(labels []run.Label, key, value string) bool {
	for _, l := range labels {
		if l.Key == key && (l.Value == value) == l.Not {
			return false
		}
	}
	return true
}

// before returns the instant of a label before=20s, the end of time without.
func before(labels []run.Label) (int64, error) {
	for _, l := range labels {
		if l.Key == "before" {
			d, err := time.ParseDuration(l.Value)
			if err != nil {
				return 0, fmt.Errorf("stat: before=%s: want a duration such as 20s", l.Value)
			}
			return d.Microseconds(), nil
		}
	}
	return math.MaxInt64, nil
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
	return false, fmt.Errorf("stat: unknown operator %q (have ==, !=, <, <=, >, >=)", e.Op)
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
