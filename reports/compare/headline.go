package compare

import (
	"fmt"
	"slices"
	"strings"

	"harelab/reports/judge"
	"harelab/reports/stat"
)

// headline says how each new side compares with the base by the goals of the runs, or
// by the metrics that the user named, and what a better value costs.
func (c *Comparison) headline() string {
	if c.Why != "" {
		return "No verdict."
	}
	var told []string
	same := 0
	for _, arm := range c.arms() {
		for j := range c.News {
			b := c.weigh(arm, j)
			s := b.Sentence(c.News[j].Name, c.Base.Name)
			if s == "" {
				continue
			}
			if _, changed := b.Main(); !changed && len(told)+same > 0 {
				same++
				continue
			}
			if arm != "" {
				s = arm + ": " + s
			}
			told = append(told, s+".")
		}
	}
	if len(told) == 0 {
		return "No verdict: the sides have no figure in common."
	}
	if n := len(told); n > maxSentences {
		told = append(told[:maxSentences:maxSentences], fmt.Sprintf("The other %d are in the table.", n-maxSentences+same))
	} else if same > 0 {
		told = append(told, fmt.Sprintf("No difference in %d more.", same))
	}
	return strings.Join(told, " ")
}

// maxSentences is the greatest number of sentences of a headline.
const maxSentences = 4

// arms returns the names of the arms that are compared, one empty name if each side is
// one arm.
func (c *Comparison) arms() []string {
	var out []string
	for _, r := range c.Rows {
		if !slices.Contains(out, r.Key.Arm) {
			out = append(out, r.Key.Arm)
		}
	}
	return out
}

// weigh returns what an arm of a side is judged by, from the rows of the table: a goal
// changed if the difference is significant, a side effect only if it is also clear.
func (c *Comparison) weigh(arm string, j int) judge.Balance {
	var b judge.Balance
	goals, sides := c.judgedBy(arm)
	for _, g := range goals {
		if e, ok := c.effect(arm, g, j); ok {
			b.Goals = append(b.Goals, e)
		}
	}
	for _, g := range sides {
		if e, ok := c.effect(arm, g, j); ok {
			if !judge.Clear(g.Query, e.From.Center, e.To.Center) {
				e.Change = judge.Same
			}
			b.Sides = append(b.Sides, e)
		}
	}
	return b
}

// judgedBy returns the goals of an arm's runs on all sides and their side effects. The
// metrics that the user named are the goals if there are any.
func (c *Comparison) judgedBy(arm string) (goals, sides []judge.Goal) {
	if c.Base.Asked {
		for _, k := range c.Base.Keys {
			if g, err := judge.Parse(k.Metric, c.runs(arm)...); err == nil && k.Arm == arm {
				goals = append(goals, g)
			}
		}
		return goals, nil
	}
	of := c.runs(arm)
	goals = judge.Goals(of)
	return goals, judge.Sides(goals, of)
}

// runs returns an arm's runs on all sides.
func (c *Comparison) runs(arm string) []*stat.Summary {
	var of []*stat.Summary
	for _, side := range append([]*Side{c.Base}, c.News...) {
		for _, s := range side.Runs {
			if side.Arms[s] == arm {
				of = append(of, s)
			}
		}
	}
	return of
}

// effect returns a row as an effect on a side, false if it has no such row or no value.
func (c *Comparison) effect(arm string, g judge.Goal, j int) (judge.Effect, bool) {
	i := slices.IndexFunc(c.Rows, func(r Row) bool { return r.Key.Arm == arm && r.Key.Metric == g.String() })
	if i < 0 || c.Rows[i].Base.N == 0 || c.Rows[i].News[j].N == 0 {
		return judge.Effect{}, false
	}
	r := c.Rows[i]
	at := func(e Estimate) judge.Estimate {
		return judge.Estimate{Center: e.Center, Lo: e.Center, Hi: e.Center, N: e.N}
	}
	return judge.Effect{
		Goal: g, From: at(r.Base), To: at(r.News[j].Estimate),
		Change: [...]judge.Change{NoChange: judge.Same, Better: judge.Better, Worse: judge.Worse, Differs: judge.Differs}[r.News[j].Change],
	}, true
}
