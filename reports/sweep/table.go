package sweep

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"harelab/reports/page"
	"harelab/reports/stat"
)

// tableMetrics are the columns of the table, after the goal.
var tableMetrics = []string{
	"wait.mean", "wait.p99", "wait.max", "held.max", "slowdown.mean", "idle_while_waiting", "jain.busy{by=worker}", "utilisation", "throughput",
}

// table returns a table with a row for each combination. Its note has the metrics that
// are the same in all of them.
func (s *Sweep) table() page.SheetTable {
	t := page.SheetTable{
		Title: "Every cell", Note: "Best first by " + s.Goal + ".", Heads: len(s.Axes),
	}
	metrics, same := s.columns()
	if slices.Contains(metrics, "idle_while_waiting") {
		t.Note += " Idle while waiting is the time in which a slot was free while a message waited that it could serve; a dispatcher that wastes no time has 0."
	}
	if len(same) > 0 {
		t.Note += " The same in every cell: " + strings.Join(same, ", ") + "."
	}
	for _, a := range s.Axes {
		t.Columns = append(t.Columns, a.Name)
	}
	facts := s.facts()
	for _, f := range facts {
		t.Columns = append(t.Columns, f.name)
	}
	t.Columns = append(t.Columns, metrics...)
	formats := make([]func(float64) string, len(metrics))
	for i, m := range metrics {
		formats[i] = s.formatOf(m)
	}
	for _, p := range s.ranked() {
		row, sort := slices.Clone(p.values), make([]float64, len(p.values))
		for _, f := range facts {
			text, v := f.of(p)
			row, sort = append(row, text), append(sort, v)
		}
		for i, m := range metrics {
			v := p.mid(m)
			if math.IsNaN(v) {
				row, sort = append(row, "not visible"), append(sort, -1)
				continue
			}
			row, sort = append(row, formats[i](v)), append(sort, v)
		}
		t.Rows, t.Sort = append(t.Rows, row), append(t.Sort, sort)
	}
	return t
}

// A fact is a column of what is not a metric.
type fact struct {
	name string
	of   func(point) (string, float64) // the text, and a number to sort by
}

// facts are the facts in which cells differ.
func (s *Sweep) facts() []fact {
	yes := func(b bool) (string, float64) {
		if b {
			return "yes", 1
		}
		return "no", 0
	}
	all := []fact{
		{"slots", func(p point) (string, float64) { return stat.Count(p.slots()), float64(p.slots()) }},
		{"as expected", func(p point) (string, float64) { return yes(p.meets()) }},
		{"overloaded", func(p point) (string, float64) { return yes(p.overload() != "") }},
	}
	ps := s.ranked()
	return slices.DeleteFunc(all, func(f fact) bool {
		return !slices.ContainsFunc(ps, func(p point) bool {
			a, _ := f.of(p)
			b, _ := f.of(ps[0])
			return a != b
		})
	})
}

// maxRows is the largest number of rows of the page's table; sweep.json has all cells.
const maxRows = 200

// shortened keeps the best rows of a long table.
func shortened(t page.SheetTable) page.SheetTable {
	if all := len(t.Rows); all > maxRows {
		t.Rows, t.Sort = t.Rows[:maxRows], t.Sort[:maxRows]
		t.Title = "The best cells"
		t.Note += fmt.Sprintf(" These are %d of %s; sweep.json has all.", maxRows, stat.Count(all))
	}
	return t
}

// columns returns the metrics in which cells differ, the goal and its siblings first, and
// the metrics that are the same in all cells, with their value.
func (s *Sweep) columns() (metrics, same []string) {
	all := append([]string{s.Goal}, s.siblings()...)
	for _, m := range tableMetrics {
		if !slices.Contains(all, m) {
			all = append(all, m)
		}
	}
	ps := s.ranked()
	for _, m := range all {
		texts, format := make(map[string]bool), s.formatOf(m)
		for _, p := range ps {
			if v := p.mid(m); math.IsNaN(v) {
				texts[""] = true
			} else {
				texts[format(v)] = true
			}
		}
		switch {
		case len(texts) == 1 && texts[""]: // nowhere visible
		case len(texts) == 1 && len(ps) > 1 && m != s.Goal:
			for t := range texts {
				same = append(same, m+" "+t)
			}
		default:
			metrics = append(metrics, m)
		}
	}
	return metrics, same
}
