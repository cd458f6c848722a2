package matchlab

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"harelab/bench/workload"
	"harelab/engine/topic"
)

// Charts returns the charts of a run: a dot chart for each workload, the sweeps,
// and memory.
func (r *Results) Charts() []*Chart {
	var all []*Chart
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

const (
	chartWidth = 360 // points
	lineHeight = 240
)

// limits returns a logarithmic axis of whole decades around the values. It begins
// with those above zero: a logarithmic axis has no place for others.
func limits(values []float64, format func(float64) string) axis {
	values = slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return v <= 0 })
	if len(values) == 0 {
		values = []float64{1}
	}
	lo, hi := slices.Min(values), slices.Max(values)
	return axis{lo: math.Pow(10, math.Floor(math.Log10(lo))), hi: math.Pow(10, math.Ceil(math.Log10(hi*1.0001))), log: true, format: format}
}

// matchChart shows the strategies on one workload, fastest first.
func (r *Results) matchChart(name string) *Chart {
	var rows []row
	var values []float64
	for i := range r.Matches {
		if m := &r.Matches[i]; m.Workload == name {
			s := summary(m.CPU)
			values = append(values, s.Lo, s.Hi)
			rows = append(rows, row{label: m.Contender, value: s.Center, lo: s.Lo, hi: s.Hi,
				note: FormatNanos(s.Center), colour: r.colour(m.Contender)})
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.value, b.value) })
	doc := name
	if spec, err := workload.Lookup(name); err == nil {
		doc = spec.Doc
	}
	x := limits(values, FormatNanos)
	return &Chart{
		Name:     "match-" + name,
		Question: name + ": " + doc,
		Finding:  ends(rows, "a match"),
		Width:    chartWidth, Height: vg.Length(16*len(rows) + 20),
		draw: func(c draw.Canvas) { dots(c, rows, x) },
	}
}

// ends says what the first and the last row take.
func ends(rows []row, each string) string {
	first, last := rows[0], rows[len(rows)-1]
	if len(rows) == 1 {
		return fmt.Sprintf("%s takes %s %s.", first.label, first.note, each)
	}
	return fmt.Sprintf("%s takes %s %s, %s %s.", first.label, first.note, each, last.label, last.note)
}

// sweepChart shows a match's time along a sweep.
func (r *Results) sweepChart(s Sweep) *Chart {
	ch := r.logChart(s, FormatNanos, "", func(p Point) linePoint {
		sum := summary(p.CPU)
		return linePoint{p.X, sum.Center, sum.Lo, sum.Hi}
	})
	ch.Name = s.Name
	switch s.Name {
	case "scaling":
		ch.Question = "How does a match grow with the bindings? (iot, both axes logarithmic)"
	case "hashes":
		ch.Question = fmt.Sprintf("What does every '#' add? (200 bindings, %d words, time logarithmic)", sweepWords)
	case "zipf":
		ch.Question = "Does a cache pay? (20,000 keys; at 0 all come alike often, above 1 few carry most)"
	}
	return ch
}

// workChart shows a match's work, counted in steps, which no machine disturbs.
func (r *Results) workChart(s Sweep) *Chart {
	whole := func(steps float64) string { return groupThousands(int(math.Round(steps))) }
	ch := r.logChart(s, whole, " steps", func(p Point) linePoint {
		steps := max(1, p.Steps) // some answer without a step
		return linePoint{p.X, steps, steps, steps}
	})
	ch.Name = "work"
	ch.Question = "How much work is that? (steps: states entered and edges looked for, logarithmic)"
	return ch
}

// logChart shows a figure along a sweep on a logarithmic axis. The unit is for the
// finding only.
func (r *Results) logChart(s Sweep, format func(float64) string, unit string, point func(Point) linePoint) *Chart {
	all := r.sweepLines(s, point)
	var values []float64
	for _, l := range all {
		for _, p := range l.points {
			values = append(values, p.lo, p.hi)
		}
	}
	xs := sweepAxis(s)
	return &Chart{
		Finding: growth(all, xs.format, s.Axis, func(v float64) string { return format(v) + unit }),
		Width:   chartWidth, Height: lineHeight,
		draw: func(c draw.Canvas) { lines(c, all, xs, limits(values, format), s.Axis) },
	}
}

