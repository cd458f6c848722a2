package page

import (
	"fmt"
	"regexp"
	"strings"

	"harelab/reports/arms"
	"harelab/reports/judge"
	"harelab/reports/stat"
	"harelab/scenarios/metric"
)

// A Story is the finding of a report in words.
type Story struct {
	Headline string // a sentence or two
	Text     string // a paragraph with the figures
}

// unit matches a number with its unit.
var unit = regexp.MustCompile(`(\d) (s\b|ms\b|µs\b|%)`)

// glue prevents line breaks between numbers and their units.
func glue(s string) string { return unit.ReplaceAllString(s, "$1\u00a0$2") }

func (s Story) glued() Story { return Story{glue(s.Headline), glue(s.Text)} }

// A rule makes a story, or returns false if it does not apply.
type rule func(f facts) (Story, bool)

// rules returns the rules in the order in which they are tried; the last always applies to a
// report with runs. A headline is a claim about figures, so each rule checks that its words
// are true. What compares arms takes its words from package judge.
func rules() []rule {
	return []rule{
		invalidRule,
		cutShortRule,
		manyRule,
		lostRule,
		targetsRule,
		eachTargetRule,
		twoHalvesRule,
		pairRule,
		severalRule,
		differentLoadsRule,
		rateRule,
		starvesRule,
		heldRule,
		keepsUpRule,
		plainRule,
	}
}

// Tell makes the story of the first rule that applies.
func Tell(in *arms.Set) Story {
	f := gather(in)
	for _, r := range rules() {
		if s, ok := r(f); ok {
			s.Text = strings.TrimSpace(s.Text)
			return s
		}
	}
	return Story{Headline: "Nothing ran."}
}

// Thresholds of the rules.
const (
	starvesPart = 0.2  // least starvation that a headline mentions, as a share of the makespan
	starvesWork = 10   // the same, as a multiple of the class's median service time
	heldLeast   = 1e-3 // s, least mean wait of which a headline says that it is held
	manyLeast   = 3    // least number of scenarios of a report that only counts expectations
	namedMost   = 3    // greatest number of runs that a headline names
)

// facts are the data of rules.
type facts struct {
	in   *arms.Set
	base *arms.Arm
	same []*arms.Arm // the arms with one load and one target, the base first
}

func gather(in *arms.Set) facts {
	f := facts{in: in}
	if len(in.Arms) == 0 {
		return f
	}
	alike := in.Comparable()
	f.base = alike[0]
	for _, a := range alike {
		if a.First().Summary.Target == f.base.First().Summary.Target {
			f.same = append(f.same, a)
		}
	}
	return f
}

// goal returns the goal that decides, false if there is none.
func (f facts) goal() (judge.Goal, bool) {
	if len(f.in.Goals) == 0 {
		return judge.Goal{}, false
	}
	return f.in.Goals[0], true
}

// class returns the figures of the focus in a run, or of all its messages.
func (f facts) class(s *stat.Summary) *stat.Class {
	if c := s.Class(f.in.Focus); c != nil && f.in.Focus != "" {
		return c
	}
	return s.All
}

// over returns the median over an arm's repeats of a figure of the focus; NaN means
// that a repeat does not have it.
func (f facts) over(a *arms.Arm, figure func(*stat.Class) float64) float64 {
	return a.Over(func(s *stat.Summary) float64 { return figure(f.class(s)) }).Center
}

// what names the messages of the story.
func (f facts) what() string { return f.about("published").Who() }

// about makes a goal about the messages of the story, to say a figure of theirs.
func (f facts) about(text string) judge.Goal {
	q := metric.Must(text)
	if g, ok := f.goal(); f.in.Focus != "" && (len(f.in.Classes()) > 1 || ok && g.Only("class") != "") {
		q.Labels = []metric.Label{{Key: "class", Value: f.in.Focus}}
	}
	return judge.About(q, arms.Summaries(f.in.Runs))
}

