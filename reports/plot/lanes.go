package plot

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/stat"
)

func init() {
	register(Chart{Name: "lanes", Title: "Who worked on what, when", Order: 10, Draw: lanes, Nothing: "hardly any work was done", OneRun: true})
}

const (
	laneHeight = 15
	laneGap    = 4
	markHeight = 16 // of the line that marks starvation
	nameMargin = 10 // around the name in a block

	// Shares of slot time; with less in all runs, lanes would look empty.
	leastBusy  = 0.005 // as blocks
	leastShare = 0.05  // as shares of each pixel

	maxBlocks = 3000 // with more blocks, lanes show the busy share of each pixel
	maxTips   = 1000 // with more blocks, these have no tooltips, which would be most of the page
	maxLanes  = 32   // with more slots, a lane is a worker; workers beyond so many are left out
)

// A lane is one row: a slot, or a whole worker.
type lane struct {
	label        string
	worker, slot int32 // a negative slot means all slots of the worker
	slots        int   // number of slots in the lane
}

// A lanePanel is the lanes of one run.
type lanePanel struct {
	arm   *arms.Arm
	run   *arms.Run
	title string
	about string // the title of the arm's scenario or variant, if it tells arms apart
	lanes []lane
	more  int // number of workers left out
}

func lanes(in *arms.Set, width float64) *Figure {
	var panels []lanePanel
	blocks := 0
	telling := slices.ContainsFunc(in.Arms, func(a *arms.Arm) bool {
		return a.First().Summary.Title != in.Arms[0].First().Summary.Title
	})
	for _, a := range in.Arms {
		if a.Predicted != nil && width >= Wide {
			panels = append(panels, newLanePanel(a, a.Predicted, a.Label+", predicted"))
			panels = append(panels, newLanePanel(a, a.First(), "measured"))
			continue
		}
		panels = append(panels, newLanePanel(a, a.First(), a.Label))
		if telling {
			panels[len(panels)-1].about = a.First().Summary.Title
		}
	}
	rows, busiest, end := 0, 0.0, length(in)
	for _, p := range panels {
		blocks += len(p.run.Result.Spans)
		rows += len(p.lanes)
		busiest = max(busiest, busyShare(p.run.Result, end))
	}
	if rows == 0 || busiest < leastBusy || blocks > maxBlocks && busiest < leastShare {
		return nil
	}
	cols := 1
	if in.Predicts() && width >= Wide {
		cols = 2
	}
	note := laneNote(in, blocks > maxBlocks)
	if cols == 2 {
		note += " Left: predicted in virtual time. Right: measured."
	}
	draws := laneDrawing{in: in, shares: blocks > maxBlocks, tips: blocks <= maxTips && width >= Wide, end: end, colours: classColours(in), column: float64(min(1+rows/16, 3))}
	grid := layLanes(panels, cols, width, draws)
	keys := grid.key(width)
	keys = append(keys, shadeKey(in, end)...)
	top := keys.height(width)
	return &Figure{Width: width, Height: grid.height + top, Note: note, Alt: laneFinding(in), paint: func(c draw.Canvas) {
		keys.draw(c)
		grid.paint(draw.Crop(c, 0, 0, 0, -vg.Length(top)))
	}}
}

// busyShare returns the share of all slots' time up to end, in seconds, in which they
// worked.
func busyShare(r *run.Result, end float64) float64 {
	slots, busy := 0, 0.0
	for _, w := range r.Workers {
		slots += w.Slots
	}
	for _, s := range r.Spans {
		busy += seconds(s.End - s.Start)
	}
	return busy / (end * float64(max(slots, 1)))
}

func newLanePanel(a *arms.Arm, r *arms.Run, title string) lanePanel {
	p := lanePanel{arm: a, run: r, title: title}
	slots := 0
	for _, w := range r.Result.Workers {
		slots += w.Slots
	}
	for i, w := range r.Result.Workers {
		if slots > maxLanes {
			if i >= maxLanes {
				p.more++
				continue
			}
			p.lanes = append(p.lanes, lane{w.Name, int32(i), -1, max(w.Slots, 1)})
			continue
		}
		for s := range w.Slots {
			label := w.Name
			if w.Slots > 1 {
				label = fmt.Sprintf("%s·%d", w.Name, s+1)
			}
			p.lanes = append(p.lanes, lane{label, int32(i), int32(s), 1})
		}
	}
	return p
}

// A laneGrid places panels in columns. A row of panels is as high as its highest
// panel.
type laneGrid struct {
	panels []lanePanel
	cols   int
	height float64
	rows   []float64
	label  float64 // width of the lanes' names
	line   float64 // height of the line below titles for what the arms are about, 0 if there is room beside them
	draws  laneDrawing
}

