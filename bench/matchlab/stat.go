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
	"harelab/reports/terminal"
)

// confidence is the level of all intervals. fewestSamples is the smallest number of
// samples that has an interval of the median at this level.
const (
	confidence    = 0.95
	fewestSamples = 6
)

// summary returns the median of the values and its confidence interval. If the values are
// too few for an interval, it is their range.
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
// their range if the values are too few.
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

// Contenders returns the names of the contenders in the order of measurement.
func (r *Results) Contenders() []string {
	return distinct(r.Matches, func(m *Measurement) string { return m.Contender })
}

// Workloads returns the names of the workloads in the order of measurement.
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

// base returns the contender that the others are compared with: the default or, if it
// was not measured, the first one.
func (r *Results) base() string {
	if all := r.Contenders(); !slices.Contains(all, topic.Default) {
		return all[0]
	}
	return topic.Default
}

// A cell is one entry of the table: a time, compared with the base's.
type cell struct {
	Time  string // median and half the interval in percent; "-": not measured
	Ratio string // ratio to the base's time; "~": chance may explain the difference
	P     string // p-value of a significant difference, such as "p=0.012"
	Best  bool   // no other contender is significantly faster
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

// fastest returns the measurement with the smallest median on a workload.
func (r *Results) fastest(workload string) *Measurement {
	var best *Measurement
	for _, c := range r.Contenders() {
		if m := r.Of(c, workload); m != nil && (best == nil || Median(m.CPU) < Median(best.CPU)) {
			best = m
		}
	}
	return best
}

// tableColumns is the number of workloads that fit side by side in 100 characters, each
// with columnWidth.
const (
	tableColumns = 4
	columnWidth  = 100 / tableColumns
)

// WriteTable writes the table of times, one row for each contender.
func (r *Results) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for workloads := range slices.Chunk(r.Workloads(), terminal.ColumnsOf(w)/columnWidth) {
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
	err := terminal.WriteText(w, terminal.Neutral, "", "", fmt.Sprintf("Processor time: median of %d samples and their %s, then the ratio to %s, or ~ if chance may explain the difference (Mann-Whitney U, p > 0.05). * no other is significantly faster.",
		r.Options.Repeat, r.interval(), r.base()))
	if err == nil && r.Partial != "" {
		err = terminal.WriteText(w, terminal.Neutral, "", "", r.Partial)
	}
	return err
}

// interval names the interval that is given with medians.
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
		if ns >= 0.9995*u.size { // rounds to 1 or more
			return formatThree(ns/u.size) + " " + u.name
		}
	}
	return formatThree(ns) + " ns"
}

// formatThree returns a number with three significant digits, or more if it has more
// digits before the point.
func formatThree(x float64) string {
	if math.Abs(x) >= 999.5 {
		return groupThousands(int(math.Round(x)))
	}
	return fmt.Sprintf("%.3g", x)
}
