package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"harelab/reports/stat"
	"harelab/scenarios/metric"
)

// goalOf returns the headline metric of runs. It is empty if they differ in it, or if
// one of them has no value for it.
func goalOf(ss []*stat.Summary) string {
	goal := ss[0].Headline
	for _, s := range ss {
		q, err := metric.Parse(goal)
		if err != nil || s.Headline != goal {
			return ""
		}
		if v, err := s.Ask(q); err != nil || math.IsNaN(v) {
			return ""
		}
	}
	return goal
}

// goal returns the row of the metric by which all sides are judged, if there is one.
func (c *Comparison) goal() (Row, bool) {
	if c.Base.Goal == "" || slices.ContainsFunc(c.News, func(s *Side) bool { return s.Goal != c.Base.Goal }) {
		return Row{}, false
	}
	i := slices.IndexFunc(c.Rows, func(r Row) bool { return r.Key.Metric == c.Base.Goal && r.Key.Arm == "" })
	if i < 0 || slices.ContainsFunc(c.Rows[i].News, func(e Effect) bool { return e.N == 0 }) {
		return Row{}, false
	}
	return c.Rows[i], true
}

// headline says how the metric changed by which the scenario is judged, and how many
// other figures are better or worse.
func (c *Comparison) headline() string {
	if c.Why != "" {
		return "No verdict."
	}
	goal, judged := c.goal()
	if judged && len(c.News) > 1 {
		return c.allSides(goal)
	}
	var sides []string
	for j, n := range c.News {
		better, worse := 0, 0
		for _, r := range c.Rows {
			if judged && r.Key == goal.Key {
				continue
			}
			switch r.News[j].Change {
			case Better:
				better++
			case Worse:
				worse++
			}
		}
		if judged {
			sides = append(sides, goalChange(n.Name, goal, goal.News[j])+others(better, worse))
		} else {
			sides = append(sides, n.Name+" "+balance(better, worse))
		}
	}
	return strings.Join(sides, ", ") + "."
}

// allSides lists the values of one metric of the base and of several new sides.
func (c *Comparison) allSides(r Row) string {
	format := r.format()
	sides := []string{fmt.Sprintf("%s with %s", format(r.Base.Center), c.Base.Name)}
	for j, e := range r.News {
		change := "the same"
		switch {
		case e.Change != NoChange:
			change = verdictOf(e)
		case e.Center != r.Base.Center:
			change = "no significant difference"
		}
		sides = append(sides, fmt.Sprintf("%s with %s (%s)", format(e.Center), c.News[j].Name, change))
	}
	return fmt.Sprintf("%s is %s.", r.Key, stat.List(sides, "and"))
}

// verdictOf writes a change and whether it is better or worse.
func verdictOf(e Effect) string {
	if e.Change == Differs {
		return Delta(e.Ratio)
	}
	return Delta(e.Ratio) + ", " + e.Change.String()
}

// format returns a function that writes the row's values, all times in one unit.
func (r Row) format() func(float64) string {
	if r.Key.Unit != "s" {
		return func(v float64) string { return number(v, r.Key.Unit) }
	}
	lo, hi := math.Inf(1), 0.0
	for _, e := range append([]Effect{{Estimate: r.Base}}, r.News...) {
		if e.Center > 0 {
			lo, hi = min(lo, e.Center), max(hi, e.Center)
		}
	}
	return stat.InOneUnit(lo, hi)
}

// goalChange says how one metric changed on one side.
func goalChange(side string, r Row, e Effect) string {
	format := r.format()
	from, to := format(r.Base.Center), format(e.Center)
	switch {
	case e.Change != NoChange:
		return fmt.Sprintf("With %s %s goes from %s to %s (%s)", side, r.Key, from, to, verdictOf(e))
	case e.Center == r.Base.Center:
		return fmt.Sprintf("With %s %s stays at %s", side, r.Key, from)
	}
	return fmt.Sprintf("With %s %s shows no significant difference (%s and %s)", side, r.Key, from, to)
}

// others counts the other figures that changed.
func others(better, worse int) string {
	figures := func(n int, what string) string {
		if n == 1 {
			return "1 other figure is " + what
		}
		return fmt.Sprintf("%d other figures are %s", n, what)
	}
	switch {
	case better > 0 && worse > 0:
		return fmt.Sprintf("; %s, %d worse", figures(better, "better"), worse)
	case better > 0:
		return "; " + figures(better, "better")
	case worse > 0:
		return "; " + figures(worse, "worse")
	}
	return ""
}

// balance says whether a side is better or worse, without a metric to judge it by.
func balance(better, worse int) string {
	switch {
	case better > 0 && worse > 0:
		return fmt.Sprintf("is a trade: better in %d figures, worse in %d", better, worse)
	case better > 0:
		return "is better"
	case worse > 0:
		return "is worse"
	}
	return "makes no difference beyond chance"
}
