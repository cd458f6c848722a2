package benchfile

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"harelab/reports/compare"
	"harelab/reports/terminal"
)

// WriteText writes a comparison for a terminal: what differs in a sentence, the mean of
// each group, the rows that differ, and how many do not. With all it writes all rows and
// all benchmarks that are not in all files.
func WriteText(w io.Writer, c *Comparison, all bool) error {
	t := newText(w)
	t.wrap("", c.Headline())
	if s := c.Summary(); s != "" {
		t.wrap("", s)
	}
	t.groups(c)
	t.rows(c, "rows that differ", func(r *Row) bool { return r.differs() })
	same := 0
	for _, r := range c.Rows {
		if !r.differs() {
			same++
		}
	}
	switch {
	case all && same > 0:
		t.rows(c, "rows without a change", func(r *Row) bool { return !r.differs() })
	case same > 0:
		t.wrap("", fmt.Sprintf("\n%s without a change: --all shows them", countOf(same, "row")))
	}
	if len(c.Lone) > 0 {
		t.line("")
		n := fewLone
		if all {
			n = len(c.Lone)
		}
		for _, s := range c.loneTexts(n) {
			t.wrap("note: ", s)
		}
	}
	for i, s := range c.Notes() {
		if i == 0 && len(c.Lone) == 0 {
			t.line("")
		}
		t.wrap("note: ", s)
	}
	return t.err
}

// fewLone is the number of benchmarks in some files only that are named.
const fewLone = 5

// differs reports whether any new file differs from the base.
func (r *Row) differs() bool { return slices.ContainsFunc(r.News, Effect.Differs) }

// text writes lines of a terminal.
type text struct {
	w       io.Writer
	columns int // the width of text
	err     error
}

func newText(w io.Writer) *text { return &text{w: w, columns: terminal.ColumnsOf(w)} }

func (t *text) line(s string) {
	if t.err == nil {
		_, t.err = fmt.Fprintln(t.w, strings.TrimRight(s, " "))
	}
}

// wrap writes a paragraph after a prefix, with lines that fit the width where a space or
// a slash allows it.
func (t *text) wrap(prefix, s string) {
	for _, line := range fold(prefix+s, t.columns, strings.Repeat(" ", len(prefix))) {
		t.line(line)
	}
}

// fold breaks a line at spaces, or after slashes where a word alone is too long.
func fold(s string, width int, indent string) []string {
	var out []string
	for utf8.RuneCountInString(s) > width {
		begin := len(s) - len(strings.TrimLeft(s, " "))
		cut := strings.LastIndexByte(head(s, width+1), ' ')
		if cut <= begin {
			cut = strings.LastIndexByte(head(s, width), '/') + 1
		}
		if cut <= begin {
			cut = len(head(s, width))
		}
		out = append(out, s[:cut])
		s = indent + strings.TrimLeft(s[cut:], " ")
	}
	return append(out, s)
}

