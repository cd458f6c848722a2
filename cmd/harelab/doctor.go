package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"harelab/cmd/harelab/internal/doctor"
)

func init() { commands = append(commands, newDoctor) }

func newDoctor() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "say what this machine would do to measurements",
		Long: `Look at this machine for about a second and print what would spoil measurements on the
real clock: processors, speed, clock, how late timers are, who else uses the processors,
open files, the broker's port. Runs in virtual time do not care.

A line begins with ok, with note for what to know when reading figures, or with bad for
what spoils them. The exit code is 0 whatever is found.`,
		Example: `  harelab doctor
  harelab doctor | grep ^bad`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w := cmd.OutOrStdout()
			worst := doctor.Well
			for _, s := range doctor.ThisMachine(os.DirFS("/")).Diagnose() {
				fmt.Fprintf(w, "%-4s  %-11s %s\n", s.Health, s.Name, s.Text)
				if s.Health == doctor.Bad || worst == doctor.Well {
					worst = s.Health
				}
			}
			_, err := fmt.Fprintln(w, map[doctor.Health]string{
				doctor.Well: "This machine is fit to measure on.",
				doctor.Note: "This machine is fit to measure on; repeat runs and compare within one sitting.",
				doctor.Bad:  "Trust figures of the real clock from this machine only after several repeats (--repeat 6).",
			}[worst])
			return err
		},
	}
}
