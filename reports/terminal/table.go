package terminal

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A Column is a column of a [Table].
type Column struct {
	Head string
	Name string // what a line about it says, if it has no head
	Left bool   // aligned left; else right
	Need int    // where the lines are too wide, columns of the least need go first; 0: it stays
}

// A Table is rows of cells that are written in columns.
type Table struct {
	Columns []Column
	Rows    [][]string
	Tone    func(row, column int) Tone // nil: all are neutral
	Indent  string
}

// A layout is the columns that fit, with their widths.
type layout struct {
	style  Style
	widths []int // by column; -1 is left out
	room   int   // columns of the terminal, without the indent
	wide   bool  // not everything fits
}

const between = "  " // of two columns

// layOut chooses columns for tables that have the same ones, so that their lines fit and
// their columns stand below each other. First it leaves out columns that have the same
// cell everywhere, then those of the least need. If the rest is too wide, it shortens
// heads that are wider than their column, and the cells of columns that are aligned left.
// No figure gives way to a name that takes more than half of a line: the name is shortened.
func layOut(s Style, tables ...Table) layout {
	columns := tables[0].Columns
	l := layout{style: s, widths: make([]int, len(columns))}
	cells, rows, indent := make([]int, len(columns)), 0, 0
	for _, t := range tables {
		rows, indent = rows+len(t.Rows), max(indent, Width(t.Indent))
		for _, r := range t.Rows {
			for i, c := range r {
				cells[i] = max(cells[i], Width(c))
			}
		}
	}
	for i, c := range columns {
		l.widths[i] = max(Width(c.Head), cells[i])
	}
	l.room = s.Columns - indent
	l.wide = l.total() > l.room
	for l.total()-l.spare(columns) > l.room {
		least := -1
		for i, c := range columns {
			if c.Need > 0 && l.widths[i] >= 0 && (least < 0 || l.rank(i, rows, tables) < l.rank(least, rows, tables)) {
				least = i
			}
		}
		if least < 0 {
			break
		}
		l.widths[least] = -1
	}
	for l.total() > l.room {
		widest := -1
		for i, c := range columns {
			if l.widths[i] > shortest && (c.Left || l.widths[i] > cells[i]) && (widest < 0 || l.widths[i] > l.widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		l.widths[widest]--
	}
	return l
}

// spare is the number of columns by which names that take more than half of a line can be
// shortened.
func (l layout) spare(columns []Column) int {
	n := 0
	for i, c := range columns {
		if c.Left {
			n += max(0, l.widths[i]-max(l.room/2, shortest))
		}
	}
	return n
}

// shortest is the least width to which a column is shortened.
const shortest = 12

// rank is the place of a column among those that are left out, the first lowest.
func (l layout) rank(column, rows int, tables []Table) int {
	need := tables[0].Columns[column].Need
	if _, same := constant(column, tables); same && rows > 1 {
		return need - 1000
	}
	return need
}

// constant returns the cell that a column has in every row, if it has only one.
func constant(column int, tables []Table) (string, bool) {
	cell, seen := "", false
	for _, t := range tables {
		for _, r := range t.Rows {
			if seen && r[column] != cell {
				return "", false
			}
			cell, seen = r[column], true
		}
	}
	return cell, seen
}

func (l layout) total() int {
	sum := -len(between)
	for _, w := range l.widths {
		if w >= 0 {
			sum += w + len(between)
		}
	}
	return sum
}

// heads writes the heads of the columns, unless no column has one.
func (l layout) heads(w io.Writer, t Table) error {
	var heads []string
	for _, c := range t.Columns {
		heads = append(heads, c.Head)
	}
	if strings.Join(heads, "") == "" {
		return nil
	}
	return l.line(w, t, heads, nil)
}

// rows writes the rows of a table.
func (l layout) rows(w io.Writer, t Table) error {
	for i, r := range t.Rows {
		tone := func(int) Tone { return Neutral }
		if t.Tone != nil {
			tone = func(column int) Tone { return t.Tone(i, column) }
		}
		if err := l.line(w, t, r, tone); err != nil {
			return err
		}
	}
	return nil
}

func (l layout) line(w io.Writer, t Table, cells []string, tone func(int) Tone) error {
	line := t.Indent
	pad := 0
	for i, c := range cells {
		if l.widths[i] < 0 {
			continue
		}
		text := shorten(c, l.widths[i])
		free := l.widths[i] - Width(text)
		if !t.Columns[i].Left {
			pad, free = pad+free, 0
		}
		if text != "" {
			if tone != nil {
				text = l.style.paint(tone(i), text)
			}
			line += strings.Repeat(" ", pad) + text
			pad = 0
		}
		pad += free + len(between)
	}
	_, err := fmt.Fprintln(w, line)
	return err
}

// leftOut names the columns that are left out, with their cell if they have only one.
func (l layout) leftOut(tables ...Table) string {
	var names []string
	for i, c := range tables[0].Columns {
		if l.widths[i] >= 0 {
			continue
		}
		name := cmp.Or(c.Head, c.Name)
		if slices.Contains(names, name) {
			continue
		}
		if cell, same := constant(i, tables); same {
			name += " (" + cell + ")"
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("Not shown in %d columns: %s", l.style.Columns, strings.Join(names, ", "))
}

// Write writes the table, and below it which columns did not fit.
func (t Table) Write(w io.Writer) error { return WriteTables(w, []Table{t}, nil) }

// WriteTables writes tables with the same columns, which stand below each other, and below
// them which columns did not fit. Above, if not nil, writes what is above table i. Only
// the first table has heads.
func WriteTables(w io.Writer, ts []Table, above func(i int) error) error {
	if len(ts) == 0 {
		return nil
	}
	l := layOut(styleOf(w), ts...)
	if err := l.heads(w, ts[0]); err != nil {
		return err
	}
	for i, t := range ts {
		if above != nil {
			if err := above(i); err != nil {
				return err
			}
		}
		if err := l.rows(w, t); err != nil {
			return err
		}
	}
	if text := l.leftOut(ts...); text != "" {
		return WriteText(w, Neutral, "", "  ", text+".")
	}
	return nil
}

// Fits reports whether lines of w have room for all of tables with the same columns.
func Fits(w io.Writer, ts ...Table) bool {
	return len(ts) == 0 || !layOut(styleOf(w), ts...).wide
}

// WriteRows writes rows in columns, the first of which are the heads. The first left
// columns are aligned left and stay, the others are aligned right; of these the last are
// left out first.
func WriteRows(w io.Writer, rows [][]string, left int) error {
	t := Table{Rows: rows[1:]}
	for i, head := range rows[0] {
		c := Column{Head: head, Left: i < left}
		if i > left {
			c.Need = len(rows[0]) - i
		}
		t.Columns = append(t.Columns, c)
	}
	return t.Write(w)
}

// WriteList writes names with a text about each. The texts begin in one column, and lines
// after their first are indented as far.
func WriteList(w io.Writer, indent string, entries [][2]string) error {
	column := 0
	for _, e := range entries {
		column = max(column, Width(e[0]))
	}
	hanging := indent + strings.Repeat(" ", column+len(between))
	for _, e := range entries {
		lead := indent + e[0] + strings.Repeat(" ", column-Width(e[0])+len(between))
		if err := WriteText(w, Neutral, lead, hanging, e[1]); err != nil {
			return err
		}
	}
	return nil
}
