package lab

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"harelab/reports/arms"
	"harelab/reports/compare"
	"harelab/reports/folder"
	"harelab/reports/stat"
	"harelab/reports/sweep"
	"harelab/reports/terminal"
)

// A Gate checks new runs against base runs, arm by arm, by rules such as
// "wait.p99 +5%".
type Gate struct {
	base, news []*stat.Summary
	rules      []compare.GateRule
}

// OpenGate reads the results folders base and news. News may be empty for a gate that
// only checks itself.
func OpenGate(base, news string, rules []string) (*Gate, error) {
	g := &Gate{}
	for _, text := range rules {
		r, err := compare.ParseGateRule(text)
		if err != nil {
			return nil, &UsageError{err.Error()}
		}
		g.rules = append(g.rules, r)
	}
	var err error
	if g.base, err = readRuns(base); err != nil {
		return nil, err
	}
	if news != "" {
		if g.news, err = readRuns(news); err != nil {
			return nil, err
		}
	}
	for _, r := range g.rules {
		if err := compare.Check([]string{r.Metric.String()}, slices.Concat(g.base, g.news)); err != nil {
			return nil, &UsageError{err.Error()}
		}
	}
	return g, nil
}

// readRuns reads the runs of a results folder.
func readRuns(dir string) ([]*stat.Summary, error) {
	if err := refuseSweep(dir); err != nil {
		return nil, err
	}
	return folder.ReadSummaries(dir)
}

// refuseSweep refuses the folder of a sweep, which has no runs.
func refuseSweep(dir string) error {
	if isFolder(dir) && sweep.Is(dir) {
		return &UsageError{fmt.Sprintf("%s is the folder of a sweep: give that of a run (of harelab run or compare --vary)", dir)}
	}
	return nil
}

// SelfCheck plants a regression in each arm of the base and returns an error unless
// every rule finds it.
func (g *Gate) SelfCheck(w io.Writer) error {
	for _, arm := range arms.Group(arms.OfSummaries(g.base)) {
		for _, r := range g.rules {
			if err := compare.SelfCheck(arms.Summaries(arm.Runs), r); err != nil {
				return fmt.Errorf("%s: %w", arm.Name, err)
			}
			text := fmt.Sprintf("%s  %s: a planted regression is found", arm.Name, r.Text)
			if err := terminal.WriteText(w, terminal.Good, "can fail  ", "  ", text); err != nil {
				return err
			}
		}
	}
	return nil
}

// Run prints the outcome of each rule in each arm and returns the worst. An arm that
// one side lacks is inconclusive.
func (g *Gate) Run(w io.Writer) (compare.GateOutcome, error) {
	results, err := compare.Gate(g.base, g.news, g.rules)
	if err != nil {
		return 0, err
	}
	if err := compare.WriteGate(w, results); err != nil {
		return 0, err
	}
	outcome := compare.WorstOutcome(results)
	missing := func(names []string, from string) {
		for _, name := range names {
			err = errors.Join(err, terminal.WriteText(w, terminal.Doubt, "inconclusive: ", "  ", fmt.Sprintf("%s is not in %s", name, from)))
			outcome = max(outcome, compare.GateInconclusive)
		}
	}
	missing(arms.Missing(g.base, g.news), "the new runs")
	missing(arms.Missing(g.news, g.base), "the base")
	return outcome, err
}
