package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"harelab/engine/nearest"
)

// The checks of a subcommand's arguments. They complain in one voice: what is
// missing and a call that has it, or what is too much.

// none refuses arguments.
func none(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%q is too much: %s takes flags only", args[0], cmd.CommandPath())
	}
	return nil
}

// one wants the argument that the usage line calls name.
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
			return fmt.Errorf("%q is too much: %s takes one %s", args[1], cmd.CommandPath(), name)
		}
		return nil
	}
}

// oneOrMore wants arguments that the usage line calls name.
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

// commandOnly refuses what is not the name of a subcommand.
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
