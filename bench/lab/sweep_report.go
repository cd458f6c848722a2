package lab

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"harelab/loadgen"
	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/sweep"
)

// Report makes the sweep's report of its finished cells, in the order of the grid. In
// virtual time it runs the best and the worst cell once more for their lanes, unless ctx
// is done; on a real clock that would take too long.
func (s *Sweep) Report(ctx context.Context, cells []Cell, command []string) (*sweep.Sweep, error) {
	out := &sweep.Sweep{Scenario: Arm{Scenario: s.Base}.Name(), Title: s.Base.Title, Doc: strings.TrimSpace(s.Base.Doc), Target: s.Target.String(),
		Virtual: s.Target.Kind == Sim, Goal: cmp.Or(s.Goal, s.neediest(cells)), Axes: s.Axes, Command: command, Show: s.Base.Report.Charts}
	for _, e := range s.Expect {
		out.Expect = append(out.Expect, e.Text)
	}
	for _, c := range inOrder(cells) {
		kept := c.Cell
		if !c.Counts() {
			kept.Invalid = cmp.Or(c.CutOff, strings.Join(c.Findings, " "), "the run is invalid")
		}
		out.Cells = append(out.Cells, kept)
	}
	best, worst, ok := out.Best()
	if !ok || !out.Virtual {
		return out, nil
	}
	for _, values := range [][]string{best, worst} {
		r, err := s.rerun(ctx, values)
		if ctx.Err() != nil {
			out.Extremes = nil
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out.Extremes = append(out.Extremes, arms.Summarize(r)...)
	}
	return out, nil
}

// inOrder returns the cells in the order of the grid.
func inOrder(cells []Cell) []Cell {
	return slices.SortedFunc(slices.Values(cells), func(a, b Cell) int {
		return cmp.Or(cmp.Compare(a.Index, b.Index), cmp.Compare(a.Repeat, b.Repeat))
	})
}

// rerun runs one point again with the first seed.
func (s *Sweep) rerun(ctx context.Context, values []string) (*run.Result, error) {
	sc, err := s.resolve(Cell{Cell: sweep.Cell{Values: values, Seed: s.Base.Seed}})
	if err != nil {
		return nil, err
	}
	named := *sc
	named.Variant = strings.TrimSpace(sc.Variant + " " + s.Label(values)) // so that the two have different names
	return Arm{Scenario: &named, Target: s.Target}.run(ctx, func(loadgen.Progress) {})
}
