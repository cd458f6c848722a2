package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"harelab/engine/nearest"
)

// The checks of a subcommand's arguments. Their errors have one form: they name the
// missing argument with an example, or the argument that is too many.

// none refuses arguments.
func none(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q: %s takes flags only", args[0], cmd.CommandPath())
	}
	return nil
}

// one requires the argument that the usage line calls name, and no other.
func one(name, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return missing(cmd, name, example)
		}
		return atMostOne(name)(cmd, args)
	}
}

// atMostOne refuses a second argument.
func atMostOne(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return fmt.Errorf("unexpected argument %q: %s takes one %s", args[1], cmd.CommandPath(), name)
		}
		return nil
	}
}

// oneOrMore requires at least one of the arguments that the usage line calls name.
func oneOrMore(name, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return missing(cmd, name, example)
		}
		return nil
	}
}

func missing(cmd *cobra.Command, name, example string) error {
	return fmt.Errorf("%s needs a %s, as in: %s", cmd.CommandPath(), name, example)
}

// commandOnly refuses an argument, since it is not the name of a subcommand.
func commandOnly(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var have []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			have = append(have, sub.Name())
		}
	}
	return fmt.Errorf("unknown command %q%s", args[0], nearest.Choices(args[0], have))
}
