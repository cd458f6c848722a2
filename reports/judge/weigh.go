package judge

import (
	"fmt"
	"slices"

	"harelab/reports/stat"
	"harelab/scenarios/metric"
)

// An Effect is a figure of two arms.
type Effect struct {
	Goal
	From, To Estimate
	Change   Change
}

// newEffect compares two arms, each given by its repeats, by one figure.
func newEffect(g Goal, base, news []*stat.Summary) Effect {
	e := Effect{Goal: g, From: Center(g, base), To: Center(g, news)}
	e.Change = Compare(g.Query, e.From.Center, e.To.Center)
	return e
}

// A Balance is all that two arms are judged by.
type Balance struct {
	Goals []Effect // in the order of the goals
	Sides []Effect // of the messages that the goals leave out, and of where messages went; without those that no arm has
}

// Weigh compares two arms, each given by its repeats, by the goals and by what a better
// value of the goals may cost: the waits of all other classes or tenants, and the
// messages that were lost, dropped or not served.
func Weigh(goals []Goal, base, news []*stat.Summary) Balance {
	var b Balance
	seen := make(map[string]bool)
	add := func(to *[]Effect, g Goal) {
		if seen[g.String()] {
			return
		}
		seen[g.String()] = true
		if e := newEffect(g, base, news); e.Change != Unknown {
			*to = append(*to, e)
		}
	}
	for _, g := range goals {
		add(&b.Goals, g)
	}
	for _, g := range Sides(goals, slices.Concat(base, news)) {
		add(&b.Sides, g)
	}
	return b
}

// Sides returns what a better value of the goals may cost: the figures of
// [Balance.Sides].
func Sides(goals []Goal, runs []*stat.Summary) []Goal {
	out := Others(goals, runs)
	for _, name := range ends {
		if metric.Lookup(name) != nil {
			out = append(out, About(metric.Query{Metric: name}, runs))
		}
	}
	return out
}

// ends are the counts of messages that did not end as they should.
var ends = []string{"lost", "dropped", "expired", "refused", "rejected", "delivery_limited", "dead_lettered", "left", "duplicated"}

// Others returns the waits of the messages that the goals are not about: of the other
// classes for a goal about a class, of the other tenants for one about tenants, and of
// every class for one about all messages. The statistic is that of the first goal that
// is about waiting, or else the 99th percentile.
func Others(goals []Goal, runs []*stat.Summary) []Goal {
	of := metric.Query{Metric: "wait", Stat: "p99"}
	for _, g := range goals {
		if m := g.Def(); (m.Name == "wait" || m.Name == "sojourn" || m.Name == "slowdown") && g.Better() == metric.Lower {
			of.Metric, of.Stat = g.Metric, g.Stat
			break
		}
	}
	var out []Goal
	add := func(l metric.Label) {
		q := of
		q.Labels = []metric.Label{l}
		out = append(out, About(q, runs))
	}
	if all := classes(runs); len(all) > 1 {
		for _, name := range all {
			if !slices.ContainsFunc(goals, func(g Goal) bool { return g.about("class") && metric.Admit(g.Labels, "class", name) }) {
				add(metric.Label{Key: "class", Value: name})
			}
		}
	}
	for _, g := range goals {
		for _, l := range g.Labels {
			if l.Key == "tenant" {
				l.Not = !l.Not
				add(l)
			}
		}
	}
	return out
}

// about reports whether the goal has a label with the key.
func (g Goal) about(key string) bool {
	return slices.ContainsFunc(g.Labels, func(l metric.Label) bool { return l.Key == key })
}

// classes returns the names of the classes of runs, in their order.
func classes(runs []*stat.Summary) []string {
	var out []string
	for _, s := range runs {
		for _, c := range s.Classes {
			if !slices.Contains(out, c.Name) {
				out = append(out, c.Name)
			}
		}
	}
	return out
}

// Main returns the effect that decides: the first goal that clearly changed, else the
// first side. It returns false if nothing clearly changed.
func (b Balance) Main() (Effect, bool) {
	for _, e := range slices.Concat(b.Goals, b.Sides) {
		if e.Change != Same {
			return e, true
		}
	}
	return Effect{}, false
}

// Counter returns the effects that clearly changed in the opposite direction of main:
// the price of something better, or the return for something worse.
func (b Balance) Counter(main Effect) []Effect {
	var out []Effect
	for _, e := range slices.Concat(b.Goals, b.Sides) {
		if e.Change == Better && main.Change == Worse || e.Change == Worse && main.Change == Better {
			out = append(out, e)
		}
	}
	return out
}

// Price lists what becomes clearly worse, with both values. It is empty if nothing
// does.
func (b Balance) Price() string {
	return listed(changes(b.Counter(Effect{Change: Better})))
}

func changes(of []Effect) []string {
	var out []string
	for _, e := range of {
		out = append(out, e.change())
	}
	return out
}

// maxCounter is the greatest number of effects that a sentence lists as a price.
const maxCounter = 3

// Sentence compares two arms in a sentence without a full stop. The text with says
// what the new arm has or is called, base what the base is called:
//
//	Better with split: 99 % of quick start within 1.7 ms instead of 49 s; the price: 99 % of slow start within 68 s instead of 54 s
//	Worse with one queue: 99 % of quick start within 49 s instead of 1.7 ms; in return 99 % of slow start within 54 s instead of 68 s
//	99 % of quick start within 0.7 ms with both fifo and drr: no difference
//
// It is empty if the arms have no figure in common.
func (b Balance) Sentence(with, base string) string {
	if len(b.Goals)+len(b.Sides) == 0 {
		return ""
	}
	main, ok := b.Main()
	if !ok {
		return b.same(with, base)
	}
	word := map[Change]string{Better: "Better", Worse: "Worse", Differs: "Different"}[main.Change]
	s := fmt.Sprintf("%s with %s: %s", word, with, main.change())
	if len(b.Goals) > 0 && b.Goals[0].Change == Same {
		s += "; " + b.Goals[0].both(with, base)
	}
	link := "; the price: "
	if main.Change == Worse {
		link = "; in return "
	}
	if counter := changes(b.Counter(main)); len(counter) > 0 {
		s += link + listed(counter)
	}
	return s
}

// same says that nothing clearly changed.
func (b Balance) same(with, base string) string {
	e := slices.Concat(b.Goals, b.Sides)[0]
	end := "no difference"
	if e.Value(e.From.Center) != e.Value(e.To.Center) {
		end = "no clear difference"
	}
	return stat.Upper(e.both(with, base)) + ": " + end
}

// change says the effect, with the ranges of the repeats if these overlap.
func (e Effect) change() string {
	s := e.Goal.Change(e.From.Center, e.To.Center)
	to, from := e.Spread(e.To), e.Spread(e.From)
	if to+from == "" || !e.From.overlaps(e.To) {
		return s
	}
	ranges := func(spread string, v float64) string {
		if spread == "" {
			return e.Value(v)
		}
		return spread
	}
	return fmt.Sprintf("%s (the runs overlap: %s, and %s)", s, ranges(to, e.To.Center), ranges(from, e.From.Center))
}

// both says a value that two arms share, or the two values if they differ a little.
func (e Effect) both(with, base string) string {
	from, to := e.Value(e.From.Center), e.Value(e.To.Center)
	if from == to {
		return fmt.Sprintf("%s with both %s and %s", e.Say(e.To.Center), base, with)
	}
	p, _, _ := phraseOf(e.Query)
	return e.fill(p.say, fmt.Sprintf("%s (%s) and %s (%s)", from, base, to, with))
}
