package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"harelab/bench/matchlab"
)

// print prints the bars, then the targets, then a sentence about each, and reports
// whether all bars were met.
func (v *verdict) print(w io.Writer) bool {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	bars := printBlock(t, "bar", v.bars)
	targets := printBlock(t, "further target", v.targets)
	t.Flush()
	fmt.Fprintln(w)
	fmt.Fprintln(w, sum("bars", len(v.bars), bars))
	fmt.Fprintln(w, sum("further targets", len(v.targets), targets))
	return len(bars) == 0
}

// printBlock prints some bars under a heading and returns those that were missed.
func printBlock(w io.Writer, title string, bars []bar) (missed []string) {
	fmt.Fprintf(w, "\n%s\tmeasured\t95 %% interval\tat most\tstretch\t\tfrom\n", title)
	for _, b := range bars {
		result, stretch := "met", ""
		if b.stretch > 0 {
			stretch = figure(b.stretch, b.unit)
			if b.value <= b.stretch {
				result = "stretch met"
			}
		}
		value, limit := figure(b.value, b.unit), figure(b.limit, b.unit)
		if !b.met() {
			result = "MISSED"
			missed = append(missed, b.what)
			if value == limit {
				value = "above"
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", b.what, value, b.interval(), limit, stretch, result, b.figures)
	}
	return missed
}

// interval returns the interval of a bar's value, or "" for a count.
func (b bar) interval() string {
	if b.lo == b.hi {
		return ""
	}
	return figure(b.lo, b.unit) + " to " + figure(b.hi, b.unit)
}

// sum returns a sentence with the number of met ones and the names of missed ones.
func sum(what string, n int, missed []string) string {
	if len(missed) == 0 {
		return fmt.Sprintf("All %d %s are met.", n, what)
	}
	return fmt.Sprintf("%d of %d %s are met. Missed: %s.", n-len(missed), n, what, strings.Join(missed, "; "))
}

// figure returns a value with its unit.
func figure(v float64, unit string) string {
	switch unit {
	case "x":
		return fmt.Sprintf("%.2f x", v)
	case "ns":
		return nanos(v)
	}
	return strings.TrimSpace(fmt.Sprintf("%.0f %s", v, unit))
}

func nanos(ns float64) string { return matchlab.FormatNanos(ns) }

// printMatrix prints the median processor time of a match for each contender and
// workload, and below it what contenders could not express.
func printMatrix(w io.Writer, ms []matchlab.Measurement, limits map[string]bool) {
	r := matchlab.Results{Matches: ms}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "time a match\t%s\n", strings.Join(r.Workloads(), "\t"))
	for _, c := range r.Contenders() {
		fmt.Fprint(t, c)
		for _, wl := range r.Workloads() {
			cell := "-"
			if m := r.Of(c, wl); m != nil {
				cell = nanos(matchlab.Median(m.CPU))
				if m.LeftOut > 0 && !limits[c] {
					cell += "*"
				}
			}
			fmt.Fprintf(t, "\t%s", cell)
		}
		fmt.Fprintln(t)
	}
	t.Flush()
	fmt.Fprintln(w, "\nProcessor time: median of interleaved samples.")
	var lists []string
	who := make(map[string][]string) // contenders by the binding keys they leave out
	for _, c := range r.Contenders() {
		list := leftOut(&r, c)
		if list == "" || limits[c] {
			continue
		}
		if who[list] == nil {
			lists = append(lists, list)
		}
		who[list] = append(who[list], c)
	}
	for _, list := range lists {
		fmt.Fprintf(w, "* %s: without binding keys they cannot express, %s.\n", strings.Join(who[list], ", "), list)
	}
	for _, c := range r.Contenders() {
		if limits[c] {
			fmt.Fprintf(w, "%s is no matcher but a lookup of the whole key in a map: the cost of a cache that never misses.\n", c)
		}
	}
}

// leftOut lists the numbers of binding keys that a contender cannot express, by workload.
func leftOut(r *matchlab.Results, contender string) string {
	var left []string
	for _, w := range r.Workloads() {
		if m := r.Of(contender, w); m != nil && m.LeftOut > 0 {
			left = append(left, fmt.Sprintf("%d of %d in %s", m.LeftOut, m.LeftOut+m.Bindings, w))
		}
	}
	return strings.Join(left, " and ")
}
