package main

import (
	"errors"

	"github.com/spf13/cobra"

	"harelab/bench/lab"
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

Figures in virtual time must be identical, message by message; otherwise the exit code
is 3. A folder keeps no credentials, so give an amqp:// target again.`,
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
				return &exit{exitExpectation, errors.New("figures in virtual time differ from the earlier run")}
			}
			return lab.Verdict(again.Summaries())
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&targets, "target", nil, "amqp://user:password@host:port/vhost, for runs that were made on this broker; repeatable")
	f.StringVar(&out, "out", "", "results folder (default runs/TIME)")
	f.BoolVarP(&quiet, "quiet", "q", false, "no progress")
	return cmd
}
