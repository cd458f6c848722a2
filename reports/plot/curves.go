package plot

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"harelab/reports/arms"
)

// A curve is one line of a chart. Its end has the arm's letter, and the label if
// there is room.
type curve struct {
	arm    *arms.Arm
	x, y   []float64
	label  string
	dashed bool // a prediction: thinner, and without a label of its own
}

// curves is the plotter of lines that have their labels beside them.
type curves struct{ lines []curve }

// Plot implements plot.Plotter.
func (cs curves) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	busy := newOccupancy(c)
	paths := make([][]vg.Point, len(cs.lines))
	for i, l := range cs.lines {
		paths[i] = thin(l, x, y)
		busy.line(paths[i])
	}
	for i, l := range cs.lines {
		sty := draw.LineStyle{Color: RunPaint(l.arm.Index), Width: 2}
		if l.dashed {
			sty = draw.LineStyle{Color: RunPaint(l.arm.Index), Width: 1, Dashes: []vg.Length{2, 2.5}}
		}
		if len(paths[i]) > 1 {
			c.StrokeLines(sty, paths[i])
		}
	}
	cs.labels(c, paths, busy)
}

// thin transforms a curve's points and drops those that are less than two thirds of a
// pixel away from the last point that it kept.
func thin(l curve, x, y func(float64) vg.Length) []vg.Point {
	var out []vg.Point
	for i := range l.x {
		pt := vg.Point{X: x(l.x[i]), Y: y(l.y[i])}
		if n := len(out); n > 0 && i < len(l.x)-1 {
			dx, dy := math.Abs(float64(pt.X-out[n-1].X)), math.Abs(float64(pt.Y-out[n-1].Y))
			if dx < 0.66 && dy < 0.66 {
				continue
			}
		}
		out = append(out, pt)
	}
	return out
}

// labels puts badges on the lines' ends, and moves them apart if they coincide. It
// writes a name beside a badge if that covers no line and no other label.
func (cs curves) labels(c draw.Canvas, paths [][]vg.Point, busy *occupancy) {
	var badges []vg.Point
	for i, l := range cs.lines {
		if l.dashed || len(paths[i]) == 0 {
			continue
		}
		at := apart(paths[i][len(paths[i])-1], badges, c.Max.X+rightMargin)
		badges = append(badges, at)
		busy.box(at.X-badgeRadius, at.Y-badgeRadius, at.X+badgeRadius, at.Y+badgeRadius)
	}
	k := 0
	for i, l := range cs.lines {
		if l.dashed || len(paths[i]) == 0 {
			continue
		}
		badge(c, badges[k], l.arm.Letter, RunPaint(l.arm.Index))
		if l.label != "" {
			busy.name(c, badges[k], l.label, RunPaint(l.arm.Index))
		}
		k++
	}
}

// apart moves a badge sideways until it covers no other badge and does not cross the
// right edge.
func apart(at vg.Point, others []vg.Point, edge vg.Length) vg.Point {
	const step = 2*badgeRadius + 1
	free := func(p vg.Point) bool {
		for _, o := range others {
			if math.Hypot(float64(p.X-o.X), float64(p.Y-o.Y)) < 2*badgeRadius {
				return false
			}
		}
		return p.X+badgeRadius <= edge
	}
	for k := range 2 * (len(others) + 1) {
		p := at
		if k%2 == 1 {
			p.X += vg.Length(k/2+1) * step
		} else {
			p.X -= vg.Length(k/2) * step
		}
		if free(p) {
			return p
		}
	}
	return at
}

// occupancy counts, for squares of 4 px of a canvas, how much is drawn on them.
type occupancy struct {
	c     draw.Canvas
	taken map[[2]int]int
}

const occupancyCell = 4

func newOccupancy(c draw.Canvas) *occupancy {
	return &occupancy{c: c, taken: make(map[[2]int]int)}
}

func (o *occupancy) cell(x, y vg.Length) [2]int {
	return [2]int{int(math.Floor(float64(x) / occupancyCell)), int(math.Floor(float64(y) / occupancyCell))}
}

func (o *occupancy) line(path []vg.Point) {
	for i := 1; i < len(path); i++ {
		a, b := path[i-1], path[i]
		n := int(math.Hypot(float64(b.X-a.X), float64(b.Y-a.Y))/occupancyCell) + 1
		for k := range n + 1 {
			t := vg.Length(k) / vg.Length(n)
			o.taken[o.cell(a.X+t*(b.X-a.X), a.Y+t*(b.Y-a.Y))]++
		}
	}
}

// box marks a box so that no label is put on it.
func (o *occupancy) box(x0, y0, x1, y1 vg.Length) {
	o.each(x0, y0, x1, y1, func(cell [2]int) { o.taken[cell] += 1000 })
}

func (o *occupancy) each(x0, y0, x1, y1 vg.Length, f func([2]int)) {
	lo, hi := o.cell(x0, y0), o.cell(x1, y1)
	for i := lo[0]; i <= hi[0]; i++ {
		for j := lo[1]; j <= hi[1]; j++ {
			f([2]int{i, j})
		}
	}
}

// cost says how much of the drawing a box would cover.
func (o *occupancy) cost(x0, y0, x1, y1 vg.Length) int {
	sum := 0
	o.each(x0, y0, x1, y1, func(cell [2]int) { sum += o.taken[cell] })
	return sum
}

// name writes a label beside a badge, in the place where it covers least. If it
// would cover another label there, or too much of the lines, it writes nothing, and
// the arm has its letter only.
func (o *occupancy) name(c draw.Canvas, at vg.Point, label string, p Paint) {
	sty := middle(style(p, smallSize+0.5))
	w := vg.Length(textWidth(sty, label))
	const h, gap = 6, badgeRadius + 5
	type place struct{ x, y vg.Length }
	var best place
	least := math.MaxInt
	for _, dy := range []vg.Length{0, -13, 13, -26, 26, -39, 39} {
		for _, x := range []vg.Length{at.X + gap, at.X - gap - w, at.X - w/2} {
			y := at.Y + dy
			if x == at.X-w/2 && dy == 0 || x < o.c.Min.X+2 || x+w > o.c.Max.X+rightMargin || y-h < o.c.Min.Y || y+h > o.c.Max.Y+h {
				continue
			}
			cost := o.cost(x-1, y-h, x+w+1, y+h) + int(math.Abs(float64(dy))/13)
			if cost < least {
				least, best = cost, place{x, y}
			}
		}
	}
	if least > 9 {
		return
	}
	c.FillText(sty, vg.Point{X: best.x, Y: best.y}, label)
	o.box(best.x, best.y-h, best.x+w, best.y+h)
}

// rightMargin is kept free beside a plot for the badges of lines that end at
// its right edge.
const rightMargin = 2*badgeRadius + 4