// invalidRule: figures that cannot be used support no verdict.
func invalidRule(f facts) (Story, bool) {
	var bad []string
	for _, r := range f.in.Runs {
		if !r.Summary.Valid() {
			bad = append(bad, f.in.RunName(r))
		}
	}
	switch {
	case len(bad) == 0:
		return Story{}, false
	case len(bad) == len(f.in.Runs):
		return Story{"These figures cannot be used.", "No run is valid, so there is no verdict. The measurements are below, to find out why."}, true
	}
	return Story{"These figures cannot be used.", fmt.Sprintf("%s invalid, so there is no verdict. The measurements are below, to find out why.", areOf(bad, len(f.in.Runs)))}, true
}

// areOf says which runs, of a number, something is said about: "a is", "3 of 28 runs are".
func areOf(names []string, all int) string {
	switch {
	case len(names) == 1:
		return names[0] + " is"
	case len(names) <= namedMost:
		return stat.Upper(stat.List(names, "and")) + " are"
	}
	return fmt.Sprintf("%d of %d runs are", len(names), all)
}

// cutShortRule: a run that was cut short supports no claim about the whole.
func cutShortRule(f facts) (Story, bool) {
	for _, r := range f.in.Runs {
		if s := r.Summary; s.Partial {
			return Story{
				Headline: fmt.Sprintf("Cut off after %s, with %s of %s messages finished.", stat.Brief(s.Length), stat.Count(s.All.N), stat.Count(s.Load.Messages)),
				Text:     fmt.Sprintf("The run of %s was stopped before its end. The measurements until then are below; they say nothing about the whole run.", f.in.RunName(r)),
			}, true
		}
	}
	return Story{}, false
}

// many reports whether the arms are of many scenarios that are not comparable.
func many(in *arms.Set) bool {
	scenarios := make(map[string]bool)
	for _, a := range in.Arms {
		scenarios[a.First().Summary.Scenario] = true
	}
	return len(scenarios) >= manyLeast && len(in.Comparable()) < len(in.Arms)
}

// manyRule: a report of unlike scenarios has no common question. Its answer is how many
// runs met the expectations, and which did not.
func manyRule(f facts) (Story, bool) {
	if !many(f.in) {
		return Story{}, false
	}
	runs, expecting, met, hidden := 0, 0, 0, 0
	var failed, lossy []string
	for _, a := range f.in.Arms {
		bad, lost := false, int64(0)
		for _, r := range a.Runs {
			vs := r.Summary.Verdicts
			runs++
			switch {
			case len(vs) == 0:
			case stat.AllMet(vs):
				expecting++
				met++
			default:
				expecting++
				bad = true
			}
			for _, v := range vs {
				if v.Outcome == stat.NotVisible {
					hidden++
				}
			}
			lost = max(lost, r.Summary.Ledger.Lost)
		}
		if bad {
			failed = append(failed, a.Label)
		}
		if lost > 0 {
			lossy = append(lossy, lostOf(a, lost))
		}
	}
	s := Story{Headline: fmt.Sprintf("%d runs, every expectation met.", runs), Text: "The runs are of different scenarios and are not compared."}
	switch {
	case expecting == 0:
		s.Headline = fmt.Sprintf("%d runs, without expectations.", runs)
	case len(failed) > namedMost:
		s.Headline = fmt.Sprintf("%d runs: %d met every expectation, %d did not.", runs, met, expecting-met)
		s.Text += " Not every expectation was met in " + stat.List(failed, "and") + "."
	case len(failed) > 0:
		s.Headline = fmt.Sprintf("%d runs: %d met every expectation, %s did not.", runs, met, stat.List(failed, "and"))
	case hidden > 0:
		s.Headline = fmt.Sprintf("%d runs, every expectation met that the targets show.", runs)
	}
	if n := runs - expecting; n > 0 && expecting > 0 {
		s.Text += fmt.Sprintf(" Runs without expectations: %d.", n)
	}
	if hidden > 0 {
		s.Text += fmt.Sprintf(" Expectations that a target does not show: %d.", hidden)
	}
	if len(lossy) > 0 {
		s.Text += " Messages were lost: " + stat.List(lossy, "and") + "."
	}
	return s, true
}

