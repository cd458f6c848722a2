package main

import (
	"context"
	"fmt"
	"math"
	"slices"

	"harelab/bench/matchlab"
	"harelab/bench/workload"
	"harelab/engine/topic"
)

const cached = matchlab.CachedDefault

// A bar is an upper limit for a figure.
type bar struct {
	what    string
	figures string // the figures that the value comes from
	value   float64
	lo, hi  float64 // 95 % interval of the value; both 0 if the value is a count
	unit    string  // "x" for a ratio, "ns" for a time
	limit   float64
	stretch float64 // a lower limit to aim for; 0: none
}

// measured returns a bar for the median of samples, with its interval.
func measured(what, figures string, samples []float64, unit string, limit, stretch float64) bar {
	lo, hi := matchlab.Interval(samples, 0.95)
	return bar{what, figures, matchlab.Median(samples), lo, hi, unit, limit, stretch}
}

func (b bar) met() bool { return b.value <= b.limit }

// A verdict has the bars of a run, which the default has to clear, and the targets, which
// it may miss.
type verdict struct{ bars, targets []bar }

// judge compares the figures of a run with the bars and targets. It measures the figures
// that the comparison lacks.
func judge(ctx context.Context, ms []matchlab.Measurement, o matchlab.Options) (*verdict, error) {
	r := run1{matchlab.Results{Matches: ms}}
	v := &verdict{
		bars: []bar{
			r.ratio("match, 2,000 bindings, '#' at the end only", "rabbit2011-trailing", topic.Default, "nats-gsl", 0.5, 0.35),
			r.ratio("match, few keys, cached", "tyler1000", cached, "nats-cache", 0.8, 0),
			r.ratio("match, 100,000 bindings", "iot", topic.Default, "nats-gsl", 0.4, 0.2),
			r.time("match, 200 bindings of seven '#', 120 words", "adversarial7", 80_000, 20_000),
		},
		targets: []bar{
			r.ratio("match, 2,000 bindings, '#' anywhere", "rabbit2011", topic.Default, "trie", 0.25, 0.15),
			r.ratio("match, few keys, not cached", "tyler1000", topic.Default, "nats-gsl", 0.4, 0.25),
			r.ratio("match, tasks of services", "celery", topic.Default, "nats-gsl", 0.55, 0.4),
			r.ratio("match, tasks of services, cached", "celery", cached, "map-limit", 2, 0),
			r.time("match, 200 bindings of four '#', 120 words", "adversarial4", 30_000, 10_000),
		},
	}
	growth, err := growth()
	if err != nil {
		return nil, err
	}
	v.bars = append(v.bars, growth, r.allocations(),
		r.perBinding("heap of a binding, 100,000 bindings", "B", 200, 120, func(m *matchlab.Measurement) []float64 { return []float64{m.Heap} }),
		r.perBinding("bind beside 100,000 bindings", "ns", 1000, 0, func(m *matchlab.Measurement) []float64 { return m.BindCPU }),
		r.perBinding("unbind beside 100,000 bindings", "ns", 1000, 0, func(m *matchlab.Measurement) []float64 { return m.UnbindCPU }),
	)
	changing, err := churn(ctx, o)
	if err != nil {
		return nil, err
	}
	deleting, err := deleteQueue(ctx)
	if err != nil {
		return nil, err
	}
	v.bars = slices.Concat(v.bars, changing, deleting)
	return v, nil
}

// run1 looks up figures of a run.
type run1 struct{ matchlab.Results }

func (r run1) of(contender, workload string) *matchlab.Measurement {
	if m := r.Of(contender, workload); m != nil {
		return m
	}
	panic(fmt.Sprintf("peers: %s was not measured on %s", contender, workload))
}

// ratio returns a bar for the time of a match relative to another contender's: the median
// of the ratios of the repeats.
func (r run1) ratio(what, workload, contender, to string, limit, stretch float64) bar {
	ours, theirs := r.of(contender, workload).CPU, r.of(to, workload).CPU
	b := pairs(what, ours, theirs, limit)
	b.stretch = stretch
	b.figures = fmt.Sprintf("%s %s, %s %s", contender, nanos(matchlab.Median(ours)), to, nanos(matchlab.Median(theirs)))
	return b
}

