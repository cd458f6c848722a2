package matchlab

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"harelab/engine/topic"
)

// A Chart is a drawn figure: the question it answers, and the answer.
type Chart struct {
	Name     string // of its file
	Question string
	Finding  string
	Width    vg.Length
	Height   vg.Length
	draw     func(draw.Canvas)
}

// The default strategy has a colour of its own; the others take turns. All can be
// told apart by the colour-blind (Okabe and Ito) and read on light and dark.
var (
	defaultColour = color.RGBA{0x1f, 0x83, 0xc4, 0xff}
	colours       = []color.RGBA{
		{0xd5, 0x5e, 0x00, 0xff}, {0x00, 0x9e, 0x73, 0xff}, {0xcc, 0x79, 0xa7, 0xff}, {0xc2, 0x8e, 0x00, 0xff},
		{0x9c, 0x62, 0x4f, 0xff}, {0x80, 0x80, 0x80, 0xff}, {0x9a, 0x63, 0xd1, 0xff}, {0x8a, 0x8a, 0x2a, 0xff},
	}
	ink   = color.RGBA{A: 0xff} // the page makes it light on dark
	faint = color.NRGBA{0x80, 0x80, 0x80, 0x60}
)

func (r *Results) colour(contender string) color.RGBA {
	if contender == topic.Default {
		return defaultColour
	}
	others := slices.DeleteFunc(r.Contenders(), func(c string) bool { return c == topic.Default })
	return colours[max(slices.Index(others, contender), 0)%len(colours)]
}

const textSize = 10

func textStyle(x, y float64) text.Style {
	return text.Style{
		Color: ink, XAlign: text.XAlignment(x), YAlign: text.YAlignment(y),
		Font:    font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, textSize),
		Handler: plot.DefaultTextHandler,
	}
}

// A row is a line of a dot chart.
type row struct {
	label         string
	value, lo, hi float64
	note          string
	colour        color.RGBA
}

// dots draws rows with a dot each, its interval and its value, on a logarithmic
// axis from lo to hi.
func dots(c draw.Canvas, rows []row, axis axis) {
	const left, right, rowHeight = 78, 62, 16
	plotLeft, plotRight := c.Min.X+left, c.Max.X-right
	x := func(v float64) vg.Length { return plotLeft + (plotRight-plotLeft)*vg.Length(axis.at(v)) }
	bottom := c.Max.Y - vg.Length(len(rows)*rowHeight) - 2
	for _, t := range axis.ticks() {
		c.StrokeLine2(draw.LineStyle{Color: faint, Width: 0.6}, x(t), bottom, x(t), c.Max.Y)
		c.FillText(textStyle(-0.5, -1), vg.Point{X: x(t), Y: bottom - 3}, axis.format(t))
	}
	for i, r := range rows {
		y := c.Max.Y - vg.Length(i*rowHeight) - rowHeight/2
		c.FillText(textStyle(-1, -0.5), vg.Point{X: plotLeft - 8, Y: y}, r.label)
		c.StrokeLine2(draw.LineStyle{Color: r.colour, Width: 2}, x(r.lo), y, x(r.hi), y)
		disc(c, x(r.value), y, 3.6, r.colour)
		c.FillText(textStyle(0, -0.5), vg.Point{X: max(x(r.hi), x(r.value)+4) + 5, Y: y}, r.note)
	}
}

func disc(c draw.Canvas, x, y, radius vg.Length, colour color.Color) {
	c.SetColor(colour)
	c.Fill(circle(x, y, radius))
}

func circle(x, y, radius vg.Length) (p vg.Path) {
	p.Move(vg.Point{X: x + radius, Y: y})
	p.Arc(vg.Point{X: x, Y: y}, radius, 0, 2*math.Pi)
	p.Close()
	return p
}

// An axis maps values to 0 to 1. A logarithmic one begins above zero, and what is
// below its begin is put there.
type axis struct {
	lo, hi float64
	log    bool
	marks  []float64 // ticks, if not the decades
	format func(float64) string
}

func (a axis) at(v float64) float64 {
	if a.log {
		return (math.Log(max(v, a.lo)) - math.Log(a.lo)) / (math.Log(a.hi) - math.Log(a.lo))
	}
	return (v - a.lo) / (a.hi - a.lo)
}

func (a axis) ticks() (ticks []float64) {
	if a.marks != nil {
		return a.marks
	}
	for t := math.Pow(10, math.Ceil(math.Log10(a.lo)-1e-9)); t <= a.hi*1.001; t *= 10 {
		ticks = append(ticks, t)
	}
	return ticks
}

// A line is a series of a line chart.
type line struct {
	label  string
	colour color.RGBA
	bold   bool
	points []linePoint // in order of x
}

type linePoint struct{ x, y, lo, hi float64 }