// head returns the first n runes of s.
func head(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// groups writes the geometric mean of each group, by unit, in units in which a row
// differs.
func (t *text) groups(c *Comparison) {
	for _, s := range c.sections() {
		t.line("")
		grid := [][]string{append([]string{"geomean, " + s.title, "base"}, s.heads(c)...)}
		for _, g := range s.groups {
			line := []string{"  " + g.Name, meanText(g.News[0].Base, g.Unit)}
			for j, e := range g.News {
				line = append(line, meanText(e.Center, g.Unit), meanDelta(e), g.rowsText(j))
			}
			grid = append(grid, line)
		}
		t.grid(grid)
	}
}

// A section is the groups of one unit: those of the strategies of one benchmark, or those
// of all benchmarks without strategies.
type section struct {
	title  string
	groups []*Group
}

// sections returns the sections in which a row differs, the groups that changed most
// first. Groups of one row each become one.
func (c *Comparison) sections() []section {
	var all []section
	for _, g := range c.Groups {
		title := strings.TrimSpace(g.Of + " " + g.Unit)
		i := slices.IndexFunc(all, func(s section) bool { return s.title == title })
		if i < 0 {
			i = len(all)
			all = append(all, section{title: title})
		}
		all[i].groups = append(all[i].groups, g)
	}
	var out []section
	for _, s := range all {
		if !slices.ContainsFunc(s.groups, (*Group).differs) || len(s.groups) == 1 && len(s.groups[0].Rows) == 1 {
			continue
		}
		if g := s.groups[0]; !slices.ContainsFunc(s.groups, func(g *Group) bool { return len(g.Rows) > 1 || g.Of != "" }) {
			one := &Group{Name: "all of them", Unit: g.Unit, Better: g.Better}
			for _, g := range s.groups {
				one.Rows = append(one.Rows, g.Rows...)
			}
			for j := range c.News {
				one.News = append(one.News, one.sum(j))
			}
			s.groups = []*Group{one}
		}
		slices.SortStableFunc(s.groups, func(a, b *Group) int { return cmp.Compare(largest(b), largest(a)) })
		out = append(out, s)
	}
	return out
}

// differs reports whether a row of the group differs in a new file, or all together do.
func (g *Group) differs() bool {
	return slices.ContainsFunc(g.News, func(e GroupEffect) bool { return e.Change != compare.NoChange || e.Differ() > 0 })
}

// largest is the size of the largest change of a group.
func largest(g *Group) float64 {
	size := 0.0
	for _, e := range g.News {
		if !math.IsNaN(e.Ratio) && (e.Change != compare.NoChange || e.Differ() > 0) {
			size = max(size, math.Abs(math.Log(e.Ratio)))
		}
	}
	return size
}

func (s section) heads(c *Comparison) []string {
	var out []string
	for _, n := range c.News {
		out = append(out, shorten(n, 24), "change", "rows that differ")
	}
	return out
}

// shorten cuts the beginning of a path.
func shorten(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return "…" + string(r[len(r)-n+1:])
}

func meanText(v float64, unit string) string {
	if math.IsNaN(v) {
		return "-"
	}
	return Number(v, unit)
}

func meanDelta(e GroupEffect) string {
	switch {
	case math.IsNaN(e.Ratio):
		return "-"
	case e.Ratio == 1:
		return "="
	}
	return delta(e.Ratio)
}

// rowsText says how many rows of a group differ, and how.
func (g *Group) rowsText(j int) string {
	e := g.News[j]
	if e.Rows == 0 {
		return "-"
	}
	up, down := "more", "less"
	if g.Better != 0 {
		up, down = g.words()
	}
	switch {
	case e.Up > 0 && e.Down > 0:
		return fmt.Sprintf("%d %s, %d %s of %d", e.Up, up, e.Down, down, e.Rows)
	case e.Up > 0:
		return fmt.Sprintf("%d of %d %s", e.Up, e.Rows, up)
	case e.Down > 0:
		return fmt.Sprintf("%d of %d %s", e.Down, e.Rows, down)
	}
	return fmt.Sprintf("0 of %d", e.Rows)
}

// rows writes the rows that keep admits, by unit.
func (t *text) rows(c *Comparison, title string, keep func(*Row) bool) {
	for i, unit := range c.rowsOf(keep) {
		t.line("")
		head := unit.name
		if i == 0 {
			head = title + ": " + unit.name
		}
		grid := [][]string{append([]string{head, shorten(c.Base, 24)}, rowHeads(c)...)}
		for _, r := range unit.rows {
			line := []string{"  " + r.Label.String(), r.Base.text(r.Unit)}
			for _, e := range r.News {
				line = append(line, e.text(r.Unit), e.change(), e.why(r.Base))
			}
			grid = append(grid, line)
		}
		t.grid(grid)
	}
}

// A unitRows is the rows of one unit.
type unitRows struct {
	name string
	rows []*Row
}

// rowsOf returns the rows that keep admits, by unit, the largest change of each first.
func (c *Comparison) rowsOf(keep func(*Row) bool) []unitRows {
	var out []unitRows
	for _, r := range c.Rows {
		if !keep(r) {
			continue
		}
		i := slices.IndexFunc(out, func(u unitRows) bool { return u.name == r.Unit })
		if i < 0 {
			i = len(out)
			out = append(out, unitRows{name: r.Unit})
		}
		out[i].rows = append(out[i].rows, r)
	}
	for _, u := range out {
		byChange(u.rows)
	}
	return out
}

func rowHeads(c *Comparison) []string {
	var out []string
	for _, n := range c.News {
		out = append(out, shorten(n, 24), "change", "")
	}
	return out
}

// byChange sorts rows, the largest change first.
func byChange(rows []*Row) {
	size := func(r *Row) float64 {
		most := 0.0
		for _, e := range r.News {
			if e.Differs() {
				most = max(most, math.Abs(math.Log(e.Ratio)))
			}
		}
		return most
	}
	slices.SortStableFunc(rows, func(a, b *Row) int { return cmp.Compare(size(b), size(a)) })
}

// grid writes rows in columns, the first aligned left and the others right. Where that is
// too wide, a row takes a line for its name and one for each new file.
func (t *text) grid(rows [][]string) {
	width := widths(rows)
	sum := -2
	for _, n := range width {
		sum += n + 2
	}
	if sum <= t.columns {
		for _, row := range rows {
			t.line(aligned(row, width, 1))
		}
		return
	}
	var values [][]string // base, new, change, evidence: one line for each new file
	var names []string
	for i, row := range rows {
		for k := 2; k+2 < len(row); k += 3 {
			name := ""
			if k == 2 {
				name = row[0]
			}
			names = append(names, name)
			line := []string{"    " + row[1], row[k], row[k+1], row[k+2]}
			if len(row) > 5 { // several new files
				line = append([]string{"    " + rows[0][k]}, row[1], row[k], row[k+1], row[k+2])
				if i == 0 {
					line = []string{"", row[1], "new", row[k+1], row[k+2]}
					if k > 2 {
						names, line = names[:len(names)-1], nil
					}
				}
			}
			if line != nil {
				values = append(values, line)
			}
		}
	}
	width = widths(values)
	for i, line := range values {
		if names[i] != "" {
			t.wrap(strings.Repeat(" ", len(names[i])-len(strings.TrimLeft(names[i], " "))), strings.TrimLeft(names[i], " "))
		}
		t.line(aligned(line, width, 1))
	}
}

func widths(rows [][]string) []int {
	var width []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	return width
}

// aligned pads the cells of a row: the first left columns to the right, the others to the
// left.
func aligned(row []string, width []int, left int) string {
	var line strings.Builder
	for i, c := range row {
		pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(c))
		if i > 0 {
			line.WriteString("  ")
		}
		if i < left {
			line.WriteString(c + pad)
		} else {
			line.WriteString(pad + c)
		}
	}
	return line.String()
}
