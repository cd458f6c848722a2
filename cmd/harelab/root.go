package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"harelab/cmd/harelab/internal/config"
	"harelab/engine"
	"harelab/engine/nearest"
)

const rootLong = `harelab answers one question before you touch production: why do quick tasks starve
behind slow ones, and what fixes it? It runs the same scenario in virtual time
(exact, at once), on its own AMQP 0-9-1 broker, and on any AMQP broker by URL.

Results go to stdout, progress and errors to stderr.

Exit codes, which mean the same for all commands:
  0    done; all expectations met
  1    could not run, or a check of harelab itself (selftest, replay) found a mistake
  2    wrong usage, or a mistake in a scenario
  3    an expectation of a scenario was not met
  4    not what it was: gate finds the new runs worse, rerun finds other figures
  5    gate cannot tell, from too few or too noisy runs
  6    the figures of a run are invalid, or it left messages that it should have done
  130  interrupted; what was measured is written and marked partial

Environment variables:
  HARELAB_NAME     sets the flag --name of any command: HARELAB_DISPATCH=fair is
                   --dispatch fair; a flag on the command line goes first, a file of
                   settings (serve --config) last
  COLUMNS          the width of text (default the terminal's, else 100)
  NO_COLOR         any value: no colours; a pipe or a file never has colours`

const rootExample = `  harelab run                                     the story, predicted and measured (about 45 s)
  harelab run celery-initial --target sim         one scenario in virtual time, at once
  harelab run my.yaml --target amqp://guest:guest@127.0.0.1:5672/
  harelab list                                    scenarios and strategies
  harelab serve                                   the broker alone, on port 5672`

// newRoot returns the command with all its subcommands.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "harelab",
		Short:         "a lab for message routing and dispatch",
		Long:          rootLong,
		Example:       rootExample,
		Version:       engine.Version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          commandOnly,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return usages(config.FromEnvironment(cmd.Flags()))
		},
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage("%s (see %s --help)", flagMistake(cmd, err), cmd.CommandPath())
	})
	for _, add := range commands {
		root.AddCommand(add())
	}
	argumentsAreUsage(root)
	nameExits(root)
	root.SetUsageTemplate(strings.NewReplacer(".FlagUsages ", ".FlagUsagesWrapped 80 ").Replace(root.UsageTemplate()))
	return root
}

// flagMistake describes what is wrong with a flag and what would have been right.
func flagMistake(cmd *cobra.Command, err error) string {
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return "unknown flag -" + unknown.GetSpecifiedName()
	case errors.As(err, &unknown):
		var have []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { have = append(have, "--"+f.Name) })
		name := "--" + unknown.GetSpecifiedName()
		return "unknown flag " + name + nearest.Hint(name, have)
	case errors.As(err, &invalid) && config.Wanted(invalid.GetFlag()) != "":
		f := invalid.GetFlag()
		return fmt.Sprintf("--%s %q: give %s", f.Name, invalid.GetValue(), config.Wanted(f))
	}
	return err.Error()
}

// commands are the subcommands; each file adds its own.
var commands []func() *cobra.Command

// argumentsAreUsage gives errors about arguments, cobra's or ours, the exit code for
// usage.
func argumentsAreUsage(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usage("%w (see %s --help)", err, cmd.CommandPath())
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		argumentsAreUsage(sub)
	}
}
