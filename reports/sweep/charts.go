package sweep

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"harelab/reports/page"
	"harelab/reports/plot"
	"harelab/reports/stat"
)

// charts are those that the sweep's shape calls for.
func (s *Sweep) charts() []page.SheetChart {
	return []page.SheetChart{
		both("ranking", "Every cell, best first", s.ranking),
		both("heatmap", s.Goal+" over the grid", s.heatmap),
		both("lines", s.Goal+" along "+s.Axes[s.xAxis()].Name, s.lines),
		both("pareto", "What to choose", s.pareto),
		both("lanes", "The best and the worst cell at work", s.lanes),
	}
}

func both(name, title string, draw func(width float64) *plot.Figure) page.SheetChart {
	return page.SheetChart{Name: name, Title: title, Wide: draw(plot.Wide), Narrow: draw(plot.Narrow)}
}

// maxRanked is how many cells a ranking can show to be read.
const maxRanked = 30

func (s *Sweep) ranking(width float64) *plot.Figure {
	ps := s.ranked()
	if goal, _ := stat.ParseMetric(s.Goal); len(ps) > maxRanked || len(goal.Labels) > 0 {
		return nil // waits of all classes would not show why a cell that is judged by one is best
	}
	var rows []plot.Rank
	for _, p := range ps {
		r := plot.Rank{Label: s.short(p.values), Mean: p.mid("wait.mean"), P99: p.mid("wait.p99"), Max: p.mid("wait.max")}
		if !math.IsNaN(r.Mean + r.P99 + r.Max) {
			rows = append(rows, r)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return plot.Ranking(rows, stat.Brief, width, s.Sentence())
}

// xAxis is the axis with the most values, which a line is best drawn along.
func (s *Sweep) xAxis() int {
	best := 0
	for i, a := range s.Axes {
		if len(a.Values) > len(s.Axes[best].Values) {
			best = i
		}
	}
	return best
}

// yAxis is the one with the most values of the others, -1 without others.
func (s *Sweep) yAxis() int {
	x, best := s.xAxis(), -1
	for i, a := range s.Axes {
		if i != x && (best < 0 || len(a.Values) > len(s.Axes[best].Values)) {
			best = i
		}
	}
	return best
}

// rest is the part of a combination that the given axes leave over.
func (s *Sweep) rest(values []string, axes ...int) string {
	var parts []string
	for i, v := range values {
		if !slices.Contains(axes, i) {
			parts = append(parts, s.Axes[i].Name+"="+v)
		}
	}
	return strings.Join(parts, " ")
}

func (s *Sweep) heatmap(width float64) *plot.Figure {
	x, y := s.xAxis(), s.yAxis()
	if y < 0 {
		return nil
	}
	g := plot.Grid{
		X: s.Axes[x].Name, Y: s.Axes[y].Name, XValues: s.Axes[x].Values, YValues: s.Axes[y].Values,
		Format: s.format, HighIsGood: s.highIsGood(),
	}
	panels := make(map[string]int)
	for _, p := range s.points() {
		title := s.rest(p.values, x, y)
		i, ok := panels[title]
		if !ok {
			i = len(g.Panels)
			panels[title] = i
			g.Panels = append(g.Panels, plot.GridPanel{Title: title, Values: blank(len(g.YValues), len(g.XValues))})
		}
		g.Panels[i].Values[slices.Index(g.YValues, p.values[y])][slices.Index(g.XValues, p.values[x])] = p.mid(s.Goal)
	}
	if len(g.Panels) == 0 {
		return nil
	}
	return plot.Heatmap(g, width, s.lineFinding(x))
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

func (s *Sweep) lines(width float64) *plot.Figure {
	x := s.xAxis()
	values := s.Axes[x].Values
	if !numeric(values) {
		return nil // between names there is nothing to draw a line along
	}
	var lines []plot.SweepLine
	at := make(map[string]int)
	for _, p := range s.points() {
		label := s.rest(p.values, x)
		i, ok := at[label]
		if !ok {
			i = len(lines)
			at[label] = i
			b := blank(3, len(values))
			lines = append(lines, plot.SweepLine{Label: label, Y: b[0], Lo: b[1], Hi: b[2]})
		}
		k := slices.Index(values, p.values[x])
		lines[i].Y[k], lines[i].Lo[k], lines[i].Hi[k] = p.span(s.Goal)
	}
	return plot.SweepLines(s.Axes[x].Name, values, lines, s.Goal, s.format, width, s.lineFinding(x))
}

// numeric reports whether all values but one, which may be a word for no
// limit, are numbers, perhaps with a unit.
func numeric(values []string) bool {
	words := 0
	for _, v := range values {
		if v == "" || v[0] < '0' || v[0] > '9' {
			words++
		}
	}
	return words <= 1 && len(values)-words > 1
}

// lineFinding says how far the goal moves along the axis.
func (s *Sweep) lineFinding(x int) string {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, p := range s.points() {
		if v := p.mid(s.Goal); !math.IsNaN(v) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	return fmt.Sprintf("Along %s, %s lies between %s and %s.", s.Axes[x].Name, s.Goal, s.format(lo), s.format(hi))
}

func (s *Sweep) pareto(width float64) *plot.Figure {
	var dots []plot.Dot
	for _, p := range s.points() {
		d := plot.Dot{Label: s.short(p.values), X: p.mid("throughput"), Y: p.mid("wait.p99")}
		if !math.IsNaN(d.X + d.Y) {
			dots = append(dots, d)
		}
	}
	front := plot.Front(dots)
	if len(front) == 0 || spread(dots) < 0.01 {
		return nil
	}
	var names []string
	for _, i := range front {
		names = append(names, dots[i].Label)
	}
	alt := fmt.Sprintf("%d of %d cells are worth choosing between: %s.", len(front), len(dots), strings.Join(names[:min(len(names), 5)], ", "))
	rate := func(v float64) string { return stat.Plain(v) + "/s" }
	return plot.Pareto(dots, "throughput, messages per second", "wait, 99th percentile", rate, stat.Brief, width, alt)
}

// spread is how far throughputs differ, as a share of the largest. A load that
// every cell keeps up with leaves nothing to trade.
func spread(dots []plot.Dot) float64 {
	lo, hi := math.Inf(1), 0.0
	for _, d := range dots {
		lo, hi = min(lo, d.X), max(hi, d.X)
	}
	if hi == 0 {
		return 0
	}
	return (hi - lo) / hi
}
