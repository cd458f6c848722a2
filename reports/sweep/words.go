package sweep

import (
	"fmt"
	"math"
	"slices"

	"harelab/reports/judge"
	"harelab/reports/stat"
)

// equal reports whether two figures are the same, apart from rounding.
func equal(a, b float64) bool { return a == b || math.Abs(a-b) <= 1e-9*math.Abs(b) }

// near is the largest relative distance from the best cell at which a cell is close
// behind it.
const near = 0.05

// goal returns the goal for words about it. Check has found that there is one.
func (s *Sweep) goal() judge.Goal { return s.goalOf(s.Goal) }

// goalOf returns the goal for words about a metric of the cells.
func (s *Sweep) goalOf(name string) judge.Goal {
	g, err := judge.Parse(name)
	if err != nil {
		panic("sweep: " + err.Error())
	}
	if slices.ContainsFunc(s.Cells, func(c Cell) bool { return c.Invalid == "" && slices.Contains(c.Unfinished, name) }) {
		g = g.OfFinished()
	}
	return g
}

// Sentence says how the goal is in the best cells, and in the worst. It names all cells
// that are equally good by the settings that they have in common, and the settings that
// do not matter.
func (s *Sweep) Sentence() string {
	ps, g := s.ranked(), s.goal()
	if len(ps) == 0 {
		return "No cell has a value of " + s.Goal + "."
	}
	v, w := ps[0].mid(s.Goal), ps[len(ps)-1].mid(s.Goal)
	medians := ""
	if n := s.repeats(); n > 1 {
		medians = fmt.Sprintf(" (medians of %d repeats)", n)
	}
	switch {
	case len(ps) == 1:
		return fmt.Sprintf("There is no choice: only one cell was measured. With %s, %s.", s.with([][]string{ps[0].values}), g.Say(v))
	case equal(v, w) || g.Value(v) == g.Value(w):
		var names []string
		for _, a := range s.Axes {
			names = append(names, a.Name)
		}
		return fmt.Sprintf("In every cell %s: %s.", g.Say(v), doNotChange(names))
	}
	return s.contrast(g, s.with(s.like(ps, v)), s.with(s.like(ps, w)), v, w) + medians + "." + s.idle() + s.without()
}

// contrast says how a goal is in the best cells and in the worst.
func (s *Sweep) contrast(g judge.Goal, best, worst string, v, w float64) string {
	if g.CountsFirst() {
		return fmt.Sprintf("With %s, %s; with %s, %s", best, g.Say(v), worst, g.Say(w))
	}
	return fmt.Sprintf("With %s, %s with %s", best, g.Change(w, v), worst)
}

// without says in which cells the goal has no value, such as those that finished none of
// its messages: the best and the worst are of the others.
func (s *Sweep) without() string {
	var none [][]string
	for _, p := range s.points() {
		if math.IsNaN(p.mid(s.Goal)) {
			none = append(none, p.values)
		}
	}
	if len(none) == 0 {
		return ""
	}
	return fmt.Sprintf(" There is no such figure with %s.", s.with(none))
}

// idle names the axes that do not change the goal in any cell.
func (s *Sweep) idle() string {
	names := s.idleAxes()
	if len(names) == 0 || len(names) == len(s.Axes) {
		return ""
	}
	return " " + doNotChange(names) + "."
}

// doNotChange says that axes do not change what the sentence before it says.
func doNotChange(names []string) string {
	do := "does"
	if len(names) > 1 {
		do = "do"
	}
	return fmt.Sprintf("%s %s not change that", stat.List(names, "and"), do)
}

// hidden says in which other figures cells differ clearly that are equal by the goal:
// those of the best cells, for which a reader would take them for the same.
func (s *Sweep) hidden() string {
	ps := s.ranked()
	if len(ps) == 0 {
		return ""
	}
	var tied []point
	for _, p := range ps {
		if equal(p.mid(s.Goal), ps[0].mid(s.Goal)) {
			tied = append(tied, p)
		}
	}
	for _, m := range s.siblings() {
		g := s.goalOf(m)
		least, most := math.Inf(1), math.Inf(-1)
		for _, p := range tied {
			if v := p.mid(m); !math.IsNaN(v) {
				least, most = min(least, v), max(most, v)
			}
		}
		if least > most || !judge.Clear(g.Query, least, most) {
			continue
		}
		best, worst := least, most
		if judge.IsBetter(g.Query, worst, best) {
			best, worst = worst, best
		}
		of := *s
		of.Goal = m
		return fmt.Sprintf("The best cells differ in another figure: with %s, %s with %s.", s.with(of.like(tied, best)), g.Change(worst, best), s.with(of.like(tied, worst)))
	}
	return ""
}

// like returns the combinations in which the goal is v.
func (s *Sweep) like(ps []point, v float64) [][]string {
	var out [][]string
	for _, p := range ps {
		if equal(p.mid(s.Goal), v) {
			out = append(out, p.values)
		}
	}
	return out
}

// nearly names the cells that are close to the best. It is empty if there are none, or
// if all are.
func (s *Sweep) nearly() string {
	ps := s.ranked()
	if len(ps) == 0 {
		return ""
	}
	v := ps[0].mid(s.Goal)
	var close [][]string
	for _, p := range ps {
		if math.Abs(p.mid(s.Goal)-v) <= near*math.Abs(v) {
			close = append(close, p.values)
		}
	}
	if len(close) == len(s.like(ps, v)) || len(close) == len(ps) {
		return ""
	}
	return fmt.Sprintf("Within %.0f %% of the best are the cells with %s.", 100*near, s.with(close))
}

// idleAxes returns the axes along which the goal never changes.
func (s *Sweep) idleAxes() []string {
	var names []string
	ps := s.points()
	for i, a := range s.Axes {
		if len(s.Axes) == 1 || len(a.Values) < 2 {
			continue
		}
		first, same := make(map[string]float64), len(ps) == s.combinations()
		for _, p := range ps {
			v, k := p.mid(s.Goal), s.rest(p.values, i)
			if f, ok := first[k]; !ok {
				first[k] = v
			} else if !equal(v, f) {
				same = false
			}
		}
		if same {
			names = append(names, a.Name)
		}
	}
	return names
}

// combinations is the number of cells of the whole grid.
func (s *Sweep) combinations() int {
	n := 1
	for _, a := range s.Axes {
		n *= len(a.Values)
	}
	return n
}

// siblings returns the goal's metric and statistic for each class, without the goal
// itself, as far as they were measured.
func (s *Sweep) siblings() []string {
	var out []string
	goal := s.goal()
	for _, c := range s.Cells {
		for m := range c.Metrics {
			g, err := judge.Parse(m)
			sibling := err == nil && g.Metric == goal.Metric && g.Stat == goal.Stat && len(g.Labels) == 1 && g.Only("class") != ""
			if sibling && m != s.Goal && !slices.Contains(out, m) {
				out = append(out, m)
			}
		}
	}
	slices.Sort(out)
	return out
}
