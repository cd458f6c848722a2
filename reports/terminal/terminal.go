// Package terminal writes results as plain text for a terminal or a log, in aligned
// columns. No line is wider than the terminal, or than [Columns] where there is none: of a
// table that does not fit, the columns that say least are left out, and a line below says
// which. Only a path or a command that is longer than a line stays whole.
package terminal

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"harelab/reports/stat"
)

// WriteTable writes a table for each run, with a row for each class. Names are the runs'
// names; see [arms.Names].
func WriteTable(w io.Writer, ss []*stat.Summary, names map[*stat.Summary]string) error {
	var tables []Table
	for _, s := range ss {
		tables = append(tables, classes(s))
	}
	if len(tables) == 0 {
		return nil
	}
	l := layOut(styleOf(w), tables...)
	for i, s := range ss {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := WriteText(w, Neutral, "", "  ", title(s, names[s])); err != nil {
			return err
		}
		if err := writeCapacity(w, s); err != nil {
			return err
		}
		for _, f := range s.Findings {
			lead, tone := "  note: ", Doubt
			if f.Invalid {
				lead, tone = "  INVALID: ", Bad
			}
			if err := WriteText(w, tone, lead, "    ", f.Text); err != nil {
				return err
			}
		}
		if err := errors.Join(l.heads(w, tables[i]), l.rows(w, tables[i])); err != nil {
			return err
		}
		if err := WriteText(w, Neutral, "  ", "  ", totals(s)); err != nil {
			return err
		}
		for _, c := range s.Classes {
			if c.Stuck > 0 {
				fmt.Fprintf(w, "  %s %s held by a worker that was busy with something else\n", stat.Count(c.Stuck), c.Name)
			}
		}
	}
	if text := l.leftOut(tables...); text != "" {
		return WriteText(w, Neutral, "", "  ", text+". The report has all.")
	}
	return nil
}

// title says in a line which run it was, on which target, with how many messages and
// how long it took.
func title(s *stat.Summary, name string) string {
	clock := "s"
	if s.Virtual {
		clock = "s of virtual time"
	}
	in := func(v float64) string { return strings.TrimSuffix(stat.Seconds(v), "s") + clock }
	t := fmt.Sprintf("%s: %s messages", name, stat.Count(s.Load.Messages))
	if s.Partial {
		return t + fmt.Sprintf(", PARTIAL: %s finished when it was cut off after %s", stat.Count(s.All.N), in(s.Length))
	}
	return t + " in " + in(s.Makespan)
}

func classes(s *stat.Summary) Table {
	t := Table{Indent: "  ", Columns: []Column{
		{Head: "class", Left: true}, {Head: "n"}, {Head: "wait mean", Need: 5}, {Head: "p50", Need: 6}, {Head: "p95", Need: 1},
		{Head: "p99", Need: 8}, {Head: "max", Need: 7}, {Head: "queued max", Need: 2}, {Head: "held max", Need: 4}, {Head: "starvation", Need: 3},
	}}
	for _, c := range s.Classes {
		cell := func(d *stat.Dist, f func(*stat.Dist) float64) string {
			switch {
			case c.N == 0:
				return "-"
			case d == nil:
				return "not visible"
			}
			return stat.Seconds(f(d))
		}
		maximum := func(d *stat.Dist) float64 { return d.Max }
		t.Rows = append(t.Rows, []string{c.Name, stat.Count(c.N),
			cell(c.Wait, func(d *stat.Dist) float64 { return d.Mean }),
			cell(c.Wait, func(d *stat.Dist) float64 { return d.P50 }),
			cell(c.Wait, func(d *stat.Dist) float64 { return d.P95 }),
			cell(c.Wait, func(d *stat.Dist) float64 { return d.P99 }),
			cell(c.Wait, maximum), cell(c.Queued, maximum), cell(c.Held, maximum), stat.Seconds(c.Starvation)})
	}
	return t
}

