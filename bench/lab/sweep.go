package lab

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"harelab/loadgen"
	"harelab/reports/judge"
	"harelab/reports/stat"
	"harelab/reports/sweep"
	"harelab/scenarios"
	"harelab/scenarios/metric"
)

// A SweepRequest asks for runs over a grid of settings.
type SweepRequest struct {
	Scenario string
	Variant  string // empty: the scenario itself
	Axes     []Axis // empty: those of the scenario file
	Target   Target
	Set      map[string]string
	Seed     *uint64
	Repeat   int    // runs of each point; 0: see [Sweep.repeats]
	Goal     string // metric that ranks the cells; empty: see [Sweep.Goal]
}

// A Sweep is a grid ready to run.
type Sweep struct {
	Axes []Axis
	// Goal is the metric that ranks the cells: that of the request, else the scenario's
	// headline, else the first metric of its expectations that is not a count. If it is
	// empty, the cells decide: see [Sweep.Report].
	Goal   string
	Expect []metric.Expectation // what the scenario wishes of every cell
	Base   *scenarios.Scenario  // the scenario with no axis set
	Target Target
	Repeat int

	file    *scenarios.File
	options scenarios.Options
}

// A Cell is one run of one point of the grid.
type Cell struct {
	Index int `json:"cell"` // index of the point, in the order of the axes
	sweep.Cell
	Findings []string `json:"findings,omitempty"`
	Valid    bool     `json:"valid"`
	CutOff   string   `json:"cut_off,omitempty"` // the sentence that says how much work was left at the timeout; empty: none was
}

// Counts reports whether the cell's figures may be compared with others.
func (c *Cell) Counts() bool { return c.Valid && c.CutOff == "" }

// NewSweep checks the request against the scenario.
func NewSweep(q SweepRequest) (*Sweep, error) {
	f, err := load(q.Scenario)
	if err != nil {
		return nil, err
	}
	options := scenarios.Options{Set: q.Set, Variant: q.Variant, Seed: q.Seed}
	base, err := resolve(f, options)
	if err != nil {
		return nil, err
	}
	s := &Sweep{Axes: q.Axes, Goal: q.Goal, Base: base, Target: q.Target, Repeat: q.Repeat, file: f, options: options}
	if len(s.Axes) == 0 {
		for _, a := range f.Sweep().Axes {
			s.Axes = append(s.Axes, Axis{Name: a.Name, Values: a.Values})
		}
	}
	if err := checkAxes(s.Axes, base.Params, q.Set); err != nil {
		return nil, err
	}
	if s.Repeat < 1 {
		s.Repeat = s.repeats()
	}
	s.Goal = cmp.Or(s.Goal, base.Report.Headline, expectedGoal(base.Expect))
	scope := base.Scope()
	s.Expect = slices.DeleteFunc(slices.Clone(base.Expect), func(e metric.Expectation) bool { return !wish(e) })
	for _, c := range s.cells() { // find a value that the scenario refuses before anything runs
		sc, err := s.resolve(c)
		if err != nil {
			return nil, fmt.Errorf("cell %s: %w", s.Label(c.Values), err)
		}
		scope = scope.Join(sc.Scope())
		s.Expect = slices.DeleteFunc(s.Expect, func(e metric.Expectation) bool { return !expects(sc, e.Text) })
	}
	if s.Goal == "" {
		return s, nil
	}
	if err := checkMetric(s.Goal, scope); err != nil {
		return nil, err
	}
	return s, nil
}

// expectedGoal returns the first metric of expectations that has a better direction and is
// not a count, empty if there is none. Package judge takes the same for other reports.
func expectedGoal(es []metric.Expectation) string {
	for _, e := range es {
		if e.Of.Better() != metric.Neither && e.Of.Def().Kind != metric.Count {
			return e.Of.String()
		}
	}
	return ""
}

// wish reports whether an expectation asks for something good, as "wait.p99 < 1s" and
// "lost == 0" do. A figure that is known for the settings of the file, as "makespan ==
// 11s", is no wish for others.
func wish(e metric.Expectation) bool {
	switch e.Op {
	case "<", "<=":
		return e.Of.Better() != metric.Higher
	case ">", ">=":
		return e.Of.Better() != metric.Lower
	case "==":
		return e.Of.Better() == metric.Lower && e.Value == 0 && e.Times == ""
	}
	return false
}

func expects(s *scenarios.Scenario, text string) bool {
	return slices.ContainsFunc(s.Expect, func(e metric.Expectation) bool { return e.Text == text })
}

// freeRuns bounds the runs in virtual time of a sweep that repeats each point although
// nobody asked for repeats. They take some seconds.
const freeRuns = 500

// repeats returns the number of runs of each point if the request does not give one. In
// virtual time and for a small grid it is the scenario's own number, so that charts show
// the spread between seeds; otherwise it is 1.
func (s *Sweep) repeats() int {
	if n := s.Base.Repeat; s.Target.Kind == Sim && points(s.Axes)*n <= freeRuns {
		return n
	}
	return 1
}

// points returns the number of combinations of the axes' values.
func points(axes []Axis) int {
	n := 1
	for _, a := range axes {
		n *= len(a.Values)
	}
	return n
}

