package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"harelab/cmd/harelab/internal/config"
	"harelab/engine"
)

const configHelp = `Each flag can also be set in the environment (HARELAB_DISPATCH=fair) and by a key of
a YAML file given with --config:

  amqp: 127.0.0.1:5672
  dispatch: fair
  verbose: true

The command line goes first, then the environment, then the file. A mistake is named
with its file and line. --check tells all of them and starts nothing: exit code 0
without mistakes, else 2. It holds definitions against a broker that has no data.
--print-config prints what holds, as such a file, and where each value came from.`

// A serveConfig has the flags about the settings themselves.
type serveConfig struct {
	path     string
	check    bool
	print    bool
	mistakes []error // in the environment and the file
}

// aboutSettings are the flags that are no settings.
var aboutSettings = []string{"config", "check", "print-config"}

func (c *serveConfig) add(f *pflag.FlagSet) {
	f.StringVar(&c.path, "config", "", "YAML file of settings, whose keys are the names of flags")
	f.BoolVar(&c.check, "check", false, "check all settings and the files that they name, and exit")
	f.BoolVar(&c.print, "print-config", false, "print all settings with where they came from, and exit")
}

func (c *serveConfig) fill(*engine.Options) error { return nil }

// read sets the flags that were not given from the environment and then from the file. It
// keeps the mistakes, so that they are told together with those that fill finds.
func (c *serveConfig) read(flags *pflag.FlagSet) {
	c.mistakes = config.FromEnvironment(flags)
	if c.path != "" {
		c.mistakes = append(c.mistakes, config.FromFile(flags, c.path, aboutSettings...)...)
	}
}

// done reports whether the settings are all that was asked for.
func (c *serveConfig) done() bool { return c.check || c.print }

// report prints the settings, or says that they have no mistake.
func (c *serveConfig) report(cmd *cobra.Command) error {
	if c.print {
		return config.Print(cmd.OutOrStdout(), cmd.Flags(), aboutSettings...)
	}
	fmt.Fprintln(cmd.OutOrStdout(), "all settings are right")
	return nil
}

// parts returns the errors that err joins, or err.
func parts(err error) []error {
	var joined interface{ Unwrap() []error }
	switch {
	case err == nil:
		return nil
	case errors.As(err, &joined):
		return joined.Unwrap()
	}
	return []error{err}
}
