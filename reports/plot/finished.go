package plot

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot/vg/draw"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/stat"
)

func init() {
	register(Chart{Name: "finished", Title: "Finished over time", Order: 20, Draw: finished, Nothing: "no message was finished"})
}

const (
	panelHeight = 190
	maxPanels   = 4 // number of classes with a panel of their own
)

func finished(in *arms.Set, width float64) *Figure {
	classes := in.Classes()
	if len(classes) > maxPanels {
		classes = classes[:maxPanels]
	}
	panels := make([][]curve, len(classes))
	points := 0
	for i, class := range classes {
		for _, a := range in.Arms {
			if a.Predicted != nil {
				panels[i] = append(panels[i], finishedCurve(a, a.Predicted, class, true))
			}
			for k, r := range a.Runs {
				l := finishedCurve(a, r, class, false)
				l.dashed = k > 0
				panels[i] = append(panels[i], l)
				points += len(l.x)
			}
		}
	}
	if points == 0 {
		return nil
	}
	cols := columns(width, len(classes))
	rows := (len(classes) + cols - 1) / cols
	end := length(in)
	return &Figure{
		Width: width, Height: float64(rows*panelHeight + (rows-1)*panelGap),
		Note: "The number of messages finished up to each time. Where a line is steep, throughput is high; where it is flat, nothing finishes." + dashedNote(in),
		Alt:  finishedFinding(in),
		paint: func(c draw.Canvas) {
			for i, cell := range cells(c, len(classes), cols) {
				curvePanel(cell, classes[i]+", finished", panels[i], end, len(in.Arms) == 1)
			}
		},
	}
}

// curvePanel draws counts over time. With one arm it shades the times in which
// something was out of order.
func curvePanel(c draw.Canvas, title string, lines []curve, end float64, one bool) {
	c = heading(c, nil, title)
	most := 0.0
	for _, l := range lines {
		for _, y := range l.y {
			most = max(most, y)
		}
	}
	w := float64(c.Max.X - c.Min.X)
	ticks := int(w / 56)
	ymax, counts := axis(most, 4, nil)
	p := frame(timeMax(end, ticks), ymax, secondTicks(ticks, end), counts)
	if len(lines) > 0 && one {
		p.Add(shades(shadesOf(lines[0].arm.First().Result, end)))
	}
	p.Add(curves{lines})
	p.Draw(draw.Crop(c, 0, -rightMargin, 0, -badgeRadius))
}

// finishedCurve counts a class's finished messages over time.
func finishedCurve(a *arms.Arm, r *arms.Run, class string, dashed bool) curve {
	k := classIndex(r.Result, class)
	var done []int64
	for i := range r.Result.Messages {
		if m := &r.Result.Messages[i]; m.Class == k && m.State == run.Done {
			done = append(done, m.Done)
		}
	}
	slices.Sort(done)
	l := curve{arm: a, dashed: dashed}
	if len(done) == 0 {
		return l
	}
	l.x, l.y = []float64{0}, []float64{0}
	for i, t := range done {
		l.x = append(l.x, seconds(t), seconds(t))
		l.y = append(l.y, float64(i), float64(i+1))
	}
	l.label = fmt.Sprintf("%s %s", a.Label, stat.Brief(seconds(done[len(done)-1])))
	l.tip = fmt.Sprintf("%s: %s %s finished, the last after %s", a.Label, stat.Count(len(done)), class, stat.Brief(seconds(done[len(done)-1])))
	return l
}

func dashedNote(in *arms.Set) string {
	if in.Predicts() {
		return " Dashed lines are predictions in virtual time."
	}
	return ""
}

// finishedFinding lists the times at which the last message of the focus was done. Others
// may never have been finished. If none of the focus was, it lists those of all messages.
func finishedFinding(in *arms.Set) string {
	last := func(t string, class func(s *stat.Summary) *stat.Class) string {
		found := false
		s := list("Last "+t+" done", in, func(a *arms.Arm) (string, bool) {
			e := a.Over(func(s *stat.Summary) float64 {
				if c := class(s); c != nil && c.N > 0 {
					return c.Finish
				}
				return math.NaN()
			})
			found = found || e.N > 0
			return "after " + stat.Brief(e.Center), e.N > 0
		})
		if !found {
			return ""
		}
		return s
	}
	if in.Focus != "" {
		if s := last(in.Focus, func(s *stat.Summary) *stat.Class { return s.Class(in.Focus) }); s != "" {
			return s
		}
	}
	return last("message", func(s *stat.Summary) *stat.Class { return s.All })
}

// list makes a sentence with a figure for each arm that has one.
func list(start string, in *arms.Set, figure func(*arms.Arm) (string, bool)) string {
	sep := ": "
	for _, a := range in.Arms {
		f, ok := figure(a)
		if !ok {
			continue
		}
		start += sep + a.Label + " " + f
		sep = ", "
	}
	return start + "."
}