// time returns a bar for the time of the default's match.
func (r run1) time(what, workload string, limit, stretch float64) bar {
	return measured(what, "no peer can express them", r.of(topic.Default, workload).CPU, "ns", limit, stretch)
}

// allocations returns a bar for the allocations of a match on the worst workload.
func (r run1) allocations() bar {
	most, on := 0.0, 0
	for i := range r.Matches {
		if m := &r.Matches[i]; m.Contender == topic.Default || m.Contender == cached {
			most = max(most, math.Floor(matchlab.Median(m.Allocs))) // a fraction comes from the measurement itself
			on++
		}
	}
	return bar{what: "allocations of a match", figures: fmt.Sprintf("%s and %s on %d workloads", topic.Default, cached, on/2), value: most}
}

// perBinding returns a bar for a cost per binding on the largest workload.
func (r run1) perBinding(what, unit string, limit, stretch float64, of func(*matchlab.Measurement) []float64) bar {
	const peer = "nats-gsl"
	ours, theirs := of(r.of(topic.Default, "iot")), of(r.of(peer, "iot"))
	return measured(what, peer+" "+figure(matchlab.Median(theirs), unit), ours, unit, limit, stretch)
}

// growth returns a bar for the growth of a match's work, counted in steps, when a routing
// key that every '#' can match has twice the words.
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

// churn returns bars for matches while bindings change.
func churn(ctx context.Context, o matchlab.Options) ([]bar, error) {
	const workload = "rabbit2011-trailing"
	c, err := matchlab.MeasureChurn(ctx, topic.Default, workload, o)
	if err != nil {
		return nil, err
	}
	changing := pairs("match and 1 % changes, to a match", c.Changing, c.Quiet, 1.15)
	changing.figures += " on " + workload
	beside := pairs("match of two readers beside a writer", c.Beside, c.Alone, 1.10)
	beside.figures += " beside one that does nothing"
	return []bar{changing, beside}, nil
}

// pairs returns a bar for the median ratio of values that were measured in pairs.
func pairs(what string, ours, to []float64, limit float64) bar {
	var ratios []float64
	for i := range ours {
		ratios = append(ratios, ours[i]/to[i])
	}
	figures := fmt.Sprintf("%s, %s", nanos(matchlab.Median(ours)), nanos(matchlab.Median(to)))
	return measured(what, figures, ratios, "x", limit, 0)
}

// deleteQueue returns bars for deleting a queue of 10,000 bindings among 100,000.
func deleteQueue(ctx context.Context) ([]bar, error) {
	const repeat = 25
	d, err := matchlab.MeasureDeletion(ctx, topic.Default, repeat)
	if err != nil {
		return nil, err
	}
	return []bar{
		pairs("delete a queue of 10,000 of 100,000 bindings, to as many deletions from a map", d.Took, d.FromMap, 10),
		pause(d),
	}, nil
}

// pause returns a bar for the longest pause of a publisher during a deletion. Either the
// deletion or the machine makes that pause. A publisher to another exchange shows the
// machine's pauses alone. If those are above the limit, shorter ones cannot be measured,
// and the limit becomes the upper end of their interval.
func pause(d *matchlab.Deletion) bar {
	const limit, confidence = 100e3, 0.99
	figures := fmt.Sprintf("%s of one to another exchange", nanos(matchlab.Median(d.Elsewhere)))
	b := measured("longest pause of a publisher beside that", figures, d.Pause, "ns", limit, 0)
	if _, machine := matchlab.Interval(d.Elsewhere, confidence); matchlab.Median(d.Elsewhere) > limit {
		b.limit = machine
		b.figures += fmt.Sprintf(", on a machine too busy to measure %s", nanos(limit))
	}
	return b
}
