package plot

import (
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
	label = min(label, width*0.4)
	return &Figure{
		Width: width, Height: float64(keyHeight + len(rows)*rankRow + axisHeight), Alt: alt,
		Note: "Best first. The dot is the mean wait, the bar reaches from there to the 99th percentile, the tick is the longest.",
		paint: func(c draw.Canvas) {
			c.FillText(middle(style(dim, smallSize)), vg.Point{X: c.Min.X, Y: c.Max.Y - 7}, "wait: ● mean   ━ 99th percentile   | longest")
			ticks := int((width - label) / 60)
			p := frame(niceMax(most, ticks, false), 1, steps{n: ticks, format: format}, plot.ConstantTicks(nil))
			if least > 0 && most/least > 50 && !math.IsInf(least, 0) {
				p.X.Min, p.X.Max, p.X.Scale, p.X.Tick.Marker = least*0.8, most*1.1, plot.LogScale{}, decades{format, ticks}
			}
			p.HideY()
			p.Add(ranking{rows, label})
			p.Draw(draw.Crop(c, vg.Length(label)+10, -16, 0, -keyHeight))
		},
	}
}

// ranking is the plotter of the rows.
type ranking struct {
	rows  []Rank
	label float64
}

func (r ranking) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	at := func(v float64) vg.Length { return x(min(max(v, p.X.Min), p.X.Max)) }
	for i, row := range r.rows {
		y := c.Max.Y - vg.Length(i*rankRow) - rankRow/2
		sty := middle(style(ink, baseSize))
		c.FillText(right(sty), vg.Point{X: c.Min.X - 8, Y: y}, shorten(sty, row.Label, r.label))
		c.StrokeLine2(draw.LineStyle{Color: runPaints[2], Width: 3}, at(row.Mean), y, at(row.P99), y)
		c.StrokeLine2(draw.LineStyle{Color: ink, Width: 2}, at(row.Max), y-5, at(row.Max), y+5)
		disc(c, runPaints[2], vg.Point{X: at(row.Mean), Y: y}, contestDisc)
	}
}
