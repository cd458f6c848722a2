package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"harelab/reports/arms"
	"harelab/reports/judge"
	"harelab/reports/stat"
	"harelab/scenarios/metric"
)

// A Key identifies a row of a comparison: a metric, and an arm if a side has several.
type Key struct {
	Arm    string // empty if each side is one arm
	Metric string // as "wait.p99{class=run_user_query}"
	Unit   string // of the metric
	Better int8   // -1 lower, +1 higher, 0 neither
}

// String names the row.
func (k Key) String() string {
	if k.Arm == "" {
		return k.Metric
	}
	return k.Arm + " " + k.Metric
}

// direction says whether a change by d is better or worse.
func (k Key) direction(d float64) Change {
	switch {
	case k.Better == 0:
		return Differs
	case (d > 0) == (k.Better > 0):
		return Better
	}
	return Worse
}

// A Side is one of the things that are compared: the repeats of one arm or of several.
type Side struct {
	Name    string
	Keys    []Key // in the order of the table
	Runs    []*stat.Summary
	Arms    map[*stat.Summary]string // the name of each run's arm in keys
	Asked   bool                     // the user named the metrics, which are then what the comparison is about
	Values  map[Key][]float64        // one for each repeat
	Without map[Key]int              // number of repeats without a value, such as those that finished none of the messages
	Loads   map[LoadKey]stat.Load
	Exact   map[Key]bool // metrics of which every repeat with the same seed has the same value, as in virtual time
	Invalid string       // why its figures must not be used, empty if they may
}

// A LoadKey identifies one repeat of one arm. Each repeat has its own seed and load,
// so only repeats with the same number can have the same load.
type LoadKey struct {
	Arm    string
	Repeat int
}

func newSide(name string) *Side {
	return &Side{Name: name, Values: make(map[Key][]float64), Without: make(map[Key]int), Exact: make(map[Key]bool), Loads: make(map[LoadKey]stat.Load)}
}

func (s *Side) add(k Key, v float64) {
	if math.IsNaN(v) {
		return
	}
	if _, ok := s.Values[k]; !ok {
		s.Keys = append(s.Keys, k)
	}
	s.Values[k] = append(s.Values[k], v)
}

// DefaultMetrics returns the metrics of a comparison for which the user names none:
// the goals by which the runs are judged, the usual figures of the class that the goals
// are about, those that may become worse in exchange, and those of the run as a whole.
func DefaultMetrics(ss ...*stat.Summary) []string {
	goals := judge.Goals(ss)
	var out []string
	add := func(names ...string) {
		for _, m := range names {
			if !slices.Contains(out, m) {
				out = append(out, m)
			}
		}
	}
	for _, g := range goals {
		add(g.String())
	}
	var of []metric.Label
	if c := judge.Class(goals, ss); c != "" && slices.ContainsFunc(ss, func(s *stat.Summary) bool { return len(s.Classes) > 1 }) {
		of = []metric.Label{{Key: "class", Value: c}}
	}
	for _, m := range []string{"wait.p50", "wait.p99", "wait.max", "held.max", "slowdown.mean", "starvation"} {
		add(m + metric.Braced(of))
	}
	for _, g := range judge.Sides(goals, ss) {
		if slices.ContainsFunc(ss, func(s *stat.Summary) bool { return judge.Value(s, g.Query) > 0 }) {
			add(g.String())
		}
	}
	add("makespan", "throughput", "utilisation", "idle_while_waiting", "jain.busy{by=worker}", "lost")
	return out
}

// FromSummaries makes a side of the runs of one arm or of several. With nil metrics it
// takes [DefaultMetrics]. A run without the class, tenant, queue or worker that a
// label names has no value; see [Check].
func FromSummaries(name string, ss []*stat.Summary, metrics []string) (*Side, error) {
	sides, err := Sides([]string{name}, [][]*stat.Summary{ss}, metrics)
	if err != nil {
		return nil, err
	}
	return sides[0], nil
}

// Sides makes the sides of a comparison, the base first, as [FromSummaries] makes one. It
// pairs their arms by what they are. With nil metrics an arm has the same ones on all
// sides, which are chosen from its runs on all of them.
func Sides(names []string, runs [][]*stat.Summary, metrics []string) ([]*Side, error) {
	for i, ss := range runs {
		if len(ss) == 0 {
			return nil, fmt.Errorf("%s has no runs", names[i])
		}
	}
	aligned := arms.Align(runs...)
	several := slices.ContainsFunc(aligned, func(of []*arms.Arm) bool { return len(of) > 1 })
	armsOf := make([]map[*stat.Summary]string, len(runs))
	of := make(map[string][]*stat.Summary) // the runs of each arm on all sides
	for i, ss := range runs {
		armOf := make(map[*stat.Summary]string) // a single arm on each side needs no name
		if several {
			for _, a := range aligned[i] {
				for _, r := range a.Runs {
					armOf[r.Summary] = a.Name
				}
			}
		}
		armsOf[i] = armOf
		for _, s := range ss {
			of[armOf[s]] = append(of[armOf[s]], s)
		}
	}
	asked := make(map[string][]string)
	for arm, ss := range of {
		if asked[arm] = metrics; metrics == nil {
			asked[arm] = DefaultMetrics(ss...)
		}
	}
	var out []*Side
	for i, ss := range runs {
		side, err := sideOf(names[i], ss, asked, armsOf[i])
		if err != nil {
			return nil, err
		}
		side.Asked = metrics != nil
		out = append(out, side)
	}
	return out, nil
}

