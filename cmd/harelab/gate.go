package main

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"harelab/bench/lab"
	"harelab/engine/nearest"
	"harelab/reports/compare"
)

func init() { commands = append(commands, newGate) }

func newGate() *cobra.Command {
	var (
		against      string
		fail         []string
		inconclusive string
		selfCheck    bool
		filter       string
	)
	cmd := &cobra.Command{
		Use:   "gate NEW --against BASE --fail RULE...",
		Short: "fail when results are worse than others",
		Long: `Check the runs in NEW against those in BASE, arm by arm. A rule is a metric and the
change that it allows: 'wait.p99 +5%', 'throughput -3%', 'wait.max{class=NAME} +50ms'. A
change significantly beyond that is worse, one significantly within it is ok. Everything
else is inconclusive, and so are runs with different loads and arms missing on one side.
On a real clock, measure both sides with --repeat 6 or more; in virtual time one run is
exact.

In files of Go's benchmark format (bench.txt, the output of go test -bench) a rule is a
unit and the change that it allows in every row that has it: 'ns/op +5%', 'allocs/op +0',
'cpu-ns/op{strategy=nfa} +10%'. A bench.txt of runs or of a sweep also takes metrics. What
only one of the files has is inconclusive.

With --selfcheck, first plant a regression of twice what each rule allows in BASE's
figures; the rule must call it worse, since a gate that cannot fail is no gate. NEW may
then be left out.`,
		Example: `  harelab gate runs/mine --against runs/main --fail 'wait.p99 +5%'
  harelab gate runs/mine --against runs/main --fail 'throughput -3%' --inconclusive pass
  harelab gate new.txt --against old.txt --fail 'ns/op +5%' --fail 'allocs/op +0'
  harelab gate --against runs/main --fail 'held.max{class=run_user_query} +50ms' --selfcheck`,
		Args: atMostOne("NEW"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case against == "":
				return usage("--against is missing: give the results folder of the base")
			case len(fail) == 0:
				return usage("--fail is missing: give at least one rule, for example --fail 'wait.p99 +5%%'")
			case len(args) == 0 && !selfCheck:
				return usage("NEW is missing: give the results folder of the new runs, as in: harelab gate runs/mine --against runs/main --fail 'wait.p99 +5%%' (only --selfcheck works without)")
			case inconclusive != "fail" && inconclusive != "pass":
				return usage("--inconclusive %q%s", inconclusive, nearest.Choices(inconclusive, []string{"fail", "pass"}))
			}
			news := ""
			if len(args) > 0 {
				news = args[0]
			}
			g, err := openGate(cmd, against, news, filter, fail)
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			if selfCheck {
				if err := g.SelfCheck(w); err != nil {
					return &exit{exitInconclusive, err}
				}
			}
			if news == "" {
				return nil
			}
			outcome, err := g.Run(w)
			if err != nil {
				return err
			}
			return gateExit(outcome, inconclusive == "pass")
		},
	}
	f := cmd.Flags()
	f.StringVar(&against, "against", "", "results folder or benchmark file of the base")
	f.StringVar(&filter, "filter", "", "of benchmark files: only these benchmarks and units, as benchstat filters, for example '/strategy:nfa'")
	f.StringArrayVar(&fail, "fail", nil, "rule, for example 'wait.p99 +5%'; repeatable")
	f.StringVar(&inconclusive, "inconclusive", "fail", "how to treat inconclusive rules: fail or pass")
	f.BoolVar(&selfCheck, "selfcheck", false, "first prove that each rule can fail")
	return cmd
}

// A gate checks new results against those of a base by rules.
type gate interface {
	SelfCheck(w io.Writer) error
	Run(w io.Writer) (compare.GateOutcome, error)
}

// openGate reads both sides: benchmark files, or results folders of runs.
func openGate(cmd *cobra.Command, against, news, filter string, rules []string) (gate, error) {
	b, err := lab.OpenBenchGate(against, news, filter, rules)
	if err != nil {
		return nil, err
	}
	if b != nil {
		return b, nil
	}
	if cmd.Flags().Changed("filter") {
		return nil, usage("--filter is for files in Go's benchmark format; of runs the labels of a rule choose, for example 'wait.p99{class=NAME} +5%%'")
	}
	return lab.OpenGate(against, news, rules)
}

// gateExit returns the error with the exit code of an outcome.
func gateExit(o compare.GateOutcome, pass bool) error {
	switch {
	case o == compare.GateWorse:
		return &exit{exitWorse, errors.New("the new runs are worse")}
	case o == compare.GateInconclusive && !pass:
		return &exit{exitInconclusive, errors.New("whether the new runs are worse is inconclusive (--inconclusive pass accepts that)")}
	}
	return nil
}
