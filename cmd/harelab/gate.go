package main

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"harelab/engine/nearest"
	"harelab/reports/arms"
	"harelab/reports/compare"
	"harelab/reports/folder"
	"harelab/reports/stat"
	"harelab/reports/sweep"
)

func init() { commands = append(commands, newGate) }

func newGate() *cobra.Command {
	var (
		against      string
		fail         []string
		inconclusive string
		selfCheck    bool
	)
	cmd := &cobra.Command{
		Use:   "gate NEW --against BASE --fail RULE...",
		Short: "fail when a results folder is worse than another",
		Long: `Hold the runs in NEW to those in BASE, arm by arm. A rule is a metric and how much it
may change: 'wait.p99 +5%', 'throughput -3%', 'wait.max{class=NAME} +50ms'. Beyond that
with significance is worse; within it with significance is ok; all else, runs with
another load, and arms that one of the two lacks, are inconclusive. On a real clock give both sides
--repeat 6 or more; in virtual time one run is exact.

With --selfcheck, first plant a regression in BASE's own figures, twice what each rule
allows, and want the rule to call it worse: a gate that cannot fail is no gate. Then NEW
may be left out.

Exit code 0 all rules ok, 4 worse, 5 inconclusive or a rule that cannot fail.`,
		Example: `  harelab gate runs/mine --against runs/main --fail 'wait.p99 +5%'
  harelab gate runs/mine --against runs/main --fail 'wait.p99 +5%' --fail 'throughput -3%' --inconclusive pass
  harelab gate --against runs/main --fail 'held.max{class=run_user_query} +50ms' --selfcheck`,
		Args: atMostOne("NEW"),
		RunE: func(cmd *cobra.Command, args []string) error {
			rules, err := gateRules(fail)
			switch {
			case err != nil:
				return err
			case against == "":
				return usage("--against is missing: want the results folder of the base")
			case len(rules) == 0:
				return usage("--fail is missing: want a rule, such as --fail 'wait.p99 +5%%'")
			case len(args) == 0 && !selfCheck:
				return usage("NEW is missing: want the results folder of the new runs, as in: harelab gate runs/mine --against runs/main --fail 'wait.p99 +5%%' (only --selfcheck goes without)")
			case inconclusive != "fail" && inconclusive != "pass":
				return usage("--inconclusive %q%s", inconclusive, nearest.Choices(inconclusive, []string{"fail", "pass"}))
			}
			base, err := runsToGate(against)
			if err != nil {
				return err
			}
			var news []*stat.Summary
			if len(args) > 0 {
				if news, err = runsToGate(args[0]); err != nil {
					return err
				}
			}
			if err := checkRules(rules, slices.Concat(base, news)); err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			if selfCheck {
				if err := checkGate(w, base, rules); err != nil {
					return err
				}
			}
			if len(args) == 0 {
				return nil
			}
			return gate(w, base, news, rules, inconclusive == "pass")
		},
	}
	f := cmd.Flags()
	f.StringVar(&against, "against", "", "results folder to hold the new runs to")
	f.StringArrayVar(&fail, "fail", nil, "rule, as 'wait.p99 +5%'; repeatable")
	f.StringVar(&inconclusive, "inconclusive", "fail", "what becomes of what cannot be told: fail or pass")
	f.BoolVar(&selfCheck, "selfcheck", false, "first prove that each rule can fail")
	return cmd
}

func gateRules(texts []string) ([]compare.GateRule, error) {
	var rules []compare.GateRule
	for _, t := range texts {
		r, err := compare.ParseGateRule(t)
		if err != nil {
			return nil, &exit{exitUsage, err}
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// checkRules refuses a rule about what no run has.
func checkRules(rules []compare.GateRule, ss []*stat.Summary) error {
	for _, r := range rules {
		if err := compare.Check([]string{r.Metric.String()}, ss); err != nil {
			return &exit{exitUsage, err}
		}
	}
	return nil
}

// runsToGate reads the runs of a results folder.
func runsToGate(dir string) ([]*stat.Summary, error) {
	if err := noSweep(dir); err != nil {
		return nil, err
	}
	return folder.ReadSummaries(dir)
}

// noSweep refuses the folder of a sweep where that of runs is wanted.
func noSweep(dir string) error {
	if isFolder(dir) && sweep.Is(dir) {
		return usage("%s is the folder of a sweep, want that of a run (harelab run, compare --vary)", dir)
	}
	return nil
}

// checkGate wants every rule to fail on a planted regression, in every arm.
func checkGate(w io.Writer, base []*stat.Summary, rules []compare.GateRule) error {
	for _, arm := range arms.Group(arms.OfSummaries(base)) {
		for _, r := range rules {
			if err := compare.SelfCheck(arms.Summaries(arm.Runs), r); err != nil {
				return &exit{exitInconclusive, fmt.Errorf("%s: %w", arm.Name, err)}
			}
			fmt.Fprintf(w, "can fail      %s  %s  a planted regression is found\n", arm.Name, r.Text)
		}
	}
	return nil
}

func gate(w io.Writer, base, news []*stat.Summary, rules []compare.GateRule, pass bool) error {
	results, err := compare.Gate(base, news, rules)
	if err != nil {
		return err
	}
	if err := compare.WriteGate(w, results); err != nil {
		return err
	}
	outcome := compare.WorstOutcome(results)
	missing := func(names []string, from string) {
		for _, name := range names {
			fmt.Fprintf(w, "%-12s  %s  is not in %s\n", compare.GateInconclusive, name, from)
			outcome = max(outcome, compare.GateInconclusive)
		}
	}
	missing(arms.Missing(base, news), "the new runs")
	missing(arms.Missing(news, base), "the base")
	switch {
	case outcome == compare.GateWorse:
		return &exit{exitWorse, errors.New("the new runs are worse")}
	case outcome == compare.GateInconclusive && !pass:
		return &exit{exitInconclusive, errors.New("whether the new runs are worse is inconclusive (--inconclusive pass accepts that)")}
	}
	return nil
}
