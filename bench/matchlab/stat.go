package matchlab

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"golang.org/x/perf/benchmath"

	"harelab/engine/topic"
)

// confidence is the level of all intervals, and fewestSamples how many there must be
// for one of the median.
const (
	confidence    = 0.95
	fewestSamples = 6
)

// summary returns the median of the values and its confidence interval. With too
// few values for one at this level, the interval is their range.
func summary(values []float64) benchmath.Summary { return summaryAt(values, confidence) }

func summaryAt(values []float64, level float64) benchmath.Summary {
	s := benchmath.AssumeNothing.Summary(benchmath.NewSample(values, &benchmath.DefaultThresholds), level)
	if math.IsInf(s.Lo, 0) || math.IsInf(s.Hi, 0) {
		sorted := benchmath.NewSample(values, &benchmath.DefaultThresholds).Values
		s.Lo, s.Hi = sorted[0], sorted[len(sorted)-1]
	}
	return s
}

// Interval returns the confidence interval of the median of the values at a level, or
// their range if they are too few for one.
func Interval(values []float64, level float64) (lo, hi float64) {
	s := summaryAt(values, level)
	return s.Lo, s.Hi
}

// differ reports whether two samples differ by more than chance (Mann-Whitney U
// test), and the p-value.
func differ(a, b []float64) (bool, float64) {
	c := benchmath.AssumeNothing.Compare(
		benchmath.NewSample(a, &benchmath.DefaultThresholds), benchmath.NewSample(b, &benchmath.DefaultThresholds))
	return c.P < c.Alpha, c.P
}

// Contenders returns their names in the order of measurement.
func (r *Results) Contenders() []string {
	return distinct(r.Matches, func(m *Measurement) string { return m.Contender })
}

// Workloads returns their names in the order of measurement.
func (r *Results) Workloads() []string {
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

// Of returns a contender's measurement on a workload, or nil.
func (r *Results) Of(contender, workload string) *Measurement {
	for i := range r.Matches {
		if m := &r.Matches[i]; m.Contender == contender && m.Workload == workload {
			return m
		}
	}
	return nil
}

// base returns whom others are compared to: the default or, if it was not measured,
// the first.
func (r *Results) base() string {
	if all := r.Contenders(); !slices.Contains(all, topic.Default) {
		return all[0]
	}
	return topic.Default
}

// A cell is one entry of the table: a time and how it compares to the base's.
type cell struct {
	Time  string // median and half the interval in percent; empty if not measured
	Ratio string // to the base's, "~" if chance may explain the difference
	P     string // p-value of the difference, as in "p=0.012", if it is one
	Best  bool   // no other is faster by more than chance
}

func (r *Results) cell(contender, workload string) cell {
	m := r.Of(contender, workload)
	if m == nil {
		return cell{Time: "-"}
	}
	s := summary(m.CPU)
	c := cell{Time: FormatNanos(s.Center) + " ±" + fmt.Sprintf("%.0f%%", 100*max(s.Hi-s.Center, s.Center-s.Lo)/s.Center)}
	if base := r.Of(r.base(), workload); base != nil && base != m {
		c.Ratio = "~"
		if yes, p := differ(m.CPU, base.CPU); yes {
			c.Ratio, c.P = formatTimes(s.Center/Median(base.CPU)), formatP(p)
		}
	}
	best := r.fastest(workload)
	same, _ := differ(m.CPU, best.CPU)
	c.Best = best == m || !same
	return c
}

// String writes the cell in one line.
func (c cell) String() string {
	text := c.Time
	if c.Best {
		text += "*"
	}
	if c.Ratio != "" {
		text += " " + c.Ratio
	}
	return text
}

func formatP(p float64) string {
	if p < 0.0005 {
		return "p<0.001"
	}
	return fmt.Sprintf("p=%.3f", p)
}

// fastest returns the measurement of a workload with the least median.
func (r *Results) fastest(workload string) *Measurement {
	var best *Measurement
	for _, c := range r.Contenders() {
		if m := r.Of(c, workload); m != nil && (best == nil || Median(m.CPU) < Median(best.CPU)) {
			best = m
		}
	}
	return best
}

// tableColumns is how many workloads stand side by side in 100 characters.
const tableColumns = 4

// WriteTable writes the table of times, a row for each contender.
func (r *Results) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for workloads := range slices.Chunk(r.Workloads(), tableColumns) {
		fmt.Fprintf(t, "time a match\t%s\n", strings.Join(workloads, "\t"))
		for _, contender := range r.Contenders() {
			fmt.Fprint(t, contender)
			for _, workload := range workloads {
				fmt.Fprintf(t, "\t%s", r.cell(contender, workload))
			}
			fmt.Fprintln(t)
		}
		fmt.Fprintln(t)
		t.Flush()
	}
	_, err := fmt.Fprintf(w, `Processor time: median of %d samples and their %s, ratio to %s, or ~ where chance may
explain the difference (Mann-Whitney U, p > 0.05). * none is faster by more than chance.
`, r.Options.Repeat, r.interval(), r.base())
	if r.Partial != "" {
		_, err = fmt.Fprintln(w, r.Partial)
	}
	return err
}

