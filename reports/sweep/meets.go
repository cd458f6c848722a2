package sweep

import (
	"fmt"
	"slices"
	"strings"

	"harelab/reports/page"
	"harelab/reports/stat"
	"harelab/scenarios/metric"
)

// meets reports whether all repeats of a combination meet what the file expects of every
// cell.
func (p point) meets() bool {
	return !slices.ContainsFunc(p.cells, func(c Cell) bool { return len(c.Unmet) > 0 })
}

// slots is the number of slots of all workers.
func (p point) slots() int { return p.cells[0].Slots }

// overload says in which spans the plan needs more slots than there are; empty if it does
// not.
func (p point) overload() string { return strings.Join(p.cells[0].Overloads, " ") }

// expected says which cells meet what the file expects, and which of them has the fewest
// slots. It is empty if the file expects nothing of every cell.
func (s *Sweep) expected() string {
	if len(s.Expect) == 0 {
		return ""
	}
	what := stat.List(s.Expect, "and")
	var met []point
	for _, p := range s.points() {
		if p.meets() {
			met = append(met, p)
		}
	}
	all := s.measured()
	switch {
	case len(met) == 0 && all == 1:
		return fmt.Sprintf("The cell does not meet %s.", what)
	case len(met) == 0:
		return fmt.Sprintf("None of the %s cells meets %s.", stat.Count(all), what)
	case len(met) == all && !s.wishes():
		return ""
	case len(met) == all:
		return fmt.Sprintf("Every cell meets %s.%s", what, s.cheapest(met))
	}
	meet, those := "meet", "those"
	if len(met) == 1 {
		meet, those = "meets", "the one"
	}
	return fmt.Sprintf("%s of %s cells %s %s: %s with %s.%s", stat.Count(len(met)), stat.Count(all), meet, what, those, s.with(valuesOf(met)), s.cheapest(met))
}

// wishes reports whether the file expects more than that nothing gets lost, and that the
// load generator is on time.
func (s *Sweep) wishes() bool {
	return slices.ContainsFunc(s.Expect, func(text string) bool {
		q, _, err := metric.Cut(text)
		return err == nil && q.Def().Kind != metric.Count && q.Metric != "schedule_lag"
	})
}

// measured is the number of combinations that were run, invalid ones included: they meet
// nothing.
func (s *Sweep) measured() int {
	seen := make(map[string]bool)
	for _, c := range s.Cells {
		seen[strings.Join(c.Values, "\x00")] = true
	}
	return len(seen)
}

// cheapest names, of cells that meet the expectations, those with the fewest slots. It
// is empty if the number of slots is the same in all cells of the sweep, or not known.
func (s *Sweep) cheapest(met []point) string {
	slots := func(p point) int { return p.slots() }
	all := make(map[int]bool)
	for _, p := range s.points() {
		all[slots(p)] = true
	}
	if len(all) < 2 || all[0] {
		return ""
	}
	fewest := slots(slices.MinFunc(met, func(a, b point) int { return slots(a) - slots(b) }))
	var best []point
	for _, p := range met {
		if slots(p) == fewest {
			best = append(best, p)
		}
	}
	over := ""
	if !slices.ContainsFunc(best, func(p point) bool { return p.overload() == "" }) {
		over = ", and is overloaded"
	}
	if len(met) == 1 {
		return fmt.Sprintf(" It has %s%s.", stat.Counted(fewest, "slot"), over)
	}
	return fmt.Sprintf(" The cheapest has %s%s: with %s.", stat.Counted(fewest, "slot"), over, s.with(valuesOf(best)))
}

// overloads says which cells are overloaded by plan, and by how much the one with the
// fewest slots is.
func (s *Sweep) overloads() []string {
	var over []point
	for _, p := range s.all() {
		if p.overload() != "" {
			over = append(over, p)
		}
	}
	if len(over) == 0 {
		return nil
	}
	least := slices.MinFunc(over, func(a, b point) int { return a.slots() - b.slots() })
	same := !slices.ContainsFunc(over, func(p point) bool { return p.overload() != least.overload() })
	switch n := s.measured(); {
	case same && len(over) == n:
		return []string{"In every cell: " + least.overload()}
	case same:
		return []string{fmt.Sprintf("With %s: %s", s.with(valuesOf(over)), least.overload())}
	case len(over) == n:
		return []string{"In every cell the load needs more slots than there are.", fmt.Sprintf("With %s: %s", s.with([][]string{least.values}), least.overload())}
	default:
		those := "those"
		if len(over) == 1 {
			those = "the one"
		}
		return []string{fmt.Sprintf("In %s of %s cells the load needs more slots than there are: %s with %s.", stat.Count(len(over)), stat.Count(n), those, s.with(valuesOf(over))),
			fmt.Sprintf("With %s: %s", s.with([][]string{least.values}), least.overload())}
	}
}

// capacity is the strip of the page about overloads, above the one on soundness.
func (s *Sweep) capacity() page.Soundness {
	var out page.Soundness
	for _, text := range s.overloads() {
		out.State, out.Title = "note", page.OverloadTitle
		out.Checks = append(out.Checks, page.Check{State: "note", Text: text})
	}
	return out
}

func valuesOf(ps []point) [][]string {
	out := make([][]string, len(ps))
	for i, p := range ps {
		out[i] = p.values
	}
	return out
}
