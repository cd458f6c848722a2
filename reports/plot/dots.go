package plot

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A DotRow is one row of [Dots]: a figure with its interval.
type DotRow struct {
	Label         string
	Value, Lo, Hi float64
	Text          string // the figure with its unit, right of the dot
	Marked        bool   // makes the row stand out
}

const (
	dotRow    = 18
	dotRadius = 4
)

// Dots draws rows in the given order, each with a dot at its figure and a bar
// over its interval, on a logarithmic axis of whole decades. alt is the finding.
// Without rows it returns nil.
func Dots(rows []DotRow, format func(float64) string, width float64, alt string) *Figure {
	if len(rows) == 0 {
		return nil
	}
	var values []float64
	label, room := 0.0, 0.0
	for _, r := range rows {
		_, sty := r.look()
		values = append(values, r.Lo, r.Value, r.Hi)
		label, room = max(label, textWidth(sty, r.Label)), max(room, textWidth(sty, r.Text))
	}
	label = min(label, width*0.4)
	lo, hi := wholeDecades(values)
	return &Figure{
		Width: width, Height: float64(len(rows)*dotRow + axisHeight), Alt: alt,
		Note: "The axis is logarithmic. A dot is a median, a bar its interval.",
		paint: func(c draw.Canvas) {
			p := frame(hi, 1, decades{format, int((width - label - room) / 64)}, plot.ConstantTicks(nil))
			p.X.Min, p.X.Scale = lo, plot.LogScale{}
			p.HideY()
			p.Add(dots{rows, label})
			p.Draw(draw.Crop(c, vg.Length(label)+13, -vg.Length(room)-12, 0, 0))
		},
	}
}

// look returns what a row is drawn with: its dot and bar, and its words.
func (r DotRow) look() (Paint, text.Style) {
	if r.Marked {
		return runPaints[2], middle(bold(ink, baseSize))
	}
	return dim, middle(style(ink, baseSize))
}

// wholeDecades returns the ends of a logarithmic axis of whole decades around the
// values above zero. Others cannot be on such an axis.
func wholeDecades(values []float64) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if v > 0 && !math.IsInf(v, 0) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if lo > hi {
		return 1, 10
	}
	return math.Pow(10, math.Floor(math.Log10(lo))), math.Pow(10, math.Ceil(math.Log10(hi*1.0001)))
}

// clamped returns a transform that puts values beyond an axis at its ends.
func clamped(a plot.Axis, x func(float64) vg.Length) func(float64) vg.Length {
	return func(v float64) vg.Length { return x(min(max(v, a.Min), a.Max)) }
}

// dots is the plotter of the rows.
type dots struct {
	rows  []DotRow
	label float64
}

func (d dots) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	x = clamped(p.X, x)
	for i, r := range d.rows {
		y := c.Max.Y - vg.Length(i*dotRow) - dotRow/2
		paint, sty := r.look()
		c.FillText(right(sty), vg.Point{X: c.Min.X - 11, Y: y}, shorten(sty, r.Label, d.label))
		c.StrokeLine2(draw.LineStyle{Color: paint, Width: 2}, x(r.Lo), y, x(r.Hi), y)
		tooltip(c, r.Label+": "+r.Text)
		disc(c, paint, vg.Point{X: x(r.Value), Y: y}, dotRadius)
		c.FillText(sty, vg.Point{X: max(x(r.Hi), x(r.Value)+dotRadius) + 5, Y: y}, r.Text)
	}
}

// disc fills a circle.
func disc(c draw.Canvas, p Paint, at vg.Point, radius vg.Length) {
	c.SetColor(p)
	c.Fill(circle(at, radius))
}

func circle(at vg.Point, radius vg.Length) (path vg.Path) {
	path.Move(vg.Point{X: at.X + radius, Y: at.Y})
	path.Arc(at, radius, 0, 2*math.Pi)
	path.Close()
	return path
}
