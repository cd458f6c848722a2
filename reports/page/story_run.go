package page

import (
	"fmt"
	"math"
	"strings"

	"harelab/reports/arms"
	"harelab/reports/judge"
	"harelab/reports/stat"
	"harelab/scenarios/metric"
)

// The figures of a class that the rules ask for, in seconds.
func waitP50(c *stat.Class) float64  { return of(c.Wait, func(d *stat.Dist) float64 { return d.P50 }) }
func waitP99(c *stat.Class) float64  { return of(c.Wait, func(d *stat.Dist) float64 { return d.P99 }) }
func waitMax(c *stat.Class) float64  { return of(c.Wait, func(d *stat.Dist) float64 { return d.Max }) }
func waitMean(c *stat.Class) float64 { return of(c.Wait, func(d *stat.Dist) float64 { return d.Mean }) }
func heldMean(c *stat.Class) float64 { return of(c.Held, func(d *stat.Dist) float64 { return d.Mean }) }
func serviceMean(c *stat.Class) float64 {
	return of(c.Service, func(d *stat.Dist) float64 { return d.Mean })
}
func starvation(c *stat.Class) float64 { return c.Starvation }
func stuck(c *stat.Class) float64      { return float64(c.Stuck) }
func finished(c *stat.Class) float64   { return float64(c.N) }

// of returns a figure of a distribution, NaN if there is none.
func of(d *stat.Dist, figure func(*stat.Dist) float64) float64 {
	if d == nil {
		return math.NaN()
	}
	return figure(d)
}

// starvesRule: for a large part of the run a class has work waiting, and none starts.
func starvesRule(f facts) (Story, bool) {
	s := f.base.First().Summary
	longest, work := f.over(f.base, starvation), f.over(f.base, func(c *stat.Class) float64 {
		return of(c.Service, func(d *stat.Dist) float64 { return d.P50 })
	})
	if math.IsNaN(work) || longest < starvesPart*s.Makespan || longest < starvesWork*work {
		return Story{}, false
	}
	h := stat.Upper(f.about("starvation").Say(longest))
	if b := blocker(f.base.First(), f.in.Focus); b != "" {
		h += " while " + b + " runs"
	}
	if g, ok := f.goal(); ok && g.Metric != "starvation" {
		if v := f.base.Of(g).Center; !math.IsNaN(v) {
			h += ": " + g.Say(v)
		}
	}
	return Story{h + ".", f.values() + f.stuckText(f.base)}, true
}

func heldRule(f facts) (Story, bool) {
	held, wait, work := f.over(f.base, heldMean), f.over(f.base, waitMean), f.over(f.base, serviceMean)
	if !(held >= wait/2) || !(wait >= max(work, heldLeast)) {
		return Story{}, false
	}
	return Story{
		Headline: "Most of the wait is held in workers' prefetch windows, not in the queue.",
		Text: fmt.Sprintf("The mean wait of %s is %s. For %s of it a worker has received the message and not yet started it. %s",
			f.what(), stat.Brief(wait), stat.Brief(held), f.values()),
	}, true
}

// keepsUpRule: in no run does a message of any class wait long, not even the unluckiest,
// and every message is finished.
func keepsUpRule(f facts) (Story, bool) {
	for _, r := range f.base.Runs {
		for _, c := range r.Summary.Classes {
			work := serviceMean(c)
			if c.Published > 0 && (c.N < c.Published || !(waitP99(c) <= work/10) || !(waitMax(c) <= max(work, 1e-3))) {
				return Story{}, false
			}
		}
	}
	longest := f.base.Over(func(s *stat.Summary) float64 { return waitMax(s.All) }).Hi
	if math.IsNaN(longest) {
		return Story{}, false
	}
	return Story{"The workers keep up: " + judge.Goal{Query: metric.Must("wait.max")}.Say(longest) + ".", f.values()}, true
}

// plainRule says the goals' values in a run of which there is nothing else to say.
func plainRule(f facts) (Story, bool) {
	if f.base == nil {
		return Story{}, false
	}
	if all := f.base.First().Summary.All; all.N == 0 {
		if all.Published == 0 {
			return Story{"No message was published.", f.values()}, true
		}
		h := "No message was finished"
		if ends := endWords(f.base.First().Summary); len(ends) > 0 {
			h += ": " + strings.Join(ends, "; ")
		}
		return Story{h + ".", fmt.Sprintf("%s messages were published.", stat.Count(all.Published))}, true
	} else if math.IsNaN(f.over(f.base, waitMax)) {
		return Story{fmt.Sprintf("No %s was finished.", f.what()), fmt.Sprintf("%s of %s messages were finished.", stat.Count(all.N), stat.Count(all.Published))}, true
	}
	half, longest := f.over(f.base, waitP50), f.over(f.base, waitMax)
	var parts []string
	if g, ok := f.goal(); ok && !(g.Metric == "wait" && (g.Stat == "max" || g.Stat == "p50") && g.Who() == f.what()) {
		switch e := f.base.Of(g); {
		case e.N == 0:
		case math.IsInf(e.Center, 1) && !math.IsInf(e.Lo, 1):
			parts = append(parts, "in most runs "+g.Say(e.Center))
		default:
			parts = append(parts, g.Say(e.Center))
		}
	}
	if half == 0 {
		parts = append(parts, fmt.Sprintf("most %s start at once", f.about("wait.p50").Who()))
	} else {
		parts = append(parts, f.about("wait.p50").Say(half))
	}
	parts = append(parts, f.about("wait.max").Say(longest))
	return Story{stat.Upper(strings.Join(parts, "; ")) + ".", f.values() + f.stuckText(f.base)}, true
}

func (f facts) stuckText(a *arms.Arm) string {
	n := f.over(a, stuck)
	if !(n > 0) {
		return ""
	}
	return fmt.Sprintf(" %s of %s sat in the prefetch window of a worker that was busy with something else, for at least as long as their own work takes and for up to %s.",
		stat.Count(int(n)), stat.Count(int(f.over(a, finished))), stat.Brief(f.over(a, func(c *stat.Class) float64 { return c.StuckMax })))
}
