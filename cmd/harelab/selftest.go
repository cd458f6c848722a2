package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"harelab/loadgen/selftest"
)

func init() { commands = append(commands, newSelftest) }

func newSelftest() *cobra.Command {
	var answers []string
	cmd := &cobra.Command{
		Use:   "selftest",
		Short: "check the simulator against queueing theory and known answers",
		Long: `Run models with closed forms in virtual time (M/M/1, M/M/c, M/G/1, D/M/1, round-robin
push, priorities) and print what theory expects, what was simulated, and the difference
in standard errors. Every run also checks Little's law, as an identity of integers.

With --answers, run the cases of known-answers files instead: scenarios with the exact
outcome of an independent simulator. Integers must be equal, decimals agree to 1e-6;
every mismatch is printed with case, message, field, want and got.`,
		Example: `  harelab selftest
  harelab selftest --answers known_answers.json`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			defer endAtSignal()()
			w := cmd.OutOrStdout()
			if len(answers) == 0 {
				failed, err := selftest.RunClosedForms(w)
				if err == nil && failed > 0 {
					err = &exit{exitFailed, fmt.Errorf("%d of the models above differ from theory", failed)}
				}
				return err
			}
			mismatches := 0
			for _, path := range answers {
				f, err := os.Open(path)
				if err != nil {
					return fmt.Errorf("%w", err)
				}
				n, err := selftest.RunAnswers(f, w)
				f.Close()
				if err != nil {
					return fmt.Errorf("%s: %w", path, err)
				}
				mismatches += n
			}
			if mismatches > 0 {
				return &exit{exitFailed, fmt.Errorf("mismatches: %d", mismatches)}
			}
			return nil
		},
	}
	cmd.Flags().StringArrayVar(&answers, "answers", nil, "a known-answers file; repeatable")
	return cmd
}
