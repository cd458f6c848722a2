// Package terminal writes results as plain text for a terminal or a log, in aligned
// columns. A line is at most 120 columns wide.
package terminal

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"harelab/reports/stat"
)

// A grid is rows of cells that are written in columns.
type grid struct {
	rows [][]string
	left int // number of columns aligned left; those after them are aligned right
}

func (g *grid) add(cells ...string) { g.rows = append(g.rows, cells) }

func (g *grid) write(w io.Writer, indent string) error {
	var width []int
	for _, row := range g.rows {
		for i, c := range row {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	for _, row := range g.rows {
		var line strings.Builder
		for i, c := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(c))
			if i > 0 {
				line.WriteString("  ")
			}
			if i < g.left {
				line.WriteString(c + pad)
			} else {
				line.WriteString(pad + c)
			}
		}
		if _, err := fmt.Fprintln(w, indent+strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}

// WriteTable writes a table for each run, with a row for each class.
func WriteTable(w io.Writer, ss []*stat.Summary) error {
	for i, s := range ss {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, title(s))
		if err := writeCapacity(w, s); err != nil {
			return err
		}
		for _, f := range s.Findings {
			if f.Invalid {
				fmt.Fprintf(w, "  INVALID: %s\n", f.Text)
			} else {
				fmt.Fprintf(w, "  note: %s\n", f.Text)
			}
		}
		if err := classes(s).write(w, "  "); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(w, "  "+totals(s)); err != nil {
			return err
		}
		for _, c := range s.Classes {
			if c.Stuck > 0 {
				fmt.Fprintf(w, "  %d %s held by a worker that was busy with something else\n", c.Stuck, c.Name)
			}
		}
	}
	return nil
}

// title says in a line which run it was, on which target, with how many messages and
// how long it took.
func title(s *stat.Summary) string {
	clock := "s"
	if s.Virtual {
		clock = "s of virtual time"
	}
	in := func(v float64) string { return strings.TrimSuffix(stat.Seconds(v), "s") + clock }
	t := fmt.Sprintf("%s on %s: %s messages", s.Arm, s.Target.Name(), stat.Count(s.Load.Messages))
	if !s.Partial {
		t += " in " + in(s.Makespan)
	}
	if s.Repeat > 0 {
		t += fmt.Sprintf(", repeat %d", s.Repeat+1)
	}
	if s.Partial {
		t += fmt.Sprintf(", PARTIAL: %s finished when it was cut off after %s", stat.Count(s.All.N), in(s.Length))
	}
	return t
}

func classes(s *stat.Summary) *grid {
	g := &grid{left: 1}
	g.add("class", "n", "wait mean", "p50", "p95", "max", "queued max", "held max", "starvation", "slowdown max")
	for _, c := range s.Classes {
		cell := func(d *stat.Dist, f func(*stat.Dist) float64, format func(float64) string) string {
			switch {
			case c.N == 0:
				return "-"
			case d == nil:
				return "not visible"
			}
			return format(f(d))
		}
		maximum := func(d *stat.Dist) float64 { return d.Max }
		g.add(c.Name, stat.Count(c.N),
			cell(c.Wait, func(d *stat.Dist) float64 { return d.Mean }, stat.Seconds),
			cell(c.Wait, func(d *stat.Dist) float64 { return d.P50 }, stat.Seconds),
			cell(c.Wait, func(d *stat.Dist) float64 { return d.P95 }, stat.Seconds),
			cell(c.Wait, maximum, stat.Seconds), cell(c.Queued, maximum, stat.Seconds), cell(c.Held, maximum, stat.Seconds),
			stat.Seconds(c.Starvation), cell(c.Slowdown, maximum, stat.Times))
	}
	return g
}

// totals is the line below a run's table.
func totals(s *stat.Summary) string {
	parts := []string{
		"utilisation " + stat.Percent(s.Utilisation),
		fmt.Sprintf("lost %d", s.Ledger.Lost), fmt.Sprintf("duplicated %d", s.Ledger.Duplicated),
	}
	if s.Ledger.Unserved > 0 {
		parts = append(parts, fmt.Sprintf("unserved %d", s.Ledger.Unserved))
	}
	if n := len(s.Verdicts); n > 0 && !s.Interrupted() {
		parts = append(parts, fmt.Sprintf("%d of %d expectations met", stat.CountMet(s.Verdicts), n))
	}
	return strings.Join(parts, "   ")
}

// WriteExpectations writes a verdict for every expectation of every run.
func WriteExpectations(w io.Writer, ss []*stat.Summary) error {
	for _, s := range ss {
		if len(s.Verdicts) == 0 {
			continue
		}
		fmt.Fprintf(w, "%s on %s\n", s.Arm, s.Target.Name())
		g := &grid{left: 3}
		for _, v := range s.Verdicts {
			switch {
			case v.Error != "":
				g.add(strings.ToUpper(string(v.Outcome)), v.Text, v.Error)
			case v.Measured == nil:
				g.add(string(v.Outcome), v.Text, "")
			case v.Outcome == stat.CutOff:
				g.add(string(v.Outcome), v.Text, stat.Quantity(*v.Measured, v.Unit)+" until it was cut off")
			case v.Outcome == stat.Met:
				g.add(string(v.Outcome), v.Text, stat.Quantity(*v.Measured, v.Unit))
			default:
				g.add(strings.ToUpper(string(v.Outcome)), v.Text, "measured "+stat.Quantity(*v.Measured, v.Unit))
			}
		}
		if err := g.write(w, "  "); err != nil {
			return err
		}
	}
	return nil
}

// WriteAgreement writes prediction and measurement side by side, a table for each
// agreement.
func WriteAgreement(w io.Writer, as []*stat.Agreement) error {
	for _, a := range as {
		verdict := a.Verdict()
		if !a.Within() {
			verdict = "DISAGREES: " + verdict
		}
		fmt.Fprintf(w, "%s: predicted in virtual time, measured on %s: %s\n", a.Arm, a.Target.Name(), verdict)
		if e := a.Excuse(); e != "" {
			fmt.Fprintf(w, "  %s\n", e)
		}
		g := &grid{left: 2}
		g.add("class", "", "predicted", "measured", "difference", "")
		for _, l := range a.Lines {
			mark := ""
			if !l.Within {
				mark = "OUTSIDE"
			}
			g.add(l.Class, l.Metric, stat.Seconds(l.Predicted), stat.Seconds(l.Measured), signed(l.Diff()), mark)
		}
		if err := g.write(w, "  "); err != nil {
			return err
		}
	}
	return nil
}

func signed(s float64) string {
	if s > 0 {
		return "+" + stat.Seconds(s)
	}
	return stat.Seconds(s)
}

// WriteRows writes rows in columns. The first left columns are aligned left, the
// others right.
func WriteRows(w io.Writer, rows [][]string, left int) error {
	return (&grid{rows: rows, left: left}).write(w, "")
}
