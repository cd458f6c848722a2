package sweep

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"harelab/reports/page"
	"harelab/reports/plot"
	"harelab/reports/stat"
	"harelab/scenarios/metric"
)

// charts returns the charts that the scenario names, or all if it names none of them;
// those that do not suit the sweep have nil figures.
func (s *Sweep) charts() []page.SheetChart {
	all := []page.SheetChart{
		both("heatmap", "Every cell of the grid: "+s.goal().Label(), s.heatmap),
		both("lines", "Along "+s.Axes[s.xAxis()].Name+": "+s.goal().Label(), s.lines),
		both("ranking", "Every cell, best first", s.ranking),
		both("pareto", "What to choose", s.pareto),
		both("lanes", "The best and the worst cell at work", s.lanes()),
	}
	ofSweeps := func(name string) bool {
		return name != "lanes" && slices.ContainsFunc(all, func(c page.SheetChart) bool { return c.Name == name })
	}
	if !slices.ContainsFunc(s.Show, ofSweeps) {
		return all // the scenario names charts of runs only
	}
	return slices.DeleteFunc(all, func(c page.SheetChart) bool { return !slices.Contains(s.Show, c.Name) })
}

func both(name, title string, draw func(width float64) *plot.Figure) page.SheetChart {
	return page.SheetChart{Name: name, Title: title, Wide: draw(plot.Wide), Narrow: draw(plot.Narrow)}
}

// maxRanked is the largest number of cells for which a ranking is readable.
const maxRanked = 30

func (s *Sweep) ranking(width float64) *plot.Figure {
	ps := s.ranked()
	if goal, _ := metric.Parse(s.Goal); len(ps) > maxRanked || len(goal.Labels) > 0 {
		return nil // the waits of all classes do not show why a cell is best for one class
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
	format := s.formatOf("wait.p99")
	mean := func(a, b plot.Rank) int { return cmp.Compare(a.Mean, b.Mean) }
	longest := func(a, b plot.Rank) int { return cmp.Compare(a.Max, b.Max) }
	least, most, short, long := slices.MinFunc(rows, mean), slices.MaxFunc(rows, mean), slices.MinFunc(rows, longest), slices.MaxFunc(rows, longest)
	return plot.Ranking(rows, format, width, fmt.Sprintf("The mean wait goes from %s (%s) to %s (%s), the longest from %s (%s) to %s (%s).",
		format(least.Mean), least.Label, format(most.Mean), most.Label, format(short.Max), short.Label, format(long.Max), long.Label))
}

// xAxis returns the index of the axis with the most values, along which lines are drawn.
func (s *Sweep) xAxis() int {
	best := 0
	for i, a := range s.Axes {
		if len(a.Values) > len(s.Axes[best].Values) {
			best = i
		}
	}
	return best
}

// yAxis returns the index of the axis with the most values of the others, -1 if there is
// only one axis.
func (s *Sweep) yAxis() int {
	x, best := s.xAxis(), -1
	for i, a := range s.Axes {
		if i != x && (best < 0 || len(a.Values) > len(s.Axes[best].Values)) {
			best = i
		}
	}
	return best
}

// rest names the values of a combination along all but the given axes.
func (s *Sweep) rest(values []string, axes ...int) string {
	var parts []string
	for i, v := range values {
		if !slices.Contains(axes, i) {
			parts = append(parts, s.Axes[i].Name+"="+v)
		}
	}
	return strings.Join(parts, " ")
}

// sameRate is the share by which throughputs may differ and still leave nothing to trade.
const sameRate = 0.02

// pareto draws throughput against the 99th percentile of the wait, or against the goal
// if that is a time of some of the messages: a cell with a short wait of all messages
// may be bad for these. It returns nil if throughput is the same in every cell, or the
// other figure is: then there is nothing to trade.
func (s *Sweep) pareto(width float64) *plot.Figure {
	wait := "wait.p99"
	if g := s.goal(); len(g.Labels) > 0 && g.IsTime() {
		wait = s.Goal
	}
	var dots []plot.Dot
	for _, p := range s.points() {
		d := plot.Dot{Label: s.short(p.values), X: p.mid("throughput"), Y: p.mid(wait)}
		if !math.IsNaN(d.X + d.Y) {
			dots = append(dots, d)
		}
	}
	if len(dots) < 2 {
		return nil
	}
	x := func(a, b plot.Dot) int { return cmp.Compare(a.X, b.X) }
	y := func(a, b plot.Dot) int { return cmp.Compare(a.Y, b.Y) }
	slow, fast := slices.MinFunc(dots, x).X, slices.MaxFunc(dots, x).X
	if fast-slow <= sameRate*fast || equal(slices.MinFunc(dots, y).Y, slices.MaxFunc(dots, y).Y) {
		return nil
	}
	return plot.Pareto(dots, "throughput, messages per second", s.goalOf(wait).Label(), s.formatOf("throughput"), s.formatOf(wait), width, choice(dots))
}

// choice names the cells of the front.
func choice(dots []plot.Dot) string {
	front := plot.Front(dots)
	var names []string
	for _, i := range front {
		names = append(names, dots[i].Label)
	}
	if len(front) > 1 {
		return fmt.Sprintf("%d of %d cells are unbeaten, since no cell is better in both figures: %s.", len(front), len(dots), stat.List(slices.Concat(names[:min(len(names), 5)], more(len(names)-5)), "and"))
	}
	return fmt.Sprintf("No cell beats %s in either figure.", names[0])
}

// more stands for n names that are left out.
func more(n int) []string {
	if n <= 0 {
		return nil
	}
	return []string{strconv.Itoa(n) + " more"}
}
