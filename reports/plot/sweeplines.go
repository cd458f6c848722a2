package plot

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A SweepLine is a metric along one axis of a sweep, for one combination of the
// others. Lo and Hi are the least and the largest of the repeats; with one repeat
// they are equal to Y.
type SweepLine struct {
	Label     string
	Y, Lo, Hi []float64 // one for each value of the axis; NaN if there is no cell
}

// A LinePanel is the lines for one combination of the values of the remaining axes:
// those other than the horizontal axis and the axis of the lines.
type LinePanel struct {
	Title string
	Lines []SweepLine
}

// A LineChart is a metric along one axis of a sweep. The values of the axis are at
// equal distances in their order, since they may be names, and 0 may mean no limit.
type LineChart struct {
	Axis, Metric string
	Values       []string // of the axis
	Panels       []LinePanel
	Format       func(float64) string
	Linear       bool // never uses a logarithmic scale
}

// MaxLines is the number of lines of a panel that have a colour of their own. The
// same number of further lines is dashed; lines beyond these are left out.
var MaxLines = len(runPaints)

// SweepLines draws a line chart with the same scale in all panels. alt is the
// finding. It returns nil if all values are the same.
func SweepLines(l LineChart, width float64, alt string) *Figure {
	panels := slices.Clone(l.Panels[:min(len(l.Panels), MaxPanels)])
	most, least, bands, margin := math.Inf(-1), math.Inf(1), false, 0.0
	for i := range panels {
		p := &panels[i]
		p.Lines = p.Lines[:min(len(p.Lines), 2*MaxLines)]
		margin = max(margin, endLabels{lines: p.Lines}.width())
		for _, l := range p.Lines {
			for i := range l.Y {
				if !math.IsNaN(l.Y[i]) {
					most, least = max(most, l.Y[i], l.Hi[i]), min(least, l.Y[i], l.Lo[i])
					bands = bands || l.Hi[i] > l.Lo[i]
				}
			}
		}
	}
	if math.IsInf(most, 0) || most == least || len(l.Values) < 2 {
		return nil // nothing to see, or only level lines
	}
	l.Values = valueNames(l.Axis, l.Values)
	note, metric := "Look for a bend in the line: beyond it a larger value no longer helps, or begins to hurt.", l.Metric
	if bands {
		note += " The band reaches from the lowest to the highest repeat."
	}
	logarithmic := !l.Linear && least > 0 && most/least > logFrom
	if logarithmic {
		metric += ", logarithmic"
	}
	h := float64(panelHeight + 70)
	if panels[0].Title != "" {
		h += headHeight
	}
	return &Figure{
		Width: width, Height: float64(len(panels))*(h+panelGap) - panelGap, Note: note, Alt: alt,
		paint: func(c draw.Canvas) {
			for i, c := range cells(c, len(panels), 1) {
				if panels[i].Title != "" {
					c = heading(c, nil, panels[i].Title)
				}
				lines := endLabels{panels[i].Lines, l}
				c.FillText(style(dim, smallSize), vg.Point{X: c.Min.X, Y: c.Max.Y - smallSize}, metric)
				c.FillText(right(style(dim, smallSize)), vg.Point{X: c.Max.X - vg.Length(margin), Y: c.Min.Y + 2}, l.Axis)
				ymax, ticks := axis(most, 5, l.Format)
				apart := (width - margin - 45) / float64(len(l.Values)-1)
				p := frame(float64(len(l.Values)-1), ymax, nameTicks(thinned(l.Values, style(dim, smallSize), apart)), ticks)
				if logarithmic {
					logAxis(&p.Y, least, most, 9, l.Format)
				}
				p.Add(bandsOf(lines.lines), lines)
				p.Draw(draw.Crop(c, 0, -vg.Length(margin), 14, -smallSize-8))
			}
		},
	}
}

// manyValues is the largest number of values of an axis that are all named, if
// necessary in a shortened form. On longer axes some values have no name.
const manyValues = 12

// thinned returns the names of values that are apart px from each other. If they
// have no room it keeps every second, third, ... name and makes the others empty.
func thinned(names []string, sty text.Style, apart float64) []string {
	widest := 0.0
	for _, n := range names {
		widest = max(widest, textWidth(sty, n)+6)
	}
	step := int(math.Ceil(widest / apart))
	if len(names) <= manyValues || step < 2 {
		return names
	}
	out := make([]string, len(names))
	for i := 0; i < len(names); i += step {
		out[i] = names[i]
	}
	return out
}

// nameTicks puts names at 0, 1, 2, ...
type nameTicks []string

// Ticks implements plot.Ticker.
func (n nameTicks) Ticks(_, _ float64) []plot.Tick {
	out := make([]plot.Tick, len(n))
	for i, name := range n {
		out[i] = plot.Tick{Value: float64(i), Label: name}
	}
	return out
}

// valueNames names the values of an axis: a prefetch count of 0 is no limit.
func valueNames(axis string, values []string) []string {
	out := slices.Clone(values)
	for i, v := range values {
		if v == "0" && strings.Contains(axis, "prefetch") {
			out[i] = "no limit"
		}
	}
	return out
}

// logFactors are the factors of powers of ten at which a logarithmic axis can have
// ticks.
var logFactors = [][]float64{{1, 2, 5}, {1, 3}, {1}}

