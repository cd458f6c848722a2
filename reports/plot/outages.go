package plot

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/stat"
)

// A shade is a span of time in which workers were away or something else was out of
// order. Charts over time have a tinted ground there.
type shade struct {
	from, to float64 // s
	part     part    // its entry in the key
	tip      string
}

// The keys of shades.
var (
	awayPart   = part{name: "a worker is away", paint: dim, share: 0.22}
	outagePart = part{paint: bad, share: 0.16}
)

// absence returns the shade of a span in which a worker was away, cut at the end of
// the chart in seconds.
func absence(w *run.Worker, a run.Absence, end float64) shade {
	return shade{seconds(a.From), min(seconds(a.To), end), awayPart, w.Name + " is away" + between(a.From, a.To, end)}
}

// between says from when to when something lasted. A span that reaches the end of the
// chart has no end.
func between(from, to int64, end float64) string {
	if seconds(to) >= end {
		return " from " + stat.Brief(seconds(from)) + " on"
	}
	return " from " + stat.Brief(seconds(from)) + " to " + stat.Brief(seconds(to))
}

// shadesOf returns the shades of a run, up to the end of a chart in seconds.
func shadesOf(r *run.Result, end float64) []shade {
	var out []shade
	for _, o := range r.Outages {
		p := outagePart
		p.name = o.What
		out = append(out, shade{seconds(o.From), min(seconds(o.To), end), p, o.What + between(o.From, o.To, end)})
	}
	for i := range r.Workers {
		for _, a := range r.Workers[i].Away {
			out = append(out, absence(&r.Workers[i], a, end))
		}
	}
	return slices.DeleteFunc(out, func(s shade) bool { return s.from >= end })
}

// shadeKey returns the entries of the key for the shades of all arms, each once.
func shadeKey(in *arms.Set, end float64) key {
	var k key
	for _, a := range in.Arms {
		for _, s := range shadesOf(a.First().Result, end) {
			if !slices.ContainsFunc(k, func(p part) bool { return p.name == s.part.name }) {
				k = append(k, s.part)
			}
		}
	}
	return k
}

// shades is the plotter of tinted spans of time. It comes before the plotters of
// what happened then.
type shades []shade

func (ss shades) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	for _, s := range ss {
		s.draw(c, x, c.Min.Y, c.Max.Y)
	}
}

// strips is the plotter of shades above a plot that is filled with other colours.
type strips []shade

const stripHeight = 5

func (ss strips) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	for _, s := range ss {
		s.part.share = min(3*s.part.share, 1)
		s.draw(c, x, c.Max.Y+1, c.Max.Y+1+stripHeight)
	}
}

func (s shade) draw(c draw.Canvas, x func(float64) vg.Length, y0, y1 vg.Length) {
	tooltip(c, s.tip)
	c.SetColor(tint{s.part.paint, s.part.share})
	c.Fill(rectPath(nil, x(s.from), y0, max(x(s.to), x(s.from)+1), y1))
}

// hover puts a tooltip on a rectangle without drawing it.
func hover(c draw.Canvas, x0, y0, x1, y1 vg.Length, tip string) {
	if s := svgBelow(c); s != nil {
		s.title = tip
		s.SetColor(tint{ground, 0})
		s.Fill(rectPath(nil, x0, y0, x1, y1))
	}
}

// An intervals divides the run time from 0 into steps.
type intervals struct {
	step, end float64 // s
	n         int
}

// newIntervals divides the time up to end into about n round steps.
func newIntervals(end float64, n int) intervals {
	v := intervals{step: roundStep(end/float64(n), false), end: end}
	v.n = int(end/v.step) + 1
	if v.step*float64(v.n-1) >= end*(1-1e-9) {
		v.n--
	}
	return v
}

// of returns the number of the interval of a time in microseconds, and -1 for times
// outside.
func (v intervals) of(us int64) int {
	if us == run.None || us < 0 {
		return -1
	}
	step := max(int64(math.Round(v.step*1e6)), 1) // whole, so that a time on a boundary belongs to the interval that begins there
	if i := int(us / step); i < v.n {
		return i
	}
	if seconds(us) <= v.end*(1+1e-9) {
		return v.n - 1
	}
	return -1
}

// span returns the ends of an interval in seconds; the last ends with the run.
func (v intervals) span(i int) (from, to float64) {
	return float64(i) * v.step, min(float64(i+1)*v.step, v.end)
}

// name writes an interval for a tooltip.
func (v intervals) name(i int) string {
	from, to := v.span(i)
	return fmt.Sprintf("%s to %s", stat.Brief(from), stat.Brief(to))
}

// stairs draws a line with a step for each interval. It has gaps at intervals without
// a value.
func (v intervals) stairs(c draw.Canvas, sty draw.LineStyle, x, y func(float64) vg.Length, value func(i int) (float64, bool)) {
	var path []vg.Point
	flush := func() {
		if len(path) > 1 {
			c.StrokeLines(sty, path)
		}
		path = nil
	}
	for i := range v.n {
		at, ok := value(i)
		if !ok {
			flush()
			continue
		}
		from, to := v.span(i)
		path = append(path, vg.Point{X: x(from), Y: y(at)}, vg.Point{X: x(to), Y: y(at)})
	}
	flush()
}
