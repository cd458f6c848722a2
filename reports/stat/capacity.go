package stat

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"harelab/loadgen/run"
)

// An overload is one of a run, with the pool that it belongs to.
type overload struct {
	*run.Overload
	pool *run.Pool
	only bool // there is no other pool
}

// maxOverloads is the number of overloads of a run that are described one by one.
const maxOverloads = 3

// Overloads says, in a text of one or more sentences for each, in which spans a load needs
// more slots than there are: "From 120 s to 150 s the load needs 63 busy slots and 24 are
// there: no prefetch or dispatch can help; 65 slots would. ..." It describes those that
// lack most work, in order of time. It returns nil for a load that its slots can serve.
func Overloads(pools []run.Pool) []string {
	var all []overload
	for i := range pools {
		for k := range pools[i].Overloads {
			all = append(all, overload{&pools[i].Overloads[k], &pools[i], len(pools) == 1})
		}
	}
	kept := slices.Clone(all)
	slices.SortStableFunc(kept, func(a, b overload) int { return cmp.Compare(b.lack(), a.lack()) })
	kept = kept[:min(len(kept), maxOverloads)]
	slices.SortStableFunc(kept, func(a, b overload) int { return cmp.Compare(a.From, b.From) })
	var out []string
	for i, o := range kept {
		text := o.text()
		if i+1 == len(kept) || kept[i+1].pool != o.pool || kept[i+1].Drained != o.Drained {
			text += o.drain()
		}
		out = append(out, text)
	}
	if n := len(all) - len(kept); n == 1 {
		out = append(out, "Another overload is shorter or smaller.")
	} else if n > 1 {
		out = append(out, Count(n)+" more overloads are shorter or smaller.")
	}
	return out
}

// lack is the work that an overload leaves, at most.
func (o overload) lack() float64 { return (o.Needs - o.Speed) * float64(o.To-o.From) }

// text says what the load needs, and what is there.
func (o overload) text() string {
	needs := "needs "
	switch {
	case o.Drawn:
		needs = "as drawn needs "
	case o.Varies:
		needs = "needs up to "
	}
	slots := "slots"
	if o.worth() {
		slots = "slots at full speed"
	}
	return fmt.Sprintf("From %s to %s %s %s%s busy slots and %s: no prefetch or dispatch can help; %s %s would.",
		moment(o.From), moment(o.To), o.subject(), needs, o.needs(), o.there(), Count(o.Enough), slots)
}

// worth reports whether the slots are worth less, or more, than their number.
func (o overload) worth() bool {
	return o.Slots == o.Most && math.Abs(o.Speed-float64(o.Slots)) > 0.005*float64(o.Slots)
}

// needs writes the slots that are needed, at as many digits as it takes to tell them from
// those that are there.
func (o overload) needs() string {
	for digits := 3; digits < 9; digits++ {
		text := number(o.Needs, digits)
		if v, err := strconv.ParseFloat(text, 64); err != nil || v > o.Speed {
			return text
		}
	}
	return number(o.Needs, 9)
}

// there says which slots are there, as "24 are there".
func (o overload) there() string {
	switch {
	case o.Most == 0:
		return "none is there"
	case o.Slots != o.Most:
		return fmt.Sprintf("%s to %s are there", Count(o.Slots), Count(o.Most))
	case o.worth():
		return fmt.Sprintf("%s, worth %s at their speed", isThere(o.Slots), Plain(o.Speed))
	}
	return isThere(o.Slots)
}

func isThere(slots int) string {
	if slots == 1 {
		return "1 is there"
	}
	return Count(slots) + " are there"
}

// subject names the load, with its queues unless they are all that workers consume.
func (o overload) subject() string {
	queues := o.Queues
	if len(queues) == 0 {
		if o.only {
			return "the load"
		}
		queues = o.pool.Queues
	}
	return "the load of " + QueueNames(queues)
}

// maxQueues is the number of queues that are named.
const maxQueues = 4

// QueueNames names queues, as "queues a and b".
func QueueNames(queues []string) string {
	if len(queues) == 1 {
		return "queue " + queues[0]
	}
	if n := len(queues) - maxQueues; n > 1 {
		queues = append(slices.Clone(queues[:maxQueues]), Count(n)+" more")
	}
	return "queues " + List(queues, "and")
}

// drain says when the work left by an overload can be done.
func (o overload) drain() string {
	switch o.Drained {
	case run.None:
		return ""
	case math.MaxInt64:
		return " No worker is left to work off its backlog."
	}
	return " Its backlog is gone by " + moment(o.Drained) + " at the earliest."
}

// moment writes a run time at three digits. It rounds down, since the times of a plan
// are lower bounds.
func moment(us int64) string {
	unit := int64(1)
	for us/unit >= 1000 {
		unit *= 10
	}
	return Brief(float64(us/unit*unit) / perSecond)
}

// Enough says what a load needs at most that its slots can serve: "The load needs at most
// 7.88 of 24 slots." Of several pools it names the busiest. It says nothing of pools that
// are overloaded, or that closed loops publish to.
func Enough(pools []run.Pool) []string {
	var pool *run.Pool
	var peak run.Phase
	others := 0
	for i := range pools {
		p := &pools[i]
		if len(p.Overloads) > 0 || len(p.Phases) == 0 || p.Closed {
			continue
		}
		worst := slices.MaxFunc(p.Phases, func(a, b run.Phase) int { return cmp.Compare(busy(a), busy(b)) })
		if busy(worst) > 1 {
			continue // for too short a time to be an overload
		}
		others++
		if pool == nil || busy(worst) > busy(peak) {
			pool, peak = p, worst
		}
	}
	if pool == nil {
		return nil
	}
	of := "The load"
	if len(pools) > 1 {
		of += " of " + QueueNames(pool.Queues)
	}
	text := fmt.Sprintf("%s needs at most %s of %s", of, Plain(peak.Peak), Counted(peak.Slots, "slot"))
	if math.Abs(peak.Speed-float64(peak.Slots)) > 0.005*float64(peak.Slots) {
		text += fmt.Sprintf(", worth %s at their speed", Plain(peak.Speed))
	}
	if busy(peak) > tight {
		text += ": hardly any time is spare"
	}
	text += "."
	if others > 1 {
		text += " Other queues need a smaller share of theirs."
	}
	return []string{text}
}

// tight is the share of time that slots are busy from which waits grow long.
const tight = 0.97

// busy is the share of time that the slots of a phase are busy, at its peak.
func busy(p run.Phase) float64 {
	if p.Peak == 0 {
		return 0
	}
	return p.Peak / p.Speed
}

// Bursts says how long slots need for the work of a burst, for each pool that has one.
func Bursts(pools []run.Pool) []string {
	var out []string
	for i := range pools {
		b := pools[i].Burst
		if b == nil {
			continue
		}
		to := ""
		if len(b.Queues) > 0 {
			to = " for " + QueueNames(b.Queues)
		} else if len(pools) > 1 {
			to = " for " + QueueNames(pools[i].Queues)
		}
		need := "need"
		if b.Slots == 1 {
			need = "needs"
		}
		out = append(out, fmt.Sprintf("The burst%s at %s is %s of work: %s %s %s for it at least.",
			to, moment(b.At), Brief(float64(b.Work)/perSecond), Counted(b.Slots, "slot"), need, moment(b.Least)))
	}
	return out
}

// Counted writes a number with its noun, as "1 slot" and "24 slots".
func Counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return Count(n) + " " + noun
}
