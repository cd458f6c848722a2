package lab

import (
	"context"
	"fmt"
	"math"

	"harelab/loadgen"
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
	Goal     string // metric that ranks the cells; empty: the scenario's headline, else wait.p99
}

// A Sweep is a grid ready to run.
type Sweep struct {
	Axes   []Axis
	Goal   string
	Base   *scenarios.Scenario // the scenario with no axis set
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
	if s.Goal == "" {
		s.Goal = base.Report.Headline
	}
	if s.Goal == "" {
		s.Goal = "wait.p99"
	}
	scope := base.Scope()
	for _, c := range s.cells() { // find a value that the scenario refuses before anything runs
		sc, err := s.resolve(c)
		if err != nil {
			return nil, fmt.Errorf("cell %s: %w", s.Label(c.Values), err)
		}
		scope = scope.Join(sc.Scope())
	}
	if err := checkMetric(s.Goal, scope); err != nil {
		return nil, err
	}
	return s, nil
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

// maxClasses is the largest number of classes for which a sweep keeps the goal by class.
const maxClasses = 4

// goals returns the sweep's goal and, for a scenario with a few classes, the same metric
// of each class, since a setting may help one class at the cost of another.
func (s *Sweep) goals(classes []string) []string {
	out := []string{s.Goal}
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

// measure runs one cell and fills in its figures. If ctx is cancelled it returns an
// error.
func (s *Sweep) measure(ctx context.Context, c *Cell, progress func(loadgen.Progress)) error {
	sc, err := s.resolve(*c)
	if err != nil {
		return err
	}
	sc.Expect, sc.Report.Headline = nil, s.Goal // a cell needs only the goal
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
			stat.Brief(float64(r.Length)/1e6), r.Ledger.Unserved, r.Ledger.Published)
	}
	for _, f := range sum.Findings {
		c.Findings = append(c.Findings, f.Text)
	}
	c.Metrics, err = cellMetrics(sum, append(s.goals(r.Classes), sweepMetrics...))
	return err
}

// cellMetrics returns the metrics that have a value in this cell. A label may name a
// worker that only other cells have.
func cellMetrics(sum *stat.Summary, names []string) (map[string]float64, error) {
	out := make(map[string]float64, len(names))
	for _, name := range names {
		q, err := metric.Parse(name)
		if err != nil {
			return nil, err
		}
		if sum.Scope().Check(q) != nil {
			continue
		}
		v, err := sum.Ask(q)
		if err != nil {
			return nil, err
		}
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			out[name] = v
		}
	}
	return out, nil
}
