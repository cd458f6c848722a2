package loadgen

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"harelab/loadgen/run"
	"harelab/scenarios"
)

// A pool is a set of queues that share workers, directly or through other queues.
type pool struct {
	s        *scenarios.Scenario
	queues   []int // indexes into Scenario.Queues, ascending
	workers  []int // indexes into Scenario.Workers, ascending
	groups   []group
	arrivals []arrival // in order of time
	whole    bool      // arrivals has all of them
	traced   bool      // a trace publishes to it
	closed   bool      // users of closed loops publish to it
	inflows  []inflow
	edges    []edge
	tenants  []string              // by the number of an arrival
	away     map[int][]run.Absence // by worker
}

// A group is queues with the same workers. A queue with a single active consumer is a
// group of its own.
type group struct {
	queues  []int
	workers []int
	single  bool  // only one of the workers consumes at a time
	most    int64 // the longest that one of the queues may be, or 0 if what waits may expire; math.MaxInt64: no limit
}

// An inflow is work that arrives at a steady rate: the slots that it keeps busy.
type inflow struct {
	from, to int64
	group    int
	slots    float64
}

// An edge is a time at which the load or the workers change. An inner one is between the
// pieces of one phase.
type edge struct {
	at    int64
	inner bool
}

// findPools finds the groups of queues, and the pools that they form.
func (c *capacity) findPools() {
	s := c.s
	consumers := make([][]int, len(s.Queues))
	index := map[string]int{}
	for i := range s.Queues {
		index[s.Queues[i].Name] = i
	}
	for w := range s.Workers {
		for _, sub := range s.Workers[w].Consume {
			q := index[sub.Queue]
			consumers[q] = append(consumers[q], w)
		}
	}
	root := make([]int, len(s.Workers)) // of the tree of workers that share queues
	for w := range root {
		root[w] = w
	}
	find := func(w int) int {
		for root[w] != w {
			w = root[w]
		}
		return w
	}
	for _, ws := range consumers {
		for _, w := range ws {
			root[find(w)] = find(ws[0])
		}
	}
	pools, groups := map[int]int{}, map[string]int{}
	c.group = make([]place, len(s.Queues))
	for q, ws := range consumers {
		if len(ws) == 0 {
			c.group[q] = place{-1, -1}
			continue
		}
		n, ok := pools[find(ws[0])]
		if !ok {
			n = len(c.pools)
			pools[find(ws[0])] = n
			c.pools = append(c.pools, &pool{s: s})
		}
		p := c.pools[n]
		p.queues = append(p.queues, q)
		p.workers = append(p.workers, ws...)
		key, single := fmt.Sprint(ws), flagged(&s.Queues[q], "x-single-active-consumer")
		if single {
			key += s.Queues[q].Name
		}
		g, ok := groups[key]
		if !ok {
			g = len(p.groups)
			groups[key] = g
			p.groups = append(p.groups, group{workers: ws, single: single, most: math.MaxInt64})
		}
		p.groups[g].queues = append(p.groups[g].queues, q)
		p.groups[g].most = min(p.groups[g].most, longest(&s.Queues[q]))
		c.group[q] = place{n, g}
	}
	for _, p := range c.pools {
		slices.Sort(p.workers)
		p.workers = slices.Compact(p.workers)
		p.away = make(map[int][]run.Absence, len(p.workers))
		for _, w := range p.workers {
			p.away[w] = absences(s, &s.Workers[w])
		}
	}
}

func flagged(q *scenarios.Queue, name string) bool {
	return slices.ContainsFunc(q.Arguments, func(a scenarios.Argument) bool { return a.Name == name && a.Value == true })
}

// longest returns the number of messages that a queue keeps: 0 if it may give them up
// for another reason, math.MaxInt64 if it keeps all.
func longest(q *scenarios.Queue) int64 {
	most := int64(math.MaxInt64)
	for _, a := range q.Arguments {
		switch a.Name {
		case "x-max-length":
			if n, ok := a.Value.(int64); ok {
				most = min(most, n)
			}
		case "x-max-length-bytes", "x-message-ttl", "x-expires", "x-delivery-limit":
			return 0
		}
	}
	return most
}