func sideOf(name string, ss []*stat.Summary, metrics map[string][]string, armOf map[*stat.Summary]string) (*Side, error) {
	side := newSide(name)
	side.Runs, side.Arms = ss, armOf
	measured := make(map[string]bool) // the arms with a run on a real clock
	for _, s := range ss {
		measured[armOf[s]] = measured[armOf[s]] || !s.Virtual
		switch {
		case !s.Valid():
			side.Invalid = s.Arm + " is invalid"
		case s.Partial && side.Invalid == "":
			side.Invalid = s.Arm + " was cut off, so its figures lack the longest waits"
		}
	}
	for _, s := range ss {
		arm := armOf[s]
		side.Loads[LoadKey{arm, s.Repeat}] = s.Load
		for _, m := range metrics[arm] {
			q, err := metric.Parse(m)
			if err != nil {
				return nil, err
			}
			if s.Scope().Check(q) != nil {
				continue
			}
			v, err := s.Ask(q)
			if err != nil {
				return nil, err
			}
			k := Key{arm, m, q.Unit(), int8(q.Better())}
			if math.IsNaN(v) {
				side.Without[k]++
			}
			side.add(k, v)
			side.Exact[k] = !measured[arm]
		}
	}
	return side, nil
}

// Check returns an error for the first metric that does not exist, or whose label names
// a class, tenant, queue or worker that no run has.
func Check(metrics []string, ss []*stat.Summary) error {
	var scope metric.Scope
	for i, s := range ss {
		if i == 0 {
			scope = s.Scope()
		}
		scope = scope.Join(s.Scope())
	}
	for _, m := range metrics {
		q, err := metric.Parse(m)
		if err == nil {
			err = scope.Check(q)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// differentLoad says how the loads of two sides differ. It is empty if they do not, in
// the repeats that both have.
func differentLoad(a, b *Side) string {
	keys := make([]LoadKey, 0, len(a.Loads))
	for k := range a.Loads {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(x, y LoadKey) int {
		return cmp.Or(strings.Compare(x.Arm, y.Arm), cmp.Compare(x.Repeat, y.Repeat))
	})
	for _, k := range keys {
		if l, ok := b.Loads[k]; ok && !l.Same(a.Loads[k]) {
			return fmt.Sprintf("the loads differ: %s (%s) against %s (%s)", a.Name, a.Loads[k], b.Name, l)
		}
	}
	return ""
}

// shareLoad reports whether the loads of two sides can be compared: whether both have
// the same repeat of an arm.
func shareLoad(a, b *Side) bool {
	for k := range a.Loads {
		if _, ok := b.Loads[k]; ok {
			return true
		}
	}
	return false
}

// oneSided says which arms only one of two sides has. They are not compared.
func oneSided(a, b *Side) []error {
	var out []error
	only := func(x, y *Side) {
		var last string
		for _, k := range x.Keys {
			if k.Arm != last && !slices.ContainsFunc(y.Keys, func(o Key) bool { return o.Arm == k.Arm }) {
				out = append(out, fmt.Errorf("%s is not compared: %s does not have it", cmp.Or(k.Arm, x.Name), y.Name))
			}
			last = k.Arm
		}
	}
	only(a, b)
	only(b, a)
	return out
}

// leftOut names the metrics of runs that one of two sides has and the other does not,
// of the arms that both have. They are not compared.
func leftOut(a, b *Side) []error {
	var out []error
	lacks := func(x, y *Side) {
		for _, k := range x.Keys {
			arm := slices.ContainsFunc(y.Keys, func(o Key) bool { return o.Arm == k.Arm })
			if _, ok := y.Values[k]; !ok && arm {
				out = append(out, fmt.Errorf("%s is not compared: %s has no value for it", k, y.Name))
			}
		}
	}
	lacks(a, b)
	lacks(b, a)
	return out
}

// withoutValue says which figures only some of a side's repeats have. A median of the others
// tells nothing of those.
func withoutValue(s *Side) []error {
	type count struct{ without, all int }
	var order []count
	names := make(map[count][]string)
	for _, k := range s.Keys {
		n := s.Without[k]
		if n == 0 || len(s.Values[k]) == 0 {
			continue
		}
		c := count{n, n + len(s.Values[k])}
		if names[c] == nil {
			order = append(order, c)
		}
		names[c] = append(names[c], k.String())
	}
	var out []error
	for _, c := range order {
		of := names[c]
		if n := len(of); n > maxSentences {
			of = append(of[:maxSentences-1:maxSentences-1], fmt.Sprintf("%d more", n-maxSentences+1))
		}
		have, is := "have", "are"
		if c.without == 1 {
			have, is = "has", "is"
		}
		out = append(out, fmt.Errorf("%s: %d of the %d repeats of %s %s no value and %s left out", stat.List(of, "and"), c.without, c.all, s.Name, have, is))
	}
	return out
}

// unusable says why a side's figures must not be used.
func unusable(sides ...*Side) string {
	for _, s := range sides {
		if s.Invalid != "" {
			return s.Name + ": " + s.Invalid
		}
	}
	return ""
}
