//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReaderGone closes stdout before harelab writes to it. The results are in the folder
// all the same, and the exit code is that of the run.
func TestReaderGone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		args []string
		code int
	}{
		{"run", []string{"run", "celery-initial", "--target", "sim"}, exitDone},
		{"expectation", []string{"run", "celery-optimized", "--variant", "base", "--set", "queries=1", "--target", "sim"}, exitExpectation},
		{"sweep", []string{"sweep", "odd-heavy-even-light", "--axis", "prefetch=1,2"}, exitDone},
		{"compare", []string{"compare", "--vary", "prefetch=1,2", "odd-heavy-even-light", "--target", "sim"}, exitDone},
	} {
		dir := filepath.Join(t.TempDir(), "out")
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		cmd := exec.Command("harelab", append(tt.args, "--out", dir)...)
		cmd.Stdout = w
		cmd.Run()
		w.Close()
		if code := cmd.ProcessState.ExitCode(); code != tt.code {
			t.Errorf("%s: exit code %d, want %d", tt.name, code, tt.code)
		}
		if _, err := os.Stat(filepath.Join(dir, "report.html")); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestStdoutFails makes writing to stdout fail, as a full disk does. Harelab reports that
// after everything else is done.
func TestStdoutFails(t *testing.T) {
	t.Parallel()
	readOnly, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer readOnly.Close()
	dir := filepath.Join(t.TempDir(), "out")
	cmd := exec.Command("harelab", "run", "celery-initial", "--target", "sim", "--out", dir)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = readOnly, &said
	cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != exitFailed || !strings.Contains(said.String(), "/dev/stdout: bad file descriptor") {
		t.Errorf("exit code %d, stderr %q, want %d and why", code, said.String(), exitFailed)
	}
	if _, err := os.Stat(filepath.Join(dir, "report.html")); err != nil {
		t.Error(err)
	}
}
