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
	tip    string // tooltip of the end
	dashed bool   // a prediction: thinner, and without a label of its own
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
			tooltip(c, l.tip)
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

// labels puts badges on the lines' ends. Where badges would cover each other, they
// move up or down and a short line leads to the end: along the axis of time they stay
// where the line ends. It writes a name beside a badge if that covers no line and no
// other label.
func (cs curves) labels(c draw.Canvas, paths [][]vg.Point, busy *occupancy) {
	type end struct {
		line      *curve
		at, badge vg.Point
	}
	var ends []end
	var badges []vg.Point
	for i := range cs.lines {
		l := &cs.lines[i]
		if l.dashed || len(paths[i]) == 0 {
			continue
		}
		at := paths[i][len(paths[i])-1]
		to := apart(at, badges, c.Min.Y, c.Max.Y)
		badges = append(badges, to)
		ends = append(ends, end{l, at, to})
		busy.box(to.X-badgeRadius, to.Y-badgeRadius, to.X+badgeRadius, to.Y+badgeRadius)
	}
	for _, e := range ends { // leaders below the badges
		if e.at != e.badge {
			c.StrokeLine2(draw.LineStyle{Color: RunPaint(e.line.arm.Index), Width: 1}, e.at.X, e.at.Y, e.badge.X, e.badge.Y)
			disc(c, RunPaint(e.line.arm.Index), e.at, 2.5)
		}
	}
	for _, e := range ends {
		tooltip(c, e.line.tip)
		badge(c, e.badge, e.line.arm.Letter, RunPaint(e.line.arm.Index))
		if e.line.label != "" {
			busy.name(c, e.badge, e.line.label, RunPaint(e.line.arm.Index))
		}
	}
}

// apart moves a badge down or up until it covers no other badge. It leaves the badge
// where it is if there is no such place between low and high.
func apart(at vg.Point, others []vg.Point, low, high vg.Length) vg.Point {
	const step = 2*badgeRadius + 1
	free := func(p vg.Point) bool {
		for _, o := range others {
			if math.Hypot(float64(p.X-o.X), float64(p.Y-o.Y)) < 2*badgeRadius {
				return false
			}
		}
		return p.Y >= low+badgeRadius && p.Y <= high+badgeRadius || p == at
	}
	for k := range 4 * (len(others) + 1) {
		p := at
		if k%2 == 1 {
			p.Y -= vg.Length(k/2+1) * step / 2
		} else {
			p.Y += vg.Length(k/2) * step / 2
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
