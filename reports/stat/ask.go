package stat

import (
	"fmt"
	"math"
	"strings"

	"harelab/loadgen/run"
)

// Ask answers a metric from the figures alone, without the messages; NaN is
// not visible. It knows the whole run and single classes, and for
// distributions mean, p50, p90, p95, p99, max and n.
func (s *Summary) Ask(e run.Expectation) (float64, error) {
	if err := Validate(e); err != nil {
		return 0, err
	}
	c, rest, err := s.classOf(e.Labels)
	if err != nil {
		return 0, err
	}
	if d, ok := c.dist(e.Metric); ok && len(rest) == 0 {
		return d.stat(e.Stat)
	}
	if f, ok := classFigures[e.Metric]; ok && len(rest) == 0 {
		return f(c), nil
	}
	// What is left needs no messages: utilisation, Jain, ledger counts.
	m, _ := lookup(e.Metric)
	if m.value == nil || c != s.All {
		return 0, fmt.Errorf("stat: %s needs the messages, of which there are only the figures", e.Text)
	}
	for _, l := range rest {
		if l.Key != "by" && l.Key != "worker" {
			return 0, fmt.Errorf("stat: %s needs the messages, of which there are only the figures", e.Text)
		}
	}
	ledger := run.Ledger(s.Ledger)
	q := &question{b: &book{r: &run.Result{Ledger: ledger}}, s: s, e: e}
	return m.value(q)
}

// classOf resolves a class label; other labels are returned.
func (s *Summary) classOf(labels []run.Label) (*Class, []run.Label, error) {
	c := s.All
	var rest []run.Label
	for _, l := range labels {
		if l.Key != "class" || l.Not {
			rest = append(rest, l)
			continue
		}
		if c = s.Class(l.Value); c == nil {
			var names []string
			for _, k := range s.Classes {
				names = append(names, k.Name)
			}
			return nil, nil, fmt.Errorf("stat: %s has no class %q (have %s)", s.Arm, l.Value, strings.Join(names, ", "))
		}
	}
	return c, rest, nil
}

// dist returns the distribution of an interval metric or of slowdown.
func (c *Class) dist(metric string) (*Dist, bool) {
	d, ok := map[string]*Dist{
		"wait": c.Wait, "queued": c.Queued, "held": c.Held, "service": c.Service, "sojourn": c.Sojourn,
		"slowdown": c.Slowdown, "confirm": c.Confirm, "schedule_lag": c.ScheduleLag, "transit": c.Transit,
	}[metric]
	return d, ok
}

func (d *Dist) stat(name string) (float64, error) {
	if d == nil {
		return math.NaN(), nil
	}
	v, ok := map[string]float64{
		"n": float64(d.N), "mean": d.Mean, "p50": d.P50, "p90": d.P90, "p95": d.P95, "p99": d.P99, "max": d.Max, "p100": d.Max,
	}[name]
	if !ok {
		return 0, fmt.Errorf("stat: %s is not among the figures (have mean, p50, p90, p95, p99, max, n)", name)
	}
	return v, nil
}

// classFigures are the numbers that are kept of each class.
var classFigures = map[string]func(*Class) float64{
	"starvation": func(c *Class) float64 { return c.Starvation },
	"finish":     func(c *Class) float64 { return c.Finish },
	"makespan":   func(c *Class) float64 { return c.Finish },
	"stuck":      func(c *Class) float64 { return float64(c.Stuck) },
	"finished":   func(c *Class) float64 { return float64(c.N) },
}
