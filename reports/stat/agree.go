package stat

import (
	"fmt"
	"math"
	"slices"
)

// AgreeRel and [AgreeAbs] together bound the difference at which a measurement
// still agrees with its prediction. AgreeRel is a share of the prediction.
const AgreeRel = 0.02

// AgreeAbs is the part of the bound that does not depend on the prediction, in
// seconds, for a measurement on t: the time that a process takes to wake up and
// hand a message on. A foreign broker adds its own process, a network and the
// other work of its machine.
func AgreeAbs(t Target) float64 {
	if t.Visible() {
		return 0.02
	}
	return 0.05
}

// An Agreement compares the prediction of an arm, made in virtual time, with its
// measurement on a real clock.
type Agreement struct {
	Arm      string
	Target   Target // of the measurement
	SameLoad bool
	Repeats  int     // of the measurement; each Measured is the median over them
	Late     float64 // s, the longest delay with which the machine woke the load generator
	Lines    []AgreementLine
}

// An AgreementLine is one figure of one class.
type AgreementLine struct {
	Class, Metric string
	Predicted     float64 // s
	Measured      float64 // s
	Within        bool
}

// Diff is measured minus predicted, in seconds.
func (l AgreementLine) Diff() float64 { return l.Measured - l.Predicted }

// Within reports whether all lines agree.
func (a *Agreement) Within() bool {
	return a.SameLoad && !slices.ContainsFunc(a.Lines, func(l AgreementLine) bool { return !l.Within })
}

// Outside is the line whose difference is furthest outside the bounds, nil if all lines
// agree.
func (a *Agreement) Outside() *AgreementLine {
	var worst *AgreementLine
	for i := range a.Lines {
		if l := &a.Lines[i]; !l.Within && (worst == nil || math.Abs(l.Diff()) > math.Abs(worst.Diff())) {
			worst = l
		}
	}
	return worst
}

// Words names the figure for a sentence, as "the longest wait of run_user_query".
func (l AgreementLine) Words() string {
	for _, f := range compared {
		if f.name == l.Metric {
			return "the " + f.words + " of " + l.Class
		}
	}
	return l.Metric + " of " + l.Class
}

// Verdict gives the result in words, as "within 2 % + 20 ms".
func (a *Agreement) Verdict() string {
	bounds := Percent(AgreeRel) + " + " + Brief(AgreeAbs(a.Target))
	switch {
	case !a.SameLoad:
		return "the loads differ"
	case !a.Within():
		return "outside " + bounds
	}
	return "within " + bounds
}

// Excuse names a cause outside the lab that may explain the difference: a busy
// machine. It is empty when the measurement agrees, when the loads differ, and
// when the machine woke the load generator in time.
func (a *Agreement) Excuse() string {
	if !a.SameLoad || a.Within() || a.Late < LateLeast {
		return ""
	}
	return fmt.Sprintf("the machine woke the load generator up to %s late, which may be the cause: measure again", Brief(a.Late))
}

// LateLeast is the lateness, in seconds, from which the machine alone may explain
// a difference: a publisher, a broker and a slot that are each this late use up
// most of [AgreeAbs].
const LateLeast = 0.005

// Worst is the line with the largest difference, nil without lines.
func (a *Agreement) Worst() *AgreementLine {
	var worst *AgreementLine
	for i := range a.Lines {
		if worst == nil || math.Abs(a.Lines[i].Diff()) > math.Abs(worst.Diff()) {
			worst = &a.Lines[i]
		}
	}
	return worst
}

// Agreements pairs the summary of each arm in virtual time with the summaries of
// the same arm on each real target, in order of appearance.
func Agreements(ss []*Summary) []*Agreement {
	var out []*Agreement
	for _, p := range ss {
		if !p.Virtual || p.Repeat > 0 {
			continue
		}
		byTarget := make(map[Target][]*Summary)
		var order []Target
		for _, m := range ss {
			if m.Virtual || m.Arm != p.Arm {
				continue
			}
			if byTarget[m.Target] == nil {
				order = append(order, m.Target)
			}
			byTarget[m.Target] = append(byTarget[m.Target], m)
		}
		for _, t := range order {
			out = append(out, agree(p, t, byTarget[t]))
		}
	}
	return out
}

// Agree compares the figures of a run with the medians over the repeats of the same arm on
// the target t, as [Agreements] compares a prediction with its measurement.
func Agree(base *Summary, t Target, repeats []*Summary) *Agreement { return agree(base, t, repeats) }

func agree(p *Summary, t Target, measured []*Summary) *Agreement {
	a := &Agreement{Arm: p.Arm, Target: t, SameLoad: true, Repeats: len(measured)}
	for _, m := range measured {
		a.SameLoad = a.SameLoad && m.Load.Same(p.Load)
		a.Late = max(a.Late, m.Late)
	}
	for _, c := range p.Classes {
		for _, f := range compared {
			want := f.of(c)
			var got []float64
			for _, m := range measured {
				if mc := m.Class(c.Name); mc != nil && f.of(mc) != nil {
					got = append(got, *f.of(mc))
				}
			}
			if want == nil || len(got) == 0 {
				continue
			}
			m := median(got)
			a.Lines = append(a.Lines, AgreementLine{
				Class: c.Name, Metric: f.name, Predicted: *want, Measured: m,
				Within: math.Abs(m-*want) <= AgreeRel*math.Abs(*want)+AgreeAbs(t),
			})
		}
	}
	return a
}

// compared are the figures of a class in which prediction and measurement are
// compared. Every target shows them.
var compared = []struct {
	name, words string
	of          func(*Class) Figure
}{
	{"wait mean", "mean wait", func(c *Class) Figure { return c.Wait.mean() }},
	{"wait p50", "median wait", func(c *Class) Figure { return c.Wait.get(func(d *Dist) float64 { return d.P50 }) }},
	{"wait max", "longest wait", func(c *Class) Figure { return c.Wait.get(func(d *Dist) float64 { return d.Max }) }},
	{"held max", "longest held time", func(c *Class) Figure { return c.Held.get(func(d *Dist) float64 { return d.Max }) }},
	{"starvation", "longest starvation", func(c *Class) Figure { return figure(c.Starvation) }},
	{"finish", "end", func(c *Class) Figure { return figure(c.Finish) }},
}

func (d *Dist) mean() Figure { return d.get(func(d *Dist) float64 { return d.Mean }) }

func (d *Dist) get(f func(*Dist) float64) Figure {
	if d == nil {
		return nil
	}
	return figure(f(d))
}

// median sorts the values and returns their median: of an even number of values
// the mean of the middle two.
func median(xs []float64) float64 {
	slices.Sort(xs)
	n := len(xs)
	return (xs[(n-1)/2] + xs[n/2]) / 2
}