// totals is the line below a run's table.
func totals(s *stat.Summary) string {
	lost := stat.Count(int(s.Ledger.Lost))
	if s.Ledger.Gone > 0 {
		lost = "not visible"
	}
	parts := []string{
		"utilisation " + stat.Percent(s.Utilisation),
		"lost " + lost, "duplicated " + stat.Count(int(s.Ledger.Duplicated)),
	}
	for _, c := range []struct {
		n    int64
		name string
	}{
		{s.Ledger.Dropped, "dropped"}, {s.Ledger.Expired, "expired"}, {s.Ledger.DeadLettered, "dead-lettered"},
		{s.Ledger.Rejected, "rejected"}, {s.Ledger.DeliveryLimited, "over the delivery limit"}, {s.Ledger.Refused, "refused"},
		{s.Ledger.Returned, "returned"}, {s.Ledger.Gone, "gone"}, {s.Ledger.Left, "left"},
	} {
		if c.n > 0 {
			parts = append(parts, c.name+" "+stat.Count(int(c.n)))
		}
	}
	if n := len(s.Verdicts); n > 0 && !s.Interrupted() {
		parts = append(parts, fmt.Sprintf("%d of %d expectations met", stat.CountMet(s.Verdicts), n))
	}
	return strings.Join(parts, ", ")
}

// WriteExpectations writes in a line how many expectations were met. Below it are those
// that were not, in full.
func WriteExpectations(w io.Writer, ss []*stat.Summary, names map[*stat.Summary]string) error {
	met, all := 0, 0
	for _, s := range ss {
		met, all = met+stat.CountMet(s.Verdicts), all+len(s.Verdicts)
	}
	switch {
	case all == 0:
		return nil
	case met == all:
		return WriteText(w, Good, fmt.Sprintf("All %s met.", plural(all, "expectation")), "", "")
	}
	if err := WriteText(w, Neutral, "", "", fmt.Sprintf("%d of %s met:", met, plural(all, "expectation"))); err != nil {
		return err
	}
	for _, s := range ss {
		if stat.CountMet(s.Verdicts) == len(s.Verdicts) {
			continue
		}
		if err := WriteText(w, Neutral, "", "  ", names[s]); err != nil {
			return err
		}
		for _, v := range s.Verdicts {
			if err := writeVerdict(w, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeVerdict writes an expectation that was not met, and why.
func writeVerdict(w io.Writer, v stat.Verdict) error {
	outcome, tone, why := string(v.Outcome), Doubt, ""
	if v.Measured != nil {
		why = ": measured " + stat.Quantity(*v.Measured, v.Unit)
		if v.Error != "" {
			why += ", but " + v.Error
		}
	} else if v.Error != "" {
		why = ": " + v.Error
	}
	switch v.Outcome {
	case stat.Met:
		return nil
	case stat.CutOff:
		if why == "" {
			why = ": the run was cut off before there was a figure"
		} else {
			why += " until it was cut off"
		}
	case stat.NotDecided:
		why += ", of which lateness can explain " + stat.Quantity(v.Effect, v.Unit)
		outcome, tone = strings.ToUpper(outcome), Bad
	case stat.NotMet:
		outcome, tone = strings.ToUpper(outcome), Bad
	}
	return WriteText(w, tone, fmt.Sprintf("  %-11s  ", outcome), "    ", v.Text+why)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return stat.Count(n) + " " + what + "s"
}

// WriteAgreement says of each measurement whether it agrees with its prediction. One that
// does not has a table of both.
func WriteAgreement(w io.Writer, as []*stat.Agreement, target func(stat.Target) string) error {
	for _, a := range as {
		begin := fmt.Sprintf("%s on %s ", a.Arm, target(a.Target))
		if a.Within() {
			text := begin + "is " + a.Verdict() + " of its prediction"
			if l := a.Worst(); l != nil {
				text += fmt.Sprintf(" (largest difference: %s in %s)", signed(l.Diff()), l.Words())
			}
			if err := WriteText(w, Good, "agrees: ", "  ", text+"."); err != nil {
				return err
			}
			continue
		}
		text := begin + "is " + a.Verdict() + " of its prediction."
		if !a.SameLoad {
			text = begin + "had another load than its prediction."
		}
		if e := a.Excuse(); e != "" {
			text += " " + stat.Upper(e) + "."
		}
		if err := WriteText(w, Bad, "DISAGREES: ", "  ", text); err != nil {
			return err
		}
		t := Table{Indent: "  ", Columns: []Column{{Head: "class", Left: true}, {Left: true}, {Head: "predicted"}, {Head: "measured"}, {Head: "difference"}, {}}}
		for _, l := range a.Lines {
			mark := ""
			if !l.Within {
				mark = "OUTSIDE"
			}
			t.Rows = append(t.Rows, []string{l.Class, l.Metric, stat.Seconds(l.Predicted), stat.Seconds(l.Measured), signed(l.Diff()), mark})
		}
		t.Tone = func(row, column int) Tone {
			if a.Lines[row].Within || column < 5 {
				return Neutral
			}
			return Bad
		}
		if err := t.Write(w); err != nil {
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
