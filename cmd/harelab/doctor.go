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
		Short: "check this machine for noise that spoils measurements",
		Long: `Check this machine for about a second and print what would spoil measurements on the
real clock: processors and their speed, the clock, late timers, other load, the limit of
open files, the broker's port. Runs in virtual time are not affected.

A line begins with ok, with note for a fact to keep in mind when reading figures, or
with bad for one that spoils them. The exit code is always 0.`,
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
				doctor.Note: "This machine is fit to measure on; repeat runs, and compare only runs of one session.",
				doctor.Bad:  "Trust figures that this machine measures on the real clock only after several repeats (--repeat 6).",
			}[worst])
			return err
		},
	}
}
