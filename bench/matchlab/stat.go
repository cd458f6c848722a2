package matchlab

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"golang.org/x/perf/benchmath"

	"harelab/engine/topic"
)

// confidence is the level of all intervals.
const confidence = 0.95

// summary returns the median of the values and its confidence interval. With too
// few values for one at this level, the interval is their range.
func summary(values []float64) benchmath.Summary {
	s := benchmath.AssumeNothing.Summary(benchmath.NewSample(values, &benchmath.DefaultThresholds), confidence)
	if math.IsInf(s.Lo, 0) || math.IsInf(s.Hi, 0) {
		sorted := benchmath.NewSample(values, &benchmath.DefaultThresholds).Values
		s.Lo, s.Hi = sorted[0], sorted[len(sorted)-1]
	}
	return s
}

// differ reports whether two samples differ by more than chance (Mann-Whitney U
// test), and the p-value.
func differ(a, b []float64) (bool, float64) {
	c := benchmath.AssumeNothing.Compare(
		benchmath.NewSample(a, &benchmath.DefaultThresholds), benchmath.NewSample(b, &benchmath.DefaultThresholds))
	return c.P < c.Alpha, c.P
}

// contenders and workloads return the names in the order of measurement.
func (r *Results) contenders() []string {
	return distinct(r.Matches, func(m *Measurement) string { return m.Contender })
}

func (r *Results) workloads() []string {
	return distinct(r.Matches, func(m *Measurement) string { return m.Workload })
}

func distinct(ms []Measurement, name func(*Measurement) string) (names []string) {
	seen := make(map[string]bool)
	for i := range ms {
		if n := name(&ms[i]); !seen[n] {
			seen[n] = true
			names = append(names, n)
		}
	}
	return names
}

// of returns a contender's measurement on a workload, or nil.
func (r *Results) of(contender, workload string) *Measurement {
	for i := range r.Matches {
		if m := &r.Matches[i]; m.Contender == contender && m.Workload == workload {
			return m
		}
	}
	return nil
}

// A cell is one entry of the table: a time and how it compares to the default's.
type cell struct {
	Time  string // median and half the interval in percent; empty if not measured
	Delta string // against the default, "~" if chance may explain it
	Best  bool   // no other is faster by more than chance
}

func (r *Results) cell(contender, workload string) cell {
	m := r.of(contender, workload)
	if m == nil {
		return cell{Time: "-"}
	}
	s := summary(m.CPU)
	c := cell{Time: formatNanos(s.Center) + " ±" + fmt.Sprintf("%.0f%%", 100*max(s.Hi-s.Center, s.Center-s.Lo)/s.Center)}
	if base := r.of(topic.Default, workload); base != nil && contender != topic.Default {
		c.Delta = "~"
		if yes, p := differ(m.CPU, base.CPU); yes {
			c.Delta = fmt.Sprintf("%.2fx (p=%.3f)", s.Center/Median(base.CPU), p)
		}
	}
	best := r.fastest(workload)
	same, _ := differ(m.CPU, best.CPU)
	c.Best = best == m || !same
	return c
}

// fastest returns the measurement of a workload with the least median.
func (r *Results) fastest(workload string) *Measurement {
	var best *Measurement
	for _, c := range r.contenders() {
		if m := r.of(c, workload); m != nil && (best == nil || Median(m.CPU) < Median(best.CPU)) {
			best = m
		}
	}
	return best
}

// WriteTable writes the table of times, a row for each workload.
func (r *Results) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "processor time a match\t%s\n", strings.Join(r.contenders(), "\t"))
	for _, workload := range r.workloads() {
		fmt.Fprint(t, workload)
		for _, contender := range r.contenders() {
			c := r.cell(contender, workload)
			mark := ""
			if c.Best {
				mark = "*"
			}
			fmt.Fprintf(t, "\t%s%s %s", c.Time, mark, c.Delta)
		}
		fmt.Fprintln(t)
	}
	fmt.Fprintf(t, "\nMedian of %d samples and its 95%% interval; ratio to %s by Mann-Whitney U, ~ where chance may explain it; * none is faster.\n",
		r.Options.Repeat, topic.Default)
	return t.Flush()
}

// formatNanos returns a time with two or three significant digits.
func formatNanos(ns float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}} {
		if ns >= u.size {
			return fmt.Sprintf("%.3g %s", ns/u.size, u.name)
		}
	}
	return fmt.Sprintf("%.3g ns", ns)
}

// worthwhile is below which ratio of times another strategy is worth choosing.
const worthwhile = 0.8

// Advice returns sentences that say which strategy to choose when, the first for
// whoever reads no further. All follow from the figures.
func (r *Results) Advice() []string {
	best, within := 0, 0
	for _, w := range r.workloads() {
		m := r.of(topic.Default, w)
		if m == nil {
			continue
		}
		if r.cell(topic.Default, w).Best {
			best++
		}
		if Median(m.CPU) <= 2*Median(r.fastest(w).CPU) {
			within++
		}
	}
	n := len(r.workloads())
	advice := []string{fmt.Sprintf("Choose %s: none is faster on %d of %d workloads, it is within twice the fastest on %d, and no binding key makes it slow.",
		topic.Default, best, n, within)}
	for _, c := range r.contenders() {
		var where []string
		for _, w := range r.workloads() {
			m, base := r.of(c, w), r.of(topic.Default, w)
			if m == nil || base == nil || m != r.fastest(w) {
				continue
			}
			ratio := Median(m.CPU) / Median(base.CPU)
			if yes, _ := differ(m.CPU, base.CPU); yes && ratio < worthwhile {
				where = append(where, fmt.Sprintf("%s (%.2f of its time)", w, ratio))
			}
		}
		if len(where) > 0 {
			advice = append(advice, fmt.Sprintf("Choose %s where keys are as in %s.", c, strings.Join(where, " and ")))
		}
	}
	for _, s := range topic.Strategies() {
		if s.Combinatorial && r.measured(s.Name) {
			advice = append(advice, fmt.Sprintf("Keep %s away from binding keys that strangers choose: its work multiplies with every '#'.", s.Name))
		}
	}
	return advice
}

func (r *Results) measured(contender string) bool {
	for _, c := range r.contenders() {
		if c == contender {
			return true
		}
	}
	return false
}
