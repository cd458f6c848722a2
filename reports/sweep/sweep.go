// Package sweep reports on a grid of runs: which cell is best by the scenario's goal, how
// the goal changes along each axis, and which cells are worth choosing.
package sweep

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"harelab/reports/arms"
	"harelab/reports/stat"
	"harelab/scenarios/metric"
)

// A Sweep is a grid of settings with its measured cells.
type Sweep struct {
	Scenario string   `json:"scenario"` // with its variant
	Title    string   `json:"title,omitempty"`
	Doc      string   `json:"description,omitempty"`
	Target   string   `json:"target"`
	Virtual  bool     `json:"virtual"`
	Goal     string   `json:"goal"` // the metric by which cells are judged
	Axes     []Axis   `json:"axes"`
	Expect   []string `json:"expect,omitempty"` // what the scenario expects of every cell
	Cells    []Cell   `json:"cells"`
	Command  []string `json:"command,omitempty"`
	Show     []string `json:"charts,omitempty"` // charts that the scenario's report.charts names; none of a sweep: all

	// Extremes are runs of the best and the worst cell, for their lanes. They are kept
	// in a folder of their own.
	Extremes []*arms.Run `json:"-"`
}

// An Axis is a setting with its values.
type Axis struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

// A Cell is one run of one combination of values.
type Cell struct {
	Values  []string           `json:"values"` // one for each axis
	Repeat  int                `json:"repeat"`
	Seed    uint64             `json:"seed"`
	Metrics map[string]float64 `json:"metrics"`           // without those that are not visible
	Load    string             `json:"load,omitempty"`    // hash of the load; empty if it is not known
	Invalid string             `json:"invalid,omitempty"` // why the run is invalid; empty if it is valid

	Slots int      `json:"slots,omitempty"` // of all workers
	Unmet []string `json:"unmet,omitempty"` // what of Sweep.Expect the run does not meet
	// Unfinished lists the metrics whose messages were not all finished, so that the figure
	// is one of the finished messages only.
	Unfinished []string `json:"unfinished,omitempty"`

	Overloads []string `json:"overloads,omitempty"` // sentences on the spans in which the plan needs more slots than there are
}

// A point is a combination of values with its repeats.
type point struct {
	values []string
	cells  []Cell
}

// Label names a combination of values, one for each axis, as
// "prefetch=1 dispatch=fair".
func Label(axes []Axis, values []string) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = axes[i].Name + "=" + v
	}
	return strings.Join(parts, " ")
}

func (s *Sweep) label(values []string) string { return Label(s.Axes, values) }

// short is like label, but without the name of the axis if there is only one axis and
// the value is not a number.
func (s *Sweep) short(values []string) string {
	if v := values[0]; len(s.Axes) == 1 && v != "" && !number(v) {
		return v
	}
	return s.label(values)
}

// Check returns an error for a sweep that cannot be reported.
func (s *Sweep) Check() error {
	if len(s.Axes) == 0 {
		return fmt.Errorf("the sweep has no axes")
	}
	if _, err := metric.Parse(s.Goal); err != nil {
		return fmt.Errorf("goal: %w", err)
	}
	for i, c := range s.Cells {
		if len(c.Values) != len(s.Axes) {
			return fmt.Errorf("cell %d has %d values for %d axes", i, len(c.Values), len(s.Axes))
		}
		for k, v := range c.Values {
			if !slices.Contains(s.Axes[k].Values, v) {
				return fmt.Errorf("cell %d: axis %s has no value %q (have %s)", i, s.Axes[k].Name, v, strings.Join(s.Axes[k].Values, ", "))
			}
		}
	}
	return nil
}

// points groups valid cells by combination, in the order of the axes.
func (s *Sweep) points() []point {
	return s.group(slices.DeleteFunc(slices.Clone(s.Cells), func(c Cell) bool { return c.Invalid != "" }))
}

// all groups all cells by combination, in the order of the axes.
func (s *Sweep) all() []point { return s.group(s.Cells) }

func (s *Sweep) group(of []Cell) []point {
	var out []point
	for _, cells := range arms.By(of, func(c Cell) string { return strings.Join(c.Values, "\x00") }) {
		out = append(out, point{cells[0].Values, cells})
	}
	place := func(p point) int {
		n := 0
		for i, a := range s.Axes {
			n = n*len(a.Values) + slices.Index(a.Values, p.values[i])
		}
		return n
	}
	slices.SortFunc(out, func(a, b point) int { return cmp.Compare(place(a), place(b)) })
	return out
}

// repeats returns the largest number of repeats of a cell.
func (s *Sweep) repeats() int {
	n := 0
	for _, c := range s.Cells {
		n = max(n, c.Repeat+1)
	}
	return n
}

// span returns the median, the least and the largest value of a metric over a point's
// repeats; NaN if it is not visible.
func (p point) span(metric string) (mid, lo, hi float64) {
	var xs []float64
	for _, c := range p.cells {
		if v, ok := c.Metrics[metric]; ok {
			xs = append(xs, v)
		}
	}
	if len(xs) == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	slices.Sort(xs)
	n := len(xs)
	return (xs[(n-1)/2] + xs[n/2]) / 2, xs[0], xs[n-1]
}

func (p point) mid(metric string) float64 {
	m, _, _ := p.span(metric)
	return m
}

// highIsGood reports whether the goal is better when larger.
func (s *Sweep) highIsGood() bool {
	q, _ := metric.Parse(s.Goal)
	return q.Better() == metric.Higher || q.Metric == "utilisation" // the best utilisation is that of busy workers
}

// ranked returns the points that have a value for the goal, best first. Those with the
// same value are in the order of other figures: what the file expects, the goal's metric
// of other classes, the number of slots.
func (s *Sweep) ranked() []point {
	ps := slices.DeleteFunc(s.points(), func(p point) bool { return math.IsNaN(p.mid(s.Goal)) })
	siblings := s.siblings()
	less := func(m string, a, b point) int {
		x, y := a.mid(m), b.mid(m)
		if equal(x, y) {
			return 0
		}
		c := cmp.Compare(x, y)
		if s.highIsGood() {
			c = -c
		}
		return c
	}
	slices.SortStableFunc(ps, func(a, b point) int {
		if c := less(s.Goal, a, b); c != 0 {
			return c
		}
		if x, y := a.meets(), b.meets(); x != y {
			if x {
				return -1
			}
			return 1
		}
		for _, m := range siblings {
			if c := less(m, a, b); c != 0 {
				return c
			}
		}
		return cmp.Compare(a.slots(), b.slots())
	})
	return ps
}

// Best returns the combinations of the best and of the worst cell. It returns false if
// no cell has a value for the goal.
func (s *Sweep) Best() (best, worst []string, ok bool) {
	ps := s.ranked()
	if len(ps) == 0 {
		return nil, nil, false
	}
	return ps[0].values, ps[len(ps)-1].values, true
}

// formatOf returns a function that writes a metric's values, all times in one unit.
func (s *Sweep) formatOf(name string) func(float64) string {
	q, _ := metric.Parse(name)
	switch q.Unit() {
	case "s":
		lo, hi := math.Inf(1), 0.0
		for _, c := range s.Cells {
			if v := c.Metrics[name]; v > 0 {
				lo, hi = min(lo, v), max(hi, v)
			}
		}
		return stat.InOneUnit(lo, hi)
	case "%":
		return stat.Percent
	case "/s":
		return func(v float64) string { return stat.Plain(v) + "/s" }
	}
	return stat.Plain
}
