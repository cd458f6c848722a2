package loadgen

import (
	"math"
	"math/rand/v2"
	"sort"

	"harelab/scenarios"
)

// arrivals yields the times and classes of one sequence's messages, phase by phase.
// It skips closed phases, whose times come from the run.
type arrivals struct {
	ok    bool
	at    int64 // microseconds of run time
	class int

	plan   *Plan
	seq    *scenarios.Sequence
	number int // index of seq
	phase  *scenarios.Phase
	n      int        // index of phase
	start  int64      // of phase, microseconds of run time
	index  int        // number of messages of phase before the current one
	rate   *process   // the arrivals of an open phase
	draw   *rand.Rand // draws times
	pick   *rand.Rand // draws classes
}

func (p *Plan) arrivals(seq int) *arrivals {
	q := &p.s.Load[seq]
	a := &arrivals{
		plan: p, seq: q, number: seq, n: -1, start: q.Start.Microseconds(),
		draw: scenarios.Stream(p.s.Seed, "arrivals/"+q.Name),
		pick: scenarios.Stream(p.s.Seed, "class/"+q.Name),
	}
	a.nextPhase()
	a.settle()
	return a
}

// nextPhase begins the phase after the current one.
func (a *arrivals) nextPhase() {
	if a.phase != nil {
		a.start += a.phase.Duration.Microseconds()
	}
	a.n++
	a.index = 0
	a.phase, a.rate = nil, nil
	if a.n < len(a.seq.Phases) {
		a.phase = &a.seq.Phases[a.n]
		if a.phase.Model == scenarios.Open {
			a.rate = newProcess(a.phase, a.draw)
			a.rate.offset = a.plan.spread[a.number][a.n]
		}
	}
}

// advance moves to the next message.
func (a *arrivals) advance() {
	a.index++
	a.settle()
}

// settle finds the message at a.index of the current phase, or the first message
// of a later phase.
func (a *arrivals) settle() {
	for a.phase != nil {
		if at, ok := a.due(); ok {
			a.at, a.ok = at, true
			a.choose()
			return
		}
		a.nextPhase()
	}
	a.ok = false
}

// due returns when message a.index of the phase is to be sent, in microseconds of
// run time.
func (a *arrivals) due() (int64, bool) {
	p := a.phase
	switch p.Model {
	case scenarios.Burst:
		return a.start, a.index < p.Count
	case scenarios.Trace:
		if a.index >= len(p.Rows) {
			return 0, false
		}
		return a.start + p.Rows[a.index].At.Microseconds(), true
	case scenarios.Open:
		if p.Count > 0 && a.index >= p.Count {
			return 0, false
		}
		t, ok := a.rate.next()
		return a.start + int64(math.Round(t*1e6)), ok
	}
	return 0, false
}

// choose sets the class of the current message.
func (a *arrivals) choose() {
	switch p := a.phase; {
	case p.Model == scenarios.Trace:
		a.class = p.Rows[a.index].Class
	case len(p.Pattern) > 0:
		a.class = p.Pattern[a.index%len(p.Pattern)]
	default:
		a.class = weighted(a.pick, p.Weights)
	}
}

// weighted draws an index in proportion to the weights.
func weighted(r *rand.Rand, weights []float64) int {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	u := r.Float64() * sum
	last := 0
	for i, w := range weights {
		if w == 0 {
			continue
		}
		last = i
		if u -= w; u < 0 {
			break
		}
	}
	return last
}

// A process is an arrival process whose rate follows a shape. It is a process of
// unit rate with its time changed: the n-th arrival is where the integral of the
// rate reaches the n-th point of the unit process (E. Çinlar, "Introduction to
// Stochastic Processes", 1975, chapter 4).
type process struct {
	shape    []scenarios.Segment
	begin    []float64 // start of each segment, seconds from the phase's start
	expected []float64 // expected number of messages before each segment, and before the end
	length   float64   // seconds
	arrival  scenarios.Arrival
	draw     *rand.Rand

	offset float64 // constant: the first point of the unit process, below 1

	n     int     // number of arrivals drawn
	x     float64 // the last point of the unit process
	burst float64 // mmpp: end of the current burst, seconds from the phase's start
}

