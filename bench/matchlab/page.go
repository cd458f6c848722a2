package matchlab

import (
	"bytes"
	"fmt"
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
	if err := writeBenchFile(filepath.Join(dir, "bench.txt"), r.samples(), r.Partial); err != nil {
		return err
	}
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
func (r *Results) samples() []Measurement {
	all := append([]Measurement(nil), r.Matches...)
	for _, s := range r.Sweeps {
		for _, p := range s.Points {
			all = append(all, p.Measurement)
		}
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
			"harelab bench match",
			fmt.Sprintf("go tool benchstat -filter '.name:Match .unit:cpu-sec/op' -col '/strategy@(%s trie)' bench.txt", topic.Default),
		},
		Facts: []string{
			r.Host,
			"bench.txt has every sample of this run, table.txt the table as text, and plots the charts.",
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
	if n := r.Options.Repeat; n < fewestSamples {
		note("repeats", fmt.Sprintf("%d samples are too few for an interval of the median: bars show ranges.", n))
	}
	if r.Partial != "" {
		note("partial", r.Partial)
	}
	return s
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
		allocs = max(allocs, float64(int(m.Allocs)))
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
	return fmt.Sprintf("A match of %s against %s bindings (%s) takes %s, and each binding there takes %.0f B of heap. The slowest match (%s) takes %s. A match makes %.0f allocations.",
		r.base(), groupThousands(most.Bindings), most.Workload, FormatNanos(Median(most.CPU)), most.Heap, slowest.Workload, FormatNanos(Median(slowest.CPU)), allocs)
}
