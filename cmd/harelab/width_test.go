package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"harelab/reports/terminal"
	"harelab/scenarios"
)

// longNames is a scenario whose names leave no room for figures.
const longNames = `schema: harelab/v1
name: a-scenario-whose-name-is-as-long-as-the-names-that-people-give-to-their-services
title: "A title that goes on for so long that no terminal of eighty columns has a line which would hold all of it"
params: {prefetch: 1}
topology: {queues: [{name: q}]}
classes:
  - {name: reports.tasks.generate_quarterly_statement_for_every_customer, publish: {exchange: "", key: q}, service: 3s}
  - {name: reports.tasks.send_notification_about_quarterly_statements_by_mail, publish: {exchange: "", key: q}, service: 12345us}
load:
  - sequence: s
    phases:
      - {class: reports.tasks.generate_quarterly_statement_for_every_customer, model: burst, count: 40}
      - {class: reports.tasks.send_notification_about_quarterly_statements_by_mail, model: burst, count: 4000}
workers: [{name: w, threads: 1, consume: [{queue: q}], prefetch: =prefetch, ack: on-done}]
expect: {that: ["wait.p99{class=reports.tasks.send_notification_about_quarterly_statements_by_mail} < 1s", "lost == 0"]}
`

// say runs a command line in this process and returns what it prints in lines of so many
// columns.
func say(t *testing.T, columns int, args ...string) string {
	t.Helper()
	var buf bytes.Buffer
	root := newRoot()
	root.SetOut(&results{to: &buf, style: terminal.Style{Columns: columns}})
	root.SetArgs(args)
	if err := root.Execute(); err != nil && codeOf(err) <= exitUsage {
		t.Fatalf("harelab %v: %v", args, err)
	}
	return buf.String()
}

// TestNoLineIsWider runs every command that prints results, and checks that no line is
// wider than asked. Only a word that is longer than a line, as a path, may be.
func TestNoLineIsWider(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs every command and scenario twice, in one goroutine: minutes under the race detector")
	}
	dir := t.TempDir()
	answers, err := filepath.Abs("../../loadgen/selftest/testdata/answers.json")
	if err != nil {
		t.Fatal(err)
	}
	long := filepath.Join(dir, "long.yaml")
	if err := os.WriteFile(long, []byte(longNames), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	names := append(scenarios.Names(), long)
	calls := [][]string{
		{"report", "base"}, {"report", "long"}, {"rerun", "base", "-q", "--out", "OUT"},
		{"compare", "base", "base"}, {"compare", "long", "long"}, {"compare", "base/bench.txt", "base/bench.txt", "--all"}, {"compare", "long/bench.txt", "long/bench.txt"},
		{"compare", "--vary", "prefetch=1,2,4,8,16", long, "--target", "sim", "-q", "--out", "OUT"},
		{"gate", "base", "--against", "base", "--fail", "wait.p99 +5%", "--fail", "throughput -3%", "--selfcheck"},
		{"gate", "long", "--against", "long", "--fail", "wait.p99{class=reports.tasks.send_notification_about_quarterly_statements_by_mail} +5%"},
		{"sweep", long, "--axis", "prefetch=1..4", "--axis", "order=fifo,sjf", "-q", "--out", "OUT"},
		{"report", "sweep"}, {"report", "match"}, {"rerun", "match", "-q", "--out", "OUT"},
		{"selftest", "--answers", answers}, {"replay", "queue.transcript"},
		{"list"}, {"doctor"}, {"perf", "--target", "sim", "-z", "1", "--rate", "200", "--out", "OUT"},
	}
	for _, name := range names {
		calls = append(calls, []string{"run", name, "--target", "sim", "-q", "--out", "OUT"})
	}
	say(t, 100, "run", "celery-optimized", "--target", "sim", "-q", "--out", "base")
	say(t, 100, "run", long, "--target", "sim", "-q", "--out", "long")
	say(t, 100, "sweep", long, "--axis", "prefetch=1..4", "-q", "--out", "sweep")
	say(t, 100, "bench", "match", "--quick", "--repeat", "2", "--sample", "1ms", "--workload", "celery", "-q", "--out", "match")
	if err := os.WriteFile("queue.transcript", []byte("queue selector=rr order=fifo limits\njoin 0\n\npublish 5\n> deliver id=1 c=0 ref=0\nend\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	walked := map[string]bool{"completion": true, "help": true, "serve": true, "bench": true} // bench: report and rerun print its table
	n := 0
	for _, columns := range []int{80, 100} {
		for _, call := range calls {
			walked[call[0]] = true
			args := append([]string{}, call...)
			for i, a := range args {
				if a == "OUT" {
					n++
					args[i] = filepath.Join("out", string(rune('a'+n/26))+string(rune('a'+n%26)))
				}
			}
			text := say(t, columns, args...)
			if text == "" {
				t.Errorf("harelab %v prints nothing", args)
			}
			for line := range strings.Lines(text) {
				line = strings.TrimRight(line, "\n")
				if w := terminal.Width(line); w > columns && len(strings.Fields(line)) > 2 {
					t.Errorf("harelab %s: %d columns of %d:\n%s", strings.Join(args, " "), w, columns, line)
				}
			}
		}
	}
	for _, c := range newRoot().Commands() {
		if c.IsAvailableCommand() && !walked[c.Name()] {
			t.Errorf("the output of harelab %s was not looked at", c.Name())
		}
	}
}

// TestHelpIsNarrow: the help of every command fits 100 columns, and has an example.
func TestHelpIsNarrow(t *testing.T) {
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		if !c.IsAvailableCommand() && c.HasParent() {
			return
		}
		var buf bytes.Buffer
		c.SetOut(&buf)
		c.InitDefaultHelpFlag()
		if err := c.Help(); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(buf.String()) {
			if w := terminal.Width(strings.TrimRight(line, "\n")); w > terminal.Columns {
				t.Errorf("%s --help: %d columns: %s", c.CommandPath(), w, line)
			}
		}
		if c.Example == "" {
			t.Errorf("%s --help has no example", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(newRoot())
}