func newProcess(p *scenarios.Phase, r *rand.Rand) *process {
	c := &process{shape: p.Shape, arrival: p.Arrival, draw: r, expected: []float64{0}}
	for _, seg := range p.Shape {
		c.begin = append(c.begin, c.length)
		c.length += seg.For.Seconds()
		last := c.expected[len(c.expected)-1]
		c.expected = append(c.expected, last+integral(seg, seg.For.Seconds()))
	}
	if c.arrival.Process == "mmpp" {
		c.burst = r.ExpFloat64() * p.Arrival.Burst.Seconds()
	}
	return c
}

// next returns the next arrival in seconds from the phase's start.
func (c *process) next() (float64, bool) {
	c.n++
	switch c.arrival.Process {
	case "constant":
		c.x = c.offset + float64(c.n-1)
	case "gamma":
		c.x += c.gamma()
	case "mmpp":
		return c.nextOfBurst()
	default:
		c.x += c.draw.ExpFloat64()
	}
	return c.when(c.x)
}

func (c *process) gamma() float64 {
	d := scenarios.Dist{Kind: "gamma", Params: []float64{c.arrival.Shape, 1 << 30}}
	return float64(d.Draw(c.draw)) / (1 << 30)
}

// nextOfBurst skips the pauses between bursts. Within a burst the rate is higher
// by the factor that keeps the mean rate.
func (c *process) nextOfBurst() (float64, bool) {
	on, off := c.arrival.Burst.Seconds(), c.arrival.Pause.Seconds()
	share := on / (on + off)
	left := c.draw.ExpFloat64() * share
	for {
		if end := c.until(c.burst); c.x+left < end {
			c.x += left
			return c.when(c.x)
		} else if c.burst >= c.length {
			return 0, false
		} else {
			left -= end - c.x
		}
		start := c.burst + c.draw.ExpFloat64()*off
		c.burst = start + c.draw.ExpFloat64()*on
		c.x = c.until(start)
	}
}

// until returns the integral of the rate over the first t seconds.
func (c *process) until(t float64) float64 {
	if t >= c.length {
		return c.expected[len(c.shape)]
	}
	i := sort.SearchFloat64s(c.begin, t)
	if i == len(c.begin) || c.begin[i] > t {
		i--
	}
	return c.expected[i] + integral(c.shape[i], t-c.begin[i])
}

// when is the inverse of until. It returns false after the end.
func (c *process) when(x float64) (float64, bool) {
	if x >= c.expected[len(c.shape)]-1e-9 {
		return 0, false
	}
	i := sort.Search(len(c.shape), func(i int) bool { return c.expected[i+1] > x })
	return c.begin[i] + inverse(c.shape[i], x-c.expected[i]), true
}

// integral returns the expected number of messages in the first t seconds of a
// segment.
func integral(g scenarios.Segment, t float64) float64 {
	y := g.From*t + (g.To-g.From)*t*t/(2*g.For.Seconds())
	if g.Period > 0 {
		p := g.Period.Seconds()
		y += g.Amplitude * p / (2 * math.Pi) * (1 - math.Cos(2*math.Pi*t/p))
	}
	return y
}

// inverse returns the t at which integral(g, t) is y.
func inverse(g scenarios.Segment, y float64) float64 {
	if y <= 0 {
		return 0
	}
	if g.Period == 0 {
		slope := (g.To - g.From) / g.For.Seconds()
		return 2 * y / (g.From + math.Sqrt(max(0, g.From*g.From+2*y*slope)))
	}
	low, high := 0.0, g.For.Seconds()
	for range 60 {
		if mid := (low + high) / 2; integral(g, mid) < y {
			low = mid
		} else {
			high = mid
		}
	}
	return high
}
