package plot

import (
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/stat"
)

func init() {
	register(Chart{Name: "throughput", Title: "Throughput over time", Order: 25, Draw: throughput, OneRun: true})
}

const (
	throughputHeight = 140
	fewMessages      = 100 // with fewer messages a rate is noise
)

// A rateSeries is the messages per second that were due and that were finished in
// each interval.
type rateSeries struct {
	intervals
	arm       *arms.Arm
	due, done []float64
	most      float64
	finished  int
}

func throughput(in *arms.Set, width float64) *Figure {
	end := length(in)
	cols := columns(width, len(in.Arms))
	each := newIntervals(end, int(width/float64(cols))/9)
	var panels []rateSeries
	most, finished, filled := 0.0, 0, 0
	for _, a := range in.Arms {
		s := newRateSeries(each, a)
		panels = append(panels, s)
		most, finished = max(most, s.most), max(finished, s.finished)
		busy := 0
		for _, v := range s.due {
			if v > 0 {
				busy++
			}
		}
		filled = max(filled, busy)
	}
	if finished < fewMessages || filled < fewIntervals {
		return nil
	}
	rows := (len(panels) + cols - 1) / cols
	keys := append(key{{name: "due", paint: queuedPaint}, {name: "finished (line)", paint: RunPaint(0)}}, shadeKey(in, end)...)
	if len(panels) > 1 {
		keys[1] = part{name: "finished (coloured line)", paint: dim}
	}
	head := keys.height(width)
	return &Figure{
		Width: width, Height: head + float64(rows*throughputHeight+(rows-1)*panelGap),
		Note: fmt.Sprintf("Messages a second, in steps of %s. Where the line stays below the grey, work piles up; where it rises above, the backlog shrinks.", stat.Brief(each.step)),
		Alt:  throughputFinding(in, panels),
		paint: func(c draw.Canvas) {
			keys.draw(c)
			for i, cell := range cells(draw.Crop(c, 0, 0, 0, -vg.Length(head)), len(panels), cols) {
				s := panels[i]
				cell = heading(cell, s.arm, s.arm.Label)
				ticks := int(float64(cell.Max.X-cell.Min.X) / 60)
				ymax, rates := axis(most, 3, func(v float64) string { return stat.Plain(v) + "/s" })
				p := frame(timeMax(end, ticks), ymax, secondTicks(ticks, end), rates)
				p.Add(s, strips(shadesOf(s.arm.First().Result, end)))
				p.Draw(draw.Crop(cell, 0, -12, 0, -8))
			}
		},
	}
}

// newRateSeries counts the messages of an arm's first repeat.
func newRateSeries(v intervals, a *arms.Arm) rateSeries {
	s := rateSeries{intervals: v, arm: a, due: make([]float64, v.n), done: make([]float64, v.n)}
	r := a.First().Result
	for i := range r.Messages {
		m := &r.Messages[i]
		if at := v.of(m.Intended); at >= 0 {
			s.due[at]++
		}
		if m.State != run.Done {
			continue
		}
		if at := v.of(m.Done); at >= 0 {
			s.done[at]++
			s.finished++
		}
	}
	for i := range s.due {
		from, to := v.span(i)
		s.due[i] /= to - from
		s.done[i] /= to - from
		s.most = max(s.most, s.due[i], s.done[i])
	}
	return s
}

// Plot implements plot.Plotter.
func (s rateSeries) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var path vg.Path
	for i, v := range s.due {
		if v > 0 {
			from, to := s.span(i)
			path = rectPath(path, x(from), c.Min.Y, x(to), y(v))
		}
	}
	c.SetColor(queuedPaint)
	c.Fill(path)
	s.stairs(c, draw.LineStyle{Color: RunPaint(s.arm.Index), Width: 2}, x, y, func(i int) (float64, bool) { return s.done[i], true })
	for i := range s.due {
		from, to := s.span(i)
		hover(c, x(from), c.Min.Y, x(to), c.Max.Y, fmt.Sprintf("%s: %s due a second, %s finished", s.name(i), stat.Plain(s.due[i]), stat.Plain(s.done[i])))
	}
}

// throughputFinding gives the highest rates of each arm.
func throughputFinding(in *arms.Set, panels []rateSeries) string {
	i := -1
	return list("Highest rate in an interval, due and finished", in, func(*arms.Arm) (string, bool) {
		i++
		due, done := 0.0, 0.0
		for k := range panels[i].due {
			due, done = max(due, panels[i].due[k]), max(done, panels[i].done[k])
		}
		return fmt.Sprintf("%s/s and %s/s", stat.Plain(due), stat.Plain(done)), true
	})
}
