package main

import (
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"harelab/bench/lab"
	"harelab/bench/matchlab"
	"harelab/reports/stat"
)

func init() { commands = append(commands, newRerun) }

func newRerun() *cobra.Command {
	var (
		targets []string
		out     string
		quiet   bool
	)
	cmd := &cobra.Command{
		Use:   "rerun DIR",
		Short: "run a results folder again and report what differs",
		Long: `Run the scenarios of a results folder again: the text of scenario.resolved.yaml with the
same seeds on the same targets. Then report what differs: the versions of harelab and
Go, the machine, the target, and the figures.

Figures in virtual time must be identical, message by message. Figures on a real clock
never are: rerun shows both and judges the new runs by the scenario's expectations. A
folder keeps no credentials, so give an amqp:// target again.

A folder of bench match is measured again, and the samples are compared.`,
		Example: `  harelab rerun runs/20261121T071300Z
  harelab rerun runs/main --target amqp://guest:guest@127.0.0.1:5672/ --out runs/main-again`,
		Args: one("DIR", "harelab rerun runs/20261121T071300Z"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var given []lab.Target
			for _, s := range targets {
				t, err := lab.ParseTarget(s)
				if err != nil {
					return err
				}
				given = append(given, t)
			}
			if matchlab.Is(args[0]) {
				if len(given) > 0 {
					return usage("--target: %s is a folder of bench match, which has no target", args[0])
				}
				return rerunMatch(cmd, args[0], out, quiet)
			}
			past, err := lab.OpenPast(args[0], given)
			if err != nil {
				return err
			}
			again, err := measure(cmd, past.Arms, 1, out, quiet)
			if err != nil {
				return err
			}
			same, err := past.WriteDifferences(cmd.OutOrStdout(), again)
			if err != nil {
				return err
			}
			if !same {
				return &exit{exitWorse, errors.New("figures in virtual time differ from the earlier run")}
			}
			return lab.Verdict(measured(again.Summaries()))
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&targets, "target", nil, "amqp://user:password@host:port/vhost, for runs that were made on this broker; repeatable")
	f.StringVar(&out, "out", "", "results folder (default runs/TIME)")
	f.BoolVarP(&quiet, "quiet", "q", false, "no progress")
	return cmd
}

// measured returns the runs on a real clock. An identical run in virtual time has the
// verdict of the earlier one, which is no news.
func measured(ss []*stat.Summary) []*stat.Summary {
	return slices.DeleteFunc(slices.Clone(ss), func(s *stat.Summary) bool { return s.Virtual })
}
