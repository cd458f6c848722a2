package stat

import (
	"fmt"
	"math"
	"slices"
)

// AgreeRel is how far a measurement that agrees with the prediction may be from
// it, as a share of the prediction, besides [AgreeAbs].
const AgreeRel = 0.02

// AgreeAbs is how far, in seconds, a measurement on t that agrees with the
// prediction may be from it, besides [AgreeRel]: what a process takes to wake
// up and hand a message on. A broker elsewhere adds its own process, a network
// and whatever else that machine does.
func AgreeAbs(t Target) float64 {
	if t.Visible() {
		return 0.02
	}
	return 0.05
}

// An Agreement sets the prediction of an arm, made in virtual time, beside
// what was measured on a real clock.
type Agreement struct {
	Arm      string
	Target   Target // measured
	SameLoad bool
	Repeats  int     // measured; with several, Measured is their median
	Late     float64 // s, how late the machine woke the load generator at most
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

// Verdict says in words what the comparison came to, as "within 2 % + 20 ms".
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

// Excuse says what besides the lab may have set measurement and prediction
// apart: empty where the loads tell, or the machine woke the load generator in time.
func (a *Agreement) Excuse() string {
	if !a.SameLoad || a.Within() || a.Late < LateLeast {
		return ""
	}
	return fmt.Sprintf("the machine was busy and woke the load generator up to %s late: measure again", Brief(a.Late))
}

// LateLeast is the lateness, in seconds, from which a measurement may differ
// from the prediction by the machine's fault alone: a publisher, a broker and
// a slot that are each as late as that use up what [AgreeAbs] allows.
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

// Agreements pairs each arm's summary in virtual time with those of each real
// target, in order of appearance.
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

// compared are the figures that prediction and measurement are held together
// by. They are visible on every target.
var compared = []struct {
	name string
	of   func(*Class) Figure
}{
	{"wait mean", func(c *Class) Figure { return c.Wait.mean() }},
	{"wait p50", func(c *Class) Figure { return c.Wait.get(func(d *Dist) float64 { return d.P50 }) }},
	{"wait max", func(c *Class) Figure { return c.Wait.get(func(d *Dist) float64 { return d.Max }) }},
	{"held max", func(c *Class) Figure { return c.Held.get(func(d *Dist) float64 { return d.Max }) }},
	{"starvation", func(c *Class) Figure { return figure(c.Starvation) }},
	{"finish", func(c *Class) Figure { return figure(c.Finish) }},
}

func (d *Dist) mean() Figure { return d.get(func(d *Dist) float64 { return d.Mean }) }

func (d *Dist) get(f func(*Dist) float64) Figure {
	if d == nil {
		return nil
	}
	return figure(f(d))
}

// median of the values, which it sorts; the mean of the middle two when their
// number is even.
func median(xs []float64) float64 {
	slices.Sort(xs)
	n := len(xs)
	return (xs[(n-1)/2] + xs[n/2]) / 2
}