func layLanes(panels []lanePanel, cols int, width float64, d laneDrawing) *laneGrid {
	g := &laneGrid{panels: panels, cols: cols, draws: d}
	for _, p := range panels {
		if room := width/float64(cols) - panelGap - besideTitle(p.title); p.about != "" && textWidth(style(dim, baseSize), p.about) > room {
			g.line = aboutLine
		}
	}
	for i, p := range panels {
		h := headHeight + g.line + markHeight + float64(len(p.lanes))*(laneHeight+laneGap) + axisHeight
		if p.more > 0 {
			h += laneHeight
		}
		if i%cols == 0 {
			g.rows = append(g.rows, 0)
		}
		row := &g.rows[len(g.rows)-1]
		*row = max(*row, h)
		for _, l := range p.lanes {
			g.label = max(g.label, textWidth(style(ink, baseSize), l.label)+8)
		}
	}
	g.label = min(g.label, width/float64(cols)/3)
	for _, h := range g.rows {
		g.height += h + panelGap
	}
	g.height -= panelGap
	return g
}

func (g *laneGrid) paint(c draw.Canvas) {
	gap := vg.Length(panelGap)
	w := (c.Max.X - c.Min.X - vg.Length(g.cols-1)*gap) / vg.Length(g.cols)
	top := c.Max.Y
	for i, p := range g.panels {
		row := vg.Length(g.rows[i/g.cols])
		cell := c
		cell.Min.X = c.Min.X + vg.Length(i%g.cols)*(w+gap)
		cell.Max.X = cell.Min.X + w
		cell.Max.Y = top
		cell.Min.Y = top - row
		g.draws.panel(cell, p, vg.Length(g.label), vg.Length(g.line))
		if i%g.cols == g.cols-1 {
			top -= row + gap
		}
	}
}

// key explains the colours of classes. It is empty if each class has a block with
// room for its name, or if there are more classes than colours.
func (g *laneGrid) key(width float64) key {
	names := g.draws.in.Classes()
	if len(names) < 2 || len(names) > len(classPaints)-1 {
		return nil
	}
	perSecond := (width/float64(g.cols) - g.label - 12) / g.draws.end
	named := make(map[string]bool)
	for _, p := range g.panels {
		if g.draws.shares || len(p.lanes) > 0 && p.lanes[0].slot < 0 {
			continue // shares have no names
		}
		for _, s := range p.run.Result.Spans {
			name := className(p.run.Result, s.Class)
			if !named[name] && textWidth(style(onFill, smallSize), name)+nameMargin < perSecond*seconds(s.End-s.Start) {
				named[name] = true
			}
		}
	}
	if len(named) == len(names) {
		return nil
	}
	var k key
	for _, name := range names {
		k = append(k, part{name: name, paint: g.draws.colours[name]})
	}
	return k
}

// laneDrawing is what all panels of a chart have in common.
type laneDrawing struct {
	in           *arms.Set
	shares, tips bool             // lanes show busy shares; blocks have tooltips
	end          float64          // s, the end of the time axis
	colours      map[string]Paint // of classes
	column       float64          // px, the width of a column of busy shares
}

// aboutLine is the height of a line below a panel's title, in px.
const aboutLine = 15

// besideTitle is the width that a panel's badge and title take, with a gap after them.
func besideTitle(title string) float64 {
	return 2*badgeRadius + 5 + textWidth(bold(ink, headSize), title) + 10
}

func (d laneDrawing) panel(c draw.Canvas, p lanePanel, label, line vg.Length) {
	at := vg.Point{X: c.Min.X + vg.Length(besideTitle(p.title)), Y: c.Max.Y - badgeRadius - 1}
	if line > 0 {
		at = vg.Point{X: c.Min.X, Y: c.Max.Y - headHeight - aboutLine/2}
	}
	if sty := style(dim, baseSize); p.about != "" {
		c.FillText(middle(sty), at, shorten(sty, p.about, float64(c.Max.X-at.X)))
	}
	c = heading(c, p.arm, p.title)
	c.Max.Y -= line
	bottom := c.Max.Y - markHeight - vg.Length(len(p.lanes)*(laneHeight+laneGap)) - axisHeight
	if p.more > 0 {
		c.FillText(style(dim, smallSize), vg.Point{X: c.Min.X, Y: bottom - smallSize - 2}, fmt.Sprintf("and %d more workers", p.more))
	}
	c.Min.Y = bottom
	ticks := int(float64(c.Max.X-c.Min.X-label) / 52)
	pl := frame(timeMax(d.end, ticks), 1, secondTicks(ticks, d.end), plot.ConstantTicks(nil))
	pl.HideY()
	pl.Add(laneRows{d, p, label})
	pl.Draw(draw.Crop(c, label, -12, 0, 0))
}

