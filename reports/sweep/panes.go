package sweep

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"harelab/reports/arms"
	"harelab/reports/plot"
)

// A group is the points with the same values along some axes.
type group struct {
	title  string
	points []point
}

// groups groups points by a title, in the order in which titles appear.
func groups(ps []point, title func(point) string) []group {
	var out []group
	for _, of := range arms.By(ps, title) {
		out = append(out, group{title(of[0]), of})
	}
	return out
}

// panes returns the combinations of the values of all axes but x and y, one for each
// panel of a chart, and a note if the chart cannot show all of them.
func (s *Sweep) panes(x, y int) ([]group, string) {
	all := groups(s.points(), func(p point) string { return s.rest(p.values, x, y) })
	kept := s.bestOf(all, plot.MaxPanels)
	if len(kept) < len(all) {
		return kept, fmt.Sprintf("Of %d combinations of the other settings these are the %d with the best cells.", len(all), len(kept))
	}
	return all, ""
}

// bestOf returns the n groups with the best cells, in their original order.
func (s *Sweep) bestOf(gs []group, n int) []group {
	if len(gs) <= n {
		return gs
	}
	sign := 1.0
	if s.highIsGood() {
		sign = -1
	}
	best := make(map[string]float64, len(gs))
	for _, g := range gs {
		best[g.title] = math.Inf(1)
		for _, p := range g.points {
			if v := sign * p.mid(s.Goal); v < best[g.title] {
				best[g.title] = v
			}
		}
	}
	order := slices.Clone(gs)
	slices.SortStableFunc(order, func(a, b group) int { return cmp.Compare(best[a.title], best[b.title]) })
	kept := make(map[string]bool, n)
	for _, g := range order[:n] {
		kept[g.title] = true
	}
	return slices.DeleteFunc(slices.Clone(gs), func(g group) bool { return !kept[g.title] })
}

func (s *Sweep) heatmap(width float64) *plot.Figure {
	x, y := s.xAxis(), s.yAxis()
	if y < 0 {
		return nil
	}
	g := plot.Grid{
		X: s.Axes[x].Name, Y: s.Axes[y].Name, XValues: s.Axes[x].Values, YValues: s.Axes[y].Values,
		Format: s.formatOf(s.Goal), HighIsGood: s.highIsGood(),
	}
	panes, note := s.panes(x, y)
	for _, pane := range panes {
		values := blank(len(g.YValues), len(g.XValues))
		for _, p := range pane.points {
			values[slices.Index(g.YValues, p.values[y])][slices.Index(g.XValues, p.values[x])] = p.mid(s.Goal)
		}
		g.Panels = append(g.Panels, plot.GridPanel{Title: pane.title, Values: values})
	}
	if len(g.Panels) == 0 {
		return nil
	}
	return noted(plot.Heatmap(g, width, s.rangeFinding()), note)
}

// noted appends a note to that of a figure.
func noted(f *plot.Figure, note string) *plot.Figure {
	if f != nil && note != "" {
		f.Note += " " + note
	}
	return f
}

func blank(rows, columns int) [][]float64 {
	out := make([][]float64, rows)
	for i := range out {
		out[i] = make([]float64, columns)
		for k := range out[i] {
			out[i][k] = math.NaN()
		}
	}
	return out
}

// rangeFinding says how the goal is in the best and in the worst cell.
func (s *Sweep) rangeFinding() string {
	ps := s.ranked()
	if len(ps) == 0 {
		return ""
	}
	v, w := ps[0].mid(s.Goal), ps[len(ps)-1].mid(s.Goal)
	if equal(v, w) {
		return fmt.Sprintf("In every cell %s.", s.goal().Say(v))
	}
	return fmt.Sprintf("In the best cell %s in the worst.", s.goal().Change(w, v))
}

