package benchfile

import (
	"fmt"
	"math"
	"strings"

	"harelab/reports/arms"
	"harelab/reports/compare"
	"harelab/reports/page"
	"harelab/reports/plot"
	"harelab/reports/stat"
)

// Sheet returns the comparison's page.
func (c *Comparison) Sheet(command []string) page.Sheet {
	s := page.Sheet{
		Title: "Comparison with " + c.Base + " – harelab",
		Story: page.Story{Headline: c.Headline(), Text: c.Summary()}, Sound: c.sound(),
	}
	if chart := c.groupChart(); chart.Wide != nil {
		s.Charts = append(s.Charts, chart)
	}
	for _, section := range c.sections() {
		s.Tables = append(s.Tables, c.groupTable(section))
	}
	s.Tables = append(s.Tables, c.tables("Rows that differ", false, func(r *Row) bool { return r.differs() })...)
	s.Tables = append(s.Tables, c.tables("Rows without a change", true, func(r *Row) bool { return !r.differs() })...)
	if len(command) > 0 {
		s.Commands = []string{page.Shell(command)}
	}
	return s
}

func (c *Comparison) sound() page.Soundness {
	s := page.Soundness{State: "ok", Title: "The comparison is sound."}
	add := func(state, name, text string) {
		s.Checks = append(s.Checks, page.Check{State: state, Name: name, Text: stat.Upper(strings.TrimSuffix(text, ".")) + "."})
		if state == "note" {
			s.State, s.Title = state, "Read with care."
		}
	}
	tested := 0
	for _, r := range c.Rows {
		for _, e := range r.News {
			if e.Tested {
				tested++
			}
		}
	}
	add("ok", "chance", fmt.Sprintf("%s: each is marked by its own p value, as benchstat does; the sentences above stand after Holm's correction for all groups or rows of a unit", countOf(tested, "tested row")))
	if text := c.noise(); text != "" {
		add("info", "noise", text)
	}
	for _, l := range c.loneTexts(fewLone) {
		add("note", "missing", breakable(l))
	}
	for _, n := range c.Notes() {
		add("note", "note", n)
	}
	return s
}

// noise says how wide the intervals of the base are.
func (c *Comparison) noise() string {
	var widest *Row
	size := 0.0
	for _, r := range c.Rows {
		b := r.Base
		if b.Exact || b.Center == 0 || math.IsInf(b.Lo, 0) || math.IsInf(b.Hi, 0) {
			continue
		}
		if w := max(math.Abs(b.Hi/b.Center-1), math.Abs(1-b.Lo/b.Center)); w > size {
			widest, size = r, w
		}
	}
	if widest == nil {
		return ""
	}
	return fmt.Sprintf("intervals of %s reach ±%s (%s, %s)", c.Base, percent(size), breakable(widest.Label.String()), widest.Unit)
}

// groupTable returns a section's geometric means.
func (c *Comparison) groupTable(s section) page.SheetTable {
	t := page.SheetTable{
		Title: "Geometric means, " + s.title, Note: "Over the rows that both files have.",
		Columns: []string{"", c.Base}, Heads: 1,
	}
	for _, n := range c.News {
		t.Columns = append(t.Columns, n, "change", "rows that differ")
	}
	for _, g := range s.groups {
		row := []string{g.Name, meanText(g.News[0].Base, g.Unit)}
		for j, e := range g.News {
			row = append(row, meanText(e.Center, g.Unit), meanDelta(e), g.rowsText(j))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// tables returns a table of the rows of each unit that keep admits.
func (c *Comparison) tables(title string, folded bool, keep func(*Row) bool) []page.SheetTable {
	var out []page.SheetTable
	for _, unit := range c.rowsOf(keep) {
		t := page.SheetTable{
			Title: fmt.Sprintf("%s, %s: %s", title, unit.name, stat.Count(len(unit.rows))), Folded: folded, Columns: []string{"benchmark", c.Base}, Heads: 1,
			Note: "Medians of the samples with 95 % intervals. p is of the row alone, as benchstat has it; ~ is no difference (p of 0.05 or more), = equal values.",
		}
		for _, n := range c.News {
			t.Columns = append(t.Columns, n, "change", "evidence")
		}
		for _, r := range unit.rows {
			row := []string{breakable(r.Label.String()), r.Base.text(r.Unit)}
			for _, e := range r.News {
				row = append(row, e.text(r.Unit), e.change(), e.why(r.Base))
			}
			t.Rows = append(t.Rows, row)
		}
		out = append(out, t)
	}
	return out
}

// breakable lets a name break before each slash.
func breakable(name string) string { return strings.ReplaceAll(name, "/", "\u200b/") }

// mostDots is the largest number of groups in the chart.
const mostDots = 24

// groupChart draws the groups in which a row differs.
func (c *Comparison) groupChart() page.SheetChart {
	var rows []plot.ForestRow
	for _, s := range c.sections() {
		for _, g := range s.groups {
			if !g.differs() || len(rows) == mostDots {
				continue
			}
			row := plot.ForestRow{Label: g.Name + ", " + s.title}
			for j, e := range g.News {
				if e.Rows == 0 || math.IsNaN(e.Ratio) {
					continue
				}
				text, sign := meanDelta(e), 0
				if e.Change == compare.Better || e.Change == compare.Worse {
					sign = map[compare.Change]int{compare.Better: 1, compare.Worse: -1}[e.Change]
					text += ", " + e.Change.String()
				}
				row.Effects = append(row.Effects, plot.ForestEffect{Side: j, Ratio: e.Ratio, Lo: math.NaN(), Hi: math.NaN(), Text: text, Sign: sign})
			}
			if len(row.Effects) > 0 {
				rows = append(rows, row)
			}
		}
	}
	if len(rows) == 0 {
		return page.SheetChart{}
	}
	draw := func(width float64) *plot.Figure {
		f := plot.Forest(rows, width, c.Headline())
		f.Note = "A dot is a geometric mean over the rows of a benchmark: left of the line less than the base, right of it more. Grey is no difference beyond chance, or one whose direction is unknown."
		for j, n := range c.News {
			f.Note += fmt.Sprintf(" %s is %s.", arms.Letter(j+1), n)
		}
		return f
	}
	return page.SheetChart{Name: "forest", Title: "What changed, and by how much", Wide: draw(plot.Wide), Narrow: draw(plot.Narrow)}
}
