package compare

import (
	"fmt"

	"harelab/reports/arms"
	"harelab/reports/page"
	"harelab/reports/plot"
	"harelab/reports/stat"
)

// Sheet returns the comparison's page.
func (c *Comparison) Sheet(command []string) page.Sheet {
	s := page.Sheet{
		Title: "Comparison with " + c.Base.Name + " – harelab",
		Story: c.story(), Sound: c.sound(),
		Tables: []page.SheetTable{c.table()},
	}
	if c.Why == "" {
		s.Charts = []page.SheetChart{{Name: "forest", Title: "What changed, and by how much", Wide: c.forest(plot.Wide), Narrow: c.forest(plot.Narrow)}}
	}
	if len(command) > 0 {
		s.Commands = []string{page.Shell(command)}
	}
	return s
}

// story is the headline and the verdict. If there is no verdict, the page's first section
// says why.
func (c *Comparison) story() page.Story {
	s := page.Story{Headline: c.headline(), Text: c.Verdict}
	if c.Why != "" {
		s.Text = "The figures of each side follow, without a judgement."
	}
	return s
}

func (c *Comparison) sound() page.Soundness {
	s := page.Soundness{State: "ok", Title: "The comparison is sound."}
	add := func(state, name, text string) {
		s.Checks = append(s.Checks, page.Check{State: state, Name: name, Text: text})
		if state == "bad" || state == "note" && s.State == "ok" {
			s.State, s.Title = state, map[string]string{"bad": "Not comparable.", "note": "Read with care."}[state]
		}
	}
	if c.Why != "" {
		add("bad", "same load", stat.Upper(c.Why)+".")
	} else if !c.Known {
		add("note", "same load", "Unknown: the sides do not say what load they had.")
	} else {
		add("ok", "same load", "Every side had the same work to do at the same instants.")
	}
	for _, w := range c.Warnings {
		add("note", "figures", w+".")
	}
	return s
}

func (c *Comparison) table() page.SheetTable {
	t := page.SheetTable{
		Title: "Every figure", Note: "Medians of the repeats with 95 % intervals. p values are corrected for the number of tests. ~ means no significant difference.",
		Columns: []string{"figure", c.Base.Name}, Heads: 1,
	}
	if c.exact() {
		t.Note = exactWords
	}
	for _, n := range c.News {
		t.Columns = append(t.Columns, n.Name, "change", "")
	}
	for _, r := range c.Rows {
		row := []string{r.Key.String(), r.Base.text(r.Key.Unit)}
		for _, e := range r.News {
			row = append(row, e.text(r.Key.Unit), deltaText(e, c.Why == ""), e.why(r.Base))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (c *Comparison) forest(width float64) *plot.Figure {
	var rows []plot.ForestRow
	for _, r := range c.Rows {
		row := plot.ForestRow{Label: r.Key.String()}
		for j, e := range r.News {
			if e.N == 0 || r.Base.N == 0 {
				continue
			}
			text := deltaText(e, true)
			if e.Change == Better || e.Change == Worse {
				text += ", " + e.Change.String()
			}
			if text == "~" || text == "=" {
				text = NoChange.String()
			}
			row.Effects = append(row.Effects, plot.ForestEffect{
				Side: j, Ratio: e.Ratio, Lo: e.RatioLo, Hi: e.RatioHi, Text: text, Sign: map[Change]int{Better: 1, Worse: -1}[e.Change],
			})
		}
		rows = append(rows, row)
	}
	f := plot.Forest(rows, width, c.headline())
	if f == nil {
		return nil
	}
	for j, n := range c.News {
		f.Note += fmt.Sprintf(" %s is %s.", arms.Letter(j+1), n.Name)
	}
	return f
}
