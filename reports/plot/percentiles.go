package plot

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg/draw"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/stat"
)

func init() {
	register(Chart{Name: "percentiles", Title: "Wait by percentile", Order: 30, Draw: percentiles})
}

func percentiles(in *arms.Set, width float64) *Figure {
	class := in.Focus
	var lines []curve
	most, tail := 0.0, 2.0
	for _, a := range in.Arms {
		runs := a.Runs
		if a.Predicted != nil {
			runs = append([]*arms.Run{a.Predicted}, runs...)
		}
		for k, r := range runs {
			l := waitCurve(a, r, class)
			if len(l.x) == 0 {
				continue
			}
			l.dashed = r == a.Predicted || k > 0 && runs[k-1] != a.Predicted
			lines = append(lines, l)
			most = max(most, l.y[len(l.y)-1])
			tail = max(tail, l.x[len(l.x)-1])
		}
	}
	if len(lines) == 0 {
		return nil
	}
	title := "wait of all messages"
	if class != "" {
		title = class + ", wait"
	}
	return &Figure{
		Width: width, Height: panelHeight + 40,
		Note: "Half of the messages waited no longer than the line shows at 50 %. A step further right is a group that waited far longer; an average hides it." + dashedNote(in),
		Alt:  percentileFinding(in),
		paint: func(c draw.Canvas) {
			c = heading(c, nil, title)
			ymax, waits := axis(most, 5, timeFormat(most))
			p := frame(tail*1.02, ymax, percentileTicks{tail}, waits)
			p.X.Min, p.X.Scale = 1, plot.LogScale{}
			p.Add(curves{lines})
			p.Draw(draw.Crop(c, 0, -rightMargin-4, 0, -badgeRadius))
		},
	}
}

// waitCurve is the wait at each percentile p, over 1/(1-p). This is the axis of
// HdrHistogram, on which each further nine takes the same width.
func waitCurve(a *arms.Arm, r *arms.Run, class string) curve {
	k := classIndex(r.Result, class)
	var waits []int64
	for i := range r.Result.Messages {
		m := &r.Result.Messages[i]
		if m.State == run.Done && m.Started != run.None && m.Intended >= r.Result.Warmup && (class == "" || m.Class == k) {
			waits = append(waits, m.Started-m.Intended)
		}
	}
	slices.Sort(waits)
	l := curve{arm: a}
	n := float64(len(waits))
	for i, w := range waits {
		if i > 0 && w == waits[i-1] && i < len(waits)-1 {
			continue
		}
		at := n / (n - float64(i)) // the first percentile with this value
		if i > 0 {
			l.x, l.y = append(l.x, at), append(l.y, l.y[len(l.y)-1])
		}
		l.x, l.y = append(l.x, at), append(l.y, seconds(w))
	}
	if len(waits) > 0 {
		l.label = fmt.Sprintf("%s %s", a.Label, stat.Brief(seconds(waits[len(waits)-1])))
	}
	return l
}

// percentileTicks are percentiles on the axis of 1/(1-p).
type percentileTicks struct{ tail float64 }

// Ticks implements plot.Ticker.
func (t percentileTicks) Ticks(_, hi float64) []plot.Tick {
	out := []plot.Tick{{Value: 1, Label: "0 %"}, {Value: 2, Label: "50 %"}, {Value: 4, Label: "75 %"}}
	nines := "90"
	for x := 10.0; x <= hi; x *= 10 {
		out = append(out, plot.Tick{Value: x, Label: nines + " %"})
		if x == 10 && hi < 1000 && 20 <= hi {
			out = append(out, plot.Tick{Value: 20, Label: "95 %"})
		}
		switch nines {
		case "90":
			nines = "99"
		case "99":
			nines = "99.9"
		default:
			nines += "9"
		}
	}
	return slices.DeleteFunc(out, func(tick plot.Tick) bool { return tick.Value > hi })
}

// percentileFinding lists the median and the longest wait of each arm.
func percentileFinding(in *arms.Set) string {
	what := "Wait"
	if in.Focus != "" {
		what = "Wait of " + in.Focus
	}
	return list(what+", median and longest", in, func(a *arms.Arm) (string, bool) {
		c := a.First().Summary.All
		if in.Focus != "" {
			c = a.First().Summary.Class(in.Focus)
		}
		if c == nil || c.Wait == nil {
			return "", false
		}
		return stat.Brief(c.Wait.P50) + " and " + stat.Brief(c.Wait.Max), true
	})
}
