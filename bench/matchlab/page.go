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

// Write writes the results to a folder, which it makes.
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

// samples returns all measurements, those of the sweeps under their own names.
func (r *Results) samples() []Measurement {
	all := append([]Measurement(nil), r.Matches...)
	for _, s := range r.Sweeps {
		for _, p := range s.Points {
			all = append(all, p.Measurement)
		}
	}
	return all
}

// Sheet is the results' page.
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
			"Every sample of this run is in bench.txt, the table as text in table.txt, and each chart in plots.",
			"Bias: those who wrote the strategies chose the workloads. The definitions are in bench/workload.",
		},
	}
}

func (r *Results) sound() page.Soundness {
	s := page.Soundness{State: "ok", Title: "The comparison is sound.", Checks: []page.Check{
		{State: "ok", Name: "matches", Text: "Every stretch of keys was checked by the number of destinations that it must match."},
		{State: "ok", Name: "turns", Text: "Strategies took turns on one thread, in random order in each repeat; processor time is what counts."},
	}}
	note := func(name, text string) {
		s.State, s.Title = "note", "Read with care."
		s.Checks = append(s.Checks, page.Check{State: "note", Name: name, Text: text})
	}
	if n := r.Options.Repeat; n < fewestSamples {
		note("repeats", fmt.Sprintf("%d samples are too few for an interval of the median: bars are ranges.", n))
	}
	if r.Partial != "" {
		note("partial", r.Partial)
	}
	return s
}

// tables have a row for each strategy, with a few workloads side by side.
func (r *Results) tables() []page.SheetTable {
	var out []page.SheetTable
	for workloads := range slices.Chunk(r.Workloads(), tableColumns) {
		t := page.SheetTable{Title: "Time of a match on " + strings.Join(workloads, ", "), Columns: append([]string{"strategy"}, workloads...), Heads: 1}
		if out == nil {
			t.Note = fmt.Sprintf("Processor time: median of %d samples ± their %s, and its ratio to %s, or ~ where chance may explain the difference (Mann-Whitney U, p > 0.05). * none is faster by more than chance.",
				r.Options.Repeat, r.interval(), r.base())
		}
		var matches []string
		for _, w := range workloads {
			matches = append(matches, fmt.Sprintf("%s %.2f", w, r.fastest(w).Matches))
		}
		t.Note = strings.TrimSpace(t.Note + " Matches a key: " + strings.Join(matches, ", ") + ".")
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

// numbers says what one strategy takes: a match against the most bindings, a
// binding there, and a match at worst.
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
	return fmt.Sprintf("A match of %s against %s bindings (%s) takes %s, and a binding %.0f B of heap there; at worst (%s) a match takes %s, with %.0f allocations.",
		r.base(), groupThousands(most.Bindings), most.Workload, FormatNanos(Median(most.CPU)), most.Heap, slowest.Workload, FormatNanos(Median(slowest.CPU)), allocs)
}
