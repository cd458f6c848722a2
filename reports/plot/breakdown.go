package plot

import (
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"harelab/reports/arms"
	"harelab/reports/judge"
	"harelab/reports/stat"
)

func init() {
	register(Chart{Name: "breakdown", Title: "Where the time goes", Order: 40, Asked: "wait-parts", Draw: breakdown, Nothing: "there is only the work itself"})
}

const (
	barHeight   = 16
	thinBar     = 5 // height of a prediction
	barRow      = 40
	keyHeight   = 18
	maxBarClass = 3
)

// A part is one piece of a message's mean time.
type part struct {
	name  string
	paint Paint
	hatch bool
	share float64 // opacity of the paint, 0 for a solid one
	value float64 // s
}

// A bar is the mean time of a class's messages in one arm.
type bar struct {
	arm              *arms.Arm
	measured, expect []part // expect is the prediction, nil without one
}

func breakdown(in *arms.Set, width float64) *Figure {
	classes := in.Classes()
	if len(classes) > maxBarClass {
		classes = classes[:maxBarClass]
	}
	var panels [][]bar
	var titles []string
	keys, waits := key{}, false
	for _, class := range classes {
		var bars []bar
		for _, a := range in.Arms {
			b := bar{arm: a, measured: armParts(a, class)}
			if b.measured == nil || total(b.measured) <= 0 {
				continue
			}
			waits = waits || b.measured[len(b.measured)-1].value < 0.99*total(b.measured)
			keys = keys.join(b.measured)
			if a.Predicted != nil {
				b.expect = parts(a.Predicted.Summary.Class(class))
			}
			bars = append(bars, b)
		}
		if len(bars) > 0 {
			panels = append(panels, bars)
			titles = append(titles, class+", mean time from intended to done")
		}
	}
	if !waits {
		return nil
	}
	keyRows := float64(keys.rows(width) * keyHeight)
	height := keyRows
	for _, bars := range panels {
		height += headHeight + float64(len(bars)*barRow) + axisHeight + panelGap
	}
	note := "What helps: more capacity or another dispatch strategy against time in the queue, a smaller prefetch against held time, faster work against service time."
	if in.Predicts() {
		note += " The thin bar is the prediction."
	}
	return &Figure{
		Width: width, Height: height - panelGap, Note: note, Alt: breakdownFinding(in),
		paint: func(c draw.Canvas) {
			keys.draw(c)
			top := c.Max.Y - vg.Length(keyRows)
			for i, bars := range panels {
				cell := c
				cell.Max.Y = top
				cell.Min.Y = top - headHeight - vg.Length(len(bars)*barRow) - axisHeight
				top = cell.Min.Y - panelGap
				barPanel(cell, titles[i], bars)
			}
		},
	}
}

// parts splits a class's mean sojourn. Time before the worker is split only if the
// broker shows it.
func parts(c *stat.Class) []part {
	if c == nil || c.N == 0 || c.Parts == nil {
		return nil
	}
	return []part{
		{name: "late: not sent yet", paint: latePaint, value: c.Parts.Late},
		{name: "queue and network, not split", paint: queuedPaint, hatch: true, value: c.Parts.Before},
		{name: "in earlier deliveries", paint: earlierPaint, value: c.Parts.Earlier},
		{name: "in the queue", paint: queuedPaint, value: c.Parts.Queued},
		{name: "on the wire", paint: wirePaint, value: c.Parts.Wire},
		{name: "held by a worker, not started", paint: heldPaint, value: c.Parts.Held},
		{name: "being worked on", paint: servicePaint, value: c.Parts.Service},
	}
}

// armParts returns the parts of an arm: the median of each over the repeats.
func armParts(a *arms.Arm, class string) []part {
	var out []part
	values := make(map[string][]float64)
	for _, r := range a.Runs {
		ps := parts(r.Summary.Class(class))
		for _, p := range ps {
			values[p.name] = append(values[p.name], p.value)
		}
		if out == nil {
			out = ps
		}
	}
	for i := range out {
		out[i].value = judge.Median(values[out[i].name]).Center
	}
	return out
}

// A key explains the colours of a chart: a swatch and a name for each part, in as
// many rows as the names need.
type key []part

// namedShare is the share of a bar from which a part is wide enough to be named.
const namedShare = 0.005

// join returns the key with the parts that can be seen in a bar, in the bar's order.
func (k key) join(bar []part) key {
	var out key
	for _, p := range bar {
		has := slices.ContainsFunc(k, func(o part) bool { return o.name == p.name })
		if has || p.value >= namedShare*total(bar) && p.value > 0 {
			out = append(out, p)
		}
	}
	return out
}

// each calls f with the place of each part and returns the number of rows.
func (k key) each(width float64, f func(p part, x float64, row int)) int {
	x, row := 0.0, 0
	for _, p := range k {
		w := 14 + textWidth(style(dim, smallSize+0.5), p.name)
		if x > 0 && x+w > width {
			x = 0
			row++
		}
		f(p, x, row)
		x += w + 12
	}
	return row + 1
}

