package plot

import (
	"fmt"
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
	contestText = 18 // of a line of words of a row, above its dots
	contestBand = 20
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
	b := &board{Contest: t, lines: 1}
	b.place(width)
	head := float64(b.names(width, nil) * keyHeight)
	return &Figure{
		Width: width, Height: head + float64(len(t.Rows))*b.row() + axisHeight + smallSize + 4, Alt: alt,
		Note: "The axis is logarithmic; 1 is the reference, and further left is faster. A dot is a median, a bar its interval.",
		paint: func(c draw.Canvas) {
			b.key(c)
			axis := style(dim, smallSize)
			c.FillText(centre(axis), vg.Point{X: (c.Min.X + c.Max.X) / 2, Y: c.Min.Y + 2}, shorten(axis, t.Axis, width))
			p := frame(hi, 1, plot.ConstantTicks(nil), plot.ConstantTicks(nil))
			p.X.Min, p.X.Scale = lo, plot.LogScale{}
			p.X.Tick.Marker = decades{stat.Plain, int(width / 60)}
			p.HideY()
			p.Add(b)
			p.Draw(draw.Crop(c, boardLeft, -14, smallSize+4, -vg.Length(head)))
		},
	}
}

// boardLeft is the margin left of a board's axis, in px.
const boardLeft = 10

// A board is a contest with the layout of its words.
type board struct {
	Contest
	label float64 // width of the column of labels
	lines int     // of words in a row: 2 if labels and texts have no room side by side
}

// place chooses the layout for a width.
func (b *board) place(width float64) {
	sty := style(ink, smallSize+0.5)
	text := 0.0
	for _, r := range b.Rows {
		b.label, text = max(b.label, textWidth(sty, r.Label)), max(text, textWidth(sty, r.Text))
	}
	if boardLeft+b.label+16+text > width {
		b.lines = 2
	}
}

// row is the height of a row in px.
func (b *board) row() float64 { return float64(b.lines*contestText + contestBand + 4) }

// names calls f with the place of each contender's name, in as many rows as needed,
// and returns the number of rows.
func (b *board) names(width float64, f func(name string, x float64, row int)) int {
	x, row := 8.0, 0
	for _, name := range slices.Concat(b.Ours, b.Others) {
		w := 8 + textWidth(style(dim, smallSize+0.5), name)
		if x > 8 && x+w > width {
			x, row = 8, row+1
		}
		if f != nil {
			f(name, x, row)
		}
		x += w + 16
	}
	return row + 1
}

// key draws the contenders' marks with their names.
func (b *board) key(c draw.Canvas) {
	b.names(float64(c.Max.X-c.Min.X), func(name string, dx float64, row int) {
		x, y := c.Min.X+vg.Length(dx), c.Max.Y-8-vg.Length(row*keyHeight)
		b.mark(c, name, vg.Point{X: x, Y: y})
		c.FillText(middle(style(dim, smallSize+0.5)), vg.Point{X: x + 8, Y: y}, name)
	})
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
func (b *board) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	x = clamped(p.X, x)
	words, beside := style(ink, smallSize+0.5), style(dim, smallSize+0.5)
	room := float64(c.Max.X - c.Min.X)
	for i, r := range b.Rows {
		top := c.Max.Y - vg.Length(float64(i)*b.row())
		head := vg.Length(b.lines * contestText)
		fillRect(c, ground, c.Min.X, top-head, c.Max.X, top, "") // covers the grid behind the words
		c.FillText(middle(words), vg.Point{X: c.Min.X, Y: top - contestText/2}, shorten(words, r.Label, room))
		at := vg.Point{X: c.Min.X + vg.Length(b.label) + 16, Y: top - contestText/2}
		if b.lines > 1 {
			at = vg.Point{X: c.Min.X, Y: top - contestText*3/2}
		}
		c.FillText(middle(beside), at, shorten(beside, r.Text, float64(c.Max.X-at.X)+14))
		y := top - head - contestBand/2
		c.StrokeLine2(draw.LineStyle{Color: dim, Width: 1.4}, x(1), y-contestBand/2, x(1), y+contestBand/2)
		for _, d := range r.Dots {
			at := vg.Point{X: x(d.Value), Y: y + b.lift(d.Contender)}
			c.StrokeLine2(draw.LineStyle{Color: b.paint(d.Contender), Width: 2}, x(d.Lo), at.Y, x(d.Hi), at.Y)
			tip := fmt.Sprintf("%s, %s: %s times", d.Contender, r.Label, stat.Plain(d.Value))
			if d.Lo > 0 && !math.IsInf(d.Hi, 0) {
				tip += fmt.Sprintf(" (%s to %s)", stat.Plain(d.Lo), stat.Plain(d.Hi))
			}
			tooltip(c, tip)
			b.mark(c, d.Contender, at)
		}
	}
}
