package plot

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg/draw"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/judge"
	"harelab/reports/stat"
	"harelab/scenarios/metric"
)

func init() {
	register(Chart{Name: "percentiles", Title: "Wait by percentile", Order: 30, Asked: "hdr", Draw: waitQuantity.percentiles, Nothing: "all messages waited equally long"})
	register(Chart{Name: "slowdown", Title: "Slowdown by percentile", Order: 31, OnRequest: true, Draw: slowdownQuantity.percentiles, Nothing: "all messages have the same slowdown"})
}

// A quantity is what a chart of percentiles shows of each finished message.
type quantity struct {
	metric string // its name in a query
	name   string // in words
	note   string
	value  func(m *run.Message) (v float64, ok bool)
	write  func(v float64) string
	axis   func(most float64) func(float64) string
}

var waitQuantity = quantity{
	metric: "wait", name: "wait",
	note:  "Half of the messages waited no longer than the line shows at 50 %. A step further right is a group that waited far longer; an average hides it.",
	value: func(m *run.Message) (float64, bool) { return seconds(m.Started - m.Intended), true },
	write: stat.Brief, axis: timeFormat,
}

var slowdownQuantity = quantity{
	metric: "slowdown", name: "slowdown",
	note: "The time from due to done as a multiple of the work itself; 1 is a message that never waited.",
	value: func(m *run.Message) (float64, bool) {
		return float64(m.Done-m.Intended) / float64(m.Done-m.Started), m.Done > m.Started
	},
	write: stat.Times, axis: func(float64) func(float64) string { return stat.Times },
}

func (q quantity) percentiles(in *arms.Set, width float64) *Figure {
	of := askedOf(in)
	var lines []curve
	most, tail := 0.0, 2.0
	for _, a := range in.Arms {
		runs := a.Runs
		if a.Predicted != nil {
			runs = append([]*arms.Run{a.Predicted}, runs...)
		}
		for k, r := range runs {
			l := q.curve(a, r, of)
			if len(l.x) == 0 {
				continue
			}
			l.dashed = r == a.Predicted || k > 0 && runs[k-1] != a.Predicted
			lines = append(lines, l)
			most = max(most, l.y[len(l.y)-1])
			tail = max(tail, l.x[len(l.x)-1])
		}
	}
	flat := !slices.ContainsFunc(lines, curve.rises)
	if len(lines) == 0 || flat {
		return nil
	}
	title := q.name + " of all messages"
	if of.who != "" {
		title = q.name + " of " + of.who
	}
	return &Figure{
		Width: width, Height: panelHeight + 40,
		Note: q.note + dashedNote(in),
		Alt:  q.finding(in, of),
		paint: func(c draw.Canvas) {
			c = heading(c, nil, title)
			ymax, ticks := axis(most, 5, q.axis(most))
			p := frame(tail*1.02, ymax, percentileTicks{tail, width - rightMargin - 50}, ticks)
			p.X.Min, p.X.Scale = 1, plot.LogScale{}
			p.Add(curves{lines})
			p.Draw(draw.Crop(c, 0, -rightMargin-4, 0, -badgeRadius))
		},
	}
}

// exempt is the percentile below which a line may rise and still be flat: the first
// messages find every worker free.
const exempt = 0.02

// rises reports whether a line of percentiles has something to show.
func (c curve) rises() bool {
	i := 0
	for i+1 < len(c.x) && c.x[i+1] <= 1/(1-exempt) {
		i++
	}
	return c.y[len(c.y)-1] > 1.02*c.y[i]
}

// curve is the quantity at each percentile p, over 1/(1-p). This is the axis of
// HdrHistogram, on which each further nine takes the same width.
func (q quantity) curve(a *arms.Arm, r *arms.Run, of asked) curve {
	admits := of.admits(r.Result)
	var values []float64
	for i := range r.Result.Messages {
		m := &r.Result.Messages[i]
		if m.State != run.Done || m.Started == run.None || m.Intended < r.Result.Warmup || !admits(m) {
			continue
		}
		if v, ok := q.value(m); ok {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	l := curve{arm: a}
	n := float64(len(values))
	for i, v := range values {
		if i > 0 && v == values[i-1] && i < len(values)-1 {
			continue
		}
		at := n / (n - float64(i)) // the first percentile with this value
		if i > 0 {
			l.x, l.y = append(l.x, at), append(l.y, l.y[len(l.y)-1])
		}
		l.x, l.y = append(l.x, at), append(l.y, v)
	}
	if len(values) > 0 {
		longest := q.write(values[len(values)-1])
		l.label = a.Label + " " + longest
		l.tip = fmt.Sprintf("%s, %s: half %s at most, 99 %% %s, the longest %s", a.Label, q.name, q.write(rank(values, 0.5)), q.write(rank(values, 0.99)), longest)
	}
	return l
}

// percentileTicks are percentiles on the axis of 1/(1-p), which is width px wide and
// ends at tail. Those that have no room are left out, the finer ones first.
type percentileTicks struct{ tail, width float64 }

// Ticks implements plot.Ticker.
func (t percentileTicks) Ticks(_, hi float64) []plot.Tick {
	all := []plot.Tick{{Value: 1, Label: "0 %"}, {Value: 2, Label: "50 %"}}
	nines := "90"
	for x := 10.0; x <= hi; x *= 10 {
		all = append(all, plot.Tick{Value: x, Label: nines + " %"})
		switch nines {
		case "90":
			nines = "99"
		case "99":
			nines = "99.9"
		default:
			nines += "9"
		}
	}
	all = append(all, plot.Tick{Value: 4, Label: "75 %"}, plot.Tick{Value: 20, Label: "95 %"})
	sty := style(dim, smallSize)
	px := func(v float64) float64 { return t.width * math.Log(v) / math.Log(hi) }
	var out []plot.Tick
	for _, tick := range all {
		if tick.Value <= hi && !slices.ContainsFunc(out, func(o plot.Tick) bool {
			return math.Abs(px(tick.Value)-px(o.Value)) < (textWidth(sty, tick.Label)+textWidth(sty, o.Label))/2+6
		}) {
			out = append(out, tick)
		}
	}
	slices.SortFunc(out, func(a, b plot.Tick) int { return cmp.Compare(a.Value, b.Value) })
	return out
}

// finding lists the median and the largest value of each arm, over its repeats.
func (q quantity) finding(in *arms.Set, of asked) string {
	what := stat.Upper(q.name)
	if of.who != "" {
		what += " of " + of.who
	}
	return list(what+", median and longest", in, func(a *arms.Arm) (string, bool) {
		ask := func(statistic string) float64 {
			query := metric.Query{Metric: q.metric, Stat: statistic, Labels: of.labels}
			return judge.Center(judge.Goal{Query: query}, arms.Summaries(a.Runs)).Center
		}
		p50, longest := ask("p50"), ask("max")
		if math.IsNaN(p50) || math.IsInf(longest, 0) {
			return "", false
		}
		return q.write(p50) + " and " + q.write(longest), true
	})
}
