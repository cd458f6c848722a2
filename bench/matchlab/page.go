package matchlab

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"harelab/engine/topic"
	"harelab/reports/page"
)

// Write makes a folder and writes the results to it.
func (r *Results) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if err := errors.Join(r.writeBenchFile(filepath.Join(dir, "bench.txt")), r.writeManifest(dir)); err != nil {
		return err
	}
	return r.Draw(dir)
}

// Draw writes the table, the charts and the pages to dir.
func (r *Results) Draw(dir string) error {
	var table bytes.Buffer
	if err := r.WriteTable(&table); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "table.txt"), table.Bytes(), 0o666); err != nil {
		return err
	}
	return r.Sheet().Write(dir)
}

// samples returns all measurements, including those of the sweeps.
func (r *Results) samples() []Point {
	var all []Point
	for _, m := range r.Matches {
		all = append(all, Point{Measurement: m, HitRate: -1})
	}
	for _, s := range r.Sweeps {
		all = append(all, s.Points...)
	}
	return all
}

// Sheet returns the page of the results.
func (r *Results) Sheet() page.Sheet {
	advice := r.Advice()
	return page.Sheet{
		Title:  "Topic matchers, compared – harelab",
		Story:  page.Story{Headline: advice[0], Text: strings.Join(append(advice[1:], r.numbers()), " ")},
		Sound:  r.sound(),
		Charts: r.Charts(), Tables: r.tables(),
		Commands: []string{
			r.Options.command(),
			fmt.Sprintf("go tool benchstat -filter '.name:Match .unit:cpu-sec/op' -col '/strategy@(%s trie)' bench.txt", topic.Default),
		},
		Facts: []string{
			r.Host,
			"bench.txt has every sample of this run, match.json what was asked, table.txt the table as text, and plots the charts.",
			"Bias: the authors of the strategies chose the workloads. Their definitions are in bench/workload.",
		},
	}
}

func (r *Results) sound() page.Soundness {
	s := page.Soundness{State: "ok", Title: "The comparison is sound.", Checks: []page.Check{
		{State: "ok", Name: "matches", Text: "For every sample, the number of matched destinations was checked."},
		{State: "ok", Name: "turns", Text: "Samples of the strategies were interleaved on one thread, in random order in each repeat; figures are processor time."},
	}}
	note := func(name, text string) {
		s.State, s.Title = "note", "Read with care."
		s.Checks = append(s.Checks, page.Check{State: "note", Name: name, Text: text})
	}
	if text, wide := r.noise(); wide {
		note("noise", text)
	} else {
		s.Checks = append(s.Checks, page.Check{State: "ok", Name: "noise", Text: text})
	}
	if n := r.Options.Repeat; n < fewestSamples {
		note("repeats", fmt.Sprintf("%d samples are too few for an interval of the median: bars show ranges.", n))
	}
	if r.Partial != "" {
		note("partial", r.Partial)
	}
	return s
}

// noisy is the half width of an interval, as a share of the median, from which on the page
// warns.
const noisy = 0.1

// noise says how wide the intervals of the times are, and whether a reader must mind.
func (r *Results) noise() (text string, wide bool) {
	var widths []float64
	var widest *Point
	all := r.samples()
	for i := range all {
		if len(all[i].CPU) == 0 {
			continue
		}
		w := halfWidth(all[i].CPU)
		if widest == nil || w > slices.Max(widths) {
			widest = &all[i]
		}
		widths = append(widths, w)
	}
	if widest == nil {
		return "Nothing was measured.", true
	}
	most := slices.Max(widths)
	text = fmt.Sprintf("The widest %s is ±%.0f %% (%s on %s); half of them are within ±%.0f %%.", r.interval(), 100*most, widest.Contender, widest.Workload, 100*Median(widths))
	if most > noisy {
		text += " Where two times differ by less, chance may be the reason."
	}
	return text, most > noisy
}

// halfWidth is the longer side of the interval of the values' median, as its share.
func halfWidth(values []float64) float64 {
	s := summary(values)
	return max(s.Hi-s.Center, s.Center-s.Lo) / s.Center
}

// tables returns tables with a row for each strategy and a few workloads side by side.
func (r *Results) tables() []page.SheetTable {
	var out []page.SheetTable
	for workloads := range slices.Chunk(r.Workloads(), tableColumns) {
		t := page.SheetTable{Title: "Time of a match on " + strings.Join(workloads, ", "), Columns: append([]string{"strategy"}, workloads...), Heads: 1}
		if out == nil {
			t.Note = fmt.Sprintf("Processor time: median of %d samples ± their %s, then the ratio to %s, or ~ if chance may explain the difference (Mann-Whitney U, p > 0.05). * no other is significantly faster.",
				r.Options.Repeat, r.interval(), r.base())
		}
		var matches []string
		for _, w := range workloads {
			matches = append(matches, fmt.Sprintf("%s %.2f", w, r.fastest(w).Matches))
		}
		t.Note = strings.TrimSpace(t.Note + " Matches per key: " + strings.Join(matches, ", ") + ".")
		for _, contender := range r.Contenders() {
			row, sort := []string{contender}, []float64{0}
			for _, w := range workloads {
				c := r.cell(contender, w)
				text := c.String()
				if c.P != "" {
					text += " (" + c.P + ")"
				}
				row, sort = append(row, text), append(sort, -1)
				if m := r.Of(contender, w); m != nil {
					sort[len(sort)-1] = Median(m.CPU)
				}
			}
			t.Rows, t.Sort = append(t.Rows, row), append(t.Sort, sort)
		}
		out = append(out, t)
	}
	return out
}

// numbers returns a sentence with the costs of the base: a match against the most
// bindings, the heap of a binding there, and the slowest match.
func (r *Results) numbers() string {
	var most, slowest *Measurement
	allocs := 0.0
	for _, w := range r.Workloads() {
		m := r.Of(r.base(), w)
		if m == nil {
			continue
		}
		allocs = max(allocs, math.Floor(Median(m.Allocs)))
		if most == nil || m.Bindings > most.Bindings {
			most = m
		}
		if slowest == nil || Median(m.CPU) > Median(slowest.CPU) {
			slowest = m
		}
	}
	if most == nil {
		return ""
	}
	allocations := fmt.Sprintf("%.0f allocations", allocs)
	switch allocs {
	case 0:
		allocations = "no allocation"
	case 1:
		allocations = "1 allocation"
	}
	return fmt.Sprintf("A match with %s against %s bindings (%s) takes %s, and each binding there takes %.0f B of heap. The slowest match (%s) takes %s. A match makes %s.",
		r.base(), groupThousands(most.Bindings), most.Workload, withInterval(most.CPU), most.Heap, slowest.Workload, withInterval(slowest.CPU), allocations)
}

// withInterval writes the median of times with their interval.
func withInterval(ns []float64) string {
	s := summary(ns)
	return fmt.Sprintf("%s (%s to %s)", FormatNanos(s.Center), FormatNanos(s.Lo), FormatNanos(s.Hi))
}