// logAxis makes an axis logarithmic, with ticks at both ends, which enclose the values
// from least to most, both above 0, and with n ticks at most if that is possible.
func logAxis(a *plot.Axis, least, most float64, n int, format func(float64) string) {
	for _, factors := range logFactors {
		var ticks []plot.Tick
		for e := int(math.Floor(math.Log10(least))) - 1; ; e++ {
			for _, f := range factors {
				v := f * pow10(e)
				if v <= least*1.0001 {
					ticks = ticks[:0] // a later one encloses the least value, too
				}
				ticks = append(ticks, plot.Tick{Value: v, Label: format(v)})
				if v >= most*0.9999 && len(ticks) > 1 {
					goto enclosed
				}
			}
		}
	enclosed:
		a.Min, a.Max = ticks[0].Value, ticks[len(ticks)-1].Value
		a.Scale, a.Tick.Marker = plot.LogScale{}, plot.ConstantTicks(ticks)
		if len(ticks) <= n {
			return
		}
	}
}

// decades are ticks at 1, 2 and 5 times powers of ten. If these are more than n, the
// ticks are at 1 and 3 times powers of ten, or at powers of ten only.
type decades struct {
	format func(float64) string
	n      int // the most ticks
}

// Ticks implements plot.Ticker.
func (d decades) Ticks(lo, hi float64) []plot.Tick {
	var out []plot.Tick
	for _, factors := range logFactors {
		out = out[:0]
		for e := int(math.Floor(math.Log10(lo))); pow10(e) <= hi; e++ {
			for _, f := range factors {
				if v := f * pow10(e); v >= lo*0.999 && v <= hi {
					out = append(out, plot.Tick{Value: v, Label: d.format(v)})
				}
			}
		}
		if len(out) <= d.n {
			return out
		}
	}
	every := (len(out) + d.n - 1) / max(d.n, 1)
	for i := range out {
		if i%max(every, 1) > 0 {
			out[i].Label = "" // a tick without a name has no line
		}
	}
	return slices.DeleteFunc(out, func(t plot.Tick) bool { return t.Label == "" })
}

// endLabels is the plotter of lines with names beside their ends, in a margin on the
// right.
type endLabels struct {
	lines []SweepLine
	chart LineChart
}

// tip is the tooltip of a line's k-th point.
func (ls endLabels) tip(l SweepLine, k int) string {
	t := ls.chart.Axis + " " + ls.chart.Values[k] + ": " + ls.chart.Format(l.Y[k])
	if l.Label != "" {
		t = l.Label + ", " + t
	}
	if l.Hi[k] > l.Lo[k] {
		t += " (" + ls.chart.Format(l.Lo[k]) + " to " + ls.chart.Format(l.Hi[k]) + ")"
	}
	return t
}

// width is the width of the margin in px.
func (ls endLabels) width() float64 {
	w := 0.0
	for _, l := range ls.lines {
		w = max(w, textWidth(style(ink, smallSize+0.5), l.Label))
	}
	return w + 22
}

func (ls endLabels) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	type end struct {
		at    vg.Point
		label vg.Length // height of the name
		i     int
	}
	var ends []end
	for i, l := range ls.lines {
		var path []vg.Point
		for k, v := range l.Y {
			if !math.IsNaN(v) {
				path = append(path, vg.Point{X: x(float64(k)), Y: y(v)})
			}
		}
		if len(path) > 1 {
			sty := draw.LineStyle{Color: RunPaint(i), Width: 2}
			if i >= MaxLines {
				sty.Dashes = []vg.Length{5, 3}
			}
			c.StrokeLines(sty, path)
		}
		for k, v := range l.Y {
			if !math.IsNaN(v) {
				tooltip(c, ls.tip(l, k))
				disc(c, RunPaint(i), vg.Point{X: x(float64(k)), Y: y(v)}, 2.6)
			}
		}
		if len(path) > 0 && l.Label != "" {
			ends = append(ends, end{path[len(path)-1], path[len(path)-1].Y, i})
		}
	}
	slices.SortStableFunc(ends, func(a, b end) int { return cmp.Compare(a.at.Y, b.at.Y) })
	const apart = 13
	for k := 1; k < len(ends); k++ {
		ends[k].label = max(ends[k].label, ends[k-1].label+apart)
	}
	for k := len(ends) - 1; k >= 0; k-- { // moves names down that are above the top edge
		top := c.Max.Y
		if k+1 < len(ends) {
			top = ends[k+1].label - apart
		}
		ends[k].label = min(ends[k].label, top)
	}
	for _, e := range ends {
		at := vg.Point{X: c.Max.X + 18, Y: e.label}
		c.StrokeLines(draw.LineStyle{Color: RunPaint(e.i), Width: 0.8}, []vg.Point{e.at, {X: c.Max.X + 6, Y: e.at.Y}, {X: at.X - 3, Y: at.Y}})
		c.FillText(middle(style(RunPaint(e.i), smallSize+0.5)), at, ls.lines[e.i].Label)
	}
}

// bandsOf is the plotter of the bands between Lo and Hi.
type bandsOf []SweepLine

func (b bandsOf) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for i, l := range b {
		var up, down []vg.Point
		for k := range l.Y {
			if math.IsNaN(l.Y[k]) {
				continue
			}
			up = append(up, vg.Point{X: x(float64(k)), Y: y(l.Hi[k])})
			down = append(down, vg.Point{X: x(float64(k)), Y: y(max(l.Lo[k], p.Y.Min))})
		}
		var path vg.Path
		for j, pt := range up {
			if j == 0 {
				path.Move(pt)
			} else {
				path.Line(pt)
			}
		}
		for j := len(down) - 1; j >= 0; j-- {
			path.Line(down[j])
		}
		if len(up) > 1 {
			path.Close()
			c.SetColor(tint{RunPaint(i), 0.18})
			c.Fill(path)
		}
	}
}
