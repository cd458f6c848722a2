package page

import (
	"fmt"
	"math"
	"strings"

	"harelab/reports/arms"
	"harelab/reports/judge"
	"harelab/reports/stat"
)

// targetsRule: one scenario ran on several targets. The story says whether they agree
// in everything by which the runs are judged.
func targetsRule(f facts) (Story, bool) {
	g, ok := f.goal()
	if len(f.in.Arms) < 2 || !ok {
		return Story{}, false
	}
	var names []string
	abs := 0.0
	for _, a := range f.in.Arms {
		s := a.First().Summary
		abs = max(abs, stat.AgreeAbs(s.Target))
		if s.Arm != f.base.First().Summary.Arm || !s.Load.Same(f.base.First().Summary.Load) || s.Target == f.base.First().Summary.Target && a != f.base {
			return Story{}, false
		}
		names = append(names, a.Label)
	}
	who := stat.Upper(stat.List(names, "and"))
	for _, of := range f.in.Goals {
		lo, hi := f.bounds(of)
		if hi-lo > stat.AgreeRel*math.Abs(lo)+map[bool]float64{true: abs}[of.IsTime()] {
			var values []float64
			for _, a := range f.in.Arms {
				values = append(values, a.Of(of).Center)
			}
			return Story{fmt.Sprintf("%s differ: %s.", who, of.SayEach(names, values)), f.values()}, true
		}
	}
	_, hi := f.bounds(g)
	if math.IsInf(hi, 0) {
		return Story{}, false
	}
	for _, a := range f.in.Arms[1:] {
		first := f.base.First().Summary
		if l := stat.Agree(first, a.First().Summary.Target, arms.Summaries(a.Runs)).Outside(); l != nil {
			return Story{fmt.Sprintf("%s differ: %s is %s with %s and %s with %s.", who, l.Words(),
				stat.Brief(l.Predicted), f.base.Label, stat.Brief(l.Measured), a.Label), f.values()}, true
		}
	}
	return Story{fmt.Sprintf("%s agree: %s%s.", who, g.Say(hi), f.predicted()), f.values() + f.stuckText(f.base)}, true
}

// eachTargetRule: where several arms ran on several targets, each target has a verdict of its
// own, under its name. None speaks for the others.
func eachTargetRule(f facts) (Story, bool) {
	var order []stat.Target
	runs := make(map[stat.Target][]*arms.Run)
	several := false
	for _, a := range f.in.Arms {
		t := a.First().Summary.Target
		if runs[t] == nil {
			order = append(order, t)
		}
		several = several || runs[t] != nil
		runs[t] = append(runs[t], a.Runs...)
	}
	if len(order) < 2 || !several {
		return Story{}, false
	}
	var told []string
	for i, t := range order {
		if i == namedMost {
			told = append(told, fmt.Sprintf("The other %d targets are below.", len(order)-i))
			break
		}
		told = append(told, "On "+f.in.TargetName(t)+": "+Tell(arms.NewSet(runs[t])).Headline)
	}
	return Story{strings.Join(told, " "), f.values()}, true
}

// bounds returns the least and the greatest value of a goal in the arms.
func (f facts) bounds(g judge.Goal) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, a := range f.in.Arms {
		v := a.Of(g).Center
		lo, hi = math.Min(lo, v), math.Max(hi, v)
	}
	return lo, hi
}

// predicted says whether all measurements agree with their predictions. It is empty if
// there is no prediction.
func (f facts) predicted() string {
	all := stat.Agreements(arms.Summaries(f.in.Runs))
	for _, a := range all {
		if l := a.Outside(); l != nil {
			return fmt.Sprintf(", but %s is %s on %s, not %s as predicted", l.Words(), stat.Brief(l.Measured), f.in.TargetName(a.Target), stat.Brief(l.Predicted))
		}
		if !a.SameLoad {
			return ""
		}
	}
	if len(all) == 0 {
		return ""
	}
	return ", as predicted"
}
