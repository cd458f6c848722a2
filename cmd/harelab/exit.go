package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"harelab/reports/terminal"
)

// The exit codes.
const (
	exitDone         = 0
	exitFailed       = 1   // could not run, or a check of harelab itself found a mistake
	exitUsage        = 2   // wrong usage, or a mistake in a scenario
	exitExpectation  = 3   // an expectation was not met
	exitWorse        = 4   // not what it was: gate finds it worse, rerun different
	exitInconclusive = 5   // gate: too few or too noisy repeats
	exitInvalid      = 6   // a run's figures must not be used, or it left messages that it should have done
	exitInterrupted  = 130 // Ctrl-C; what was measured is written
)

// usually says what codes mean where a command has no words of its own.
var usually = map[int]string{
	exitDone:        "done",
	exitFailed:      "could not run",
	exitUsage:       "wrong usage, or a mistake in a scenario",
	exitExpectation: "an expectation was not met",
	exitInvalid:     "the figures of a run are invalid, or it left messages that it should have done",
	exitInterrupted: "interrupted",
}

// exitsOf has the exit codes of each command with their meaning; empty: the usual one.
var exitsOf = map[string]map[int]string{
	"run":         {0: "done, all expectations met", 1: "", 2: "", 3: "", 6: "", 130: ""},
	"perf":        {0: "", 1: "", 2: "", 6: "", 130: ""},
	"compare":     {0: "compared, whatever was found (harelab gate fails if something is worse)", 1: "nothing in common to compare, or could not run", 2: "", 6: "with --vary, a run is invalid", 130: ""},
	"gate":        {0: "all rules are ok", 1: "", 2: "", 4: "worse", 5: "inconclusive, or a rule that cannot fail"},
	"sweep":       {0: "done, whatever the cells show", 1: "", 2: "", 6: "the figures of a cell are invalid", 130: ""},
	"rerun":       {0: "all runs in virtual time are identical, also those that do not meet an expectation", 1: "", 2: "", 3: "a new run on a real clock does not meet an expectation", 4: "a run in virtual time differs", 6: "a new run on a real clock is invalid", 130: ""},
	"report":      {0: "drawn, whatever the runs show", 1: "no results folder, or it could not be written", 2: "wrong usage", 130: "interrupted; report draws the rest when it runs again"},
	"list":        {0: "", 2: "wrong usage"},
	"doctor":      {0: "checked, whatever was found", 2: "wrong usage"},
	"serve":       {0: "ended by Ctrl-C", 1: "could not open the data, listen or serve", 2: "wrong usage"},
	"selftest":    {0: "everything agrees", 1: "a mismatch, or a file could not be read", 2: "wrong usage", 130: "interrupted"},
	"replay":      {0: "all decisions are the same", 1: "a decision differs (harelab prints the first one with the event's number and both decisions)", 2: "the file is not a transcript"},
	"bench match": {0: "", 1: "", 2: "wrong usage", 130: "interrupted; what was measured is written"},
}

// nameExits ends the help of each command with its exit codes.
func nameExits(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		nameExits(sub)
	}
	_, name, _ := strings.Cut(cmd.CommandPath(), " ")
	codes, ok := exitsOf[name]
	if !ok {
		return
	}
	var parts []string
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		what := codes[code]
		if what == "" {
			what = usually[code]
		}
		parts = append(parts, fmt.Sprintf("%d %s", code, what))
	}
	cmd.Long += "\n\n" + strings.Join(terminal.Fold("Exit codes: "+strings.Join(parts, "; ")+".", 88), "\n")
}
