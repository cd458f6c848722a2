package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

const unmetScenario = tinyScenario + `expect: {that: ["wait.max < 1us"]}
`

// TestExitCodes: each outcome of each command has its code, and the command's help lists
// it.
func TestExitCodes(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{"tiny.yaml": tinyScenario, "unmet.yaml": unmetScenario, "broken.yaml": "schema: 1\n",
		"none.transcript": "",
		"slow.yaml":       strings.Replace(tinyScenario, "threads: 1,", "threads: 1, slow: 5,", 1), "other.json": "{}"} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		code    int
		outcome string
		call    string // in the order in which folders are made
	}{
		{0, "all is well", "run tiny.yaml --target sim -q --out tiny"},
		{3, "an expectation is not met", "run unmet.yaml --target sim -q --out unmet"},
		{2, "a mistake in a scenario", "run broken.yaml --target sim -q"},
		{2, "a wrong flag", "run --nosuch"},
		{1, "no broker answers", "run tiny.yaml --target amqp://guest:guest@127.0.0.1:1/ -q"},
		{0, "a short load", "perf --target sim -z 1 --rate 100 --out perf"},
		{2, "a wrong number", "perf --consumers -1"},
		{0, "identical", "rerun tiny -q"},
		{0, "identical, and not met as before", "rerun unmet -q"},
		{1, "no folder", "rerun nosuch"},
		{2, "no argument", "rerun"},
		{0, "the same", "compare tiny tiny"},
		{0, "another", "compare tiny unmet"},
		{1, "nothing in common", "compare tiny perf --metric wait.p99{class=job}"},
		{2, "one side", "compare tiny"},
		{0, "varied", "compare --vary order=fifo,priority tiny.yaml --target sim -q --out varied"},
		{0, "not worse", "gate tiny --against tiny --fail wait.p99,+5%"},
		{0, "a slow worker", "run slow.yaml --target sim -q --out slow"},
		{4, "worse", "gate slow --against tiny --fail wait.max,+5%"},
		{5, "another load", "gate perf --against tiny --fail wait.max,+5%"},
		{2, "no rule", "gate tiny --against tiny"},
		{1, "no base", "gate tiny --against nosuch --fail wait.p99,+5%"},
		{0, "swept", "sweep tiny.yaml --axis order=fifo,priority -q --out swept"},
		{2, "no axis", "sweep tiny.yaml"},
		{0, "drawn again", "report tiny"},
		{0, "drawn again, not met", "report unmet"},
		{1, "no such folder", "report nosuch"},
		{2, "no folder named", "report"},
		{0, "listed", "list orders"},
		{2, "no such kind", "list nosuch"},
		{2, "no flags", "doctor me"},
		{2, "no address", "serve --amqp nowhere"},
		{1, "answers that are none", "selftest --answers other.json"},
		{2, "an argument", "selftest me"},
		{2, "no transcript", "replay none.transcript"},
		{2, "no such strategy", "bench match --strategy nosuch"},
	} {
		root := newRoot()
		root.SetOut(io.Discard)
		args := strings.Fields(tt.call)
		for i, a := range args {
			if strings.HasPrefix(a, "wait.") { // a comma stands for the space in a rule
				args[i] = strings.ReplaceAll(a, ",", " ")
			}
		}
		root.SetArgs(args)
		err := root.Execute()
		if got := codeOf(err); got != tt.code {
			t.Errorf("%s (harelab %s): exit code %d, want %d; %v", tt.outcome, tt.call, got, tt.code, err)
		}
		cmd, _, _ := newRoot().Find(args)
		if help := exitsIn(cmd); !strings.Contains(help, fmt.Sprintf(" %d ", tt.code)) {
			t.Errorf("%s: the help of %s has no exit code %d: %s", tt.outcome, cmd.Name(), tt.code, help)
		}
	}
}

// exitsIn returns the part of a command's help that is about exit codes.
func exitsIn(cmd *cobra.Command) string {
	var buf bytes.Buffer
	cmd.SetOut(&buf)
	cmd.Help()
	_, codes, _ := strings.Cut(buf.String(), "Exit codes:")
	codes, _, _ = strings.Cut(codes, "Usage:")
	return " " + strings.NewReplacer("\n", " ", ";", " ").Replace(codes)
}
