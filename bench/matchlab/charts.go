package matchlab

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"harelab/bench/workload"
	"harelab/engine/topic"
	"harelab/reports/page"
	"harelab/reports/plot"
	"harelab/reports/stat"
)

// Charts returns the charts of a run: the strategies on each workload, the
// sweeps, and memory.
func (r *Results) Charts() []page.SheetChart {
	var all []page.SheetChart
	for _, w := range r.Workloads() {
		all = append(all, r.matchChart(w))
	}
	for _, s := range r.Sweeps {
		all = append(all, r.sweepChart(s))
		switch s.Name {
		case "hashes":
			all = append(all, r.workChart(s))
		case "zipf":
			all = append(all, r.hitChart(s))
		}
	}
	return append(all, r.memoryChart())
}

// chart draws a figure at both widths. The note above it explains its marks.
func chart(name, title, note string, draw func(width float64) *plot.Figure) page.SheetChart {
	c := page.SheetChart{Name: name, Title: title, Wide: draw(plot.Wide), Narrow: draw(plot.Narrow)}
	for _, f := range []*plot.Figure{c.Wide, c.Narrow} {
		if f != nil {
			f.Note = note
		}
	}
	return c
}

// matchChart shows the strategies on one workload, fastest first.
func (r *Results) matchChart(name string) page.SheetChart {
	var rows []plot.DotRow
	for i := range r.Matches {
		if m := &r.Matches[i]; m.Workload == name {
			s := summary(m.CPU)
			rows = append(rows, plot.DotRow{Label: m.Contender, Value: s.Center, Lo: s.Lo, Hi: s.Hi,
				Text: FormatNanos(s.Center), Marked: m.Contender == r.base()})
		}
	}
	fastestFirst(rows)
	doc := ""
	if spec, err := workload.Lookup(name); err == nil {
		doc = stat.Upper(spec.Doc) + ". "
	}
	return chart("match-"+name, name+": time of a match",
		fmt.Sprintf("%sProcessor time on a logarithmic axis, fastest first. The dot is the median, the bar its %s.", doc, r.interval()),
		func(width float64) *plot.Figure { return plot.Dots(rows, FormatNanos, width, r.matchCaption(name)) })
}

func fastestFirst(rows []plot.DotRow) {
	slices.SortStableFunc(rows, func(a, b plot.DotRow) int { return cmp.Compare(a.Value, b.Value) })
}

// memoryChart shows the heap of a binding on the workload with the most bindings.
func (r *Results) memoryChart() page.SheetChart {
	most := &r.Matches[0]
	for i := range r.Matches {
		if r.Matches[i].Bindings > most.Bindings {
			most = &r.Matches[i]
		}
	}
	var rows []plot.DotRow
	for _, c := range r.Contenders() {
		if m := r.Of(c, most.Workload); m != nil && m.Heap > 0 {
			rows = append(rows, plot.DotRow{Label: c, Value: m.Heap, Lo: m.Heap, Hi: m.Heap,
				Text: fmt.Sprintf("%.0f B", m.Heap), Marked: c == r.base()})
		}
	}
	fastestFirst(rows)
	octets := func(v float64) string { return groupThousands(int(v)) + " B" }
	return chart("memory", "How much heap does a binding take?",
		fmt.Sprintf("On %s with %s bindings, on a logarithmic axis, smallest first.", most.Workload, groupThousands(most.Bindings)),
		func(width float64) *plot.Figure { return plot.Dots(rows, octets, width, memoryCaption(rows)) })
}

// A curve is a figure of one contender along a sweep.
type curve struct {
	contender string
	x, y      []float64
	lo, hi    []float64
}

// curves returns a figure of each contender along a sweep, the default first. It leaves
// out points for which figure returns false.
func (r *Results) curves(s Sweep, figure func(Point) (y, lo, hi float64, ok bool)) []curve {
	var all []curve
	for _, p := range s.Points {
		y, lo, hi, ok := figure(p)
		if !ok {
			continue
		}
		i := slices.IndexFunc(all, func(c curve) bool { return c.contender == p.Contender })
		if i < 0 {
			i = len(all)
			all = append(all, curve{contender: p.Contender})
		}
		c := &all[i]
		c.x, c.y, c.lo, c.hi = append(c.x, p.X), append(c.y, y), append(c.lo, lo), append(c.hi, hi)
	}
	if i := slices.IndexFunc(all, func(c curve) bool { return c.contender == topic.Default }); i > 0 {
		all = slices.Insert(slices.Delete(slices.Clone(all), i, i+1), 0, all[i])
	}
	return all
}

