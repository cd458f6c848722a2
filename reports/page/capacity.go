package page

import (
	"strings"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/stat"
)

// OverloadTitle is the title of the strip about overloads.
const OverloadTitle = "More work than the slots can do: prefetch and dispatch only choose which messages wait."

// Capacity says which runs were offered more work than their slots can do. It is a strip
// of the page above the one on soundness, since no other figure of such a run can be
// better than its capacity allows.
func Capacity(in *arms.Set) Soundness {
	out := Soundness{State: "note", Title: OverloadTitle}
	for _, of := range byCapacity(in, stat.Overloads) {
		out.Checks = append(out.Checks, Check{"note", of.names, of.text})
	}
	if len(out.Checks) == 0 {
		return Soundness{}
	}
	return out
}

// checkCapacity says how much of their slots the runs without an overload need, and how
// long bursts take at least.
func checkCapacity(in *arms.Set, add adder) {
	for _, of := range byCapacity(in, stat.Enough) {
		add("ok", "capacity", "%s", of.named())
	}
	for _, of := range byCapacity(in, stat.Bursts) {
		add("ok", "capacity", "%s", of.named())
	}
}

// A statement is what is true of the plans of some arms.
type statement struct {
	names string // of the arms; empty: all
	text  string
}

func (s statement) named() string {
	if s.names == "" {
		return s.text
	}
	return s.names + ": " + s.text
}

// byCapacity returns what say says of the arms, once for those of which it says the same.
func byCapacity(in *arms.Set, say func([]run.Pool) []string) []statement {
	var out []statement
	groups := arms.By(in.Arms, func(a *arms.Arm) string { return strings.Join(say(a.First().Summary.Capacity), " ") })
	for _, of := range groups {
		text := strings.Join(say(of[0].First().Summary.Capacity), " ")
		if text == "" {
			continue
		}
		s := statement{text: text}
		if len(groups) > 1 {
			var names []string
			for _, a := range of {
				names = append(names, a.Label)
			}
			s.names = stat.List(names, "and")
		}
		out = append(out, s)
	}
	return out
}
