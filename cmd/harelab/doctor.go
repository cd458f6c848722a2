package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"harelab/cmd/harelab/internal/doctor"
	"harelab/reports/terminal"
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
with bad for one that spoils them.`,
		Example: `  harelab doctor
  harelab doctor | grep ^bad`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w := cmd.OutOrStdout()
			worst := doctor.Well
			for _, s := range doctor.ThisMachine(os.DirFS("/")).Diagnose() {
				tone := map[doctor.Health]terminal.Tone{doctor.Note: terminal.Doubt, doctor.Bad: terminal.Bad}[s.Health]
				if err := terminal.WriteText(w, tone, fmt.Sprintf("%-4s  %-11s ", s.Health, s.Name), strings.Repeat(" ", 18), s.Text); err != nil {
					return err
				}
				if s.Health == doctor.Bad || worst == doctor.Well {
					worst = s.Health
				}
			}
			return terminal.WriteText(w, terminal.Neutral, "", "", map[doctor.Health]string{
				doctor.Well: "This machine is fit to measure on.",
				doctor.Note: "This machine is fit to measure on; repeat runs, and compare only runs of one session.",
				doctor.Bad:  "Trust figures that this machine measures on the real clock only after several repeats (--repeat 6).",
			}[worst])
		},
	}
}
