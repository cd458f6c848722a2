package matchlab

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"strings"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// Write writes the results to a folder, which it makes.
func (r *Results) Write(dir string) error {
	plots := filepath.Join(dir, "plots")
	if err := os.MkdirAll(plots, 0o777); err != nil {
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
	for _, ch := range r.Charts() {
		svg, err := ch.File()
		if err != nil {
			return err
		}
		png, err := ch.PNG()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(plots, ch.Name+".svg"), svg, 0o666); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(plots, ch.Name+".png"), png, 0o666); err != nil {
			return err
		}
	}
	page, err := r.Page()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "report.html"), page, 0o666)
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

type pageData struct {
	Headline string
	Numbers  []pageNumber
	Advice   []string
	Groups   []pageGroup
	Columns  []pageColumn
	Rows     []pageRow
	Base     string
	Partial  string
	Repeat   int
	Interval string // what stands beside the medians
	Host     string
}

type pageNumber struct{ Value, What string }

type pageGroup struct {
	Title, Text string
	Charts      []pageChart
}

type pageChart struct {
	Question, Finding string
	SVG               template.HTML
}

type pageColumn struct{ Workload, Matches string }

type pageRow struct {
	Strategy string
	Cells    []cell
}

// Page returns the report as one HTML file that asks for no other.
func (r *Results) Page() ([]byte, error) {
	advice := r.Advice()
	d := pageData{
		Headline: advice[0], Advice: advice[1:], Numbers: r.numbers(),
		Partial: r.Partial, Base: r.base(), Repeat: r.Options.Repeat, Interval: r.interval(), Host: r.Host,
	}
	groups := map[bool]*pageGroup{
		true: {Title: "Time of a match, by workload",
			Text: "Fastest first, on logarithmic axes. Medians; the bar is the " + r.interval() + "."},
		false: {Title: "What it depends on", Text: "One property varied, the rest as it was. Medians; the bar is the " + r.interval() + "."},
	}
	for _, ch := range r.Charts() {
		svg, err := ch.SVG()
		if err != nil {
			return nil, err
		}
		g := groups[strings.HasPrefix(ch.Name, "match-")]
		g.Charts = append(g.Charts, pageChart{ch.Question, ch.Finding, template.HTML(svg)})
	}
	d.Groups = []pageGroup{*groups[true], *groups[false]}
	for _, w := range r.Workloads() {
		d.Columns = append(d.Columns, pageColumn{w, fmt.Sprintf("%.2f", r.fastest(w).Matches)})
	}
	for _, c := range r.Contenders() {
		row := pageRow{Strategy: c}
		for _, w := range r.Workloads() {
			row.Cells = append(row.Cells, r.cell(c, w))
		}
		d.Rows = append(d.Rows, row)
	}
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, d)
	return b.Bytes(), err
}

// numbers are the three that the page shows large, all of one strategy.
func (r *Results) numbers() []pageNumber {
	var numbers []pageNumber
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
		return nil
	}
	return append(numbers,
		pageNumber{FormatNanos(Median(most.CPU)), fmt.Sprintf("a match of %s against %s bindings (%s)", r.base(), groupThousands(most.Bindings), most.Workload)},
		pageNumber{fmt.Sprintf("%.0f B", most.Heap), "of heap a binding there"},
		pageNumber{FormatNanos(Median(slowest.CPU)), fmt.Sprintf("a match at worst (%s), with %.0f allocations", slowest.Workload, allocs)},
	)
}
