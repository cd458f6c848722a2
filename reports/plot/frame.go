package plot

import (
	"math"
	"strconv"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"harelab/reports/arms"
	"harelab/reports/stat"
)

// Sizes in px.
const (
	smallSize   = 10
	headSize    = 12
	headHeight  = 20 // of a panel's heading
	axisHeight  = 20 // of tick labels below a panel
	panelGap    = 14
	badgeRadius = 7
)

// style returns a text style of the sans face that all charts use.
func style(p Paint, size float64) text.Style {
	return text.Style{
		Color:   p,
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Length(size)},
		Handler: newFace(),
	}
}

func bold(p Paint, size float64) text.Style {
	s := style(p, size)
	s.Font.Weight = xfont.WeightBold
	return s
}

// right and centre return a style with that alignment.
func right(s text.Style) text.Style  { s.XAlign = text.XRight; return s }
func centre(s text.Style) text.Style { s.XAlign = text.XCenter; return s }

// middle centres a style on the height of its digits.
func middle(s text.Style) text.Style { s.YAlign = -0.36; return s }

// textWidth measures in px.
func textWidth(s text.Style, t string) float64 { return float64(s.Width(t)) }

// shorten cuts t to a width, with an ellipsis.
func shorten(s text.Style, t string, width float64) string {
	if textWidth(s, t) <= width {
		return t
	}
	r := []rune(t)
	for len(r) > 1 && textWidth(s, string(r)+"…") > width {
		r = r[:len(r)-1]
	}
	return string(r) + "…"
}

// squeeze cuts t to a width in its middle, so that the end still tells names apart.
func squeeze(s text.Style, t string, width float64) string {
	if textWidth(s, t) <= width {
		return t
	}
	r := []rune(t)
	head, tail := len(r)/2, len(r)/2
	for head > 1 && textWidth(s, string(r[:head])+"…"+string(r[tail:])) > width {
		if head > len(r)-tail {
			head--
		} else {
			tail++
		}
	}
	return string(r[:head]) + "…" + string(r[tail:])
}

// frame returns an empty plot in the house style: no axis lines, ticks as
// light grid lines, small labels that carry the unit.
func frame(xmax, ymax float64, xt, yt plot.Ticker) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.LineStyle.Width, a.Tick.LineStyle.Width, a.Tick.Length = 0, 0, 0
		a.Padding = 5
		a.Min = 0
	}
	p.X.Max, p.Y.Max = xmax, ymax
	x, y := p.X.Tick.Label, p.Y.Tick.Label
	p.X.Tick.Label, p.Y.Tick.Label = style(dim, smallSize), style(dim, smallSize)
	p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = x.XAlign, x.YAlign
	p.Y.Tick.Label.XAlign, p.Y.Tick.Label.YAlign = y.XAlign, y.YAlign
	p.X.Tick.Marker, p.Y.Tick.Marker = xt, yt
	p.Add(&grid{})
	return p
}

// grid draws a light line at each labelled tick.
type grid struct{}

func (*grid) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	sty := draw.LineStyle{Color: rule, Width: 1}
	for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		if at := x(t.Value); t.Label != "" && c.ContainsX(at) {
			c.StrokeLine2(sty, at, c.Min.Y, at, c.Max.Y)
		}
	}
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		if at := y(t.Value); t.Label != "" && c.ContainsY(at) {
			c.StrokeLine2(sty, c.Min.X, at, c.Max.X, at)
		}
	}
}

// steps are ticks at multiples of a round step.
type steps struct {
	n      int                  // about how many ticks, if step is 0
	step   float64              // 0 chooses one
	format func(float64) string // nil writes counts
}

// Ticks implements plot.Ticker.
func (s steps) Ticks(lo, hi float64) []plot.Tick {
	step := s.step
	if step == 0 {
		step = roundStep((hi-lo)/float64(max(s.n, 1)), s.format == nil)
	}
	var out []plot.Tick
	for i := math.Ceil(lo/step - 1e-9); i*step <= hi*(1+1e-9); i++ {
		v := i*step + 0 // a negative zero becomes positive
		label := ""
		if s.format != nil {
			label = s.format(v)
		} else {
			label = stat.Count(int(math.Round(v)))
		}
		out = append(out, plot.Tick{Value: v, Label: label})
	}
	return out
}

// axis returns the end of an axis with v on it and a little room above, and its
// ticks.
func axis(v float64, n int, format func(float64) string) (float64, steps) {
	whole := format == nil
	step := roundStep(v/float64(n), whole)
	top := math.Max(math.Ceil(v*0.98/step), 1) * step
	return top * 1.04, steps{n: n, step: step, format: format}
}

// timeFormat writes the times of one axis in one unit.
func timeFormat(hi float64) func(float64) string {
	unit, scale := " s", 1.0
	switch {
	case hi < 0.5e-3:
		unit, scale = " µs", 1e6
	case hi < 0.5:
		unit, scale = " ms", 1e3
	}
	return func(v float64) string { return stat.Plain(v*scale) + unit }
}

