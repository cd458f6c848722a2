// Package judge is the one place that says by which figures runs are judged, what
// counts as a change of such a figure, and what its values and changes are called in
// words. Headlines, cards, captions, tables and verdicts of all reports take them
// from here, so that they speak of the same figures in the same words.
//
// [Goals] chooses the figures from all runs of a report together. [Center] is the
// value of a figure over an arm's repeats. [Clear] and [Compare] say whether two
// values differ enough to be called better or worse. [Goal.Say], [Goal.Label] and
// [Goal.Change] put figures into words. [Weigh] compares two arms by everything
// that they are judged by, and [Balance.Sentence] says the result: what becomes
// better, what it costs, or that there is no difference.
//
// Nothing here depends on which arm comes first: if two arms change places, the same
// figures are chosen, and better and worse change places in the sentence.
package judge

import (
	"cmp"
	"math"
	"slices"

	"harelab/reports/stat"
	"harelab/scenarios/metric"
)

// A Goal is a figure by which runs are judged.
type Goal struct {
	metric.Query

	// finished says that the metric is about finished messages, and that some of the
	// messages that the labels select were not finished. Words then say "of finished
	// quick": of all quick the sentence would not be true.
	finished bool
}

// About returns the goal of a query for the words about these runs.
func About(q metric.Query, runs []*stat.Summary) Goal {
	m := q.Def()
	return Goal{q, m != nil && (m.Kind == metric.Interval || m.Kind == metric.Ratio) &&
		slices.ContainsFunc(runs, func(s *stat.Summary) bool { return unfinished(s, q) })}
}

// OfFinished returns the goal with words that speak of finished messages only. It is for
// reports that have figures and not the runs; with runs, use [About].
func (g Goal) OfFinished() Goal {
	g.finished = true
	return g
}

// IsOfFinished reports whether the words speak of finished messages only.
func (g Goal) IsOfFinished() bool { return g.finished }

// unfinished reports whether a run finished some of the messages that a query selects
// and not all. A run that finished none has the value "never", which needs no more
// words.
func unfinished(s *stat.Summary, q metric.Query) bool {
	n := finished(s, q)
	return n > 0 && sent(s, q) > n
}

// Parse reads a goal, such as "wait.p99{class=quick}", for the words about these runs.
func Parse(s string, runs ...*stat.Summary) (Goal, error) {
	q, err := metric.Parse(s)
	if err != nil {
		return Goal{}, err
	}
	return About(q, runs), nil
}

// Goals returns the figures by which the runs of one report are judged, the most
// important first:
//
//   - the metric of report.headline,
//   - else the metrics of expect: times, ratios and rates before counts. If there are
//     only counts, which say nothing about waiting, the metric below comes before
//     them,
//   - else the 99th percentile of the wait of the class whose wait is longest
//     relative to its service.
//
// A goal is a metric with a better direction that every run can be asked for and at
// least one run has. There is none if the runs have no such metric in common. Goals
// depend on the set of runs and not on their order.
func Goals(runs []*stat.Summary) []Goal {
	if len(runs) == 0 {
		return nil
	}
	if gs := shared(runs, headlines(runs)); len(gs) > 0 {
		return gs
	}
	gs := shared(runs, expected(runs))
	if len(gs) > 0 && gs[0].Def().Kind != metric.Count {
		return gs
	}
	if g, ok := longestWait(runs); ok {
		return append([]Goal{g}, gs...)
	}
	return gs
}

// shared returns the goals that all runs can be asked for and at least one has.
func shared(runs []*stat.Summary, qs []metric.Query) []Goal {
	var out []Goal
	for _, q := range qs {
		asked := !slices.ContainsFunc(runs, func(s *stat.Summary) bool { return s.Scope().Check(q) != nil })
		if asked && slices.ContainsFunc(runs, func(s *stat.Summary) bool { return !math.IsNaN(Value(s, q)) }) {
			out = append(out, About(q, runs))
		}
	}
	return out
}

// headlines returns the runs' metrics of report.headline, the most frequent first.
func headlines(runs []*stat.Summary) []metric.Query {
	count := make(map[string]int)
	var out []metric.Query
	for _, s := range runs {
		q, err := metric.Parse(s.Headline)
		if err != nil {
			continue
		}
		if count[q.String()]++; count[q.String()] == 1 {
			out = append(out, q)
		}
	}
	slices.SortFunc(out, func(a, b metric.Query) int {
		return cmp.Or(cmp.Compare(count[b.String()], count[a.String()]), cmp.Compare(a.String(), b.String()))
	})
	return out
}

// expected returns the metrics of the runs' expectations that have a better
// direction, each once: counts last, and otherwise in the order of the files.
func expected(runs []*stat.Summary) []metric.Query {
	place := make(map[string]int)
	var out []metric.Query
	for _, s := range runs {
		for i, v := range s.Verdicts {
			q, _, err := metric.Cut(v.Text)
			if err != nil || q.Better() == metric.Neither {
				continue
			}
			at, seen := place[q.String()]
			if !seen {
				out = append(out, q)
			}
			if !seen || i < at {
				place[q.String()] = i
			}
		}
	}
	rank := func(q metric.Query) int {
		if q.Def().Kind == metric.Count {
			return 1
		}
		return 0
	}
	slices.SortFunc(out, func(a, b metric.Query) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(place[a.String()], place[b.String()]), cmp.Compare(a.String(), b.String()))
	})
	return out
}

// longestWait returns the goal for runs of which the scenario says nothing: the 99th
// percentile of the wait of the class whose wait is longest relative to its mean
// service in any of the runs. A class of which a run finished nothing waits longest;
// if no run finished any, the goal is its starvation.
func longestWait(runs []*stat.Summary) (Goal, bool) {
	type candidate struct {
		g     Goal
		ratio float64
	}
	var all []candidate
	for _, c := range runs[0].Classes {
		of := []metric.Label{{Key: "class", Value: c.Name}}
		g := About(metric.Query{Metric: "wait", Stat: "p99", Labels: of}, runs)
		if len(shared(runs, []metric.Query{g.Query})) == 0 {
			g = About(metric.Query{Metric: "starvation", Labels: of}, runs)
			if len(shared(runs, []metric.Query{g.Query})) == 0 {
				continue
			}
		}
		service := 0.0
		for _, s := range runs {
			if c := s.Class(c.Name); c.Service != nil {
				service = max(service, c.Service.Mean)
			}
		}
		ratio := 0.0
		for _, s := range runs {
			if v := Value(s, g.Query); v > 0 {
				ratio = max(ratio, v/max(service, 1e-6))
			}
		}
		all = append(all, candidate{g, ratio})
	}
	if len(all) == 0 {
		return Goal{}, false
	}
	return slices.MinFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.ratio, a.ratio), cmp.Compare(a.g.String(), b.g.String()))
	}).g, true
}

// Class returns the class that the goals are about: that of the first goal that
// names one, or else the only class of the runs. It is empty if there is none.
func Class(goals []Goal, runs []*stat.Summary) string {
	for _, g := range goals {
		if c := g.Only("class"); c != "" {
			return c
		}
	}
	if all := classes(runs); len(all) == 1 {
		return all[0]
	}
	return ""
}
