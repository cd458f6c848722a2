package plot

import (
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
	register(Chart{Name: "depth", Title: "Queue depth over time", Order: 50, Draw: depth, Nothing: "no sample found a message waiting", OneRun: true})
}

const depthHeight = 150

var depthKey = key{
	{name: "ready in the queue", paint: queuedPaint},
	{name: "held by a worker, not started", paint: heldPaint},
	{name: "started or done, not acked", paint: servicePaint},
}

// A depthSeries is the number of messages ready in queues, held by workers, and
// started but unacked, from an instant on.
type depthSeries struct {
	at                   []float64 // s, the instants
	ready, held, working []float64 // messages
	most                 float64   // the largest sum
	waiting              float64   // the largest sum of ready and held
	hidden               bool      // the target does not show what is ready
}

func depth(in *arms.Set, width float64) *Figure {
	series := make([]depthSeries, len(in.Arms))
	most, waiting := 0.0, false
	note := "Where messages are. Any worker can still take a message that is ready in the broker's queue; one that a worker holds can be started by that worker only."
	for i, a := range in.Arms {
		r := a.First().Result
		series[i] = newDepthSeries(r)
		most = max(most, series[i].most)
		waiting = waiting || series[i].waiting > 0 || series[i].most > float64(slotsOf(r))
		if series[i].hidden {
			note = "The broker does not show how many messages are ready in its queues. " + note
		}
	}
	if !waiting {
		return nil
	}
	cols := columns(width, len(in.Arms))
	rows := (len(in.Arms) + cols - 1) / cols
	end := length(in)
	keys := append(slices.Clone(depthKey), shadeKey(in, end)...)
	head := keys.height(width)
	return &Figure{
		Width: width, Height: head + float64(rows*depthHeight+(rows-1)*panelGap),
		Note: note,
		Alt:  depthFinding(in, series),
		paint: func(c draw.Canvas) {
			keys.draw(c)
			for i, cell := range cells(draw.Crop(c, 0, 0, 0, -vg.Length(head)), len(in.Arms), cols) {
				cell = heading(cell, in.Arms[i], in.Arms[i].Label)
				ticks := int(float64(cell.Max.X-cell.Min.X) / 56)
				ymax, counts := axis(most, 3, nil)
				p := frame(timeMax(end, ticks), ymax, secondTicks(ticks, end), counts)
				p.Add(shades(shadesOf(in.Arms[i].First().Result, end)), series[i])
				p.Draw(draw.Crop(cell, 0, -12, 0, -6))
			}
		},
	}
}

// newDepthSeries takes the depth from the samples of a run. The instants of messages do
// not tell it, since a message that was delivered again has only those of its last
// delivery.
func newDepthSeries(r *run.Result) depthSeries {
	var t depthSeries
	for _, s := range r.Series {
		held := max(s.Held, 0)
		t.add(seconds(s.At), s.Ready, held, s.Unacked-held)
		t.hidden = t.hidden || s.Ready < 0
	}
	return t
}

// add adds the state of an instant; what is negative is not visible.
func (t *depthSeries) add(at float64, ready, held, working int64) {
	if len(t.at) == 0 && at > 0 {
		t.add(0, ready, held, working) // the first sample stands for the interval before it
	}
	a, b, c := float64(max(ready, 0)), float64(held), float64(max(working, 0))
	t.at = append(t.at, at)
	t.ready, t.held, t.working = append(t.ready, a), append(t.held, b), append(t.working, c)
	t.most, t.waiting = max(t.most, a+b+c), max(t.waiting, a+b)
}

func slotsOf(r *run.Result) int {
	n := 0
	for _, w := range r.Workers {
		n += w.Slots
	}
	return n
}

// Plot implements plot.Plotter. It stacks started, held and ready messages, with the
// highest value in each pixel.
func (t depthSeries) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	n := int(math.Ceil(float64(c.Max.X - c.Min.X)))
	working, held, all := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range t.at {
		from := int(float64(x(t.at[i]) - c.Min.X))
		to := from
		if i+1 < len(t.at) {
			to = int(float64(x(t.at[i+1]) - c.Min.X))
		}
		for px := max(from, 0); px <= min(to, n-1); px++ {
			working[px] = max(working[px], t.working[i])
			held[px] = max(held[px], t.working[i]+t.held[i])
			all[px] = max(all[px], t.working[i]+t.held[i]+t.ready[i])
		}
	}
	area(c, queuedPaint, all, y)
	area(c, heldPaint, held, y)
	area(c, servicePaint, working, y)
	const strip = 9 // px of a tooltip
	perPixel := (p.X.Max - p.X.Min) / float64(n)
	for px := 0; px < n; px += strip {
		to := min(px+strip, n)
		if most := slices.Max(all[px:to]); most > 0 {
			hover(c, c.Min.X+vg.Length(px), c.Min.Y, c.Min.X+vg.Length(to), c.Max.Y, fmt.Sprintf("%s to %s: up to %s messages, %s of them at workers",
				stat.Brief(float64(px)*perPixel), stat.Brief(float64(to)*perPixel), stat.Count(int(most)), stat.Count(int(slices.Max(held[px:to])))))
		}
	}
}

// area fills the plot from the axis up to a value for each pixel.
func area(c draw.Canvas, p Paint, values []float64, y func(float64) vg.Length) {
	var path vg.Path
	for px := 0; px < len(values); {
		end := px + 1
		for end < len(values) && values[end] == values[px] {
			end++
		}
		if values[px] > 0 {
			x0, x1 := c.Min.X+vg.Length(px), min(c.Min.X+vg.Length(end), c.Max.X)
			path = rectPath(path, x0, c.Min.Y, x1, y(values[px]))
		}
		px = end
	}
	c.SetColor(p)
	c.Fill(path)
}

// depthFinding lists the largest numbers of messages in each place, of each arm.
func depthFinding(in *arms.Set, series []depthSeries) string {
	i := -1
	return list("Most messages ready at a time, held by workers, and started or done but not acked", in, func(*arms.Arm) (string, bool) {
		i++
		s := &series[i]
		if len(s.at) == 0 {
			return "", false
		}
		ready := stat.Count(int(slices.Max(s.ready)))
		if s.hidden {
			ready = "not visible"
		}
		return fmt.Sprintf("%s, %s and %s", ready, stat.Count(int(slices.Max(s.held))), stat.Count(int(slices.Max(s.working)))), true
	})
}
