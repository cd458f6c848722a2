package plot

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A Rank is one row of a ranking: the mean, the 99th percentile and the longest wait
// of a cell, in seconds.
type Rank struct {
	Label          string
	Mean, P99, Max float64
}

const (
	rankRow  = 20
	rankName = 14 // more for a name above the marks
	maxRanks = 30
)

// Ranking draws rows in the given order, best first, each with its three figures on
// the same time axis. alt is the finding.
func Ranking(rows []Rank, format func(float64) string, width float64, alt string) *Figure {
	rows = rows[:min(len(rows), maxRanks)]
	most, least := 0.0, math.Inf(1)
	label := 0.0
	for _, r := range rows {
		most = max(most, r.Max)
		if r.Mean > 0 {
			least = min(least, r.Mean)
		}
		label = max(label, textWidth(style(ink, baseSize), r.Label))
	}
	if most == 0 {
		return nil
	}
	row, left := float64(rankRow), label+14
	if label > width*0.4 { // names above the marks
		row, left, label = rankRow+rankName, 14, width-14
	}
	return &Figure{
		Width: width, Height: float64(keyHeight+axisHeight) + float64(len(rows))*row, Alt: alt,
		Note: "Best first. The dot is the mean wait, the bar reaches from there to the 99th percentile, the tick is the longest.",
		paint: func(c draw.Canvas) {
			rankKey(c)
			ticks := int((width - left) / 60)
			p := frame(niceMax(most, ticks, false), 1, steps{n: ticks, format: format}, plot.ConstantTicks(nil))
			if least > 0 && most/least > 50 && !math.IsInf(least, 0) {
				logAxis(&p.X, least, most, ticks, format)
			}
			p.HideY()
			p.Add(ranking{rows, label, row, format})
			p.Draw(draw.Crop(c, vg.Length(left), -20, 0, -keyHeight))
		},
	}
}

// rankKey draws the marks of a row, each with what it stands for.
func rankKey(c draw.Canvas) {
	sty := style(dim, smallSize)
	x, y := c.Min.X, c.Max.Y-7
	write := func(text string, gap float64) {
		c.FillText(middle(sty), vg.Point{X: x, Y: y}, text)
		x += vg.Length(textWidth(sty, text) + gap)
	}
	write("wait:", 12)
	disc(c, runPaints[2], vg.Point{X: x, Y: y}, contestDisc)
	x += 9
	write("mean", 12)
	c.StrokeLine2(draw.LineStyle{Color: runPaints[2], Width: 3}, x, y, x+14, y)
	x += 18
	write("99th percentile", 14)
	c.StrokeLine2(draw.LineStyle{Color: ink, Width: 2}, x, y-5, x, y+5)
	x += 6
	write("longest", 0)
}

// ranking is the plotter of the rows.
type ranking struct {
	rows   []Rank
	label  float64 // width for a name
	height float64 // of a row
	format func(float64) string
}

func (r ranking) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	at := func(v float64) vg.Length { return x(min(max(v, p.X.Min), p.X.Max)) }
	for i, row := range r.rows {
		top := c.Max.Y - vg.Length(float64(i)*r.height)
		y := top - vg.Length(r.height) + rankRow/2
		sty := middle(style(ink, baseSize))
		if r.height > rankRow {
			c.FillText(sty, vg.Point{X: c.Min.X - 8, Y: top - rankName/2 - 2}, squeeze(sty, row.Label, r.label))
		} else {
			c.FillText(right(sty), vg.Point{X: c.Min.X - 12, Y: y}, squeeze(sty, row.Label, r.label))
		}
		c.StrokeLine2(draw.LineStyle{Color: runPaints[2], Width: 3}, at(row.Mean), y, at(row.P99), y)
		c.StrokeLine2(draw.LineStyle{Color: ink, Width: 2}, at(row.Max), y-5, at(row.Max), y+5)
		disc(c, runPaints[2], vg.Point{X: at(row.Mean), Y: y}, contestDisc)
		hover(c, c.Min.X, y-rankRow/2, c.Max.X, y+rankRow/2, fmt.Sprintf("%s: mean %s, 99th percentile %s, longest %s",
			row.Label, r.format(row.Mean), r.format(row.P99), r.format(row.Max)))
	}
}