// roundStep rounds a step up to 1, 2 or 5 times a power of ten; with whole it is at
// least 1.
func roundStep(raw float64, whole bool) float64 {
	if raw <= 0 || math.IsNaN(raw) || math.IsInf(raw, 0) {
		return 1
	}
	exp := math.Floor(math.Log10(raw) + 1e-9)
	step := pow10(int(exp) + 1)
	for _, m := range []float64{1, 2, 5} {
		if m*pow10(int(exp)) >= raw*(1-1e-9) {
			step = m * pow10(int(exp))
			break
		}
	}
	if whole {
		return max(step, 1)
	}
	return step
}

// pow10 is exact where math.Pow10 times a fraction is not.
func pow10(n int) float64 {
	v, _ := strconv.ParseFloat("1e"+strconv.Itoa(n), 64)
	return v
}

// secondTicks are ticks of a time axis that ends at hi.
func secondTicks(n int, hi float64) steps { return steps{n: n, format: timeFormat(hi)} }

// niceMax returns the end of an axis with v on it: a multiple of a round step.
func niceMax(v float64, n int, whole bool) float64 {
	if v <= 0 {
		return 1
	}
	step := roundStep(v/float64(n), whole)
	return math.Ceil(v/step-1e-9) * step
}

// timeMax returns the end of a time axis: the next round value if it is near, and
// otherwise end. A run on a real clock that ends slightly after a round value ends
// the axis at that value.
func timeMax(end float64, n int) float64 {
	step := roundStep(end/float64(max(n, 1)), false)
	round := math.Ceil(end/step-0.02) * step
	if round <= 0 || end < 0.9*round {
		return end
	}
	return round
}

// badge draws a letter in a filled circle.
func badge(c draw.Canvas, at vg.Point, letter string, p Paint) {
	var path vg.Path
	path.Move(vg.Point{X: at.X + badgeRadius, Y: at.Y})
	path.Arc(at, badgeRadius, 0, 2*math.Pi)
	path.Close()
	c.SetColor(p)
	c.Fill(path)
	c.FillText(middle(centre(bold(onFill, smallSize))), at, letter)
}

// heading draws a title, and the badge of a unless it is nil, at the top left of a
// canvas, and returns the canvas below.
func heading(c draw.Canvas, a *arms.Arm, title string) draw.Canvas {
	x := c.Min.X
	y := c.Max.Y - badgeRadius - 1
	if a != nil {
		badge(c, vg.Point{X: x + badgeRadius, Y: y}, a.Letter, RunPaint(a.Index))
		x += 2*badgeRadius + 5
	}
	sty := middle(bold(ink, headSize))
	c.FillText(sty, vg.Point{X: x, Y: y}, shorten(sty, title, float64(c.Max.X-x)))
	return draw.Crop(c, 0, 0, 0, -headHeight)
}

// tooltip sets the tooltip of the next shape, if the canvas can have one.
func tooltip(c draw.Canvas, tip string) {
	if s := svgBelow(c); s != nil {
		s.title = tip
	}
}

// fillRect fills a rectangle, with a tooltip unless it is empty.
func fillRect(c draw.Canvas, p Paint, x0, y0, x1, y1 vg.Length, tip string) {
	tooltip(c, tip)
	c.SetColor(p)
	c.Fill(rectPath(nil, x0, y0, x1, y1))
}

func rectPath(path vg.Path, x0, y0, x1, y1 vg.Length) vg.Path {
	path.Move(vg.Point{X: x0, Y: y0})
	path.Line(vg.Point{X: x1, Y: y0})
	path.Line(vg.Point{X: x1, Y: y1})
	path.Line(vg.Point{X: x0, Y: y1})
	path.Close()
	return path
}

// cells cuts a canvas into a grid of n cells and returns them row by row.
func cells(c draw.Canvas, n, columns int) []draw.Canvas {
	rows := (n + columns - 1) / columns
	w := (c.Max.X - c.Min.X - vg.Length(columns-1)*2*panelGap) / vg.Length(columns)
	h := (c.Max.Y - c.Min.Y - vg.Length(rows-1)*panelGap) / vg.Length(rows)
	var out []draw.Canvas
	for i := range n {
		x := c.Min.X + vg.Length(i%columns)*(w+2*panelGap)
		y := c.Max.Y - vg.Length(i/columns)*(h+panelGap)
		cell := c
		cell.Min, cell.Max = vg.Point{X: x, Y: y - h}, vg.Point{X: x + w, Y: y}
		out = append(out, cell)
	}
	return out
}

// columns returns the number of panels in a row.
func columns(width float64, n int) int {
	if width < 600 || n < 2 {
		return 1
	}
	return 2
}