// lines draws series with their intervals, each labelled at its last point.
func lines(c draw.Canvas, all []line, xs, ys axis, xName string) {
	const left, right, bottom = 46, 84, 34
	plotLeft, plotRight, plotBottom, plotTop := c.Min.X+left, c.Max.X-right, c.Min.Y+bottom, c.Max.Y-8
	x := func(v float64) vg.Length { return plotLeft + (plotRight-plotLeft)*vg.Length(xs.at(v)) }
	y := func(v float64) vg.Length { return plotBottom + (plotTop-plotBottom)*vg.Length(ys.at(v)) }
	for _, t := range ys.ticks() {
		c.StrokeLine2(draw.LineStyle{Color: faint, Width: 0.6}, plotLeft, y(t), plotRight, y(t))
		c.FillText(textStyle(-1, -0.5), vg.Point{X: plotLeft - 6, Y: y(t)}, ys.format(t))
	}
	for _, t := range xs.ticks() {
		c.StrokeLine2(draw.LineStyle{Color: faint, Width: 0.6}, x(t), plotBottom-3, x(t), plotBottom)
		c.FillText(textStyle(-0.5, -1), vg.Point{X: x(t), Y: plotBottom - 5}, xs.format(t))
	}
	c.FillText(textStyle(-0.5, 0), vg.Point{X: (plotLeft + plotRight) / 2, Y: c.Min.Y + 2}, xName)
	var labels []vg.Length
	for _, l := range all {
		width := vg.Length(1.3)
		if l.bold {
			width = 2.4
		}
		var path []vg.Point
		for _, p := range l.points {
			path = append(path, vg.Point{X: x(p.x), Y: y(p.y)})
			c.StrokeLine2(draw.LineStyle{Color: l.colour, Width: 1}, x(p.x), y(p.lo), x(p.x), y(p.hi))
			disc(c, x(p.x), y(p.y), 2.2, l.colour)
		}
		c.StrokeLines(draw.LineStyle{Color: l.colour, Width: width}, path)
		labels = append(labels, path[len(path)-1].Y)
	}
	for i, at := range spread(labels, 12) {
		end := all[i].points[len(all[i].points)-1]
		c.StrokeLine2(draw.LineStyle{Color: all[i].colour, Width: 0.6}, x(end.x)+3, y(end.y), plotRight+8, at)
		style := textStyle(0, -0.5)
		style.Color = all[i].colour
		c.FillText(style, vg.Point{X: plotRight + 10, Y: at}, all[i].label)
	}
}

// spread moves positions apart until each is at least gap from the next.
func spread(at []vg.Length, gap vg.Length) []vg.Length {
	order := make([]int, len(at))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return int(math.Copysign(1, float64(at[a]-at[b]))) })
	out := slices.Clone(at)
	for range 100 {
		for i := 1; i < len(order); i++ {
			low, high := &out[order[i-1]], &out[order[i]]
			if d := gap - (*high - *low); d > 0 {
				*low, *high = *low-d/2, *high+d/2
			}
		}
	}
	return out
}

// SVG returns the chart for a page: no size but a viewBox, ink in the text's
// colour, coordinates rounded so that the same figures give the same bytes.
func (ch *Chart) SVG() ([]byte, error) {
	c := vgsvg.New(ch.Width, ch.Height)
	ch.draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return nil, err
	}
	s := b.String()
	s = s[strings.Index(s, "<svg"):]
	s = svgSize.ReplaceAllString(s, fmt.Sprintf(`<svg role="img" aria-label=%q viewBox=`, ch.Finding))
	s = svgNumber.ReplaceAllStringFunc(s, func(n string) string {
		v, _ := strconv.ParseFloat(n, 64)
		return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
	})
	s = strings.NewReplacer( // black is the default, and not written
		"#000000", "currentColor",
		"font-family:Liberation Sans", "fill:currentColor;font-family:Liberation Sans,Arial,Helvetica,sans-serif",
	).Replace(s)
	return []byte(s), nil
}

var (
	svgSize   = regexp.MustCompile(`<svg width="[^"]*" height="[^"]*"\s+viewBox=`)
	svgNumber = regexp.MustCompile(`\d+\.\d{3,}`)
)

// File returns the SVG as a file of its own, with a size and a ground, on light and
// dark.
func (ch *Chart) File() ([]byte, error) {
	svg, err := ch.SVG()
	if err != nil {
		return nil, err
	}
	head := fmt.Sprintf(`<svg width="%.0f" height="%.0f" `, ch.Width.Dots(96), ch.Height.Dots(96))
	svg = bytes.Replace(svg, []byte("<svg "), []byte(head), 1)
	at := bytes.IndexByte(svg, '>') + 1
	const style = `<style>svg{background:#fff;color:#1c2128}` +
		`@media (prefers-color-scheme:dark){svg{background:#12161c;color:#e6e9ee}}</style>`
	return slices.Insert(svg, at, []byte(style)...), nil
}

// PNG returns the chart on white at twice its size.
func (ch *Chart) PNG() ([]byte, error) {
	c := vgimg.NewWith(vgimg.UseWH(ch.Width, ch.Height), vgimg.UseDPI(144), vgimg.UseBackgroundColor(color.White))
	ch.draw(draw.New(c))
	var b bytes.Buffer
	_, err := vgimg.PngCanvas{Canvas: c}.WriteTo(&b)
	return b.Bytes(), err
}
