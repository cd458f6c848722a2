package sweep

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"harelab/reports/arms"
	"harelab/reports/internal/specimen"
)

// TestDrawGivesTheSameBytes: a sweep's folder is enough to draw everything again, the
// lanes of short and of long runs included.
func TestDrawGivesTheSameBytes(t *testing.T) {
	long := catalogue()
	long.Extremes = arms.Summarize(busyRun("best", 1000), busyRun("worst", 1000))
	for name, s := range map[string]*Sweep{"short": catalogue(), "long": long, "none": grid(2)} {
		dir := t.TempDir()
		if err := Write(dir, s); err != nil {
			t.Fatal(err)
		}
		before := specimen.Files(t, dir)
		if has := before["plots/lanes.svg"] != "" && before["plots/lanes.png"] != ""; has != (len(s.Extremes) > 0) {
			t.Errorf("%s: lanes drawn: %t", name, has)
		}
		for file := range before {
			if strings.HasPrefix(file, "report") || strings.HasPrefix(file, "plots") {
				if err := os.Remove(filepath.Join(dir, file)); err != nil {
					t.Fatal(err)
				}
			}
		}
		read, err := Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := Draw(dir, read); err != nil {
			t.Fatal(err)
		}
		after := specimen.Files(t, dir)
		for file := range before {
			if before[file] != after[file] {
				t.Errorf("%s: %s differs after a redraw: %s", name, file, cmp.Diff(before[file], after[file]))
			}
		}
		if len(after) != len(before) {
			t.Errorf("%s: %d files, a redraw leaves %d", name, len(before), len(after))
		}
	}
}

// TestWriteReplacesExtremes: a resumed sweep may have another best and worst cell, or be
// interrupted before it has run them.
func TestWriteReplacesExtremes(t *testing.T) {
	first, dir := catalogue(), t.TempDir()
	if err := Write(dir, first); err != nil {
		t.Fatal(err)
	}
	then, fresh := catalogue(), t.TempDir()
	then.Extremes = arms.Summarize(busyRun("best", 20), busyRun("worst", 20))
	for _, d := range []string{dir, fresh} {
		if err := Write(d, then); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(specimen.Files(t, filepath.Join(fresh, extremesName)), specimen.Files(t, filepath.Join(dir, extremesName))); diff != "" {
		t.Errorf("over another sweep's: %s", diff)
	}
	then.Extremes = nil
	if err := Write(dir, then); err != nil {
		t.Fatal(err)
	}
	if s, err := Read(dir); err != nil || s.Extremes != nil {
		t.Errorf("%d runs are left, %v", len(s.Extremes), err)
	}
}

func TestReadRefusesDamagedExtremes(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, catalogue()); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, extremesName, "summary.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), "no summary.json") {
		t.Errorf("error %v", err)
	}
}