// sweepFigure draws curves along a sweep's values. Chart has the metric and the format.
func sweepFigure(s Sweep, all []curve, chart plot.LineChart, width float64, alt string) *plot.Figure {
	var xs []float64
	for _, p := range s.Points {
		xs = append(xs, p.X)
	}
	slices.Sort(xs)
	xs = slices.Compact(xs)
	chart.Axis = s.Axis
	for _, x := range xs {
		chart.Values = append(chart.Values, formatX(x))
	}
	var panel plot.LinePanel
	for _, c := range all {
		l := plot.SweepLine{Label: c.contender, Y: missing(len(xs)), Lo: missing(len(xs)), Hi: missing(len(xs))}
		for i, x := range c.x {
			k := slices.Index(xs, x)
			l.Y[k], l.Lo[k], l.Hi[k] = c.y[i], c.lo[i], c.hi[i]
		}
		panel.Lines = append(panel.Lines, l)
	}
	chart.Panels = []plot.LinePanel{panel}
	return plot.SweepLines(chart, width, alt)
}

// missing returns n missing values.
func missing(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = math.NaN()
	}
	return out
}

func formatX(v float64) string {
	if v >= 1000 {
		return groupThousands(int(v))
	}
	return fmt.Sprintf("%g", v)
}

// sweepChart shows the time of a match along a sweep.
func (r *Results) sweepChart(s Sweep) page.SheetChart {
	all := r.curves(s, func(p Point) (float64, float64, float64, bool) {
		sum := summary(p.CPU)
		return sum.Center, sum.Lo, sum.Hi, true
	})
	title, what := s.Name, ""
	switch s.Name {
	case "scaling":
		title, what = "How does a match grow with the bindings?", "The workload is iot. "
	case "hashes":
		title, what = "What does every '#' add?", fmt.Sprintf("200 bindings, keys of %d words. ", sweepWords)
	case "zipf":
		title, what = "Does a cache pay?", "20,000 keys: at exponent 0 all are equally frequent, above 1 a few carry most matches. "
	}
	note := what + "Medians of processor time; the band is their " + r.interval() + "."
	return chart(s.Name, title, note, func(width float64) *plot.Figure {
		return sweepFigure(s, all, plot.LineChart{Metric: "time a match", Format: FormatNanos}, width, growth(all, s.Axis, FormatNanos))
	})
}

// workChart shows the work of a match in steps, a count that does not depend on the
// machine.
func (r *Results) workChart(s Sweep) page.SheetChart {
	all := r.curves(s, func(p Point) (float64, float64, float64, bool) {
		steps := max(1, p.Steps) // some contenders match without a step
		return steps, steps, steps, true
	})
	whole := func(steps float64) string { return groupThousands(int(math.Round(steps))) }
	return chart("work", "How much work is that?", "Steps are states entered and edges looked up: their number does not depend on the machine.",
		func(width float64) *plot.Figure {
			return sweepFigure(s, all, plot.LineChart{Metric: "steps a match", Format: whole}, width, growth(all, s.Axis, func(v float64) string {
				if v == 1 {
					return "1 step"
				}
				return whole(v) + " steps"
			}))
		})
}

// hitChart shows the share of keys that a cache answers.
func (r *Results) hitChart(s Sweep) page.SheetChart {
	all := r.curves(s, func(p Point) (float64, float64, float64, bool) {
		return 100 * p.HitRate, 100 * p.HitRate, 100 * p.HitRate, p.HitRate >= 0
	})
	percent := func(v float64) string { return fmt.Sprintf("%.0f %%", v) }
	return chart("zipf-hits", "How many matches does the cache answer?", "At 0 the cache has turned itself off.", func(width float64) *plot.Figure {
		c := all[0]
		return sweepFigure(s, all, plot.LineChart{Metric: "matches answered by the cache", Format: percent, Linear: true}, width,
			fmt.Sprintf("At exponent %g the cache answers %.0f %% of the matches.", c.x[len(c.x)-1], c.y[len(c.y)-1]))
	})
}

func groupThousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return groupThousands(n/1000) + fmt.Sprintf(",%03d", n%1000)
}
