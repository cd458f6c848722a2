package plot

import (
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/stat"
)

func init() {
	register(Chart{Name: "waits", Title: "Wait over time", Order: 32, Draw: waitsOverTime, OneRun: true})
}

const (
	waitsHeight  = 150
	fewIntervals = 4 // with fewer intervals that have messages there is no course to see
)

// A waitSeries is the wait of one class's messages in one arm, by the interval in
// which they were due.
type waitSeries struct {
	intervals
	arm      *arms.Arm
	who      string // names the messages
	title    string
	n        []int
	p50, p99 []float64 // s
	most     float64
	started  int // messages
	never    int // messages that were never started
}

func waitsOverTime(in *arms.Set, width float64) *Figure {
	end := length(in)
	cols := columns(width, 2)
	each := newIntervals(end, int(width/float64(cols))/9)
	var panels []waitSeries
	most, filled, started, never := make(map[string]float64), 0, 0, 0
	for _, of := range waitPanels(in) {
		s := newWaitSeries(each, of.arm, of.asked)
		s.title = of.title
		panels = append(panels, s)
		most[s.who] = max(most[s.who], s.most)
		filled = max(filled, len(s.n)-count(s.n, 0))
		started, never = started+s.started, never+s.never
	}
	panels = slices.DeleteFunc(panels, func(s waitSeries) bool { return most[s.who] == 0 })
	if len(panels) == 0 || filled < fewIntervals || started == 0 || !slices.ContainsFunc(panels, waitSeries.varies) {
		return nil
	}
	if len(panels) == 1 {
		cols = 1
	}
	rows := (len(panels) + cols - 1) / cols
	keys := shadeKey(in, end)
	head := keys.height(width)
	whose := ""
	if who := panels[0].who; who != "" && !slices.ContainsFunc(panels, func(s waitSeries) bool { return s.who != who }) {
		whose = " of " + who
	}
	note := fmt.Sprintf("Waits%s by the time at which messages were due, in steps of %s. Below the thin line is the wait of half of them, below the thick line that of 99 %%. Where the lines rise, work piles up.", whose, stat.Brief(each.step))
	if never > 0 {
		note += " A message that was never started counts with its wait until the end of the run."
	}
	return &Figure{
		Width: width, Height: head + float64(rows*waitsHeight+(rows-1)*panelGap),
		Note: note,
		Alt:  waitsFinding(panels),
		paint: func(c draw.Canvas) {
			keys.draw(c)
			for i, cell := range cells(draw.Crop(c, 0, 0, 0, -vg.Length(head)), len(panels), cols) {
				s := panels[i]
				cell = heading(cell, s.arm, s.title)
				ticks := int(float64(cell.Max.X-cell.Min.X) / 60)
				ymax, waits := axis(most[s.who], 3, timeFormat(most[s.who]))
				p := frame(timeMax(end, ticks), ymax, secondTicks(ticks, end), waits)
				p.Add(shades(shadesOf(s.arm.First().Result, end)), s)
				p.Draw(draw.Crop(cell, 0, -12, 0, -6))
			}
		},
	}
}

// count returns how often v is in list.
func count(list []int, v int) (n int) {
	for _, x := range list {
		if x == v {
			n++
		}
	}
	return n
}

// A waitPanel is what one panel shows.
type waitPanel struct {
	arm   *arms.Arm
	asked asked
	title string
}

// waitPanels returns the panels of a report: every arm for the messages that the
// report is about, or every class of the only arm if the scenario asks about none.
func waitPanels(in *arms.Set) (out []waitPanel) {
	classes := in.Classes()
	if len(in.Arms) == 1 && in.Focus == "" && len(classes) > 1 {
		for _, class := range classes[:min(len(classes), maxPanels)] {
			out = append(out, waitPanel{in.Arms[0], ofClass(class), "wait of " + class})
		}
		return out
	}
	of := askedOf(in)
	for _, a := range in.Arms {
		out = append(out, waitPanel{a, of, a.Label})
	}
	return out
}

// newWaitSeries measures the waits of an arm's first repeat. A message that was never
// started counts with its wait until the end of the run.
func newWaitSeries(v intervals, a *arms.Arm, of asked) waitSeries {
	r := a.First().Result
	admits := of.admits(r)
	waits := make([][]float64, v.n)
	s := waitSeries{intervals: v, arm: a, who: of.who}
	for i := range r.Messages {
		m := &r.Messages[i]
		if !admits(m) {
			continue
		}
		start := m.Started
		switch {
		case m.State == run.Done && start != run.None:
			s.started++
		case m.State == run.Left && r.Length > m.Intended:
			start = r.Length
			s.never++
		default:
			continue
		}
		if at := v.of(m.Intended); at >= 0 {
			waits[at] = append(waits[at], seconds(start-m.Intended))
		}
	}
	for _, w := range waits {
		slices.Sort(w)
		s.n = append(s.n, len(w))
		s.p50 = append(s.p50, rank(w, 0.50))
		s.p99 = append(s.p99, rank(w, 0.99))
		s.most = max(s.most, rank(w, 0.99))
	}
	return s
}

// varies reports whether waits differ within an interval or from one to another.
func (s waitSeries) varies() bool {
	least := s.most
	for i, n := range s.n {
		if n > 0 {
			least = min(least, s.p50[i])
		}
	}
	return s.most > 1.02*least
}

// rank returns the least value of a sorted list that a share of its values does not
// exceed, and 0 for an empty list.
func rank[T int64 | float64](sorted []T, share float64) T {
	n := len(sorted)
	if n == 0 {
		return 0
	}
	i := int(share*float64(n)+0.9999999) - 1
	return sorted[min(max(i, 0), n-1)]
}

// Plot implements plot.Plotter.
func (s waitSeries) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	paint := RunPaint(s.arm.Index)
	for i := range s.n {
		if s.n[i] == 0 {
			continue
		}
		from, to := s.span(i)
		c.SetColor(tint{paint, 0.2})
		c.Fill(rectPath(nil, x(from), y(s.p50[i]), x(to), y(s.p99[i])))
	}
	has := func(v []float64) func(int) (float64, bool) {
		return func(i int) (float64, bool) { return v[i], s.n[i] > 0 }
	}
	s.stairs(c, draw.LineStyle{Color: paint, Width: 1}, x, y, has(s.p50))
	s.stairs(c, draw.LineStyle{Color: paint, Width: 2.2}, x, y, has(s.p99))
	for i := range s.n {
		if s.n[i] > 0 {
			from, to := s.span(i)
			hover(c, x(from), c.Min.Y, x(to), c.Max.Y, fmt.Sprintf("%s: %s messages, half wait %s at most, 99 %% %s", s.name(i), stat.Count(s.n[i]), stat.Brief(s.p50[i]), stat.Brief(s.p99[i])))
		}
	}
}

// waitsFinding says for each panel when waits were longest.
func waitsFinding(panels []waitSeries) string {
	var parts []string
	for _, s := range panels {
		worst := -1
		for i := range s.n {
			if s.n[i] > 0 && (worst < 0 || s.p99[i] > s.p99[worst]) {
				worst = i
			}
		}
		if worst >= 0 {
			title := s.title
			if s.who != "" && title == s.arm.Label {
				title += ": " + s.who // a caption is read without the note, too
			}
			parts = append(parts, fmt.Sprintf("%s: %s (due %s)", title, stat.Brief(s.p99[worst]), s.name(worst)))
		}
	}
	return "Longest wait of 99 % in an interval: " + strings.Join(parts, ", ") + "."
}
