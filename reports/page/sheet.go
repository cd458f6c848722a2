package page

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"harelab/reports/folder"
	"harelab/reports/plot"
)

// A Sheet is a page other than a report of runs: a comparison or a sweep. It has the
// same parts in the same style: a headline, charts, tables, and the commands that
// reproduce it.
type Sheet struct {
	Title    string
	Story    Story
	About    string    // the question, in the words of the scenario; may be empty
	Capacity Soundness // not shown if its title is empty
	Sound    Soundness // not shown if its title is empty
	Charts   []SheetChart
	Tables   []SheetTable
	Commands []string // that reproduce the page
	Facts    []string // lines at the foot of the page
}

// A SheetChart is a chart at both widths. The page leaves it out if one is nil.
type SheetChart struct {
	Name, Title  string
	Wide, Narrow *plot.Figure
}

// A SheetTable is a table. The first Heads columns name their row. The script sorts
// the other columns by Sort if it is not nil.
type SheetTable struct {
	Title, Note string
	Columns     []string
	Heads       int
	Rows        [][]string
	Sort        [][]float64 // of the same shape as Rows, or nil
	Folded      bool        // shown only when the reader opens it
}

// tableView is a table with its title and note.
type tableView struct {
	Title, Note string
	Folded      bool
	Figures     table
}

func (s Sheet) view() view {
	v := view{Title: s.Title, CSS: styles(), JS: template.JS(pageJS), Story: s.Story.glued(), About: glue(strings.ReplaceAll(s.About, "`", "")), Capacity: s.Capacity, Sound: s.Sound, Invalid: s.Sound.State == "bad", Commands: s.Commands, Facts: s.Facts}
	for _, c := range s.Charts {
		if c.Wide != nil && c.Narrow != nil {
			v.Charts = append(v.Charts, newChartView(c.Name, c.Title, c.Wide, c.Narrow))
		}
	}
	for _, t := range s.Tables {
		v.Tables = append(v.Tables, tableView{t.Title, t.Note, t.Folded, t.figures()})
	}
	return v
}

func (t SheetTable) figures() table {
	var rows [][]cell
	for i, row := range t.Rows {
		var cells []cell
		for k, text := range row {
			c := cell{Text: text, Head: k < t.Heads}
			if t.Sort != nil && k >= t.Heads {
				c.Sort = strconv.FormatFloat(t.Sort[i][k], 'g', -1, 64)
			}
			cells = append(cells, c)
		}
		rows = append(rows, cells)
	}
	f := newTable(t.Columns, rows)
	for _, row := range rows {
		for k := range row {
			if k < t.Heads && (t.Heads > 1 || strings.IndexAny(row[k].Text, "0123456789") == 0) { // a bare number needs the name of its column
				row[k].Name = t.Columns[k]
			}
		}
	}
	for i := range f.Heads {
		f.Heads[i].Head = i < t.Heads
	}
	return f
}

// WriteHTML writes the sheet as one file.
func (s Sheet) WriteHTML(w io.Writer) error { return page.Execute(w, s.view()) }

// WriteMarkdown writes the sheet for a pull request.
func (s Sheet) WriteMarkdown(w io.Writer) error { return s.view().markdown(w) }

// Write writes the sheet to the folder dir, which it makes if needed: report.html,
// report.md, and the charts in plots.
func (s Sheet) Write(dir string) error {
	plots := filepath.Join(dir, "plots")
	if err := os.MkdirAll(plots, 0o777); err != nil {
		return err
	}
	for _, c := range s.Charts {
		if c.Wide == nil {
			continue
		}
		if err := c.Wide.Write(plots, c.Name); err != nil {
			return fmt.Errorf("chart %w", err)
		}
	}
	for name, write := range map[string]func(io.Writer) error{"report.html": s.WriteHTML, "report.md": s.WriteMarkdown} {
		var buf bytes.Buffer
		if err := write(&buf); err != nil {
			return fmt.Errorf("%s: %w", filepath.Join(dir, name), err)
		}
		if err := folder.Replace(filepath.Join(dir, name), buf.Bytes()); err != nil {
			return err
		}
	}
	return nil
}
