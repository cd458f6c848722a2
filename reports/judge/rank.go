package judge

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"harelab/reports/stat"
	"harelab/scenarios/metric"
)

// An Arm is one of several things that are compared.
type Arm struct {
	Label string
	Runs  []*stat.Summary // its repeats
}

// A standing is an arm's value of a goal.
type standing struct {
	Arm
	value float64
}

// Rank compares three arms or more in a sentence without a full stop, by the first
// goal, or else the first of the [Balance] sides, in which they clearly differ:
//
//	Best with fair: 99 % of quick start within 1.7 ms; with rr 3 s, with random 49 s; the price: 99 % of slow start within 68 s instead of 54 s with rr
//	99 % of quick start within 0.7 ms with all 3: no difference
//
// The price is what the best arm has that another has clearly better. The order of the
// arms does not matter but to name them. The sentence is empty if the arms have no
// figure in common.
func Rank(goals []Goal, arms []Arm) string {
	var all []Goal
	var runs []*stat.Summary
	for _, a := range arms {
		runs = append(runs, a.Runs...)
	}
	for _, g := range append(slices.Clone(goals), Sides(goals, runs)...) {
		if same := func(o Goal) bool { return o.String() == g.String() }; !slices.ContainsFunc(all, same) {
			all = append(all, g)
		}
	}
	even := ""
	for _, g := range all {
		ranked := rank(g, arms)
		if len(ranked) == 0 {
			continue
		}
		lo, hi := ranked[0].value, ranked[len(ranked)-1].value
		if !Clear(g.Query, lo, hi) {
			if even == "" {
				even = alike(g, ranked)
			}
			continue
		}
		s := g.ranking(ranked)
		if len(ranked) < len(arms) {
			s += fmt.Sprintf("; %d of %d have no value", len(arms)-len(ranked), len(arms))
		}
		if g.Better() == metric.Neither {
			return s
		}
		return s + price(g, all, ranked, arms)
	}
	return even
}

// rank returns the arms that have a value of the goal, the best first, and those with
// the same value by name.
func rank(g Goal, arms []Arm) []standing {
	var out []standing
	for _, a := range arms {
		if v := Center(g, a.Runs).Center; !math.IsNaN(v) {
			out = append(out, standing{a, v})
		}
	}
	slices.SortStableFunc(out, func(a, b standing) int {
		x, y := a.value, b.value
		if g.Better() == metric.Higher {
			x, y = y, x
		}
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(a.Label, b.Label))
	})
	return out
}

// best returns the arms, of those ranked, that are not clearly worse than the first.
func best(g Goal, ranked []standing) []standing {
	n := slices.IndexFunc(ranked, func(s standing) bool { return Clear(g.Query, ranked[0].value, s.value) })
	if n < 0 {
		n = len(ranked)
	}
	return ranked[:n]
}

// ranking says which arms are best and what the others have.
func (g Goal) ranking(ranked []standing) string {
	top := best(g, ranked)
	others := ranked[len(top):]
	word := "Best with "
	if g.Better() == metric.Neither {
		word = "Different: with "
	}
	s := word + labels(top) + ": " + g.values(top)
	if len(others) > maxListed {
		return fmt.Sprintf("%s; with %d others between %s and %s", s, len(others), g.short(others[0].value), g.short(others[len(others)-1].value))
	}
	var with []string
	for _, o := range others {
		with = append(with, fmt.Sprintf("with %s %s", o.Label, g.short(o.value)))
	}
	return s + "; " + strings.Join(with, ", ")
}

// maxListed is the greatest number of arms that a sentence lists one by one.
const maxListed = 4

func labels(of []standing) string {
	var names []string
	for _, s := range of {
		names = append(names, s.Label)
	}
	if n := len(names); n > maxListed {
		names = append(names[:maxListed-1:maxListed-1], fmt.Sprintf("%d more", n-maxListed+1))
	}
	return stat.List(names, "and")
}

// SayEach says the values of several arms in one clause, by their names: "the longest
// wait of quick is 3.9 s (a) and 10.5 s (b)"; one value if they share it.
func (g Goal) SayEach(names []string, values []float64) string {
	var of []standing
	for i, v := range values {
		of = append(of, standing{Arm{Label: names[i]}, v})
	}
	return g.values(of)
}

// values says the value of several arms in one clause: one value if they share it.
func (g Goal) values(of []standing) string {
	var each []string
	lo, hi := of[0].value, of[0].value
	for _, s := range of {
		lo, hi = math.Min(lo, s.value), math.Max(hi, s.value)
		each = append(each, fmt.Sprintf("%s (%s)", g.Value(s.value), s.Label))
	}
	p, _, _ := phraseOf(g.Query)
	switch {
	case g.Value(lo) == g.Value(hi):
		return g.Say(hi)
	case len(of) > maxListed:
		return g.fill(p.say, g.Value(lo)+" to "+g.Value(hi))
	}
	return g.fill(p.say, stat.List(each, "and"))
}

// short writes a value where the clause of the goal precedes it.
func (g Goal) short(v float64) string {
	p, _, _ := phraseOf(g.Query)
	if s := g.special(p, v); s != "" {
		return s
	}
	return g.Value(v)
}

// alike says that arms do not clearly differ.
func alike(g Goal, ranked []standing) string {
	end := "no difference"
	if g.Value(ranked[0].value) != g.Value(ranked[len(ranked)-1].value) {
		end = "no clear difference"
	}
	return fmt.Sprintf("%s with all %d: %s", stat.Upper(g.values(ranked)), len(ranked), end)
}

// price says what the best arms pay: the figures that another arm has clearly better,
// beside the best value of these.
func price(by Goal, all []Goal, ranked []standing, arms []Arm) string {
	top := best(by, ranked)
	out := ""
	for _, a := range top {
		var worse []string
		for _, g := range all {
			if g.String() == by.String() {
				continue
			}
			rs := rank(g, arms)
			v := Center(g, a.Runs).Center
			if len(rs) > 0 && Compare(g.Query, rs[0].value, v) == Worse {
				worse = append(worse, fmt.Sprintf("%s with %s", g.Change(rs[0].value, v), rs[0].Label))
			}
		}
		if len(worse) == 0 {
			continue
		}
		of := ""
		if len(top) > 1 {
			of = " of " + a.Label
		}
		out += "; the price" + of + ": " + listed(worse)
	}
	return out
}

// listed joins clauses, the first of them only if there are many.
func listed(clauses []string) string {
	if n := len(clauses); n > maxCounter {
		clauses = append(clauses[:maxCounter:maxCounter], fmt.Sprintf("%d more", n-maxCounter))
	}
	return stat.List(clauses, "and")
}
