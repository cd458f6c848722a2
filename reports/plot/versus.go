package plot

import (
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"harelab/reports/stat"
)

// A Contest is the times that several contenders took for several tasks, as multiples
// of a reference.
type Contest struct {
	Ours   []string // names of contenders, drawn as discs
	Others []string // drawn as rings
	Rows   []ContestRow
	Axis   string // the axis' title, as "times the best peer's time a match"
}

// A ContestRow is one task.
type ContestRow struct {
	Label, Text string // written above the dots; texts are in a column of their own
	Dots        []ContestDot
}

// A ContestDot is one contender's multiple with its interval.
type ContestDot struct {
	Contender     string
	Value, Lo, Hi float64
}

const (
	contestText = 18 // of a row, above its dots
	contestBand = 20
	contestRow  = contestText + contestBand + 4
	contestRing = 3.8
	contestDisc = 4.5
)

// Versus draws a contest on a logarithmic axis; 1 is the reference. alt is the
// finding. Without rows it returns nil.
func Versus(t Contest, width float64, alt string) *Figure {
	if len(t.Rows) == 0 {
		return nil
	}
	lo, hi := 0.1, 10.0
	for _, r := range t.Rows {
		for _, d := range r.Dots {
			if d.Lo > 0 && !math.IsInf(d.Hi, 0) {
				lo, hi = min(lo, d.Lo), max(hi, d.Hi)
			}
		}
	}
	return &Figure{
		Width: width, Height: float64(keyHeight + len(t.Rows)*contestRow + axisHeight + smallSize + 4), Alt: alt,
		Note: "The axis is logarithmic; 1 is the reference, and further left is faster. A dot is a median, a bar its interval.",
		paint: func(c draw.Canvas) {
			t.names(c)
			c.FillText(centre(style(dim, smallSize)), vg.Point{X: (c.Min.X + c.Max.X) / 2, Y: c.Min.Y + 2}, t.Axis)
			p := frame(hi, 1, plot.ConstantTicks(nil), plot.ConstantTicks(nil))
			p.X.Min, p.X.Scale = lo, plot.LogScale{}
			p.X.Tick.Marker = decades{stat.Plain, int(width / 60)}
			p.HideY()
			p.Add(t)
			p.Draw(draw.Crop(c, 10, -14, smallSize+4, -keyHeight))
		},
	}
}

// names draws the contenders' marks with their names.
func (t Contest) names(c draw.Canvas) {
	x, y := c.Min.X+8, c.Max.Y-8
	sty := middle(style(dim, smallSize+0.5))
	for _, name := range slices.Concat(t.Ours, t.Others) {
		t.mark(c, name, vg.Point{X: x, Y: y})
		c.FillText(sty, vg.Point{X: x + 8, Y: y}, name)
		x += 8 + vg.Length(textWidth(sty, name)) + 16
	}
}

// paint returns a contender's colour. With many contenders two may share a colour;
// ours are discs and the others rings.
func (t Contest) paint(name string) Paint {
	return RunPaint(slices.Index(slices.Concat(t.Ours, t.Others), name))
}

func (t Contest) mark(c draw.Canvas, name string, at vg.Point) {
	if slices.Contains(t.Ours, name) {
		disc(c, t.paint(name), at, contestDisc)
		return
	}
	c.SetLineStyle(draw.LineStyle{Color: t.paint(name), Width: 1.8})
	c.Stroke(circle(at, contestRing))
}

// lift moves the first of ours a little above the middle of the row and the second a
// little below, since these two are often equally fast and would cover each other.
func (t Contest) lift(name string) vg.Length {
	switch slices.Index(t.Ours, name) {
	case 0:
		return 4
	case 1:
		return -4
	}
	return 0
}

// Plot implements plot.Plotter.
func (t Contest) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	x = clamped(p.X, x)
	sty, beside := middle(style(ink, smallSize+0.5)), middle(style(dim, smallSize+0.5))
	label := 0.0
	for _, r := range t.Rows {
		label = max(label, textWidth(sty, r.Label))
	}
	for i, r := range t.Rows {
		top := c.Max.Y - vg.Length(i*contestRow)
		fillRect(c, ground, c.Min.X, top-contestText, c.Max.X, top, "") // covers the grid behind the words
		c.FillText(sty, vg.Point{X: c.Min.X, Y: top - contestText/2}, r.Label)
		c.FillText(beside, vg.Point{X: c.Min.X + vg.Length(label)*1.15 + 16, Y: top - contestText/2}, r.Text)
		y := top - contestText - contestBand/2
		c.StrokeLine2(draw.LineStyle{Color: dim, Width: 1.4}, x(1), y-contestBand/2, x(1), y+contestBand/2)
		for _, d := range r.Dots {
			at := vg.Point{X: x(d.Value), Y: y + t.lift(d.Contender)}
			c.StrokeLine2(draw.LineStyle{Color: t.paint(d.Contender), Width: 2}, x(d.Lo), at.Y, x(d.Hi), at.Y)
			t.mark(c, d.Contender, at)
		}
	}
}
