package plot

import (
	"fmt"
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
// It returns nil if all values are the same.
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
	if lo == hi {
		return nil // all cells are the same
	}
	g.XValues, g.YValues = valueNames(g.X, g.XValues), valueNames(g.Y, g.YValues)
	bands := g.bands(width, panels)
	h := float64(len(bands)) * g.bandHeight()
	if panels[0].Title != "" {
		h += headHeight
	}
	note := "One cell for each combination. The worse its value, the stronger its colour; the best is outlined."
	if len(bands) > 1 {
		note += fmt.Sprintf(" The columns are in %d rows.", len(bands))
	}
	return &Figure{
		Width: width, Height: float64(len(panels))*(h+panelGap) - panelGap, Alt: alt, Note: note,
		paint: func(c draw.Canvas) {
			for i, cell := range cells(c, len(panels), 1) {
				if panels[i].Title != "" {
					cell = heading(cell, nil, panels[i].Title)
				}
				for _, b := range bands {
					g.band(cell, panels[i], b, lo, hi)
					cell.Max.Y -= vg.Length(g.bandHeight())
				}
			}
		},
	}
}

// A band is a part of the columns, drawn side by side.
type band struct {
	from, to int     // columns
	width    float64 // px of a column
}

// bandHeight is the height of one band of a panel in px.
func (g Grid) bandHeight() float64 {
	return gridTitle + gridTitle + float64(len(g.YValues)*gridRow)
}

// left is the width of the names of the rows in px.
func (g Grid) left(width float64) float64 {
	label := 0.0
	for _, v := range append([]string{g.Y}, g.YValues...) {
		label = max(label, textWidth(style(ink, smallSize+0.5), v))
	}
	return min(label, width/3) + 10
}

// bands divides the columns so that every value has room. A grid of many columns has
// one band: its colours show the shape, and its tooltips the values.
func (g Grid) bands(width float64, panels []GridPanel) []band {
	room, need, n := width-g.left(width), 0.0, len(g.XValues)
	for _, p := range panels {
		for _, row := range p.Values {
			for _, v := range row {
				if !math.IsNaN(v) {
					need = max(need, textWidth(style(ink, smallSize), g.Format(v))+6)
				}
			}
		}
	}
	for _, v := range g.XValues {
		need = max(need, min(textWidth(style(ink, smallSize+0.5), v)+4, room/3))
	}
	each := max(int(room/need), 1)
	if each >= n || n > manyColumns {
		return []band{{0, n, room / float64(n)}}
	}
	rows := (n + each - 1) / each
	each = (n + rows - 1) / rows // of about the same length
	var out []band
	for from := 0; from < n; from += each {
		out = append(out, band{from, min(from+each, n), room / float64(each)})
	}
	return out
}

// manyColumns is the largest number of columns that are divided into bands.
const manyColumns = 20

// band draws a band at the top of a canvas.
func (g Grid) band(c draw.Canvas, p GridPanel, b band, lo, hi float64) {
	sty := style(ink, smallSize+0.5)
	room := g.left(float64(c.Max.X - c.Min.X))
	left, w := c.Min.X+vg.Length(room), vg.Length(b.width)
	top := c.Max.Y - 2*gridTitle
	title := style(dim, smallSize)
	c.FillText(middle(title), vg.Point{X: left, Y: c.Max.Y - gridTitle/2}, shorten(title, g.X, float64(c.Max.X-left)))
	c.FillText(middle(title), vg.Point{X: c.Min.X, Y: top + gridTitle/2}, shorten(title, g.Y, room-8))
	for i, v := range thinned(g.XValues[b.from:b.to], sty, float64(w)) {
		if len(g.XValues) <= manyColumns {
			v = shorten(sty, v, float64(w)-4)
		}
		c.FillText(centre(middle(sty)), vg.Point{X: left + (vg.Length(i)+0.5)*w, Y: top + gridTitle/2}, v)
	}
	for j, v := range g.YValues {
		y := top - vg.Length(j*gridRow)
		c.FillText(middle(sty), vg.Point{X: c.Min.X, Y: y - gridRow/2}, shorten(sty, v, room-8))
		for i, value := range p.Values[j][b.from:b.to] {
			if !math.IsNaN(value) {
				tooltip(c, fmt.Sprintf("%s %s, %s %s: %s", g.X, g.XValues[b.from+i], g.Y, g.YValues[j], g.Format(value)))
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
	c.SetColor(tint{heat, 0.04 + 0.56*share})
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
