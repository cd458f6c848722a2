package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"harelab/bench/matchlab"
	"harelab/bench/workload"
	"harelab/engine/topic"
)

const cached = "cached(" + topic.Default + ")"

// A bar is a limit for a figure, lower being better.
type bar struct {
	what    string
	figures string // from which the value comes
	value   float64
	unit    string // "x" for a ratio
	limit   float64
	stretch float64 // 0 if there is none
}

// judge returns the bars with the figures of a run, and measures what only bars
// need.
func judge(ctx context.Context, ms []matchlab.Measurement, o matchlab.Options) ([]bar, error) {
	r := run1{ms}
	bars := []bar{
		r.ratio("match, 2,000 bindings, '#' at the end only", "rabbit2011-trailing", topic.Default, "nats-gsl", 0.5, 0.35),
		r.ratio("match, 2,000 bindings, '#' anywhere", "rabbit2011", topic.Default, "trie", 0.25, 0.15),
		r.ratio("match, few keys, cached", "tyler1000", cached, "nats-cache", 0.8, 0),
		r.ratio("match, few keys, not cached", "tyler1000", topic.Default, "nats-gsl", 0.4, 0.25),
		r.ratio("match, services' tasks", "celery", topic.Default, "nats-gsl", 0.55, 0.4),
		r.ratio("match, 100,000 bindings", "iot", topic.Default, "nats-gsl", 0.4, 0.2),
		r.ratio("match, 200 bindings of seven '#', 120 words", "adversarial7", topic.Default, "", 80_000, 20_000),
	}
	for _, name := range []string{"rabbit2011-trailing", "iot", "adversarial7"} {
		m := r.of(topic.Default, name)
		bars = append(bars, bar{what: "allocations of a match, " + name, figures: "mean", value: float64(int(m.Allocs)), limit: 0})
	}
	m := r.of(topic.Default, "iot")
	bars = append(bars,
		bar{what: "heap, 100,000 bindings", figures: peerFigure("nats-gsl", r.of("nats-gsl", "iot").Heap, "B"), value: m.Heap, unit: "B", limit: 200, stretch: 120},
		bar{what: "bind beside 100,000 bindings", figures: peerFigure("nats-gsl", matchlab.Median(r.of("nats-gsl", "iot").BindCPU), "ns"), value: matchlab.Median(m.BindCPU), unit: "ns", limit: 1000},
		bar{what: "unbind beside 100,000 bindings", figures: peerFigure("nats-gsl", matchlab.Median(r.of("nats-gsl", "iot").UnbindCPU), "ns"), value: matchlab.Median(m.UnbindCPU), unit: "ns", limit: 1000},
	)
	growth, err := growth()
	if err != nil {
		return nil, err
	}
	bars = append(bars, growth)
	for _, more := range []func() ([]bar, error){
		func() ([]bar, error) { return churn(ctx, o) },
		func() ([]bar, error) { return deleteQueue(ctx) },
	} {
		b, err := more()
		if err != nil {
			return nil, err
		}
		bars = append(bars, b...)
	}
	return bars, nil
}

// run1 finds figures of a run.
type run1 struct{ ms []matchlab.Measurement }

func (r run1) of(contender, workload string) *matchlab.Measurement {
	for i := range r.ms {
		if r.ms[i].Contender == contender && r.ms[i].Workload == workload {
			return &r.ms[i]
		}
	}
	panic(fmt.Sprintf("peers: %s was not measured on %s", contender, workload))
}

// ratio returns a bar for a match: as a ratio to another contender's, or in ns if
// there is none. The ratio is the median of the repeats' ratios.
func (r run1) ratio(what, workload, contender, to string, limit, stretch float64) bar {
	ours := r.of(contender, workload).CPU
	if to == "" {
		return bar{what, contender, matchlab.Median(ours), "ns", limit, stretch}
	}
	theirs := r.of(to, workload).CPU
	var ratios []float64
	for i := range ours {
		ratios = append(ratios, ours[i]/theirs[i])
	}
	figures := fmt.Sprintf("%s %.0f ns, %s %.0f ns", contender, matchlab.Median(ours), to, matchlab.Median(theirs))
	return bar{what, figures, matchlab.Median(ratios), "x", limit, stretch}
}

func peerFigure(peer string, value float64, unit string) string {
	return fmt.Sprintf("%s %.0f %s", peer, value, unit)
}