// cells lists every run of the sweep in the order of the axes; the last axis varies
// fastest.
func (s *Sweep) cells() []Cell {
	n := points(s.Axes)
	cells := make([]Cell, 0, n*s.Repeat)
	for i := range n {
		values := make([]string, len(s.Axes))
		rest := i
		for a := len(s.Axes) - 1; a >= 0; a-- {
			n := len(s.Axes[a].Values)
			values[a] = s.Axes[a].Values[rest%n]
			rest /= n
		}
		for r := range s.Repeat {
			cells = append(cells, Cell{Index: i, Cell: sweep.Cell{Repeat: r, Values: values, Seed: s.Base.Seed + uint64(r)}})
		}
	}
	return cells
}

// Len returns the number of cells of the sweep, repeats included.
func (s *Sweep) Len() int { return len(s.cells()) }

// Label names the point of a cell's values, for example "prefetch=1 dispatch=fair".
func (s *Sweep) Label(values []string) string { return sweep.Label(s.Axes, values) }

// resolve returns the scenario of a cell. All cells of one repetition share a seed, so
// they differ only in their values.
func (s *Sweep) resolve(c Cell) (*scenarios.Scenario, error) {
	o := options(s.options, s.Base.Params, s.Axes, c.Values)
	o.Seed = &c.Seed
	return resolve(s.file, o)
}

// sweepMetrics are the metrics that are kept of every cell, besides the goal.
var sweepMetrics = []string{"wait.mean", "wait.p50", "wait.p99", "wait.max", "held.mean", "held.max",
	"slowdown.mean", "throughput", "idle_while_waiting", "utilisation", "jain.busy{by=worker}", "lost"}

// maxClasses is the largest number of classes for which a cell has the goal's metric of
// each class.
const maxClasses = 8

// goals returns the goal and its metric of each class. Without a goal they are what
// [Sweep.neediest] asks for.
func (s *Sweep) goals(classes []string) []string {
	var out []string
	if s.Goal == "" {
		for _, c := range classes {
			out = append(out, waitOf(c), serviceOf(c))
		}
		return out
	}
	out = []string{s.Goal}
	q, err := metric.Parse(s.Goal)
	if err != nil || len(classes) < 2 || len(classes) > maxClasses || len(q.Labels) > 1 || len(q.Labels) == 1 && q.Only("class") == "" {
		return out
	}
	for _, c := range classes {
		q.Labels = []metric.Label{{Key: "class", Value: c}}
		if m := q.String(); q.Check() == nil && m != s.Goal {
			out = append(out, m)
		}
	}
	return out
}

func waitOf(class string) string {
	return metric.Query{Metric: "wait", Stat: "p99", Labels: []metric.Label{{Key: "class", Value: class}}}.String()
}

func serviceOf(class string) string {
	return metric.Query{Metric: "service", Stat: "mean", Labels: []metric.Label{{Key: "class", Value: class}}}.String()
}

// neediest returns the 99th percentile of the wait of the class whose wait is longest
// relative to its mean service in any of the cells, as package judge does.
func (s *Sweep) neediest(cells []Cell) string {
	best, most := "wait.p99", 0.0
	for i := range s.Base.Classes {
		wait, service := waitOf(s.Base.Classes[i].Name), serviceOf(s.Base.Classes[i].Name)
		longest, mean := -1.0, 1e-6
		for _, c := range cells {
			if v, ok := c.Metrics[wait]; ok && c.Counts() {
				longest, mean = max(longest, v), max(mean, c.Metrics[service])
			}
		}
		if ratio := longest / mean; longest >= 0 && (ratio > most || best == "wait.p99" || ratio == most && wait < best) {
			best, most = wait, ratio
		}
	}
	return best
}

// measure runs one cell and fills in its figures. If ctx is cancelled it returns an
// error.
func (s *Sweep) measure(ctx context.Context, c *Cell, progress func(loadgen.Progress)) error {
	sc, err := s.resolve(*c)
	if err != nil {
		return err
	}
	sc.Expect, sc.Report.Headline = s.Expect, s.Goal // a cell needs no more
	r, err := Arm{Scenario: sc, Target: s.Target, Repeat: c.Repeat}.run(ctx, progress)
	if err != nil {
		return fmt.Errorf("cell %s: %w", s.Label(c.Values), err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	sum := stat.Summarize(r)
	c.Valid, c.Load = sum.Valid(), sum.Load.Hash
	if r.Partial {
		c.CutOff = fmt.Sprintf("It was cut off after %s with %d of %d messages left, so its longest waits are not known.",
			stat.Brief(float64(r.Length)/1e6), r.Ledger.Left, r.Ledger.Published)
	}
	for _, w := range sum.Workers {
		c.Slots += w.Slots
	}
	c.Overloads = stat.Overloads(sum.Capacity)
	for _, v := range sum.Verdicts {
		if v.Outcome != stat.Met {
			c.Unmet = append(c.Unmet, v.Text)
		}
	}
	if c.CutOff == "" {
		c.CutOff = sum.Incomplete()
	}
	for _, f := range sum.Findings {
		c.Findings = append(c.Findings, f.Text)
	}
	return c.ask(sum, append(s.goals(r.Classes), sweepMetrics...))
}

// ask sets the metrics that have a value in this cell. A label may name a worker that
// only other cells have.
func (c *Cell) ask(sum *stat.Summary, names []string) error {
	c.Metrics = make(map[string]float64, len(names))
	for _, name := range names {
		q, err := metric.Parse(name)
		if err != nil {
			return err
		}
		if sum.Scope().Check(q) != nil {
			continue
		}
		v, err := sum.Ask(q)
		if err != nil {
			return err
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		c.Metrics[name] = v
		if judge.About(q, []*stat.Summary{sum}).IsOfFinished() {
			c.Unfinished = append(c.Unfinished, name)
		}
	}
	return nil
}