// growth says where the lines begin and end that end lowest and highest.
func growth(all []line, x func(float64) string, axis string, y func(float64) string) string {
	first := func(l *line) linePoint { return l.points[0] }
	last := func(l *line) linePoint { return l.points[len(l.points)-1] }
	least, most := &all[0], &all[0]
	for i := range all {
		if last(&all[i]).y < last(least).y {
			least = &all[i]
		}
		if last(&all[i]).y > last(most).y {
			most = &all[i]
		}
	}
	text := fmt.Sprintf("%s: from %s to %s a match of %s goes from %s to %s",
		strings.ToUpper(axis[:1])+axis[1:], x(first(least).x), x(last(least).x), least.label, y(first(least).y), y(last(least).y))
	if most != least {
		text += fmt.Sprintf(", one of %s from %s to %s", most.label, y(first(most).y), y(last(most).y))
	}
	return text + "."
}

// hitChart shows the share of keys that a cache answers.
func (r *Results) hitChart(s Sweep) *Chart {
	s.Points = slices.DeleteFunc(slices.Clone(s.Points), func(p Point) bool { return p.HitRate < 0 })
	all := r.sweepLines(s, func(p Point) linePoint {
		rate := 100 * p.HitRate
		return linePoint{p.X, rate, rate, rate}
	})
	percent := axis{lo: 0, hi: 100, marks: []float64{0, 25, 50, 75, 100}, format: func(v float64) string { return fmt.Sprintf("%g %%", v) }}
	last := all[0].points[len(all[0].points)-1]
	return &Chart{
		Name:     "zipf-hits",
		Question: "How many matches does the cache answer? (0 where it has stepped aside)",
		Finding:  fmt.Sprintf("At exponent %g the cache answers %.0f %% of the matches.", last.x, last.y),
		Width:    chartWidth, Height: lineHeight,
		draw: func(c draw.Canvas) { lines(c, all, sweepAxis(s), percent, s.Axis) },
	}
}

func sweepAxis(s Sweep) axis {
	var xs []float64
	for _, p := range s.Points {
		xs = append(xs, p.X)
	}
	slices.Sort(xs)
	xs = slices.Compact(xs)
	a := axis{lo: xs[0], hi: xs[len(xs)-1], marks: xs, format: func(v float64) string { return fmt.Sprintf("%g", v) }}
	if a.hi >= 1000 {
		a.log = true
		a.format = func(v float64) string { return groupThousands(int(v)) }
	}
	return a
}

func groupThousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return groupThousands(n/1000) + fmt.Sprintf(",%03d", n%1000)
}

func (r *Results) sweepLines(s Sweep, point func(Point) linePoint) []line {
	var all []line
	for _, p := range s.Points {
		i := slices.IndexFunc(all, func(l line) bool { return l.label == p.Contender })
		if i < 0 {
			i = len(all)
			all = append(all, line{label: p.Contender, colour: r.colour(p.Contender), bold: p.Contender == topic.Default})
		}
		all[i].points = append(all[i].points, point(p))
	}
	return all
}

// memoryChart shows what a binding takes on the workload with most bindings.
func (r *Results) memoryChart() *Chart {
	most := &r.Matches[0]
	for i := range r.Matches {
		if r.Matches[i].Bindings > most.Bindings {
			most = &r.Matches[i]
		}
	}
	var rows []row
	var values []float64
	for _, c := range r.Contenders() {
		if m := r.Of(c, most.Workload); m != nil && m.Heap > 0 {
			rows = append(rows, row{label: c, value: m.Heap, lo: m.Heap, hi: m.Heap,
				note: fmt.Sprintf("%.0f B", m.Heap), colour: r.colour(c)})
			values = append(values, m.Heap)
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.value, b.value) })
	x := limits(values, func(v float64) string { return groupThousands(int(v)) + " B" })
	return &Chart{
		Name:     "memory",
		Question: fmt.Sprintf("How much heap does a binding take? (%s, %s bindings)", most.Workload, groupThousands(most.Bindings)),
		Finding:  ends(rows, "a binding"),
		Width:    chartWidth, Height: vg.Length(16*len(rows) + 20),
		draw: func(c draw.Canvas) { dots(c, rows, x) },
	}
}