// laneRows is the plotter of a panel's lanes. The plot's y axis is unused:
// lanes have a fixed height below the top.
type laneRows struct {
	laneDrawing
	lanePanel
	label vg.Length
}

func (r laneRows) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	top := c.Max.Y - markHeight
	fillRect(c, ground, c.Min.X-2, top+1, c.Max.X+2, c.Max.Y+1, "") // covers the grid behind the words of the mark
	for _, o := range shadesOf(r.run.Result, r.end) {
		if o.part.paint == outagePart.paint {
			o.draw(c, x, c.Min.Y, top)
			o.part.share *= 3
			o.draw(c, x, c.Min.Y-3, c.Min.Y)
		}
	}
	r.mark(c, x, top+4)
	for i, l := range r.lanes {
		y1 := top - vg.Length(i*(laneHeight+laneGap))
		y0 := y1 - laneHeight
		sty := right(middle(style(ink, baseSize)))
		c.FillText(sty, vg.Point{X: c.Min.X - 6, Y: (y0 + y1) / 2}, squeeze(sty, l.label, float64(r.label-6)))
		fillRect(c, rule, c.Min.X, y0, c.Max.X, y0+0.5, "")
		w := &r.run.Result.Workers[l.worker]
		for _, a := range w.Away {
			if s := absence(w, a, r.end); s.from < r.end {
				s.draw(c, x, y0, y1)
			}
		}
		if r.shares || l.slot < 0 {
			r.busy(c, x, l, y0, y1)
			continue
		}
		for _, s := range r.run.Result.Spans {
			if s.Worker == l.worker && s.Slot == l.slot {
				r.block(c, x, s, y0, y1)
			}
		}
	}
}

// block draws one span of work.
func (r laneRows) block(c draw.Canvas, x func(float64) vg.Length, s run.Span, y0, y1 vg.Length) {
	x0, x1 := x(seconds(s.Start)), x(seconds(s.End))
	if x1-x0 > 1.4 {
		x1 -= 0.5 // a gap between neighbours
	}
	name := className(r.run.Result, s.Class)
	p := r.colours[name]
	tip := ""
	if r.tips {
		tip = r.tip(s, name)
	}
	fillRect(c, p, x0, y0, max(x1, x0+0.3), y1, tip)
	if sty := middle(style(labelOn(p), smallSize)); textWidth(sty, name)+nameMargin < float64(x1-x0) {
		c.FillText(sty, vg.Point{X: x0 + 5, Y: (y0 + y1) / 2}, name)
	}
	if s.Cut {
		c.SetLineStyle(draw.LineStyle{Color: bad, Width: 2})
		c.StrokeLines(draw.LineStyle{Color: bad, Width: 2},
			[]vg.Point{{X: x1 - 4, Y: y0 + 3}, {X: x1 + 4, Y: y1 - 3}}, []vg.Point{{X: x1 - 4, Y: y1 - 3}, {X: x1 + 4, Y: y0 + 3}})
	}
}

func (r laneRows) tip(s run.Span, name string) string {
	ran := stat.Brief(seconds(s.End - s.Start))
	i := int(s.Seq)
	if i >= len(r.run.Result.Messages) || r.run.Result.Messages[i].Seq != s.Seq {
		return fmt.Sprintf("%s #%d: ran %s", name, s.Seq, ran)
	}
	m := &r.run.Result.Messages[i]
	t := fmt.Sprintf("%s #%d: waited %s", name, s.Seq, stat.Brief(seconds(s.Start-m.Intended)))
	if m.Received != run.None && m.Started == s.Start {
		t += fmt.Sprintf(" (held %s)", stat.Brief(seconds(s.Start-m.Received)))
	}
	return t + ", ran " + ran
}

// busy draws a lane in columns. The height of a column is the share of time in which
// the lane was busy, by class. Columns are a pixel wide, or wider in a chart of many
// lanes, to keep the page small.
func (r laneRows) busy(c draw.Canvas, x func(float64) vg.Length, l lane, y0, y1 vg.Length) {
	n := int(float64(c.Max.X-c.Min.X) / r.column)
	if n <= 0 {
		return
	}
	share := r.shareOf(l, n, float64(x(1)-x(0))/r.column)
	base := make([]float64, n)
	for k, name := range r.run.Result.Classes {
		var path vg.Path
		for px := 0; px < n; {
			h := math.Round(share[k][px] * shareSteps)
			end := px + 1
			for end < n && math.Round(share[k][end]*shareSteps) == h && base[end] == base[px] {
				end++
			}
			if h > 0 {
				lo, hi := base[px]/shareSteps, min(base[px]+h, shareSteps)/shareSteps
				at := func(px int) vg.Length { return c.Min.X + vg.Length(float64(px)*r.column) }
				path = rectPath(path, at(px), y0+vg.Length(lo)*(y1-y0), at(end), y0+vg.Length(hi)*(y1-y0))
			}
			for ; px < end; px++ {
				base[px] += h
			}
		}
		total := 0.0
		for _, v := range share[k] {
			total += v / float64(n)
		}
		tooltip(c, fmt.Sprintf("%s: %s of the time with %s", l.label, stat.Percent(total), name))
		c.SetColor(r.colours[name])
		c.Fill(path)
	}
}

