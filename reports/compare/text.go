package compare

import (
	"fmt"
	"io"
	"math"
	"strings"

	"harelab/reports/arms"
	"harelab/reports/stat"
	"harelab/reports/terminal"
)

// WriteText writes a comparison for a terminal. A row has a metric, the base's value,
// and for each new side its value, its change and the evidence for the change. Sides for
// which a line has no room get a table of their own.
func WriteText(w io.Writer, c *Comparison) error {
	lead, rest := c.Verdict, ""
	if c.Why == "" {
		lead, rest = c.headline(), c.Verdict
	}
	if err := terminal.WriteText(w, terminal.Neutral, "", "", lead); err != nil {
		return err
	}
	fmt.Fprintln(w)
	if err := c.writeSides(w, 0, len(c.News)); err != nil {
		return err
	}
	load := "yes"
	switch {
	case !c.SameLoad:
		load = "no"
	case !c.Known:
		load = "unknown: no repeat of an arm is on both sides"
	}
	if err := terminal.WriteText(w, terminal.Neutral, "same load: ", "  ", load); err != nil {
		return err
	}
	if c.exact() {
		if err := terminal.WriteText(w, terminal.Neutral, "", "  ", exactWords); err != nil {
			return err
		}
	}
	for _, warning := range c.Warnings {
		if err := terminal.WriteText(w, terminal.Doubt, "note: ", "  ", warning); err != nil {
			return err
		}
	}
	if rest == "" {
		return nil
	}
	return terminal.WriteText(w, terminal.Neutral, "", "", rest)
}

// exactWords says how exact figures are judged. They are those of one load: with another
// seed a small difference may be the other way round.
const exactWords = "All figures are exact: virtual time. Better or worse is a change of more than a fifth."

// exact reports whether all figures are.
func (c *Comparison) exact() bool {
	for _, r := range c.Rows {
		for _, e := range r.News {
			if e.N > 0 && (!e.Exact || !r.Base.Exact) {
				return false
			}
		}
	}
	return len(c.Rows) > 0
}

// writeSides writes the tables of the new sides from index lo up to hi. An arm's name is a
// line above its rows.
func (c *Comparison) writeSides(w io.Writer, lo, hi int) error {
	tables, names := c.tables(lo, hi)
	if n := hi - lo; n > 1 && !terminal.Fits(w, tables...) {
		for i := lo; i < hi; i++ {
			if i > lo {
				fmt.Fprintln(w)
			}
			if err := c.writeSides(w, i, i+1); err != nil {
				return err
			}
		}
		return nil
	}
	return terminal.WriteTables(w, tables, func(i int) error {
		if names[i] == "" {
			return nil
		}
		return terminal.WriteText(w, terminal.Neutral, "", "  ", names[i])
	})
}

// tables returns a table for each arm, with the arms' names.
func (c *Comparison) tables(lo, hi int) (tables []terminal.Table, names []string) {
	columns := []terminal.Column{{Left: true}, {Head: c.Base.Name}}
	for _, n := range c.News[lo:hi] {
		columns = append(columns, terminal.Column{Head: n.Name}, terminal.Column{})
		if !c.exact() {
			columns = append(columns, terminal.Column{Name: "p", Need: 1})
		}
	}
	for _, rows := range arms.By(c.Rows, func(r Row) string { return r.Key.Arm }) {
		arm := rows[0].Key.Arm
		t := terminal.Table{Columns: columns}
		if arm != "" {
			t.Indent = "  "
		}
		for _, r := range rows {
			line := []string{r.Key.Metric, r.Base.text(r.Key.Unit)}
			for _, e := range r.News[lo:hi] {
				line = append(line, e.text(r.Key.Unit), deltaText(e, c.Why == ""))
				if !c.exact() {
					line = append(line, e.why(r.Base))
				}
			}
			t.Rows = append(t.Rows, line)
		}
		per := (len(columns) - 2) / max(1, hi-lo)
		t.Tone = func(row, column int) terminal.Tone {
			if column < 2 || (column-2)%per != 1 || c.Why != "" {
				return terminal.Neutral
			}
			return map[Change]terminal.Tone{Better: terminal.Good, Worse: terminal.Bad}[rows[row].News[lo+(column-2)/per].Change]
		}
		tables, names = append(tables, t), append(names, arm)
	}
	return tables, names
}

// text writes an estimate as "1.9 s ± 3 %".
func (e Estimate) text(unit string) string {
	if e.N == 0 {
		return "-"
	}
	v := number(e.Center, unit)
	switch {
	case e.Exact, e.Center == 0:
		return v
	case math.IsInf(e.Lo, 0) || math.IsInf(e.Hi, 0): // too few repeats: a note says so
		return v
	}
	return fmt.Sprintf("%s ± %.0f %%", v, 100*max(e.Hi/e.Center-1, 1-e.Lo/e.Center))
}

// number writes a value with its metric's unit.
func number(v float64, unit string) string {
	if math.Abs(v) >= 1e15 {
		return strings.TrimSpace(fmt.Sprintf("%.3g %s", v, unit))
	}
	return stat.Entry(v, unit)
}

// deltaText writes a change: "~" for no significant difference, "=" for equal values,
// and nothing if there is no verdict.
func deltaText(e Effect, verdict bool) string {
	switch {
	case e.N == 0 || !verdict:
		return ""
	case e.Change == NoChange && e.tested:
		return "~"
	case e.Ratio == 1:
		return "="
	}
	return Delta(e.Ratio)
}

// why writes the evidence for a change: its p value and the numbers of repeats.
func (e Effect) why(base Estimate) string {
	switch {
	case e.N == 0:
		return ""
	case e.Exact && base.Exact:
		return "(exact)"
	case e.N == base.N:
		return fmt.Sprintf("(p=%.3f n=%d)", e.P, e.N)
	}
	return fmt.Sprintf("(p=%.3f n=%d+%d)", e.P, base.N, e.N)
}
