package compare

import (
	"fmt"
	"io"
	"math"
	"strings"

	"harelab/reports/stat"
	"harelab/reports/terminal"
)

// WriteText writes a comparison for a terminal. A row has a metric, the base's value,
// and for each new side its value, its change and the evidence for the change.
func WriteText(w io.Writer, c *Comparison) error {
	rows := [][]string{{"", c.Base.Name}}
	for _, n := range c.News {
		rows[0] = append(rows[0], n.Name, "", "")
	}
	for _, r := range c.Rows {
		line := []string{r.Key.String(), r.Base.text(r.Key.Unit)}
		for _, e := range r.News {
			line = append(line, e.text(r.Key.Unit), deltaText(e, c.Why == ""), e.why(r.Base))
		}
		rows = append(rows, line)
	}
	if err := terminal.WriteRows(w, rows, 1); err != nil {
		return err
	}
	load := "yes"
	switch {
	case !c.SameLoad:
		load = "no"
	case !c.Known:
		load = "unknown: no repeat of an arm is on both sides"
	}
	fmt.Fprintf(w, "same load: %s\n", load)
	for _, warning := range c.Warnings {
		fmt.Fprintf(w, "note: %s\n", warning)
	}
	_, err := fmt.Fprintln(w, c.Verdict)
	return err
}

// text writes an estimate as "1.9 s ± 3 %".
func (e Estimate) text(unit string) string {
	if e.N == 0 {
		return "-"
	}
	v := number(e.Center, unit)
	switch {
	case e.Exact:
		return v
	case math.IsInf(e.Lo, 0) || math.IsInf(e.Hi, 0):
		return v + " ± ∞"
	case e.Center == 0:
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
	case e.Change == NoChange && !e.Exact:
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