// lostOf says how many messages of an arm were lost, in the repeat that lost most.
func lostOf(a *arms.Arm, lost int64) string {
	return fmt.Sprintf("%s lost %s of %s messages", a.Label, stat.Count(int(lost)), stat.Count(int(a.First().Summary.Ledger.Published)))
}

// lostRule: lost messages come before every other finding about the runs.
func lostRule(f facts) (Story, bool) {
	lost := func(a *arms.Arm) (most int64) {
		for _, r := range a.Runs {
			most = max(most, r.Summary.Ledger.Lost)
		}
		return most
	}
	gone := func(a *arms.Arm) (most int64) {
		for _, r := range a.Runs {
			most = max(most, r.Summary.Ledger.Gone)
		}
		return most
	}
	var parts, none, unsure []string
	for _, a := range f.in.Arms {
		switch n, unknown := lost(a), gone(a); {
		case n > 0 && unknown > 0:
			parts = append(parts, lostOf(a, n)+fmt.Sprintf(", and %s are gone, perhaps lost", stat.Count(int(unknown))))
		case n > 0:
			parts = append(parts, lostOf(a, n))
		case unknown > 0:
			unsure = append(unsure, fmt.Sprintf("of %s %s of %s are gone, perhaps lost: the broker does not show it", a.Label, stat.Count(int(unknown)), stat.Count(int(a.First().Summary.Ledger.Published))))
		default:
			none = append(none, a.Label)
		}
	}
	if len(parts) == 0 {
		return Story{}, false
	}
	if n := len(parts); n > namedMost {
		parts = append(parts[:namedMost:namedMost], fmt.Sprintf("%d more lost some", n-namedMost))
	}
	h := stat.List(parts, "and")
	switch {
	case len(none) > namedMost:
		h += fmt.Sprintf("; the other %d lost none", len(none))
	case len(none) > 0:
		h += "; " + stat.List(none, "and") + " lost none"
	}
	if n := len(unsure); n > namedMost {
		unsure = append(unsure[:namedMost:namedMost], fmt.Sprintf("of %d more some are gone", n-namedMost))
	}
	if len(unsure) > 0 {
		h += "; " + stat.List(unsure, "and")
	}
	return Story{h + ".", "A lost message was accepted by the broker, and no worker will ever finish it. " + f.values()}, true
}

// twoHalvesRule: an arm that splits the queue helps the typical message, but some
// messages still wait in a busy worker's prefetch window. Another arm with the same
// queues and a smaller window helps these too.
func twoHalvesRule(f facts) (Story, bool) {
	g, ok := f.goal()
	if len(f.same) < 3 || !ok || g.Metric != "wait" || f.in.Focus == "" || g.Only("class") != f.in.Focus {
		return Story{}, false
	}
	at := func(a *arms.Arm) float64 { return a.Of(g).Center }
	for _, x := range f.same[1:] {
		if !splits(f.base, x) || !(f.over(x, stuck) > 0) || !(f.over(x, waitP50) < f.over(f.base, waitP50)/2) || judge.Clear(g.Query, at(f.base), at(x)) {
			continue
		}
		for _, y := range f.same[1:] {
			if y != x && !splits(x, y) && smallerWindow(x, y) && at(y) < at(x)/2 && f.over(y, stuck) == 0 {
				return f.twoHalves(g, x, y), true
			}
		}
	}
	return Story{}, false
}

func (f facts) twoHalves(g judge.Goal, x, y *arms.Arm) Story {
	behind := ""
	if b := blocker(f.base.First(), f.in.Focus); b != "" {
		behind = ", behind " + b
	}
	median := func(a *arms.Arm) string { return stat.Brief(f.over(a, waitP50)) }
	s := Story{
		Headline: "Splitting the queue is half the fix. Prefetch is the other half.",
		Text: fmt.Sprintf("On one queue (%s) %s%s, and the median wait is %s. "+
			"A queue of its own (%s) brings the median down to %s, but %s of %s stay stuck in a busy worker's prefetch window, "+
			"and still %s. With %s (%s) %s and nothing is stuck.",
			f.base.Label, g.Say(f.base.Of(g).Center), behind, median(f.base),
			x.Label, median(x), stat.Count(int(f.over(x, stuck))), stat.Count(int(f.over(x, finished))),
			g.Say(x.Of(g).Center), changeWords(x, y), y.Label, g.Say(y.Of(g).Center)),
	}
	b := judge.Weigh(f.in.Goals, f.base.Summaries(), y.Summaries())
	if p := b.Price(); p != "" {
		s.Text += fmt.Sprintf(" The price of %s: %s.", y.Label, p)
	}
	return s
}

