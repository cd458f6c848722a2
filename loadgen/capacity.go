package loadgen

import (
	"cmp"
	"math"
	"slices"

	"harelab/loadgen/run"
	"harelab/scenarios"
)

// maxBusy is the greatest share of time that slots are busy which counts as enough:
// near 1 waits grow without bound.
const maxBusy = 0.97

// maxWalked is the number of messages of a plan up to which Capacity draws all of them.
// The figures of larger plans are those of rates and distributions.
const maxWalked = 2_000_000

// Capacity compares the work that the load of s offers with the slots that there are, for
// each set of queues that share workers. It follows the routing of the plan's actual
// messages. Queues that nobody consumes belong to no set.
//
// An overload is a span whose drawn work is more than the slots can do in it. Its figure is
// what rates and distributions say, or what was drawn if only that exceeds the slots.
func (p *Plan) Capacity() []run.Pool {
	c := &capacity{s: p.s, plan: p}
	c.findPools()
	if len(c.pools) == 0 {
		return nil
	}
	c.walk()
	c.offer()
	out := make([]run.Pool, len(c.pools))
	for i, q := range c.pools {
		out[i] = q.report()
	}
	return out
}

// A capacity is the state of [Plan.Capacity]. Times are microseconds.
type capacity struct {
	s     *scenarios.Scenario
	plan  *Plan
	pools []*pool
	group []place // by queue of the scenario; a pool of -1: nobody consumes it

	tenants Names
	whole   bool              // all messages were drawn
	routed  map[portion]*flow // what was drawn, by portion of the load
}

// A place is the group of a queue: its pool and its index there.
type place struct{ pool, group int }

// A portion is the messages of one class in one phase of a sequence.
type portion struct {
	sequence, phase, class int
}

// anyPhase is the phase of a portion that spans all phases of its sequence.
const anyPhase = -1

// A flow is where the messages of a portion went.
type flow struct {
	n      int
	work   int64
	copies map[place]int
}

// walk draws the messages of the plan and records the work of each pool.
func (c *capacity) walk() {
	c.routed = map[portion]*flow{}
	router, stream := NewRouter(c.s), c.plan.All()
	n := 0
	var m Planned
	for ; n < maxWalked && stream.Next(&m); n++ {
		phase, all := c.flowOf(&m, c.phaseOf(&m)), c.flowOf(&m, anyPhase)
		for _, f := range []*flow{phase, all} {
			f.n++
			f.work += m.Service
		}
		for _, q := range router.Route(m.Exchange, m.RoutingKey, m.Headers) {
			if at := c.group[q]; at.pool >= 0 {
				phase.copies[at]++
				all.copies[at]++
				pool := c.pools[at.pool]
				pool.arrivals = append(pool.arrivals, arrival{m.At, m.Service, m.Sequence, int32(at.group), m.Class, c.tenants.Index(m.Tenant), m.Paced})
			}
		}
	}
	c.whole = n < maxWalked
	for _, q := range c.pools {
		q.whole, q.tenants = c.whole, c.tenants.List()
	}
}

// flowOf returns the flow of a message's class in a phase.
func (c *capacity) flowOf(m *Planned, phase int) *flow {
	k := portion{int(m.Sequence), phase, int(m.Class)}
	f := c.routed[k]
	if f == nil {
		f = &flow{copies: map[place]int{}}
		c.routed[k] = f
	}
	return f
}

// phaseOf returns the phase of its sequence that a message belongs to. A phase that paces
// its messages may begin at the instant of a burst.
func (c *capacity) phaseOf(m *Planned) int {
	q := &c.s.Load[m.Sequence]
	start, found := q.Start.Microseconds(), 0
	for j := range q.Phases {
		ph := &q.Phases[j]
		if start > m.At {
			break
		}
		if m.Paced == (ph.Model == scenarios.Open || ph.Model == scenarios.Trace) {
			found = j
		}
		start += ph.Duration.Microseconds()
	}
	return found
}

// offer sets the inflows of each pool: the slots that the open phases and traces need.
func (c *capacity) offer() {
	for i := range c.s.Load {
		q := &c.s.Load[i]
		start := q.Start.Microseconds()
		for j := range q.Phases {
			ph := &q.Phases[j]
			switch ph.Model {
			case scenarios.Open:
				c.offerOpen(i, j, start)
			case scenarios.Closed:
				c.close(ph)
			case scenarios.Trace:
				c.offerTrace(i, ph, start)
			}
			start += ph.Duration.Microseconds()
		}
	}
}

