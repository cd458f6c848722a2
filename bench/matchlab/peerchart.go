package matchlab

import (
	"fmt"
	"image/color"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"harelab/engine/topic"
)

// PeerChart returns a chart of our contenders' and the peers' times relative to
// the best peer's, a row for each workload that a peer can express whole.
func PeerChart(ms []Measurement, ours, peers []string) *Chart {
	r := &Results{Matches: ms}
	var rows []peerRow
	for _, w := range r.Workloads() {
		if best := r.bestOf(peers, w); best != nil {
			rows = append(rows, r.peerRow(w, best, ours, peers))
		}
	}
	finding := ""
	for _, row := range rows {
		finding += row.doc + ": " + row.finding + ". "
	}
	marks := peerMarks(ours, peers)
	return &Chart{
		Name:     "match",
		Question: "How long does a match take, compared to the best peer's?",
		Finding:  finding,
		Width:    540, Height: vg.Length(len(rows)*peerRowHeight) + peerTop + peerBottom,
		draw: func(c draw.Canvas) { drawPeers(c, rows, marks) },
	}
}

// bestOf returns the fastest of some contenders on a workload, of those that can
// express all of it.
func (r *Results) bestOf(contenders []string, workload string) (best *Measurement) {
	for _, c := range contenders {
		m := r.Of(c, workload)
		if m != nil && m.LeftOut == 0 && (best == nil || Median(m.CPU) < Median(best.CPU)) {
			best = m
		}
	}
	return best
}

// A peerRow is a workload and everybody's times on it, the best peer's being 1.
type peerRow struct {
	doc     string
	finding string
	dots    []row // by contender
}

func (r *Results) peerRow(name string, best *Measurement, ours, peers []string) peerRow {
	p := peerRow{doc: fmt.Sprintf("%s: %s bindings", name, groupThousands(best.Bindings))}
	our := r.bestOf(ours, name)
	if m := r.Of(topic.Default, name); m != nil && Median(our.CPU) > worthwhile*Median(m.CPU) {
		our = m // no other is worth naming
	}
	p.finding = fmt.Sprintf("%s %s, best peer %s %s", our.Contender, FormatNanos(Median(our.CPU)), best.Contender, FormatNanos(Median(best.CPU)))
	for _, c := range append(slices.Clone(ours), peers...) {
		m := r.Of(c, name)
		if m == nil || 100*m.LeftOut > m.Bindings {
			continue
		}
		var ratios []float64
		for i := range m.CPU {
			ratios = append(ratios, m.CPU[i]/best.CPU[i])
		}
		s := summary(ratios)
		p.dots = append(p.dots, row{label: c, value: s.Center, lo: s.Lo, hi: s.Hi})
	}
	return p
}

// A peerMark is how a contender is drawn: ours as discs, peers as rings. The default
// is a little above the middle and what is around it a little below, since they are
// often as fast.
type peerMark struct {
	label  string
	colour color.RGBA
	ours   bool
	above  vg.Length
}

func peerMarks(ours, peers []string) (marks []peerMark) {
	for i, c := range append(slices.Clone(ours), peers...) {
		m := peerMark{label: c, colour: colours[i%len(colours)], ours: i < len(ours)}
		switch {
		case c == topic.Default:
			m.colour, m.above = defaultColour, peerApart
		case strings.Contains(c, "("+topic.Default+")"):
			m.above = -peerApart
		}
		marks = append(marks, m)
	}
	return marks
}

func (m peerMark) draw(c draw.Canvas, x, y vg.Length) {
	if m.ours {
		disc(c, x, y, 4.5, m.colour)
		return
	}
	c.SetColor(m.colour)
	c.SetLineWidth(1.8)
	c.Stroke(circle(x, y, 3.8))
}

const (
	peerTop       = 26 // legend
	peerText      = 18 // of a row, above
	peerBand      = 20 // its dots
	peerApart     = 4
	peerRowHeight = peerText + peerBand + 4
	peerBottom    = 34 // axis
)

func drawPeers(c draw.Canvas, rows []peerRow, marks []peerMark) {
	var values []float64
	for _, r := range rows {
		for _, d := range r.dots {
			values = append(values, d.lo, d.hi)
		}
	}
	scale := axis{lo: min(0.1, slices.Min(values)), hi: max(10, slices.Max(values)), log: true}
	left, right := c.Min.X+10, c.Max.X-14
	x := func(v float64) vg.Length { return left + (right-left)*vg.Length(scale.at(v)) }
	top, bottom := c.Max.Y-peerTop, c.Min.Y+peerBottom
	for _, t := range []float64{0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500} {
		if t > scale.hi {
			break
		}
		style := draw.LineStyle{Color: faint, Width: 0.6}
		if t == 1 {
			style = draw.LineStyle{Color: color.NRGBA{0x80, 0x80, 0x80, 0xff}, Width: 1.4}
		}
		for i := range rows { // not through text
			y := top - vg.Length(i*peerRowHeight) - peerText - peerBand/2
			c.StrokeLine2(style, x(t), y-peerBand/2, x(t), y+peerBand/2)
		}
		c.FillText(textStyle(-0.5, -1), vg.Point{X: x(t), Y: bottom - 3}, fmt.Sprintf("%g", t))
	}
	c.FillText(textStyle(-0.5, 0), vg.Point{X: (left + right) / 2, Y: c.Min.Y + 3},
		"times the best peer's processor time a match (logarithmic; left is faster)")
	at := left
	for _, m := range marks {
		m.draw(c, at+5, c.Max.Y-8)
		style := textStyle(0, -0.5)
		c.FillText(style, vg.Point{X: at + 13, Y: c.Max.Y - 8}, m.label)
		at += 13 + style.Width(m.label) + 16
	}
	for i, r := range rows {
		y := top - vg.Length(i*peerRowHeight) - peerText/2
		c.FillText(textStyle(0, -0.5), vg.Point{X: left, Y: y}, r.doc)
		c.FillText(textStyle(-1, -0.5), vg.Point{X: right, Y: y}, r.finding)
		y -= peerText/2 + peerBand/2
		for _, m := range marks {
			for _, d := range r.dots {
				if d.label == m.label {
					c.StrokeLine2(draw.LineStyle{Color: m.colour, Width: 2}, x(d.lo), y+m.above, x(d.hi), y+m.above)
					m.draw(c, x(d.value), y+m.above)
				}
			}
		}
	}
}
