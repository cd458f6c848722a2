// Package arms groups runs into arms. An arm is the repeats of one scenario with
// one variant and one choice of settings on one target. Tables, charts and verdicts
// treat it as one thing. Every report takes its arms from here, so that a run
// belongs to the same arm, under the same name and letter, in all of them.
//
// A name is as short as it can be and still tell the arm from the others of the
// report: it has the settings, the product and the address of a broker only if two
// arms would have the same name without them.
package arms

import (
	"fmt"
	"strings"

	"harelab/loadgen/run"
	"harelab/reports/judge"
	"harelab/reports/stat"
)

// A Run is one run with its figures.
type Run struct {
	Result  *run.Result // nil if only the figures were read
	Summary *stat.Summary
}

// Summarize computes the figures of results. It is the most expensive step of a
// report, so the functions that need figures take runs and not results.
func Summarize(results ...*run.Result) []*Run {
	out := make([]*Run, len(results))
	for i, r := range results {
		out[i] = &Run{Result: r, Summary: stat.Summarize(r)}
	}
	return out
}

// Outline makes runs without figures; see [stat.Outline].
func Outline(results ...*run.Result) []*Run {
	out := make([]*Run, len(results))
	for i, r := range results {
		out[i] = &Run{Result: r, Summary: stat.Outline(r)}
	}
	return out
}

// OfSummaries makes runs that have figures only.
func OfSummaries(ss []*stat.Summary) []*Run {
	out := make([]*Run, len(ss))
	for i, s := range ss {
		out[i] = &Run{Summary: s}
	}
	return out
}

// Summaries returns the figures of runs, in order.
func Summaries(runs []*Run) []*stat.Summary {
	out := make([]*stat.Summary, len(runs))
	for i, r := range runs {
		out[i] = r.Summary
	}
	return out
}

// An Arm is the repeats of one scenario, variant and settings on one target.
type Arm struct {
	Name      string // scenario, variant and target, as "celery-initial/same-load on sim"
	Label     string // the shortest name that a [Set] can give, as "same-load"
	Letter    string // A, B, ...: the same in all charts of a [Set]
	Index     int    // place in the [Set], from 0; charts choose the arm's colour by it
	Runs      []*Run // repeats, never empty
	Predicted *Run   // the run in virtual time that predicts an arm on a real clock; nil if the [Set] has none
}

// First returns the arm's first repeat.
func (a *Arm) First() *Run { return a.Runs[0] }

// Summaries returns the figures of the arm's repeats.
func (a *Arm) Summaries() []*stat.Summary { return Summaries(a.Runs) }

// Of returns a goal over the arm's repeats.
func (a *Arm) Of(g judge.Goal) judge.Estimate { return judge.Center(g, a.Summaries()) }

// Over returns any figure over the arm's repeats; NaN means that a repeat does not
// have it. Reports show its median.
func (a *Arm) Over(figure func(*stat.Summary) float64) judge.Estimate {
	return judge.Over(a.Summaries(), figure)
}

// Judged returns the arm for a comparison by package judge.
func (a *Arm) Judged() judge.Arm { return judge.Arm{Label: a.Label, Runs: a.Summaries()} }

// Letter returns the letter of the arm with index i: A to Z, then numbers from 27.
func Letter(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return fmt.Sprint(i + 1)
}

// A key identifies an arm: it is the same for all its runs.
type key struct {
	arm, settings string
	target        stat.Target
}

func keyOf(r *Run) key {
	s := r.Summary
	return key{s.Arm, settings(s), s.Target}
}

// settings names the strategies of a run, as "dispatch=rr order=fifo".
func settings(s *stat.Summary) string {
	var parts []string
	for _, p := range [][2]string{{"matcher", s.Matcher}, {"dispatch", s.Dispatch}, {"order", s.Order}} {
		if p[1] != "" {
			parts = append(parts, p[0]+"="+p[1])
		}
	}
	return strings.Join(parts, " ")
}

// By groups items by a key, in the order in which the keys appear.
func By[K comparable, T any](items []T, key func(T) K) [][]T {
	var out [][]T
	at := make(map[K]int)
	for _, item := range items {
		k := key(item)
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], item)
	}
	return out
}

// Group groups runs by arm, in the order in which the arms appear. A run in virtual
// time and one on a real clock belong to different arms.
func Group(runs []*Run) []*Arm {
	var out []*Arm
	for _, of := range By(runs, keyOf) {
		out = append(out, &Arm{Runs: of})
	}
	targets := targetNames(out, stat.Target.Name, address)
	names := distinct(out,
		func(a *Arm) string { return a.First().Summary.Arm + " on " + targets[a.First().Summary.Target] },
		func(a *Arm) string {
			s := a.First().Summary
			return s.Arm + " (" + settings(s) + ") on " + targets[s.Target]
		})
	for i, a := range out {
		a.Name, a.Label, a.Letter, a.Index = names[i], names[i], Letter(i), i
	}
	return out
}

// Names names each run by its arm, and the repeats of an arm by their number. If addressed,
// the names of brokers have their address in any case: other runs, which are still to come,
// may be on a broker that looks alike.
func Names(runs []*Run, addressed bool) map[*stat.Summary]string {
	out := make(map[*stat.Summary]string)
	for _, a := range Group(runs) {
		name := a.Name
		if t := a.First().Summary.Target; addressed && !strings.HasSuffix(name, address(t)) {
			name = strings.TrimSuffix(name, t.Name()) + address(t)
		}
		for _, r := range a.Runs {
			out[r.Summary] = name
			if r.Summary.Repeat > 0 {
				out[r.Summary] += fmt.Sprintf(", repeat %d", r.Summary.Repeat+1)
			}
		}
	}
	return out
}

// address returns a target's name and its address, which has no credentials.
func address(t stat.Target) string { return strings.TrimSpace(t.Name() + " " + t.URL) }

// targetNames names each target of the arms by the first form that no other target
// of theirs shares, or by the last form.
func targetNames(arms []*Arm, forms ...func(stat.Target) string) map[stat.Target]string {
	target := func(a *Arm) stat.Target { return a.First().Summary.Target }
	var targets []stat.Target
	for _, of := range By(arms, target) {
		targets = append(targets, target(of[0]))
	}
	out := make(map[stat.Target]string)
	for i, name := range distinct(targets, forms...) {
		out[targets[i]] = name
	}
	return out
}

// distinct names each item by the first form that no other item shares, or by the
// last form.
func distinct[T any](items []T, forms ...func(T) string) []string {
	out := make([]string, len(items))
	left := make([]int, len(items)) // indexes of the items without a name
	for i := range left {
		left[i] = i
	}
	for n, form := range forms {
		var alike []int
		for _, same := range By(left, func(i int) string { return form(items[i]) }) {
			for _, i := range same {
				out[i] = form(items[i])
			}
			if len(same) > 1 && n < len(forms)-1 {
				alike = append(alike, same...)
			}
		}
		left = alike
	}
	return out
}
