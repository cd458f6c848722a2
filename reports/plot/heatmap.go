package plot

import (
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A Grid is one metric over two axes of a sweep, with a panel for each
// combination of the others.
type Grid struct {
	X, Y       string // names of the axes
	XValues    []string
	YValues    []string
	Panels     []GridPanel
	Format     func(float64) string
	HighIsGood bool // a larger value is better
}

// A GridPanel is one combination of the values of the axes other than X and Y.
// Values are by row and column, NaN where there is no cell.
type GridPanel struct {
	Title  string
	Values [][]float64
}

// MaxPanels is the largest number of panels of a grid or a line chart; panels beyond
// it are left out.
const MaxPanels = 6

const (
	gridRow   = 24
	gridTitle = 18
)

// Heatmap draws a grid of cells with their values. A worse value has a stronger
// colour; the best cells are outlined. alt is the finding.
func Heatmap(g Grid, width float64, alt string) *Figure {
	panels := g.Panels[:min(len(g.Panels), MaxPanels)]
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, p := range panels {
		for _, row := range p.Values {
			for _, v := range row {
				if !math.IsNaN(v) {
					lo, hi = min(lo, v), max(hi, v)
				}
			}
		}
	}
	if math.IsInf(lo, 0) {
		return nil
	}
	h := gridTitle + gridTitle + float64(len(g.YValues)*gridRow)
	if panels[0].Title != "" {
		h += headHeight
	}
	return &Figure{
		Width: width, Height: float64(len(panels))*(h+panelGap) - panelGap, Alt: alt,
		Note: "One cell for each combination. The worse its value, the stronger its colour; the best is outlined.",
		paint: func(c draw.Canvas) {
			for i, cell := range cells(c, len(panels), 1) {
				if panels[i].Title != "" {
					cell = heading(cell, nil, panels[i].Title)
				}
				g.panel(cell, panels[i], lo, hi)
			}
		},
	}
}

func (g Grid) panel(c draw.Canvas, p GridPanel, lo, hi float64) {
	label := 0.0
	sty := style(ink, smallSize+0.5)
	for _, v := range append([]string{g.Y}, g.YValues...) {
		label = max(label, textWidth(sty, v))
	}
	left := c.Min.X + vg.Length(min(label, float64(c.Max.X-c.Min.X)/3)) + 10
	w := (c.Max.X - left) / vg.Length(len(g.XValues))
	top := c.Max.Y - 2*gridTitle
	c.FillText(middle(style(dim, smallSize)), vg.Point{X: left, Y: c.Max.Y - gridTitle/2}, g.X)
	c.FillText(middle(style(dim, smallSize)), vg.Point{X: c.Min.X, Y: top + gridTitle/2}, g.Y)
	for i, v := range thinned(g.XValues, sty, float64(w)) {
		if len(g.XValues) <= manyValues {
			v = shorten(sty, v, float64(w)-4)
		}
		c.FillText(centre(middle(sty)), vg.Point{X: left + (vg.Length(i)+0.5)*w, Y: top + gridTitle/2}, v)
	}
	for j, v := range g.YValues {
		y := top - vg.Length(j*gridRow)
		c.FillText(middle(sty), vg.Point{X: c.Min.X, Y: y - gridRow/2}, shorten(sty, v, label+1))
		for i, value := range p.Values[j] {
			if !math.IsNaN(value) {
				g.cell(c, left+vg.Length(i)*w, y, w, value, lo, hi)
			}
		}
	}
}

// logFrom is the ratio of largest to least value beyond which scales are
// logarithmic: on a linear scale only the largest values could be told apart.
const logFrom = 8

// cell draws one value. Its colour goes by the value, or by the logarithm if values
// differ by more than logFrom, as waits do.
func (g Grid) cell(c draw.Canvas, x, y, w vg.Length, v, lo, hi float64) {
	share := 0.0
	switch {
	case hi <= lo:
	case lo > 0 && hi/lo > logFrom:
		share = math.Log(v/lo) / math.Log(hi/lo)
	default:
		share = (v - lo) / (hi - lo)
	}
	best := v == lo
	if g.HighIsGood {
		share, best = 1-share, v == hi
	}
	c.SetColor(tint{classPaints[0], 0.04 + 0.56*share})
	c.Fill(rectPath(nil, x+1, y-gridRow+1, x+w-1, y-1))
	if best {
		c.SetLineStyle(draw.LineStyle{Color: ink, Width: 2})
		c.Stroke(rectPath(nil, x+2, y-gridRow+2, x+w-2, y-2))
	}
	sty := style(ink, smallSize)
	if t := g.Format(v); textWidth(sty, t) < float64(w)-4 {
		c.FillText(centre(middle(sty)), vg.Point{X: x + w/2, Y: y - gridRow/2}, t)
	}
}
