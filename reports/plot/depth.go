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
	register(Chart{Name: "depth", Title: "Queue depth over time", Order: 50, Draw: depth, Nothing: "nothing waited", OneRun: true})
}

const depthHeight = 150

var depthKey = key{{name: "messages in the queue", paint: queuedPaint}, {name: "held by a worker, not started", paint: heldPaint}}

// A depthSeries is the number of waiting messages in the queue and at workers, from
// the instant of each change on.
type depthSeries struct {
	at           []float64 // s, the instants
	queued, held []float64 // messages, from each instant on
	most         float64   // the largest sum of queued and held
	mostHeld     float64   // the largest of held
}

func depth(in *arms.Set, width float64) *Figure {
	series := make([]depthSeries, len(in.Arms))
	most := 0.0
	for i, a := range in.Arms {
		series[i] = newDepthSeries(a.First().Result)
		most = max(most, series[i].most)
	}
	if most == 0 {
		return nil
	}
	cols := columns(width, len(in.Arms))
	rows := (len(in.Arms) + cols - 1) / cols
	end := length(in)
	keys := append(slices.Clone(depthKey), shadeKey(in, end)...)
	head := keys.height(width)
	return &Figure{
		Width: width, Height: head + float64(rows*depthHeight+(rows-1)*panelGap),
		Note: "Where messages wait. Any worker can still take a message that is in the broker's queue; one that a worker holds can be started by that worker only.",
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

// newDepthSeries follows each message from the broker to its start. On a foreign
// broker, which does not show when a message enters the queue, the time there begins
// when it is sent.
func newDepthSeries(r *run.Result) depthSeries {
	type step struct {
		at           int64
		queued, held int32
	}
	var steps []step
	add := func(from, to int64, queued, held int32) {
		if from == run.None {
			return
		}
		steps = append(steps, step{from, queued, held})
		if to != run.None {
			steps = append(steps, step{max(to, from), -queued, -held})
		}
	}
	for i := range r.Messages {
		m := &r.Messages[i]
		if m.State != run.Done && m.State != run.Left && m.State != run.Lost {
			continue
		}
		in := m.Enqueued
		if in == run.None {
			in = m.Sent
		}
		add(in, m.Received, 1, 0)
		if m.Received != run.None {
			add(m.Received, m.Started, 0, 1)
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	var t depthSeries
	var queued, held int32
	for i, s := range steps {
		queued += s.queued
		held += s.held
		if i+1 < len(steps) && steps[i+1].at == s.at {
			continue
		}
		t.at = append(t.at, seconds(s.at))
		t.queued = append(t.queued, float64(queued))
		t.held = append(t.held, float64(held))
		t.most = max(t.most, float64(queued+held))
		t.mostHeld = max(t.mostHeld, float64(held))
	}
	return t
}

// Plot implements plot.Plotter. It draws held messages below and queued messages on
// top of them, with the highest value in each pixel.
func (t depthSeries) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	n := int(math.Ceil(float64(c.Max.X - c.Min.X)))
	held, both := make([]float64, n), make([]float64, n)
	for i := range t.at {
		from := int(float64(x(t.at[i]) - c.Min.X))
		to := from
		if i+1 < len(t.at) {
			to = int(float64(x(t.at[i+1]) - c.Min.X))
		}
		for px := max(from, 0); px <= min(to, n-1); px++ {
			held[px] = max(held[px], t.held[i])
			both[px] = max(both[px], t.held[i]+t.queued[i])
		}
	}
	area(c, queuedPaint, both, y)
	area(c, heldPaint, held, y)
	const strip = 9 // px of a tooltip
	perPixel := (p.X.Max - p.X.Min) / float64(n)
	for px := 0; px < n; px += strip {
		to := min(px+strip, n)
		if most := slices.Max(both[px:to]); most > 0 {
			hover(c, c.Min.X+vg.Length(px), c.Min.Y, c.Min.X+vg.Length(to), c.Max.Y, fmt.Sprintf("%s to %s: up to %.0f wait, %.0f of them held by workers",
				stat.Brief(float64(px)*perPixel), stat.Brief(float64(to)*perPixel), most, slices.Max(held[px:to])))
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

// depthFinding lists the largest numbers of waiting and of held messages of each
// arm.
func depthFinding(in *arms.Set, series []depthSeries) string {
	i := -1
	return list("Most messages waiting at a time, and most held by workers", in, func(*arms.Arm) (string, bool) {
		i++
		return fmt.Sprintf("%.0f and %.0f", series[i].most, series[i].mostHeld), true
	})
}