// A set is indexes of groups of a pool.
type set []int

// maxSubsets is the number of groups up to which all subsets of a pool are looked at.
const maxSubsets = 8

// sets returns the sets of groups that may be overloaded by themselves, the whole pool
// first. For many groups they are the whole and each group alone.
func (p *pool) sets() []set {
	var out []set
	n := len(p.groups)
	whole := make(set, n)
	for g := range whole {
		whole[g] = g
	}
	out = append(out, whole)
	if n > maxSubsets {
		for g := range n {
			out = append(out, set{g})
		}
		return out
	}
	for mask := 1; mask < 1<<n-1; mask++ {
		var s set
		for g := range n {
			if mask&(1<<g) != 0 {
				s = append(s, g)
			}
		}
		out = append(out, s)
	}
	return out
}

// there returns the slots of a set at a time, and the work that they do in a second. Of a
// queue with a single active consumer it counts the best worker.
func (p *pool) there(of set, at int64) (slots int, speed float64) {
	counted := map[int]bool{}
	for _, g := range of {
		if !p.groups[g].single {
			for _, w := range p.groups[g].workers {
				if !counted[w] && p.up(w, at) {
					counted[w] = true
					slots += p.s.Workers[w].Slots
					speed += float64(p.s.Workers[w].Slots) / p.s.Workers[w].Slow
				}
			}
		}
	}
	for _, g := range of {
		if !p.groups[g].single {
			continue
		}
		best := -1
		for _, w := range p.groups[g].workers {
			pace := func(w int) float64 { return float64(p.s.Workers[w].Slots) / p.s.Workers[w].Slow }
			if !counted[w] && p.up(w, at) && (best < 0 || pace(w) > pace(best)) {
				best = w
			}
		}
		if best >= 0 {
			counted[best] = true
			slots += p.s.Workers[best].Slots
			speed += float64(p.s.Workers[best].Slots) / p.s.Workers[best].Slow
		}
	}
	return slots, speed
}

// up reports whether a worker takes messages at a time.
func (p *pool) up(w int, at int64) bool {
	return !slices.ContainsFunc(p.away[w], func(a run.Absence) bool { return a.From <= at && at < a.To })
}