func (s *Sweep) lines(width float64) *plot.Figure {
	x, y := s.xAxis(), s.yAxis()
	c := plot.LineChart{Axis: s.Axes[x].Name, Metric: s.Goal, Values: s.Axes[x].Values, Format: s.formatOf(s.Goal)}
	if !numeric(c.Values) || slices.Contains(s.idleAxes(), c.Axis) {
		return nil // names have no order for a line, and level lines say nothing
	}
	panes, note := s.panes(x, y)
	for _, p := range panes {
		lines := s.linesOf(p, y)
		if kept := s.bestOf(lines, plot.MaxLines); len(kept) < len(lines) {
			note = fmt.Sprintf("Only the %d values of %s with the best cells are drawn.", len(kept), s.Axes[y].Name)
			lines = kept
		}
		panel := plot.LinePanel{Title: p.title}
		for _, l := range lines {
			panel.Lines = append(panel.Lines, s.line(l, x))
		}
		c.Panels = append(c.Panels, panel)
	}
	if len(c.Panels) == 0 {
		return nil
	}
	return noted(plot.SweepLines(c, width, s.lineFinding(panes, x, y)), note)
}

// linesOf returns the lines of a pane, one for each value of the axis y. If y is -1, the
// sweep has one axis and the pane one line without a name.
func (s *Sweep) linesOf(g group, y int) []group {
	return groups(g.points, func(p point) string {
		if y < 0 {
			return ""
		}
		return s.Axes[y].Name + "=" + p.values[y]
	})
}

func (s *Sweep) line(g group, x int) plot.SweepLine {
	values := s.Axes[x].Values
	b := blank(3, len(values))
	for _, p := range g.points {
		k := slices.Index(values, p.values[x])
		b[0][k], b[1][k], b[2][k] = p.span(s.Goal)
	}
	return plot.SweepLine{Label: g.title, Y: b[0], Lo: b[1], Hi: b[2]}
}

// number reports whether a value of an axis is a number, perhaps with a unit, and not a
// name.
func number(v string) bool { return v != "" && v[0] >= '0' && v[0] <= '9' }

// numeric reports whether all values, except for at most one that may be a word for no
// limit, are numbers.
func numeric(values []string) bool {
	words := 0
	for _, v := range values {
		if !number(v) {
			words++
		}
	}
	return words <= 1 && len(values)-words > 1
}

// lineFinding says where each line is best. For too many lines it is the rangeFinding.
func (s *Sweep) lineFinding(panes []group, x, y int) string {
	format := s.formatOf(s.Goal)
	if len(panes) > 1 {
		return s.rangeFinding()
	}
	var parts []string
	lines := s.linesOf(panes[0], y)
	all := true // every value is equally good on every line
	for _, l := range lines {
		of := &Sweep{Goal: s.Goal, Axes: s.Axes}
		for _, p := range l.points {
			of.Cells = append(of.Cells, p.cells...)
		}
		ps := of.ranked()
		if len(ps) == 0 {
			continue
		}
		v := ps[0].mid(s.Goal)
		best := of.like(ps, v)
		where := "any"
		if len(best) < len(s.Axes[x].Values) {
			all = false
			where = s.amounts(x, best)
		}
		if y >= 0 {
			where += " for " + s.setting(y, []int{slices.Index(s.Axes[y].Values, l.points[0].values[y])})
		}
		parts = append(parts, where+" ("+format(v)+")")
	}
	if len(parts) == 0 || len(parts) > plot.MaxLines || all {
		return s.rangeFinding()
	}
	return fmt.Sprintf("Best %s: %s.", s.Axes[x].Name, strings.Join(parts, ", "))
}

// amounts names the values of combinations along an axis, without its name.
func (s *Sweep) amounts(axis int, combinations [][]string) string {
	a := s.Axes[axis]
	var at []int
	for i, v := range a.Values {
		if slices.ContainsFunc(combinations, func(c []string) bool { return c[axis] == v }) {
			at = append(at, i)
		}
	}
	if !numeric(a.Values) {
		return s.setting(axis, at)
	}
	sorted := a.sorted()
	places := make([]int, len(at))
	for i, k := range at {
		places[i] = slices.Index(sorted, a.Values[k])
	}
	slices.Sort(places)
	return a.amount(sorted, places)
}