// growth returns how the work of a match, counted in steps, grows when a routing
// key that every '#' can take has twice the words.
func growth() (bar, error) {
	s, err := topic.Lookup(topic.Default)
	if err != nil {
		return bar{}, err
	}
	steps := func(words int) (n int) {
		m, w := s.New().(topic.Stepper), workload.Adversarial(7, words)
		w.Fill(m)
		for _, key := range w.Keys {
			_, k := m.MatchSteps(nil, key)
			n += k
		}
		return n / len(w.Keys)
	}
	short, long := steps(60), steps(120)
	return bar{
		what:    "work of a match from 60 to 120 words, seven '#'",
		figures: fmt.Sprintf("%d and %d steps", short, long),
		value:   float64(long) / float64(short), unit: "x", limit: 2.2,
	}, nil
}

// churn returns bars for matches beside changes of bindings.
func churn(ctx context.Context, o matchlab.Options) ([]bar, error) {
	const workload = "rabbit2011-trailing"
	c, err := matchlab.MeasureChurn(ctx, topic.Default, workload, o)
	if err != nil {
		return nil, err
	}
	changing := pairs("match and 1 % changes, to a match", c.Changing, c.Quiet, 1.15)
	changing.figures += ", " + workload
	beside := pairs("match of two readers beside a writer", c.Beside, c.Alone, 1.10)
	beside.figures += " with a third that does nothing"
	return []bar{changing, beside}, nil
}

// pairs returns a bar for the median ratio of values that were measured in pairs.
func pairs(what string, ours, to []float64, limit float64) bar {
	var ratios []float64
	for i := range ours {
		ratios = append(ratios, ours[i]/to[i])
	}
	figures := fmt.Sprintf("%.0f ns, %.0f ns", matchlab.Median(ours), matchlab.Median(to))
	return bar{what: what, figures: figures, value: matchlab.Median(ratios), unit: "x", limit: limit}
}

// deleteQueue returns bars for deleting a queue of 10,000 bindings among 100,000.
func deleteQueue(ctx context.Context) ([]bar, error) {
	const repeat = 25
	d, err := matchlab.MeasureDeletion(ctx, topic.Default, repeat)
	if err != nil {
		return nil, err
	}
	// What stops a publisher to another exchange is the machine.
	var beyond []float64
	for i := range d.Pause {
		beyond = append(beyond, d.Pause[i]-d.Elsewhere[i])
	}
	return []bar{
		{what: "delete a queue of 10,000 bindings among 100,000", figures: "processor time",
			value: matchlab.Median(d.Took), unit: "ms", limit: 10},
		{what: "longest pause of a publisher by that", value: matchlab.Median(beyond), unit: "µs", limit: 100,
			figures: fmt.Sprintf("%.0f µs, to another exchange %.0f µs", matchlab.Median(d.Pause), matchlab.Median(d.Elsewhere))},
	}, nil
}

// printBars prints the bars and reports whether all were cleared.
func printBars(w io.Writer, bars []bar) bool {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\nbar\tmeasured\tlimit\tstretch\t\tfrom\n")
	cleared := true
	for _, b := range bars {
		verdict, stretch := "met", ""
		if b.stretch > 0 {
			stretch = figure(b.stretch, b.unit)
			if b.value <= b.stretch {
				verdict = "stretch met"
			}
		}
		if b.value > b.limit {
			verdict, cleared = "MISSED", false
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", b.what, figure(b.value, b.unit), figure(b.limit, b.unit), stretch, verdict, b.figures)
	}
	t.Flush()
	return cleared
}

func figure(v float64, unit string) string {
	if unit == "x" {
		return fmt.Sprintf("%.2f x", v)
	}
	return strings.TrimSpace(fmt.Sprintf("%.4g %s", v, unit))
}

// printMatrix prints the median processor time of a match for each contender and
// workload, and what a binding takes on the largest.
func printMatrix(w io.Writer, ms []matchlab.Measurement) {
	var contenders, workloads []string
	cell := make(map[[2]string]string)
	for i := range ms {
		m := &ms[i]
		if !contains(contenders, m.Contender) {
			contenders = append(contenders, m.Contender)
		}
		if !contains(workloads, m.Workload) {
			workloads = append(workloads, m.Workload)
		}
		note := ""
		if m.LeftOut > 0 {
			note = fmt.Sprintf(" (-%d)", m.LeftOut)
		}
		cell[[2]string{m.Contender, m.Workload}] = fmt.Sprintf("%.0f%s", matchlab.Median(m.CPU), note)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "processor ns a match, median\t%s\n", strings.Join(workloads, "\t"))
	for _, c := range contenders {
		fmt.Fprintf(t, "%s", c)
		for _, wl := range workloads {
			fmt.Fprintf(t, "\t%s", cell[[2]string{c, wl}])
		}
		fmt.Fprintln(t)
	}
	t.Flush()
	fmt.Fprintln(w, "(-n): without n binding keys that it cannot express")
}

func contains(s []string, x string) bool {
	for _, e := range s {
		if e == x {
			return true
		}
	}
	return false
}
