package loadgen

import (
	"math"
	"slices"

	"harelab/loadgen/run"
)

// overloads returns the spans in which a set of groups needs more than its workers can do,
// in order of time. Of several sets at one time it takes the one that lacks most.
func (p *pool) overloads(spans []span, sets []set, outer map[int64]bool) []run.Overload {
	var out []run.Overload
	for i := 0; i < len(spans); {
		k, end := lacking(&spans[i]), i+1
		for end < len(spans) && lacking(&spans[end]) == k {
			end++
		}
		if k >= 0 {
			if o, ok := p.overload(spans[i:end], sets[k], k, false); ok {
				out = append(out, o)
			}
		}
		i = end
	}
	if p.whole {
		out = append(out, p.unlucky(spans, sets, outer, out)...)
	}
	slices.SortStableFunc(out, func(a, b run.Overload) int { return int(min(max(a.From-b.From, -1), 1)) })
	return out
}

// lacking returns the index of the set that lacks most, -1 if none lacks any.
func lacking(sp *span) int {
	best, most := -1, 1e-9
	for k := range sp.needs {
		if lack := sp.needs[k] - sp.speed[k]; lack > most*(1+1e-9) {
			best, most = k, lack
		}
	}
	return best
}

// unlucky returns the phases in which only the draw of the load exceeds the slots, and
// which do not overlap an overload that is known.
func (p *pool) unlucky(spans []span, sets []set, outer map[int64]bool, known []run.Overload) []run.Overload {
	var out []run.Overload
	for i := 0; i < len(spans); {
		end := i + 1
		for end < len(spans) && !outer[spans[end].from] {
			end++
		}
		from, to := spans[i].from, spans[end-1].to
		if !slices.ContainsFunc(known, func(o run.Overload) bool { return o.From < to && from < o.To }) {
			var worst run.Overload
			for k := range sets {
				o, ok := p.overload(spans[i:end], sets[k], k, true)
				if ok && (worst.To == 0 || o.Needs-o.Speed > worst.Needs-worst.Speed) {
					worst = o
				}
			}
			if worst.To > 0 {
				out = append(out, worst)
			}
		}
		i = end
	}
	return out
}

// What is drawn must exceed the slots by so many messages of mean service for each slot to
// be an overload: by 1 if rates and distributions exceed them too, since so much is always
// under way, and else by more than chance adds to a steady load.
const (
	leastExcess  = 1
	chanceExcess = 10
)

// overload describes neighbouring spans as an overload of the k-th set. With drawn, what it
// needs is what was drawn. It returns false if what was drawn does not exceed the slots
// enough.
func (p *pool) overload(spans []span, of set, k int, drawn bool) (run.Overload, bool) {
	last := len(spans) - 1
	o := run.Overload{From: spans[0].from, To: spans[last].to, Slots: spans[0].slots[k], Speed: spans[0].speed[k], Drained: run.None, Drawn: drawn}
	least, done, work := math.Inf(1), 0.0, 0.0
	for i := range spans {
		sp := &spans[i]
		length := float64(sp.to - sp.from)
		done += sp.speed[k] * length
		work += sp.needs[k] * length
		least, o.Needs = min(least, sp.needs[k]), max(o.Needs, sp.needs[k])
		o.Slots, o.Most, o.Speed = min(o.Slots, sp.slots[k]), max(o.Most, sp.slots[k]), min(o.Speed, sp.speed[k])
	}
	o.Varies = o.Needs > 1.01*least
	if p.whole {
		n, excess := 0, leastExcess
		for _, a := range p.between(o.From, o.To) {
			if a.paced && slices.Contains(of, int(a.group)) {
				n++
			}
		}
		if drawn || p.traced {
			excess = chanceExcess
		}
		work = p.drawn(of, o.From, o.To)
		if n == 0 || work-done < work/float64(n)*float64(excess*max(o.Most, 1)) {
			return o, false
		}
		o.Seed, o.Drained = work/float64(o.To-o.From), p.drained(of, o.To)
	} else if drawn || work <= done {
		return o, false
	}
	if drawn {
		o.Needs, o.Varies = o.Seed, false
	}
	o.Queues = p.namesOf(of)
	o.Enough = int(math.Ceil(o.Needs/maxBusy - 1e-9))
	return o, true
}

