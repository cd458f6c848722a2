package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "draw the README's chart and write the outputs that scripts expect anew")

const readme = "../../README.md"

// runStory runs the README's story in virtual time and returns its output.
func runStory(t *testing.T, args ...string) (dir, printed string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "run")
	root := newRoot()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs(append([]string{"run", "--target", "sim", "--quiet", "--out", dir}, args...))
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	return dir, out.String()
}

// TestReadmeFigures checks every time in the story's table against the output of the
// command that the README names.
func TestReadmeFigures(t *testing.T) {
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	_, printed := runStory(t)
	seconds := regexp.MustCompile(`\d+(?:\.\d+)? s\b`)
	rows, figures := 0, 0
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| one queue") && !strings.HasPrefix(line, "| split queues") {
			continue
		}
		rows++
		cells := strings.Split(line, "|")
		for _, cell := range cells[2 : len(cells)-2] {
			for _, figure := range seconds.FindAllString(cell, -1) {
				figures++
				if !strings.Contains(printed, " "+figure+" ") {
					t.Errorf("the README says %s, which harelab run --target sim does not print", figure)
				}
			}
		}
	}
	if rows != 4 || figures != 12 {
		t.Errorf("found %d rows with %d times in the README's story, want 4 with 12", rows, figures)
	}
	if !strings.Contains(printed, "11 run_user_query held by a worker that was busy with something else") {
		t.Error("the README says that 11 of 40 queries are stuck, which is not printed")
	}
}

// TestReadmeChart checks the README's chart against the chart that the same command draws.
func TestReadmeChart(t *testing.T) {
	const chart = "../../reports/readme.svg"
	dir, _ := runStory(t, "--variant", "same-load,same-load-fair")
	drawn, err := os.ReadFile(filepath.Join(dir, "plots", "lanes.svg"))
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(chart, drawn, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(chart)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(kept, drawn) {
		t.Errorf("%s is not what the lab draws now; look at it, then run: go test ./cmd/harelab -update", chart)
	}
}
