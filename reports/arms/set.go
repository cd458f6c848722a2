package arms

import (
	"harelab/reports/judge"
	"harelab/reports/stat"
)

// A Set is the arms of one report, each with its prediction.
type Set struct {
	Runs  []*Run
	Arms  []*Arm
	Goals []judge.Goal // what the arms are judged by, chosen from all runs; if these have none in common, from the [Set.Comparable] ones
	Focus string       // the class that the goals are about, empty if there is none

	targets map[stat.Target]string
	names   map[*stat.Summary]string
}

// NewSet groups runs into the arms of a report. A run in virtual time is the
// prediction of the arm of the same scenario and variant that ran on a real clock;
// it is an arm itself only if there is no such arm.
func NewSet(runs []*Run) *Set {
	s := &Set{Runs: runs, names: Names(runs, false)}
	predicted := make(map[string]*Run)
	measured := make(map[string]bool)
	for _, r := range runs {
		if !r.Summary.Virtual {
			measured[r.Summary.Arm] = true
		} else if predicted[r.Summary.Arm] == nil {
			predicted[r.Summary.Arm] = r
		}
	}
	for _, a := range Group(runs) {
		sum := a.First().Summary
		if sum.Virtual && measured[sum.Arm] {
			continue
		}
		if !sum.Virtual {
			a.Predicted = predicted[sum.Arm]
		}
		s.Arms = append(s.Arms, a)
	}
	s.label()
	of := Summaries(runs)
	if s.Goals = judge.Goals(of); len(s.Goals) == 0 && len(s.Arms) > 0 {
		of = nil
		for _, a := range s.Comparable() {
			of = append(of, a.Summaries()...)
		}
		s.Goals = judge.Goals(of)
	}
	s.Focus = judge.Class(s.Goals, of)
	return s
}

// label gives arms their letters and their short names: the variant alone if that is
// enough, with the target if there are several, with the settings if only these
// differ.
func (s *Set) label() {
	s.targets = targetNames(s.Arms, stat.Target.Name, address)
	short := func(a *Arm) string {
		if v := a.First().Summary.Variant; v != "" {
			return v
		}
		return a.First().Summary.Scenario
	}
	full := func(a *Arm) string { return a.First().Summary.Arm }
	real := 0
	for t := range s.targets {
		if t.Kind != "sim" {
			real++
		}
	}
	// The scenarios and variants that share a short name. The label takes the short
	// name if only one has it.
	meant := make(map[string]map[string]bool)
	for _, a := range s.Arms {
		if meant[short(a)] == nil {
			meant[short(a)] = make(map[string]bool)
		}
		meant[short(a)][full(a)] = true
	}
	labels := distinct(s.Arms, func(a *Arm) string {
		what, target := short(a), s.targets[a.First().Summary.Target]
		unique := len(meant[what]) == 1
		if !unique {
			what = full(a)
		}
		switch {
		case real > 1 && len(meant) == 1 && unique:
			return target
		case real > 1:
			return what + ", " + target
		}
		return what
	}, func(a *Arm) string {
		return full(a) + ", " + settings(a.First().Summary)
	}, func(a *Arm) string { return a.Name })
	for i, a := range s.Arms {
		a.Label, a.Letter, a.Index = labels[i], Letter(i), i
	}
}

// TargetName names the target of an arm so that no other target of the set has the
// same name.
func (s *Set) TargetName(t stat.Target) string {
	if name, ok := s.targets[t]; ok {
		return name
	}
	return t.Name()
}

// RunName names a run of the set: its arm, and which of the arm's repeats it is.
func (s *Set) RunName(r *Run) string { return s.names[r.Summary] }

// Classes returns the names of all classes, the focus first.
func (s *Set) Classes() []string {
	var out []string
	seen := make(map[string]bool)
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			out = append(out, name)
		}
	}
	if s.Focus != "" {
		add(s.Focus)
	}
	for _, a := range s.Arms {
		for _, c := range a.First().Summary.Classes {
			add(c.Name)
		}
	}
	return out
}

// Comparable returns the arms that have one load: those with the most common load, or,
// of two that are as common, that of the earlier arm.
func (s *Set) Comparable() []*Arm {
	var best []*Arm
	for i, a := range s.Arms {
		var same []*Arm
		for _, b := range s.Arms[i:] {
			if b.First().Summary.Load.Same(a.First().Summary.Load) {
				same = append(same, b)
			}
		}
		if len(same) > len(best) {
			best = same
		}
	}
	return best
}

// Predicts reports whether some arm has a prediction.
func (s *Set) Predicts() bool {
	for _, a := range s.Arms {
		if a.Predicted != nil {
			return true
		}
	}
	return false
}