// pairRule compares an arm with the base.
func pairRule(f facts) (Story, bool) {
	if len(f.same) != 2 {
		return Story{}, false
	}
	b := judge.Weigh(f.in.Goals, f.same[0].Summaries(), f.same[1].Summaries())
	with := withWords(f.same[0], f.same[1])
	if _, changed := b.Main(); !changed {
		with = f.same[1].Label // the sentence puts labels into brackets
	}
	s := b.Sentence(with, f.same[0].Label)
	if s == "" {
		return Story{"There is no verdict: the runs have no figure in common.", f.values()}, true
	}
	return Story{s + ".", f.values()}, true
}

// withWords names an arm with what sets it apart from another: "fair (prefetch 1 per slot
// and ack after the work)".
func withWords(base, arm *arms.Arm) string {
	words := changeWords(base, arm)
	if words == "" || arm.Label == words || strings.Contains(arm.Label, "=") {
		return arm.Label
	}
	return arm.Label + " (" + words + ")"
}

// severalRule compares three arms or more.
func severalRule(f facts) (Story, bool) {
	if len(f.same) < 3 {
		return Story{}, false
	}
	var of []judge.Arm
	for _, a := range f.same {
		of = append(of, a.Judged())
	}
	s := judge.Rank(f.in.Goals, of)
	if s == "" {
		return Story{"There is no verdict: the runs have no figure in common.", f.values()}, true
	}
	return Story{s + ".", f.values()}, true
}

func differentLoadsRule(f facts) (Story, bool) {
	if len(f.in.Arms) < 2 || len(f.in.Comparable()) > 1 {
		return Story{}, false
	}
	var loads []string
	for _, a := range f.in.Arms {
		loads = append(loads, a.Label+" "+a.First().Summary.Load.String())
	}
	return Story{
		Headline: "The loads differ: there is no verdict between these runs.",
		Text:     "The runs had different work to do (" + strings.Join(loads, "; ") + "). " + f.values(),
	}, true
}

// values lists the goals' values in each arm, with the range of the repeats, and which
// expectations are not met.
func (f facts) values() string {
	var out []string
	if len(f.in.Arms) > 1 || f.base != nil && len(f.base.Runs) > 1 {
		for _, g := range f.in.Goals[:min(len(f.in.Goals), 2)] {
			var each []string
			for _, a := range f.in.Arms {
				if e := a.Of(g); e.N > 0 {
					each = append(each, a.Label+" "+estimate(g, e))
				}
			}
			if len(each) > 0 {
				out = append(out, fmt.Sprintf("%s: %s.", stat.Upper(g.Label()), strings.Join(each, ", ")))
			}
		}
	}
	if s := unmet(f.in); s != "" {
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

// estimate writes the median of an arm's repeats with their range.
func estimate(g judge.Goal, e judge.Estimate) string {
	if spread := g.Spread(e); spread != "" {
		return g.Value(e.Center) + " (" + spread + ")"
	}
	return g.Value(e.Center)
}

// unmet names the expectations that are not met, a few of them.
func unmet(in *arms.Set) string {
	var out []string
	for _, a := range in.Arms {
		seen := make(map[string]bool)
		for _, r := range a.Runs {
			for _, v := range r.Summary.Verdicts {
				if v.Outcome == stat.NotMet && !seen[v.Text] {
					seen[v.Text] = true
					out = append(out, v.Text+" with "+a.Label)
				}
			}
		}
	}
	if n := len(out); n > namedMost {
		out = append(out[:namedMost:namedMost], fmt.Sprintf("%d more", n-namedMost))
	}
	if len(out) == 0 {
		return ""
	}
	return "Not met: " + strings.Join(out, ", ") + "."
}
