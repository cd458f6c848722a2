package matchlab

import (
	"context"
	"fmt"

	"harelab/bench/workload"
	"harelab/engine/topic"
)

// A Sweep varies one property of a workload.
type Sweep struct {
	Name   string // name of its chart's file
	Axis   string // the property that varies, with its unit
	Points []Point
}

// A Point has the figures of one contender at one value.
type Point struct {
	X float64
	Measurement
	Steps   float64 // mean steps of a match, if the sweep counts them
	HitRate float64 // hit rate of a cache in front of the default; -1: no cache
}

// sweepWords is the number of words of routing keys in the '#' sweep: few enough for a
// walk that backtracks to end.
const sweepWords = 20

// axes are the properties that the sweeps vary.
var axes = map[string]string{
	"scaling": "bindings",
	"hashes":  "'#' in each binding key",
	"zipf":    "Zipf exponent of the routing keys",
}

// A sweepPlan is a sweep that has not been measured yet.
type sweepPlan struct {
	Sweep
	values     []float64
	make       func(x float64) *workload.Workload
	contenders []Contender
}

// planSweeps returns the sweeps of a run.
func planSweeps(o *Options, all []Contender) []sweepPlan {
	list := []sweepPlan{
		{Sweep{Name: "scaling", Axis: axes["scaling"]}, []float64{100, 1000, 10_000, 100_000},
			func(x float64) *workload.Workload { return workload.IoT(int(x)) }, all},
	}
	var walking, cachePair []Contender
	for _, c := range all {
		if stepper(c.Name) != nil {
			walking = append(walking, c)
		}
		if c.Name == topic.Default || c.Name == CachedDefault {
			cachePair = append(cachePair, c)
		}
	}
	if len(walking) > 0 {
		list = append(list, sweepPlan{Sweep{Name: "hashes", Axis: axes["hashes"]}, []float64{1, 2, 3, 4, 5, 6, 7},
			func(x float64) *workload.Workload { return workload.Adversarial(int(x), sweepWords) }, walking})
	}
	if len(cachePair) == 2 {
		list = append(list, sweepPlan{Sweep{Name: "zipf", Axis: axes["zipf"]},
			[]float64{0, 0.4, 0.8, 1, 1.2, 1.6}, workload.Zipf, cachePair})
	}
	if o.Quick {
		for i := range list {
			list[i].values = list[i].values[:3]
		}
	}
	return list
}

// CachedDefault is the name of the default strategy behind a cache.
const CachedDefault = "cached(" + topic.Default + ")"

// runSweeps measures all sweeps. With an error it returns the sweeps for which it
// measured two values or more.
func runSweeps(ctx context.Context, o *Options, list []sweepPlan, progress func(part string, share float64)) ([]Sweep, error) {
	short := *o
	short.Repeat = min(o.Repeat, max(fewestSamples, o.Repeat/2))
	var done []Sweep
	for i, s := range list {
		for j, x := range s.values {
			w := s.make(x)
			w.Name = fmt.Sprintf("%s-%g", s.Name, x)
			at := (float64(i) + float64(j)/float64(len(s.values))) / float64(len(list))
			ms, err := measure(ctx, w, s.contenders, &short, func(int, int) { progress(w.Name, at) })
			if err != nil {
				if j > 1 { // values were measured
					done = append(done, s.Sweep)
				}
				return done, err
			}
			for _, m := range ms {
				p := Point{X: x, Measurement: m, HitRate: -1}
				if s.Name == "hashes" {
					p.Steps = steps(m.Contender, w)
				}
				if m.Contender == CachedDefault {
					p.HitRate = hitRate(w)
				}
				s.Points = append(s.Points, p)
			}
		}
		done = append(done, s.Sweep)
	}
	return done, nil
}

// stepper returns an empty matcher of a strategy that counts its steps, or nil. One
// behind a cache does not: it mostly makes none.
func stepper(strategy string) topic.Stepper {
	s, err := topic.Lookup(strategy)
	if err != nil {
		return nil
	}
	m, _ := s.New().(topic.Stepper)
	return m
}

// steps returns how many steps a match takes a strategy that counts them, mean of the
// stream.
func steps(strategy string, w *workload.Workload) float64 {
	m := stepper(strategy)
	w.Fill(m)
	n := 0
	var dst []topic.Dest
	for _, key := range w.Keys {
		var k int
		dst, k = m.MatchSteps(dst[:0], key)
		n += k
	}
	return float64(n) / float64(len(w.Keys))
}

// hitRate returns the share of matches that a warm cache in front of the default
// answers.
func hitRate(w *workload.Workload) float64 {
	s, err := topic.Lookup(topic.Default)
	if err != nil {
		return -1
	}
	inner := &countingMatcher{Matcher: s.New()}
	w.Fill(inner)
	s.New = func() topic.Matcher { return inner }
	for _, wrapper := range topic.Wrappers() {
		if wrapper.Name+"("+topic.Default+")" != CachedDefault {
			continue
		}
		m := wrapper.Wrap(s)()
		var dst []topic.Dest
		for _, key := range w.Keys { // warm
			dst = m.Match(dst[:0], key)
		}
		inner.matches = 0
		for _, key := range w.Keys {
			dst = m.Match(dst[:0], key)
		}
		return 1 - float64(inner.matches)/float64(len(w.Keys))
	}
	return -1
}

type countingMatcher struct {
	topic.Matcher
	matches int
}

func (c *countingMatcher) Match(dst []topic.Dest, routingKey []byte) []topic.Dest {
	c.matches++
	return c.Matcher.Match(dst, routingKey)
}