// turns returns the times from a time on at which a worker comes or goes, in order; the
// first is that time.
func (p *pool) turns(from int64) []int64 {
	out := []int64{from}
	for _, w := range p.workers {
		for _, a := range p.away[w] {
			for _, t := range []int64{a.From, a.To} {
				if t > from && t < math.MaxInt64 {
					out = append(out, t)
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// times returns the ends of the spans in which neither the load nor the workers change,
// and which of them are ends of phases. They begin with 0 and stop at the time-out.
func (p *pool) times() (at []int64, outer map[int64]bool) {
	outer = map[int64]bool{0: true}
	all := map[int64]bool{0: true}
	for _, e := range p.edges {
		all[e.at] = true
		outer[e.at] = outer[e.at] || !e.inner
	}
	limit := int64(math.MaxInt64)
	if t := p.s.Stop.Timeout; t > 0 {
		limit = t.Microseconds()
	}
	last := slices.Max(slices.Collect(maps.Keys(all)))
	for _, w := range p.workers {
		for _, a := range p.away[w] {
			for _, t := range []int64{a.From, a.To} {
				if t < last {
					all[t], outer[t] = true, true
				}
			}
		}
	}
	if limit < last {
		all[limit], outer[limit] = true, true
	}
	for t := range all {
		if t <= limit {
			at = append(at, t)
		}
	}
	slices.Sort(at)
	return at, outer
}

// report returns what the pool's phases need and which of them are overloaded.
func (p *pool) report() run.Pool {
	sets := p.sets()
	out := run.Pool{Closed: p.closed, Burst: p.burst(sets)}
	for _, q := range p.queues {
		out.Queues = append(out.Queues, p.s.Queues[q].Name)
	}
	for _, w := range p.workers {
		out.Workers = append(out.Workers, p.s.Workers[w].Name)
		out.Slots += p.s.Workers[w].Slots
	}
	at, outer := p.times()
	whole := sets[0]
	spans := p.spans(at, sets)
	for i := 0; i < len(spans); {
		end := i + 1
		for end < len(spans) && !outer[spans[end].from] {
			end++
		}
		ph := run.Phase{From: spans[i].from, To: spans[end-1].to}
		ph.Slots, ph.Speed = p.there(whole, ph.From)
		for _, sp := range spans[i:end] {
			ph.Peak = max(ph.Peak, sp.needs[0])
			ph.Offered += sp.needs[0] * float64(sp.to-sp.from) / float64(ph.To-ph.From)
		}
		ph.Drawn = ph.Offered
		if p.whole {
			ph.Drawn = p.drawn(whole, ph.From, ph.To) / float64(ph.To-ph.From)
			ph.Shares = p.shares(ph)
		}
		if ph.Offered > 1e-9 || ph.Drawn > 0 {
			out.Phases = append(out.Phases, ph)
		}
		i = end
	}
	out.Overloads = p.overloads(spans, sets, outer)
	return out
}

// maxTenants is the number of tenants up to which shares tell them apart.
const maxTenants = 32

// shares divides what a phase offers by class and tenant, in proportion to what was drawn.
func (p *pool) shares(ph run.Phase) []run.Share {
	type key struct{ class, tenant int32 }
	work, sum := map[key]int64{}, int64(0)
	for _, a := range p.between(ph.From, ph.To) {
		if a.paced {
			k := key{a.class, a.tenant}
			if len(p.tenants) > maxTenants {
				k.tenant = -1
			}
			work[k] += a.work
			sum += a.work
		}
	}
	if sum == 0 {
		return nil
	}
	keys := slices.SortedFunc(maps.Keys(work), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.tenant, b.tenant))
	})
	var out []run.Share
	for _, k := range keys {
		share := run.Share{Class: p.s.Classes[k.class].Name, Offered: ph.Offered * float64(work[k]) / float64(sum)}
		if k.tenant >= 0 {
			share.Tenant = p.tenants[k.tenant]
		}
		out = append(out, share)
	}
	return out
}

// A span is a time in which neither the load nor the workers change.
type span struct {
	from, to int64
	needs    []float64 // by set: busy slots, by rates and distributions
	slots    []int     // by set
	speed    []float64 // by set
}

// spans returns the spans between the times.
func (p *pool) spans(at []int64, sets []set) []span {
	type change struct {
		at    int64
		group int
		slots float64
	}
	var changes []change
	for _, f := range p.inflows {
		changes = append(changes, change{f.from, f.group, f.slots}, change{f.to, f.group, -f.slots})
	}
	slices.SortStableFunc(changes, func(a, b change) int { return cmp.Compare(a.at, b.at) })
	var out []span
	offered := make([]float64, len(p.groups))
	turns := p.turns(0)
	for i := 0; i+1 < len(at); i++ {
		for len(changes) > 0 && changes[0].at <= at[i] {
			offered[changes[0].group] += changes[0].slots
			changes = changes[1:]
		}
		sp := span{from: at[i], to: at[i+1]}
		if _, turn := slices.BinarySearch(turns, sp.from); i > 0 && !turn {
			sp.slots, sp.speed = out[i-1].slots, out[i-1].speed
		} else {
			for _, of := range sets {
				slots, speed := p.there(of, sp.from)
				sp.slots, sp.speed = append(sp.slots, slots), append(sp.speed, speed)
			}
		}
		for _, of := range sets {
			needs := 0.0
			for _, g := range of {
				needs += offered[g]
			}
			sp.needs = append(sp.needs, needs)
		}
		out = append(out, sp)
	}
	return out
}

// drawn returns the work of a set, bursts left out, that arrives in a span.
func (p *pool) drawn(of set, from, to int64) float64 {
	work := int64(0)
	for _, a := range p.between(from, to) {
		if a.paced && slices.Contains(of, int(a.group)) {
			work += a.work
		}
	}
	return float64(work)
}