// height is the height of the key in px, 0 for an empty one.
func (k key) height(width float64) float64 {
	if len(k) == 0 {
		return 0
	}
	return float64(k.rows(width) * keyHeight)
}

func (k key) rows(width float64) int { return k.each(width, func(part, float64, int) {}) }

func (k key) draw(c draw.Canvas) {
	k.each(float64(c.Max.X-c.Min.X), func(p part, dx float64, row int) {
		x, y := c.Min.X+vg.Length(dx), c.Max.Y-8-vg.Length(row*keyHeight)
		segment(c, p, x, y-5, x+10, y+5)
		c.FillText(middle(style(dim, smallSize+0.5)), vg.Point{X: x + 14, Y: y}, p.name)
	})
}

func barPanel(c draw.Canvas, title string, bars []bar) {
	c = heading(c, nil, title)
	most := 0.0
	for _, b := range bars {
		most = max(most, total(b.measured), total(b.expect))
	}
	w := float64(c.Max.X - c.Min.X)
	ticks := int(w / 60)
	room := w - 22 - textWidth(style(ink, baseSize), "88.88 s") - 8 // left of the sums at the bars' ends
	p := frame(max(timeMax(most*1.05, ticks), most*(w-22)/room), 1, secondTicks(ticks, most), plot.ConstantTicks(nil))
	p.HideY()
	p.Add(barRows(bars))
	p.Draw(draw.Crop(c, 10, -12, 0, 0))
}

func total(ps []part) float64 {
	sum := 0.0
	for _, p := range ps {
		sum += p.value
	}
	return sum
}

// barRows is the plotter of stacked bars, each below the name of its arm.
type barRows []bar

func (bs barRows) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	for i, b := range bs {
		y := c.Max.Y - vg.Length(i*barRow) - 8
		badge(c, vg.Point{X: c.Min.X + badgeRadius, Y: y}, b.arm.Letter, RunPaint(b.arm.Index))
		c.FillText(middle(style(ink, baseSize)), vg.Point{X: c.Min.X + 2*badgeRadius + 5, Y: y}, b.arm.Label)
		stack(c, x, b.measured, y-9-barHeight, y-9)
		end := x(total(b.measured))
		if b.expect != nil {
			stack(c, x, b.expect, y-9-barHeight-1-thinBar, y-9-barHeight-1)
			end = max(end, x(total(b.expect)))
		}
		c.FillText(middle(style(ink, baseSize)), vg.Point{X: end + 5, Y: y - 9 - barHeight/2}, stat.Seconds(total(b.measured)))
	}
}

func stack(c draw.Canvas, x func(float64) vg.Length, ps []part, y0, y1 vg.Length) {
	at := 0.0
	for _, p := range ps {
		x0, x1 := x(at), x(at+p.value)
		at += p.value
		if x1-x0 < 0.05 {
			continue
		}
		segment(c, p, x0, y0, x1, y1)
		hover(c, x0, y0, x1, y1, p.name+": "+stat.Seconds(p.value))
		label := style(labelOn(p.paint), smallSize)
		if p.share > 0 {
			label = style(ink, smallSize)
		}
		if t := stat.Brief(p.value); y1-y0 >= barHeight && textWidth(label, t)+8 < float64(x1-x0) {
			c.FillText(middle(label), vg.Point{X: x0 + 4, Y: (y0 + y1) / 2}, t)
		}
	}
}

// segment draws one part; a part that is not split is hatched.
func segment(c draw.Canvas, p part, x0, y0, x1, y1 vg.Length) {
	if p.share > 0 {
		c.SetColor(tint{p.paint, p.share})
		c.Fill(rectPath(nil, x0, y0, x1, y1))
		return
	}
	fillRect(c, p.paint, x0, y0, x1, y1, "")
	if !p.hatch {
		return
	}
	h := y1 - y0
	var lines [][]vg.Point
	for x := x0 - h + 3; x < x1; x += 5 {
		a, b := vg.Point{X: x, Y: y0}, vg.Point{X: x + h, Y: y1}
		if a.X < x0 {
			a = vg.Point{X: x0, Y: y0 + x0 - x}
		}
		if b.X > x1 {
			b = vg.Point{X: x1, Y: y1 - (x + h - x1)}
		}
		lines = append(lines, []vg.Point{a, b})
	}
	c.StrokeLines(draw.LineStyle{Color: ground, Width: 1.2}, lines...)
}

// breakdownFinding names the largest part of each arm, of the first class that was finished
// in one.
func breakdownFinding(in *arms.Set) string {
	for _, class := range in.Classes() {
		found := false
		s := list("Largest part of the mean time of "+class, in, func(a *arms.Arm) (string, bool) {
			ps := armParts(a, class)
			if ps == nil {
				return "", false
			}
			found = true
			largest := ps[0]
			for _, p := range ps {
				if p.value > largest.value {
					largest = p
				}
			}
			return largest.name + " (" + stat.Brief(largest.value) + " of " + stat.Brief(total(ps)) + ")", true
		})
		if found {
			return s
		}
	}
	return ""
}
