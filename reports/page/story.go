package page

import (
	"fmt"
	"math"
	"regexp"
	"strings"

	"harelab/reports/arms"
	"harelab/reports/stat"
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

// rules are tried in order; the last always applies. A headline is a claim about
// figures, so each rule checks that its words are true.
var rules = []rule{
	invalidRule,
	cutShortRule,
	wrongLedgerRule,
	targetsRule,
	twoHalvesRule,
	betterOrWorseRule,
	differentLoadsRule,
	starvesRule,
	heldRule,
	keepsUpRule,
	plainRule,
}

// Tell makes the story of the first rule that applies.
func Tell(in *arms.Set) Story {
	f := gather(in)
	for _, r := range rules {
		if s, ok := r(f); ok {
			return s
		}
	}
	return Story{Headline: "Nothing ran."}
}

// Thresholds of the rules.
const (
	clearChange = 0.2 // least relative change that a headline calls better or worse
	starvesPart = 0.2 // least starvation that a headline mentions, as a share of the makespan
	starvesWork = 10  // the same, as a multiple of the class's median service time
)

// facts are the data of rules.
type facts struct {
	in   *arms.Set
	base *arms.Arm
	same []*arms.Arm // the arms with the load and the target of the base, the base first
}

func gather(in *arms.Set) facts {
	f := facts{in: in}
	if len(in.Arms) == 0 {
		return f
	}
	f.base = in.Arms[0]
	for _, a := range in.Comparable() {
		if a.First().Summary.Target == f.base.First().Summary.Target {
			f.same = append(f.same, a)
		}
	}
	return f
}

// class returns the figures of the focus in an arm, or of all its messages.
func (f facts) class(a *arms.Arm) *stat.Class {
	if c := a.First().Summary.Class(f.in.Focus); c != nil && f.in.Focus != "" {
		return c
	}
	return a.First().Summary.All
}

// worst returns the longest wait in seconds, typical the median.
func (f facts) worst(a *arms.Arm) float64 {
	if w := f.class(a).Wait; w != nil {
		return w.Max
	}
	return math.NaN()
}

func (f facts) typical(a *arms.Arm) float64 {
	if w := f.class(a).Wait; w != nil {
		return w.P50
	}
	return math.NaN()
}

// what names the messages of the story.
func (f facts) what() string {
	if f.in.Focus != "" {
		return f.in.Focus
	}
	return "messages"
}

func invalidRule(f facts) (Story, bool) {
	for _, r := range f.in.Runs {
		if !r.Summary.Valid() {
			return Story{
				Headline: "These figures cannot be used.",
				Text:     "A run is invalid, so there is no verdict. The measurements are below, to find out why.",
			}, true
		}
	}
	return Story{}, false
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

// wrongLedgerRule: lost messages come before every other finding.
func wrongLedgerRule(f facts) (Story, bool) {
	lost := func(a *arms.Arm) (most int64) {
		for _, r := range a.Runs {
			most = max(most, r.Summary.Ledger.Lost)
		}
		return most
	}
	var worst *arms.Arm
	var none []string
	for _, a := range f.in.Arms {
		if lost(a) == 0 {
			none = append(none, a.Label)
		} else if worst == nil || lost(a) > lost(worst) {
			worst = a
		}
	}
	if worst == nil {
		return Story{}, false
	}
	h := fmt.Sprintf("%s lost %s of %s messages", worst.Label, stat.Count(int(lost(worst))), stat.Count(int(worst.First().Summary.Ledger.Published)))
	if len(none) > 0 {
		h += "; " + stat.List(none, "and") + " lost none"
	}
	return Story{h + ".", "A lost message was accepted by the broker, and no worker will ever finish it. " + spread(f)}, true
}

// targetsRule: one scenario ran on several targets. The story says whether they agree.
func targetsRule(f facts) (Story, bool) {
	if len(f.in.Arms) < 2 {
		return Story{}, false
	}
	var names []string
	low, high, abs := math.Inf(1), math.Inf(-1), 0.0
	for _, a := range f.in.Arms {
		s := a.First().Summary
		abs = max(abs, stat.AgreeAbs(s.Target))
		if s.Arm != f.base.First().Summary.Arm || !s.Load.Same(f.base.First().Summary.Load) {
			return Story{}, false
		}
		names = append(names, a.Label)
		low, high = min(low, f.worst(a)), max(high, f.worst(a))
	}
	if math.IsNaN(low) || math.IsNaN(high) {
		return Story{}, false
	}
	all := stat.Upper(stat.List(names, "and"))
	if high-low > stat.AgreeRel*low+abs {
		return Story{fmt.Sprintf("%s differ: the longest wait of %s is between %s and %s.", all, f.what(), stat.Brief(low), stat.Brief(high)), spread(f)}, true
	}
	for _, a := range f.in.Arms[1:] {
		first := f.base.First().Summary
		if l := stat.Agree(first, a.First().Summary.Target, arms.Summaries(a.Runs)).Outside(); l != nil {
			return Story{fmt.Sprintf("%s differ: %s is %s with %s and %s with %s.", all, l.Words(),
				stat.Brief(l.Predicted), f.base.Label, stat.Brief(l.Measured), a.Label), spread(f)}, true
		}
	}
	return Story{fmt.Sprintf("%s agree: the longest wait of %s is %s%s.", all, f.what(), stat.Brief(high), f.predicted()), spread(f) + f.stuckText(f.base)}, true
}

// predicted says whether all measurements agree with their predictions. It is empty if
// there is no prediction.
func (f facts) predicted() string {
	all := stat.Agreements(arms.Summaries(f.in.Runs))
	for _, a := range all {
		if l := a.Outside(); l != nil {
			return fmt.Sprintf(", but %s is %s on %s, not %s as predicted", l.Words(), stat.Brief(l.Measured), f.in.TargetName(a.Target), stat.Brief(l.Predicted))
		}
		if !a.SameLoad {
			return ""
		}
	}
	if len(all) == 0 {
		return ""
	}
	return ", as predicted"
}

// twoHalvesRule: an arm that splits the queue helps the typical message, but some
// messages still wait in a busy worker's prefetch window. Another arm with the same
// queues and a smaller window helps these too.
func twoHalvesRule(f facts) (Story, bool) {
	if len(f.same) < 3 {
		return Story{}, false
	}
	for _, x := range f.same[1:] {
		if !splits(f.base, x) || f.class(x).Stuck == 0 ||
			f.typical(x) > f.typical(f.base)/2 || f.worst(x) < f.worst(f.base)*(1-clearChange) {
			continue
		}
		for _, y := range f.same[1:] {
			if y == x || splits(x, y) || !smallerWindow(x, y) || f.worst(y) > f.worst(x)/2 || f.class(y).Stuck > 0 {
				continue
			}
			return f.twoHalves(x, y), true
		}
	}
	return Story{}, false
}

func (f facts) twoHalves(x, y *arms.Arm) Story {
	behind := ""
	if b := blocker(f.base.First(), f.in.Focus); b != "" {
		behind = " behind " + b
	}
	return Story{
		Headline: "Splitting the queue is half the fix. Prefetch is the other half.",
		Text: fmt.Sprintf("On one queue (%s), %s waited up to %s%s, %s at the median. "+
			"A queue of its own (%s) brings the median down to %s, but %s of %s stay stuck in a busy worker's prefetch window, "+
			"and the longest wait is still %s. With %s (%s) the longest wait is %s and nothing is stuck.",
			f.base.Label, f.what(), stat.Brief(f.worst(f.base)), behind, stat.Brief(f.typical(f.base)),
			x.Label, stat.Brief(f.typical(x)), stat.Count(f.class(x).Stuck), stat.Count(f.class(x).N),
			stat.Brief(f.worst(x)), changeWords(x, y), y.Label, stat.Brief(f.worst(y))),
	}
}

// betterOrWorseRule compares the arm with the shortest longest wait, of those with
// the load of the base, with the base.
func betterOrWorseRule(f facts) (Story, bool) {
	if len(f.same) < 2 {
		return Story{}, false
	}
	best := f.same[1]
	for _, a := range f.same[2:] {
		if f.worst(a) < f.worst(best) {
			best = a
		}
	}
	from, to := f.worst(f.base), f.worst(best)
	words, bring, makes := changeWords(f.base, best), "brings", "makes"
	if words == "" {
		words = best.Label
	} else if strings.Contains(words, " and ") {
		bring, makes = "bring", "make"
	}
	rest := spread(f) + f.price(best)
	switch {
	case math.IsNaN(from) || math.IsNaN(to):
		return Story{}, false
	case to < from*(1-clearChange):
		return Story{fmt.Sprintf("%s %s the longest wait of %s from %s to %s%s.", stat.Upper(words), bring, f.what(), stat.Brief(from), stat.Brief(to), f.helpLess(best)), rest}, true
	case to > from*(1+clearChange) && len(f.same) > 2:
		var others []string
		for _, a := range f.same[1:] {
			others = append(others, fmt.Sprintf("%s with %s", stat.Brief(f.worst(a)), a.Label))
		}
		return Story{fmt.Sprintf("%s is best: the longest wait of %s is %s; it is %s.", stat.Upper(f.base.Label), f.what(), stat.Brief(from), stat.List(others, "and")), rest}, true
	case to > from*(1+clearChange):
		return Story{fmt.Sprintf("%s %s it worse: the longest wait of %s goes from %s to %s.", stat.Upper(words), makes, f.what(), stat.Brief(from), stat.Brief(to)), rest}, true
	}
	if stat.Brief(from) == stat.Brief(to) {
		return Story{fmt.Sprintf("No difference that matters: the longest wait of %s is %s with both %s and %s.", f.what(), stat.Brief(from), f.base.Label, best.Label), rest}, true
	}
	return Story{fmt.Sprintf("No difference that matters: the longest wait of %s is %s with %s and %s with %s.", f.what(), stat.Brief(from), f.base.Label, stat.Brief(to), best.Label), rest}, true
}

// helpLess lists the other arms whose longest wait is clearly shorter than that of the
// base.
func (f facts) helpLess(best *arms.Arm) string {
	var others []string
	for _, a := range f.same[1:] {
		if a != best && f.worst(a) < f.worst(f.base)*(1-clearChange) {
			others = append(others, fmt.Sprintf("%s: to %s", a.Label, stat.Brief(f.worst(a))))
		}
	}
	if len(others) == 0 {
		return ""
	}
	return " (" + strings.Join(others, ", ") + ")"
}

// price lists the other classes whose longest wait is clearly longer in an arm than in
// the base.
func (f facts) price(arm *arms.Arm) string {
	var parts []string
	for _, c := range f.base.First().Summary.Classes {
		d := arm.First().Summary.Class(c.Name)
		if c.Name == f.in.Focus || f.in.Focus == "" || d == nil || c.Wait == nil || d.Wait == nil || d.Wait.Max <= c.Wait.Max*(1+clearChange) {
			continue
		}
		parts = append(parts, fmt.Sprintf("the longest wait of %s goes from %s to %s", c.Name, stat.Brief(c.Wait.Max), stat.Brief(d.Wait.Max)))
	}
	if len(parts) == 0 {
		return ""
	}
	return fmt.Sprintf(" The price of %s: %s.", arm.Label, stat.List(parts, "and"))
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
		Text:     "The runs had different work to do (" + strings.Join(loads, "; ") + "). " + spread(f),
	}, true
}

func starvesRule(f facts) (Story, bool) {
	s, c := f.base.First().Summary, f.class(f.base)
	if c.Service == nil || c.Starvation < starvesPart*s.Makespan || c.Starvation < starvesWork*c.Service.P50 {
		return Story{}, false
	}
	while := "."
	if b := blocker(f.base.First(), f.in.Focus); b != "" {
		while = " while " + b + " runs."
	}
	return Story{fmt.Sprintf("No %s starts for %s%s", f.what(), stat.Brief(c.Starvation), while), spread(f) + f.stuckText(f.base)}, true
}

func heldRule(f facts) (Story, bool) {
	c := f.class(f.base)
	if c.Held == nil || c.Wait == nil || c.Service == nil || c.Held.Mean < c.Wait.Mean/2 || c.Wait.Mean < c.Service.Mean {
		return Story{}, false
	}
	return Story{
		Headline: "Most of the wait is held in workers' prefetch windows, not in the queue.",
		Text: fmt.Sprintf("The mean wait is %s. For %s of it a worker has received the message and not yet started it. %s",
			stat.Brief(c.Wait.Mean), stat.Brief(c.Held.Mean), spread(f)),
	}, true
}

func keepsUpRule(f facts) (Story, bool) {
	c := f.class(f.base)
	if c.Wait == nil || c.Service == nil || c.Wait.P99 > c.Service.Mean/10 {
		return Story{}, false
	}
	return Story{"The workers keep up: hardly anything waits.", spread(f)}, true
}

func plainRule(f facts) (Story, bool) {
	if f.base == nil {
		return Story{}, false
	}
	c := f.class(f.base)
	if c.Wait == nil {
		return Story{"No message was finished.", fmt.Sprintf("%s messages were published.", stat.Count(c.Published))}, true
	}
	which := "all messages"
	if f.in.Focus != "" {
		which += " of class " + f.in.Focus
	}
	half := fmt.Sprintf("Half of %s wait %s at most", which, stat.Brief(c.Wait.P50))
	if c.Wait.P50 == 0 {
		half = fmt.Sprintf("At least half of %s start at once", which)
	}
	return Story{fmt.Sprintf("%s; the longest wait is %s.", half, stat.Brief(c.Wait.Max)), spread(f) + f.stuckText(f.base)}, true
}

// spread lists the median and the longest wait of each arm.
func spread(f facts) string {
	var parts []string
	for _, a := range f.in.Arms {
		if w := f.class(a).Wait; w != nil {
			parts = append(parts, fmt.Sprintf("%s %s and %s", a.Label, stat.Brief(w.P50), stat.Brief(w.Max)))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return fmt.Sprintf("Median and longest wait of %s: %s.", f.what(), strings.Join(parts, ", "))
}

func (f facts) stuckText(a *arms.Arm) string {
	if c := f.class(a); c.Stuck > 0 {
		return fmt.Sprintf(" %s of %s sat in the prefetch window of a worker that was busy with something else, for at least as long as their own work takes and for up to %s.",
			stat.Count(c.Stuck), stat.Count(c.N), stat.Brief(c.StuckMax))
	}
	return ""
}
