package plot

import (
	"harelab/loadgen/run"
	"harelab/reports/stat"
)

// A Run is one run with its figures.
type Run struct {
	Result  *run.Result
	Summary *stat.Summary
}

// An Arm is what a chart shows as one thing: the repeats of one variant on one
// target, with the prediction for it where there is one.
type Arm struct {
	Label     string
	Letter    string // A, B, ...: the same in all charts
	Paint     Paint
	Runs      []*Run // repeats; never empty
	Predicted *Run   // in virtual time, nil unless the arm itself ran on a real clock
}

// First returns the arm's first repeat.
func (a *Arm) First() *Run { return a.Runs[0] }

// An Input is all that charts are drawn from.
type Input struct {
	Runs  []*Run
	Arms  []*Arm
	Focus string // the class in question, empty when there is none
}

// NewInput groups runs into arms. Results on real targets come first in an
// arm: a prediction for the same scenario and variant is shown beside them;
// without such results the prediction is the arm.
func NewInput(runs []*Run) *Input {
	in := &Input{Runs: runs}
	type key struct {
		arm    string
		target stat.Target
	}
	byKey := make(map[key]*Arm)
	predicted := make(map[string]*Run)
	measured := make(map[string]bool)
	targets := make(map[stat.Target]bool)
	for _, r := range runs {
		if r.Summary.Virtual {
			if predicted[r.Summary.Arm] == nil {
				predicted[r.Summary.Arm] = r
			}
			continue
		}
		measured[r.Summary.Arm] = true
		targets[r.Summary.Target] = true
	}
	for _, r := range runs {
		s := r.Summary
		if s.Virtual && measured[s.Arm] {
			continue
		}
		k := key{s.Arm, s.Target}
		if byKey[k] == nil {
			byKey[k] = &Arm{Label: s.Arm}
			in.Arms = append(in.Arms, byKey[k])
			if !s.Virtual {
				byKey[k].Predicted = predicted[s.Arm]
			}
		}
		byKey[k].Runs = append(byKey[k].Runs, r)
	}
	in.name(len(targets) > 1)
	return in
}

// name gives arms letters, colours and labels: the variant alone where that is
// enough, with the target where there are several.
func (in *Input) name(withTarget bool) {
	uses := make(map[string]int)
	short := func(s *stat.Summary) string {
		if s.Variant != "" {
			return s.Variant
		}
		return s.Scenario
	}
	scenarios := make(map[string]map[string]bool)
	for _, a := range in.Arms {
		s := a.First().Summary
		l := short(s)
		if scenarios[l] == nil {
			scenarios[l] = make(map[string]bool)
		}
		scenarios[l][s.Arm] = true
		uses[l] = len(scenarios[l])
	}
	for i, a := range in.Arms {
		s := a.First().Summary
		a.Paint, a.Letter = RunPaint(i), Letter(i)
		if l := short(s); uses[l] == 1 {
			a.Label = l
		}
		switch {
		case withTarget && len(uses) == 1 && uses[short(s)] == 1:
			a.Label = s.Target.Name()
		case withTarget:
			a.Label += ", " + s.Target.Name()
		}
		if in.Focus == "" {
			in.Focus = s.FocusClass()
		}
	}
}

// Classes returns the names of all classes, the one in question first.
func (in *Input) Classes() []string {
	var out []string
	seen := make(map[string]bool)
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			out = append(out, name)
		}
	}
	if in.Focus != "" {
		add(in.Focus)
	}
	for _, a := range in.Arms {
		for _, c := range a.First().Summary.Classes {
			add(c.Name)
		}
	}
	return out
}

// classPaint returns a class's colour: the first is for the class in question,
// or for the only one.
func (in *Input) classPaint(name string) Paint {
	i := 0
	if in.Focus == "" && len(in.Classes()) > 1 {
		i = 1
	}
	for _, c := range in.Classes() {
		if c == name {
			break
		}
		i++
	}
	return classPaints[min(i, len(classPaints)-1)]
}

// Comparable returns the arms with the load of the first, itself included.
func (in *Input) Comparable() []*Arm {
	var out []*Arm
	for _, a := range in.Arms {
		if a.First().Summary.Load.Same(in.Arms[0].First().Summary.Load) {
			out = append(out, a)
		}
	}
	return out
}

// Predicts reports whether some arm has a prediction beside its measurement.
func (in *Input) Predicts() bool {
	for _, a := range in.Arms {
		if a.Predicted != nil {
			return true
		}
	}
	return false
}

// classIndex returns the number of a class in a result, -1 if it has none of
// that name.
func classIndex(r *run.Result, name string) int32 {
	for i, c := range r.Classes {
		if c == name {
			return int32(i)
		}
	}
	return -1
}

// length returns the longest run time of all that is drawn, in seconds.
func (in *Input) length() float64 {
	var longest int64
	for _, r := range in.Runs {
		for i := range r.Result.Messages {
			longest = max(longest, r.Result.Messages[i].Done)
		}
		for _, s := range r.Result.Spans {
			longest = max(longest, s.End)
		}
	}
	return float64(longest) / 1e6
}
