package plot

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A Dot is one cell of a sweep. A larger X is better, and a smaller Y.
type Dot struct {
	Label string
	X, Y  float64
}

// sameX is the share by which throughputs may differ and still count as the same: a
// run ends a little earlier or later with every setting.
const sameX = 0.01

// Front returns the indexes of the dots that no other dot beats, from left to right.
// A dot beats another if its Y is smaller and its X is larger or the same within
// sameX. Of equal dots Front returns the first.
func Front(dots []Dot) []int {
	order := make([]int, len(dots))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(dots[b].X, dots[a].X) })
	var front []int
	least, next, last := math.Inf(1), 0, math.Inf(1)
	for _, i := range order {
		for ; next < len(order) && dots[order[next]].X >= dots[i].X*(1-sameX); next++ {
			least = min(least, dots[order[next]].Y)
		}
		if dots[i].Y <= least && dots[i].Y < last {
			front, last = append(front, i), dots[i].Y
		}
	}
	slices.Reverse(front)
	return front
}

// Pareto draws dots, and joins and names those of the front; each of the others is
// beaten by a dot of the front. It returns nil if the dots hardly differ in one figure.
func Pareto(dots []Dot, xName, yName string, xFormat, yFormat func(float64) string, width float64, alt string) *Figure {
	if len(dots) < 2 {
		return nil
	}
	least, most := math.Inf(1), math.Inf(-1)
	for _, d := range dots {
		least, most = min(least, d.X), max(most, d.X)
	}
	if most-least <= sameX*most || !slices.ContainsFunc(dots, func(d Dot) bool { return d.Y != dots[0].Y }) {
		return nil // all are the same in one figure: there is nothing to trade
	}
	xmax, ymax, xmin, ymin := 0.0, 0.0, math.Inf(1), math.Inf(1)
	for _, d := range dots {
		xmax, ymax, xmin, ymin = max(xmax, d.X), max(ymax, d.Y), min(xmin, d.X), min(ymin, d.Y)
	}
	if xmin > 0.7*xmax { // the axis spans a tenth of xmax at least, so that a small difference looks small
		xmin = min(xmin-(xmax-xmin)*0.3, xmax*0.9)
	} else {
		xmin = 0
	}
	logarithmic := ymin > 0 && ymax/ymin > logFrom
	if logarithmic {
		yName += ", logarithmic"
	}
	return &Figure{
		Width: width, Height: panelHeight + 90, Alt: alt,
		Note: "One dot for each cell: further right is more throughput, further down is less wait. Named are the cells that no other cell beats in both.",
		paint: func(c draw.Canvas) {
			c.FillText(style(dim, smallSize), vg.Point{X: c.Min.X, Y: c.Max.Y - smallSize}, yName)
			c.FillText(right(style(dim, smallSize)), vg.Point{X: c.Max.X - rightMargin, Y: c.Min.Y + 2}, xName)
			ticks := int(float64(c.Max.X-c.Min.X) / 70)
			top, rows := axis(ymax, 5, yFormat)
			p := frame(xmax+(xmax-xmin)*0.04, top, steps{n: ticks, format: xFormat}, rows)
			p.X.Min = xmin
			if logarithmic {
				logAxis(&p.Y, ymin, ymax, 9, yFormat)
			}
			p.Add(pareto{dots, xFormat, yFormat})
			p.Draw(draw.Crop(c, 0, -rightMargin-14, 14, -smallSize-8))
		},
	}
}

// pareto is the plotter of dots and front.
type pareto struct {
	dots             []Dot
	xFormat, yFormat func(float64) string
}

func (f pareto) Plot(c draw.Canvas, p *plot.Plot) {
	ds := f.dots
	x, y := p.Transforms(&c)
	busy := newOccupancy(c)
	at := func(i int) vg.Point { return vg.Point{X: x(ds[i].X), Y: y(ds[i].Y)} }
	dot := func(i int, r vg.Length) {
		var path vg.Path
		pt := at(i)
		path.Move(vg.Point{X: pt.X + r, Y: pt.Y})
		path.Arc(pt, r, 0, 2*math.Pi)
		path.Close()
		tooltip(c, fmt.Sprintf("%s: %s, %s", ds[i].Label, f.xFormat(ds[i].X), f.yFormat(ds[i].Y)))
		c.Fill(path)
	}
	c.SetColor(tint{dim, 0.5})
	for i := range ds {
		dot(i, 3)
		pt := at(i)
		busy.box(pt.X-3, pt.Y-3, pt.X+3, pt.Y+3)
	}
	front := Front(ds)
	line := make([]vg.Point, len(front))
	for k, i := range front {
		line[k] = at(i)
	}
	if len(line) > 1 {
		c.StrokeLines(draw.LineStyle{Color: runPaints[2], Width: 1.5}, line)
	}
	busy.line(line)
	for _, i := range front {
		c.SetColor(runPaints[2])
		dot(i, 4.5)
	}
	for _, i := range front {
		busy.name(c, at(i), ds[i].Label, runPaints[2])
	}
}