// interval says what stands beside the medians.
func (r *Results) interval() string {
	if r.Options.Repeat < fewestSamples {
		return "range"
	}
	return fmt.Sprintf("%.0f %% interval", 100*confidence)
}

// formatTimes returns a ratio with two or three significant digits.
func formatTimes(x float64) string {
	if x >= 10 {
		return groupThousands(int(math.Round(x))) + "x"
	}
	return fmt.Sprintf("%.2fx", x)
}

// FormatNanos returns a time with two or three significant digits.
func FormatNanos(ns float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}} {
		if ns >= 0.9995*u.size { // which rounds to 1
			return formatThree(ns/u.size) + " " + u.name
		}
	}
	return formatThree(ns) + " ns"
}

// formatThree returns a number with three significant digits and all digits before
// the point.
func formatThree(x float64) string {
	if math.Abs(x) >= 999.5 {
		return groupThousands(int(math.Round(x)))
	}
	return fmt.Sprintf("%.3g", x)
}

// worthwhile is below which ratio of times another strategy is worth choosing.
const worthwhile = 0.8

// Advice returns sentences that say which strategy to choose when, the first for
// whoever reads no further. All follow from the figures.
func (r *Results) Advice() []string {
	advice := []string{r.choice()}
	for _, c := range r.Contenders() {
		if where := r.betterOn(c); len(where) > 0 {
			advice = append(advice, fmt.Sprintf("Choose %s where keys are as in %s.", c, strings.Join(where, " and ")))
		}
	}
	for _, s := range topic.Strategies() {
		if s.Combinatorial && slices.Contains(r.Contenders(), s.Name) {
			advice = append(advice, fmt.Sprintf("Keep %s away from binding keys that strangers choose: its work multiplies with every '#'.", s.Name))
		}
	}
	return advice
}

// choice says whom to choose without a reason for another: the base or, if there
// is no default to compare to, whoever is best on most workloads.
func (r *Results) choice() string {
	n := len(r.Workloads())
	choose, best, within := r.base(), 0, 0
	for _, c := range r.Contenders() {
		b, w := r.standing(c)
		if c == choose || choose != topic.Default && b > best {
			choose, best, within = c, b, w
		}
	}
	advice := fmt.Sprintf("Choose %s: ", choose)
	if best > 0 {
		advice += fmt.Sprintf("none is faster on %d of %d workloads, ", best, n)
	}
	advice += fmt.Sprintf("it is within twice the fastest on %d", within)
	if best == 0 {
		advice += fmt.Sprintf(" of %d workloads", n)
	}
	if choose == topic.Default {
		return advice + ", and no binding key makes it slow."
	}
	return advice + fmt.Sprintf(" (%s was not measured).", topic.Default)
}

// standing returns on how many workloads none is faster than a contender, and on
// how many it takes at most twice the time of the fastest.
func (r *Results) standing(contender string) (best, within int) {
	for _, w := range r.Workloads() {
		m := r.Of(contender, w)
		if m == nil {
			continue
		}
		if r.cell(contender, w).Best {
			best++
		}
		if Median(m.CPU) <= 2*Median(r.fastest(w).CPU) {
			within++
		}
	}
	return best, within
}

// betterOn returns the workloads, with the ratio, on which a contender is the
// fastest and worth choosing before the default.
func (r *Results) betterOn(contender string) (where []string) {
	for _, w := range r.Workloads() {
		m, base := r.Of(contender, w), r.Of(topic.Default, w)
		if m == nil || base == nil || m != r.fastest(w) {
			continue
		}
		ratio := Median(m.CPU) / Median(base.CPU)
		if yes, _ := differ(m.CPU, base.CPU); yes && ratio < worthwhile {
			where = append(where, fmt.Sprintf("%s (%.2f of the time of %s)", w, ratio, topic.Default))
		}
	}
	return where
}