// drained returns the first time from a time on at which slots that never idle have done
// all work of a set that arrived before: math.MaxInt64 if they never have, run.None if
// queues may drop what waits.
func (p *pool) drained(of set, from int64) int64 {
	for _, g := range of {
		if p.groups[g].most < int64(len(p.arrivals)) {
			return run.None
		}
	}
	for i := range p.s.Classes {
		if p.s.Classes[i].Expiration > 0 {
			return run.None
		}
	}
	left, now := 0.0, int64(0) // work in microseconds
	i, turns := 0, p.turns(0)
	for k := range turns {
		_, speed := p.there(of, turns[k])
		end := int64(math.MaxInt64)
		if k+1 < len(turns) {
			end = turns[k+1]
		}
		for now < end {
			next := end
			if i < len(p.arrivals) {
				next = min(end, max(p.arrivals[i].at, now))
			}
			if empty := emptyAt(now, left, speed); empty <= next {
				if next >= from {
					return max(empty, from)
				}
				left = 0
			} else {
				left -= speed * float64(next-now)
			}
			now = next
			for i < len(p.arrivals) && p.arrivals[i].at <= now {
				if slices.Contains(of, int(p.arrivals[i].group)) {
					left += float64(p.arrivals[i].work)
				}
				i++
			}
		}
	}
	return math.MaxInt64
}

// emptyAt returns the time at which slots of a speed have done the work that is left.
func emptyAt(now int64, left, speed float64) int64 {
	if left < 1 {
		return now
	}
	if t := float64(now) + left/speed; t < math.MaxInt64/2 {
		return int64(math.Ceil(t))
	}
	return math.MaxInt64
}

// burst returns the burst for which slots need longest, if that is longer than its longest
// message: otherwise it leaves no backlog.
func (p *pool) burst(sets []set) *run.Burst {
	if !p.whole {
		return nil
	}
	var most *run.Burst
	for i := 0; i < len(p.arrivals); {
		first := i
		for i < len(p.arrivals) && p.arrivals[i].at == p.arrivals[first].at {
			i++
		}
		for _, of := range sets {
			if b := p.burstOf(of, p.arrivals[first:i]); b != nil && (most == nil || b.Least > most.Least) {
				most = b
			}
		}
	}
	return most
}

// burstOf returns the burst of a set among the arrivals of one instant, nil if there is
// none that leaves a backlog.
func (p *pool) burstOf(of set, arrivals []arrival) *run.Burst {
	b, longest := run.Burst{At: arrivals[0].at}, int64(0)
	for _, a := range arrivals {
		if !a.paced && slices.Contains(of, int(a.group)) {
			b.Work += a.work
			longest = max(longest, a.work)
		}
	}
	if b.Work == 0 {
		return nil
	}
	b.Queues = p.namesOf(of)
	b.Slots, _ = p.there(of, b.At)
	left, turns := float64(b.Work), p.turns(b.At)
	for k, t := range turns {
		_, speed := p.there(of, t)
		empty := emptyAt(t, left, speed)
		if k+1 < len(turns) && turns[k+1] < empty {
			left -= speed * float64(turns[k+1]-t)
			continue
		}
		b.Least = empty - b.At
		break
	}
	if b.Least <= longest || b.Least > math.MaxInt64/2 {
		return nil
	}
	return &b
}

// namesOf returns the queues of a set, nil if they are all of the pool.
func (p *pool) namesOf(of set) []string {
	if len(of) == len(p.groups) {
		return nil
	}
	var out []string
	for _, g := range of {
		for _, q := range p.groups[g].queues {
			out = append(out, p.s.Queues[q].Name)
		}
	}
	return out
}
