//go:build unix

package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// finish reads p's output to the end and returns it with the exit code.
func (p process) finish() (stdout, stderr string, code int) {
	said := make(chan string)
	go func() {
		b, _ := io.ReadAll(p.stderr)
		said <- string(b)
	}()
	b, _ := io.ReadAll(p.stdout)
	stderr = <-said
	p.Wait()
	return string(b), stderr, p.ProcessState.ExitCode()
}

// TestInterruptedSweepGoesOn interrupts a sweep twice, resumes it, and checks that its
// folder has the same bytes as that of an uninterrupted one.
func TestInterruptedSweepGoesOn(t *testing.T) {
	t.Parallel()
	const of = " of 80 cells"
	sweep := func(out string, more ...string) process {
		return start(t, append([]string{"sweep", "prefetch-sweep", "--set", "duration=10s", "--repeat", "1", "--axis", "prefetch=1..10", "--axis", "workers=1..8", "--out", out}, more...)...)
	}
	whole, cut := filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "out")
	if out, said, code := sweep(whole, "--quiet").finish(); code != exitDone || strings.Contains(out, "PARTIAL") || said != "" {
		t.Fatalf("exit code %d, stdout %q, stderr %q", code, out, said)
	}
	for _, more := range [][]string{nil, {"--resume"}} {
		p := sweep(cut, more...)
		await(t, p.stderr, of)
		p.signal(t, os.Interrupt)
		out, said, code := p.finish()
		if code != exitInterrupted {
			t.Fatalf("exit code %d, want %d: %s", code, exitInterrupted, said)
		}
		if !strings.Contains(out, "PARTIAL: ") || !strings.Contains(out, of+" were run.") || !strings.Contains(out, "report.html") {
			t.Errorf("stdout says nothing of a partial sweep or its report:\n%s", out)
		}
		if want := "--resume --out " + cut + " runs the rest"; !strings.Contains(said, want) {
			t.Errorf("stderr does not say %q:\n%s", want, said)
		}
		page, err := os.ReadFile(filepath.Join(cut, "report.md"))
		if err != nil || !strings.Contains(string(page), " of 80 combinations have a valid run.") {
			t.Errorf("the report does not say that cells are missing (%v)", err)
		}
	}
	if out, said, code := sweep(cut, "--resume").finish(); code != exitDone || strings.Contains(out, "PARTIAL") {
		t.Fatalf("exit code %d, stdout %q, stderr %q", code, out, said)
	}
	if out, err := exec.Command("diff", "-rq", whole, cut).CombinedOutput(); err != nil {
		t.Errorf("resumed, the folder is another: %v\n%s", err, out)
	}
}
