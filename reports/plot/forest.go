package plot

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"harelab/reports/arms"
)

// A ForestRow is one metric of a comparison with the effect of each new side.
type ForestRow struct {
	Label   string
	Effects []ForestEffect
}

// A ForestEffect is new/base. Lo and Hi are NaN or infinite where there is no
// interval.
type ForestEffect struct {
	Side          int // number of the new side, from 0: its letter and colour go by it
	Ratio, Lo, Hi float64
	Sign          int    // +1 better, -1 worse, 0 no difference
	Text          string // as "-62.9 %, better"
}

const (
	forestRow   = 18
	forestLabel = 15
	forestWords = 120 // px right of the axis
	forestReach = 8.0 // ratios beyond are drawn at the edge, with an arrow
)

// Forest draws effects on a logarithmic axis of new/base. alt is the finding.
func Forest(rows []ForestRow, width float64, alt string) *Figure {
	height := float64(axisHeight)
	reach := 1.3
	for _, r := range rows {
		height += forestLabel + float64(len(r.Effects)*forestRow) + 6
		for _, e := range r.Effects {
			reach = max(reach, min(spanOf(e.Ratio), forestReach))
		}
	}
	if len(rows) == 0 {
		return nil
	}
	reach *= 1.12
	return &Figure{
		Width: width, Height: height, Alt: alt,
		Note: "A dot left of the line is less than the base, right of it more. A bar is the 95 % interval. Grey is no significant difference.",
		paint: func(c draw.Canvas) {
			p := frame(1, 1, forestTicks{reach, width}, plot.ConstantTicks(nil))
			p.HideY()
			p.X.Min, p.X.Max, p.X.Scale = 1/reach, reach, plot.LogScale{}
			p.Add(forest(rows))
			p.Draw(draw.Crop(c, 26, -forestWords, 0, 0))
		},
	}
}

// spanOf is the distance of a ratio from 1 as a factor of 1 or more: 2 for 2 and 0.5.
func spanOf(r float64) float64 {
	if r <= 0 || math.IsNaN(r) || math.IsInf(r, 0) {
		return forestReach
	}
	return max(r, 1/r)
}

type forestTicks struct{ reach, width float64 }

// Ticks implements plot.Ticker.
func (t forestTicks) Ticks(lo, hi float64) []plot.Tick {
	var out []plot.Tick
	for _, v := range []float64{0.125, 0.25, 0.5, 0.8, 1, 1.25, 2, 4, 8} {
		if v < lo*0.999 || v > hi*1.001 || (t.reach > 3 || t.width < Wide && t.reach > 1.8) && (v == 0.8 || v == 1.25) {
			continue
		}
		if t.width < Wide && t.reach > 3 && (v == 0.125 || v == 0.5 || v == 2 || v == 8) {
			continue
		}
		label := fmt.Sprintf("%+.0f %%", 100*(v-1))
		if v == 1 {
			label = "same"
		}
		out = append(out, plot.Tick{Value: v, Label: label})
	}
	return out
}

// forest is the plotter of the rows.
type forest []ForestRow

func (rows forest) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	c.StrokeLine2(draw.LineStyle{Color: dim, Width: 1}, x(1), c.Min.Y, x(1), c.Max.Y)
	y := c.Max.Y
	for _, r := range rows {
		c.FillText(middle(style(ink, baseSize)), vg.Point{X: c.Min.X - 25, Y: y - forestLabel/2},
			shorten(style(ink, baseSize), r.Label, float64(c.Max.X-c.Min.X)+130))
		y -= forestLabel
		for _, e := range r.Effects {
			forestDot(c, x, p.X.Min, p.X.Max, y-forestRow/2, e)
			y -= forestRow
		}
		y -= 6
	}
}

func forestDot(c draw.Canvas, x func(float64) vg.Length, lo, hi float64, y vg.Length, e ForestEffect) {
	p := map[int]Paint{1: good, -1: bad, 0: dim}[e.Sign]
	clip := func(r float64) vg.Length { return x(min(max(r, lo), hi)) }
	badge(c, vg.Point{X: c.Min.X - 17, Y: y}, arms.Letter(e.Side+1), RunPaint(e.Side+1))
	if e.Lo > 0 && !math.IsInf(e.Lo, 0) && !math.IsInf(e.Hi, 0) && e.Hi > e.Lo {
		sty := draw.LineStyle{Color: p, Width: 2}
		c.StrokeLine2(sty, clip(e.Lo), y, clip(e.Hi), y)
	}
	at := clip(e.Ratio)
	var path vg.Path
	if e.Ratio < lo || e.Ratio > hi || math.IsNaN(e.Ratio) {
		d := vg.Length(6)
		if e.Ratio < lo {
			d = -d
		}
		path.Move(vg.Point{X: at + d/2, Y: y})
		path.Line(vg.Point{X: at - d/2, Y: y + 5})
		path.Line(vg.Point{X: at - d/2, Y: y - 5})
	} else {
		path.Move(vg.Point{X: at + 4.5, Y: y})
		path.Arc(vg.Point{X: at, Y: y}, 4.5, 0, 2*math.Pi)
	}
	path.Close()
	tooltip(c, arms.Letter(e.Side+1)+": "+e.Text)
	c.SetColor(p)
	c.Fill(path)
	c.FillText(middle(style(p, smallSize+0.5)), vg.Point{X: c.Max.X + 10, Y: y}, e.Text)
}