// shareSteps is the number of heights that a column can have. It is small so that
// neighbours often have the same height and become one rectangle.
const shareSteps = 10

// shareOf returns, for each class and each of n columns, the share of the lane's slot
// time that was spent on the class.
func (r laneRows) shareOf(l lane, n int, perSecond float64) [][]float64 {
	share := make([][]float64, len(r.run.Result.Classes))
	for k := range share {
		share[k] = make([]float64, n)
	}
	for _, s := range r.run.Result.Spans {
		if s.Worker != l.worker || l.slot >= 0 && s.Slot != l.slot || s.Class < 0 || int(s.Class) >= len(share) {
			continue
		}
		from, to := perSecond*seconds(s.Start), perSecond*seconds(s.End)
		for px := max(int(from), 0); px < n && float64(px) < to; px++ {
			share[s.Class][px] += (min(to, float64(px+1)) - max(from, float64(px))) / float64(l.slots)
		}
	}
	return share
}

// mark draws, above the lanes, a bracket over the longest time in which the focus
// starved.
func (r laneRows) mark(c draw.Canvas, x func(float64) vg.Length, y vg.Length) {
	class := r.run.Summary.Class(r.in.Focus)
	if class == nil || class.Starvation < r.end/20 {
		return
	}
	p := r.colours[r.in.Focus]
	x0, x1 := x(class.StarvedFrom), x(class.StarvedFrom+class.Starvation)
	sty := draw.LineStyle{Color: p, Width: 1.5}
	c.StrokeLines(sty, []vg.Point{{X: x0, Y: y - 3}, {X: x0, Y: y}, {X: x1, Y: y}, {X: x1, Y: y - 3}})
	label := middle(style(p, smallSize))
	for _, t := range []string{
		fmt.Sprintf("no %s starts for %s", r.in.Focus, stat.Brief(class.Starvation)),
		"none starts for " + stat.Brief(class.Starvation), stat.Brief(class.Starvation),
	} {
		w := vg.Length(textWidth(label, t))
		at := min(x0, c.Max.X-w)
		if at >= c.Min.X && w <= c.Max.X-c.Min.X && (w <= x1-x0+60 || t == stat.Brief(class.Starvation)) {
			c.FillText(label, vg.Point{X: at, Y: y + 7}, t)
			return
		}
	}
}

func seconds(us int64) float64 { return float64(us) / 1e6 }

func className(r *run.Result, i int32) string {
	if i < 0 || int(i) >= len(r.Classes) {
		return ""
	}
	return r.Classes[i]
}

func laneNote(in *arms.Set, shares bool) string {
	note := "One row for each slot of a worker; a block is one piece of work."
	if shares {
		note = "One row for each slot of a worker; the height is the share of time in which it was busy."
	}
	if in.Focus != "" && len(in.Classes()) > 1 {
		note += fmt.Sprintf(" Look at the time when the %s blocks begin, and at the work before them.", in.Focus)
	}
	return note
}

// laneFinding names the arm in which the focus starves the longest and the arm in
// which it starves the least. Without starvation it lists how busy the arms were.
func laneFinding(in *arms.Set) string {
	starved := func(a *arms.Arm) float64 {
		return a.Over(func(s *stat.Summary) float64 {
			if c := s.Class(in.Focus); c != nil {
				return c.Starvation
			}
			return 0
		}).Center
	}
	by := func(a, b *arms.Arm) int { return cmp.Compare(starved(a), starved(b)) }
	alike := in.Comparable()
	worst, best := slices.MaxFunc(alike, by), slices.MinFunc(alike, by)
	if in.Focus == "" || starved(worst) < length(in)/20 {
		return list("Share of slot time that was busy", in, func(a *arms.Arm) (string, bool) {
			return stat.Percent(a.Over(func(s *stat.Summary) float64 { return s.Utilisation }).Center), true
		})
	}
	t := fmt.Sprintf("In %s no %s starts for %s", worst.Label, in.Focus, stat.Brief(starved(worst)))
	if worst != best {
		t += fmt.Sprintf(", in %s for %s at most", best.Label, stat.Brief(starved(best)))
	}
	return t + "."
}