// offerOpen adds an open phase: for each piece of its shape, rate x share of the class x
// mean service x share of the copies that reach a group.
func (c *capacity) offerOpen(i, j int, start int64) {
	ph := &c.s.Load[i].Phases[j]
	perMessage := map[place]float64{} // seconds of work
	for class, share := range shares(ph) {
		if share == 0 {
			continue
		}
		f := cmp.Or(c.routed[portion{i, j, class}], c.routed[portion{i, anyPhase, class}])
		if f == nil {
			continue // none was drawn
		}
		mean := c.meanService(class, f)
		for at, copies := range f.copies {
			perMessage[at] += share * mean * float64(copies) / float64(f.n)
		}
	}
	r := newProcess(ph, scenarios.Stream(0, "")) // for its shape; nothing is drawn
	end := r.length
	if at, ok := r.when(float64(ph.Count)); ph.Count > 0 && ok {
		end = at
	}
	for k, seg := range ph.Shape {
		pieces := 1
		if seg.From != seg.To || seg.Amplitude != 0 {
			pieces = shapePieces
		}
		for n := range pieces {
			length := seg.For.Seconds()
			from, to := length*float64(n)/float64(pieces), length*float64(n+1)/float64(pieces)
			to = min(to, end-r.begin[k])
			if to <= from {
				break
			}
			rate := (integral(seg, to) - integral(seg, from)) / (to - from)
			first, last := start+int64(math.Round((r.begin[k]+from)*1e6)), start+int64(math.Round((r.begin[k]+to)*1e6))
			for at, work := range perMessage {
				pool := c.pools[at.pool]
				pool.inflows = append(pool.inflows, inflow{first, last, at.group, rate * work})
			}
			for _, pool := range c.pools { // so that each pool has the same phases
				pool.edges = append(pool.edges, edge{first, n > 0}, edge{last, n+1 < pieces})
			}
		}
	}
}

// close marks the pools that the users of a closed phase publish to: all of them if their
// routing keys are drawn.
func (c *capacity) close(ph *scenarios.Phase) {
	router := NewRouter(c.s)
	for class, share := range shares(ph) {
		of := &c.plan.classes[class]
		if share == 0 {
			continue
		}
		if of.key.varies || of.varying {
			for _, p := range c.pools {
				p.closed = true
			}
			continue
		}
		for _, q := range router.Route(of.spec.Exchange, of.key.text, of.spec.Headers) {
			if at := c.group[q]; at.pool >= 0 {
				c.pools[at.pool].closed = true
			}
		}
	}
}

// shapePieces is the number of pieces of a rate that changes, each with its mean rate.
const shapePieces = 16

// shares returns the share of each class in the messages of a phase.
func shares(ph *scenarios.Phase) map[int]float64 {
	out, sum := map[int]float64{}, 0.0
	for _, class := range ph.Pattern {
		out[class]++
		sum++
	}
	if sum == 0 {
		for class, w := range ph.Weights {
			out[class] = w
			sum += w
		}
	}
	for class := range out {
		out[class] /= sum
	}
	return out
}

// meanService returns the mean service of a class in seconds: that of its distribution,
// or of the messages drawn if the distribution has none or is cut off.
func (c *capacity) meanService(class int, f *flow) float64 {
	d := &c.s.Classes[class].Service
	if mean := d.Mean(); d.Max == 0 && !math.IsInf(mean, 0) {
		return mean / 1e6
	}
	return float64(f.work) / float64(f.n) / 1e6
}

// Bounds on the parts of a trace, each with its mean rate.
const (
	traceParts = 16 // the most
	tracePart  = 50 // the fewest messages of a part, on average
)

// offerTrace adds a trace as equal parts of its length. Its messages are known, so what
// was drawn is what is offered.
func (c *capacity) offerTrace(sequence int, ph *scenarios.Phase, start int64) {
	length := ph.Duration.Microseconds()
	parts := int64(min(max(len(ph.Rows)/tracePart, 1), traceParts))
	for n := range parts {
		from, to := start+length*n/parts, start+length*(n+1)/parts
		if to == from {
			continue
		}
		for _, pool := range c.pools {
			pool.edges = append(pool.edges, edge{from, n > 0}, edge{to, n+1 < parts})
			work := map[int32]int64{}
			last := to
			if n+1 == parts {
				last++ // the last row is at the end
			}
			for _, a := range pool.between(from, last) {
				if a.paced && a.sequence == int32(sequence) {
					work[a.group] += a.work
				}
			}
			for group, w := range work {
				pool.traced = true
				pool.inflows = append(pool.inflows, inflow{from, to, int(group), float64(w) / float64(to-from)})
			}
		}
	}
}

// An arrival is a copy of a message that reaches a group of queues.
type arrival struct {
	at, work int64
	sequence int32
	group    int32
	class    int32
	tenant   int32 // -1: none
	paced    bool  // not of a burst
}

// between returns the arrivals from a time up to another, which is not included.
func (p *pool) between(from, to int64) []arrival {
	at := func(t int64) int {
		i, _ := slices.BinarySearchFunc(p.arrivals, t, func(a arrival, t int64) int { return cmp.Compare(a.at, t) })
		return i
	}
	return p.arrivals[at(from):max(at(from), at(to))]
}
