package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"harelab/loadgen"
	"harelab/reports/sweep"
)

// smallSweep returns a sweep of six cells of the tutorial's tasks in virtual time.
func smallSweep(t testing.TB) *Sweep {
	t.Helper()
	s, err := NewSweep(SweepRequest{
		Scenario: "odd-heavy-even-light", Target: Target{Kind: Sim},
		Axes: []Axis{{Name: "prefetch", Values: []string{"1", "2", "0"}}, {Name: "dispatch", Values: []string{"rr", "fair"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func quiet(SweepProgress) {}

// runAll runs the cells that are not in done and returns all cells.
func runAll(t *testing.T, s *Sweep, done []Cell, record func(Cell) error) []Cell {
	t.Helper()
	cells := done
	err := s.Run(context.Background(), done, func(c Cell) error {
		cells = append(cells, c)
		return record(c)
	}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return cells
}

// written returns the bytes of sweep.json.
func written(t *testing.T, s *Sweep, cells []Cell) string {
	t.Helper()
	report, err := s.Report(context.Background(), cells, []string{"harelab", "sweep"})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := sweep.Write(dir, report); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "sweep.json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestResumedSweepIsTheSame stops a sweep at its third cell, cuts the line of a fourth off
// in the middle, resumes it, and checks that it gives the same as an uninterrupted sweep.
func TestResumedSweepIsTheSame(t *testing.T) {
	s := smallSweep(t)
	s.Repeat = 2
	want := written(t, s, runAll(t, s, nil, func(Cell) error { return nil }))

	path := filepath.Join(t.TempDir(), "cells.jsonl")
	cellLog, _, err := OpenCellLog(path, s, false)
	if err != nil {
		t.Fatal(err)
	}
	stop := errors.New("enough")
	n := 0
	err = s.Run(context.Background(), nil, func(c Cell) error {
		if n == 3 {
			return stop
		}
		n++
		return cellLog.Append(c)
	}, quiet)
	if !errors.Is(err, stop) {
		t.Fatalf("the stopped sweep ended with %v", err)
	}
	cutOff := `{"cell":5,"repeat":0,"findings":["` + strings.Repeat("longer than any line, ", 100)
	if _, err := cellLog.f.WriteString(cutOff); err != nil {
		t.Fatal(err)
	}
	cellLog.Close()

	again := smallSweep(t)
	again.Repeat = 2
	cellLog, done, err := OpenCellLog(path, again, true)
	if err != nil {
		t.Fatal(err)
	}
	defer cellLog.Close()
	if kept, err := os.ReadFile(path); err != nil || strings.Contains(string(kept), "longer") {
		t.Errorf("the line that was cut off is still there (%v)", err)
	}
	if len(done) != 3 {
		t.Fatalf("the cell log holds %d cells, want 3", len(done))
	}
	ran := 0
	cells := runAll(t, again, done, func(c Cell) error { ran++; return cellLog.Append(c) })
	if ran != 9 {
		t.Errorf("resuming ran %d cells, want the 9 that were left", ran)
	}
	if got := written(t, again, cells); got != want {
		t.Errorf("resumed:\n%s\nin one go:\n%s", got, want)
	}
	_, all, err := OpenCellLog(path, again, true)
	if err != nil || len(all) != 12 {
		t.Errorf("the whole cell log: %d cells, %v", len(all), err)
	}
}

func TestCellLogDamage(t *testing.T) {
	s := smallSweep(t)
	head, err := json.Marshal(s.heading())
	if err != nil {
		t.Fatal(err)
	}
	cell := `{"cell":1,"repeat":0,"values":["1","fair"],"seed":2,"metrics":{"wait.p99":1},"valid":true}`
	other := strings.Replace(string(head), `"wait.p99"`, `"wait.max"`, 1)
	if other == string(head) {
		other = strings.Replace(string(head), `"goal":"`, `"goal":"x`, 1)
	}
	for _, tt := range []struct {
		name, text, want string
		usage            bool
	}{
		{"empty", "", ":1: no heading", true},
		{"heading cut off", string(head), ":1: no heading", true},
		{"no heading", cell + "\n", "of another sweep", true},
		{"another sweep", other + "\n" + cell + "\n", "of another sweep", true},
		{"damaged line", fmt.Sprintf("%s\n%s\n%s\n", head, cell, cell[5:]), ":3: ", false},
		{"empty line", fmt.Sprintf("%s\n\n%s\n", head, cell), ":2: ", false},
		{"missing value", fmt.Sprintf("%s\n%s\n", head, strings.Replace(cell, `"1","fair"`, `"fair"`, 1)), ":2: 1 values for 2 axes", false},
		{"cell outside", fmt.Sprintf("%s\n%s\n", head, strings.Replace(cell, `"cell":1`, `"cell":6`, 1)), ":2: cell 6", false},
		{"repeat outside", fmt.Sprintf("%s\n%s\n", head, strings.Replace(cell, `"repeat":0`, `"repeat":1`, 1)), ":2: cell 1, repeat 1", false},
		{"other values", fmt.Sprintf("%s\n%s\n", head, strings.Replace(cell, `"fair"`, `"rr"`, 1)), ":2: cell 1", false},
		{"given twice", fmt.Sprintf("%s\n%s\n%s\n", head, cell, cell), ":3: cell 1, repeat 0 is here twice", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "cells.jsonl")
			if err := os.WriteFile(path, []byte(tt.text), 0o666); err != nil {
				t.Fatal(err)
			}
			_, _, err := OpenCellLog(path, s, true)
			if err == nil || !strings.Contains(err.Error(), tt.want) || IsUsage(err) != tt.usage {
				t.Errorf("error %v (usage %t), want one with %q (usage %t)", err, IsUsage(err), tt.want, tt.usage)
			}
			if kept, _ := os.ReadFile(path); string(kept) != tt.text {
				t.Errorf("a refused cell log was changed")
			}
		})
	}
	if _, _, err := OpenCellLog(filepath.Join(t.TempDir(), "none"), s, true); !IsUsage(err) {
		t.Errorf("resuming what is not there: %v", err)
	}
}

// FuzzCellLog checks that all cells that are read are cells of the sweep, each once.
func FuzzCellLog(f *testing.F) {
	s := smallSweep(f)
	head, err := json.Marshal(s.heading())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(`{"cell":1,"repeat":0,"values":["1","fair"],"seed":2,"metrics":{"wait.p99":1},"valid":true}` + "\n")
	f.Add(`{"cell":1,"repeat":0,"values":["1","fair"]}` + "\n" + `{"cell":0,"values":["1","rr"]}` + "\n" + `{"ce`)
	f.Add(`{"cell":-1,"values":["1","fair"]}` + "\n")
	f.Add("null\n")
	f.Fuzz(func(t *testing.T, body string) {
		text := string(head) + "\n" + body
		cells, end, err := readCellLog(strings.NewReader(text), "fuzz", s)
		if err != nil {
			return
		}
		if end > int64(len(text)) || text[end-1] != '\n' || strings.Contains(text[end:], "\n") {
			t.Fatalf("end %d of %d is not behind the last whole line", end, len(text))
		}
		have := s.cells()
		if len(cells) > len(have) {
			t.Fatalf("%d cells of a sweep of %d", len(cells), len(have))
		}
		for _, c := range cells {
			if want := have[c.Index]; s.Label(c.Values) != s.Label(want.Values) || c.Repeat != want.Repeat {
				t.Fatalf("cell %+v, want %+v", c, want)
			}
		}
	})
}

func TestParseAxis(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"prefetch=1,2,5", "1 2 5"},
		{"prefetch=1..4", "1 2 3 4"},
		{"prefetch=0..100+25", "0 25 50 75 100"},
		{"prefetch=0..90+25", "0 25 50 75"},
		{"prefetch=1..256x4", "1 4 16 64 256"},
		{"prefetch=1..3,10,0", "1 2 3 10 0"},
		{"prefetch=7..7", "7"},
		{"prefetch=3..9223372036854775807x1000000000", "3 3000000000 3000000000000000000"},
		{"service=5ms, 10ms", "5ms 10ms"},
		{"expr=a=b", "a=b"},
	} {
		a, err := ParseAxis(tt.in)
		if err != nil || strings.Join(a.Values, " ") != tt.want {
			t.Errorf("%s: %v, %v, want %s", tt.in, a.Values, err, tt.want)
		}
	}
	for _, tt := range []struct{ in, want string }{
		{"prefetch", `axis "prefetch": give NAME=V1,V2`},
		{"=1,2", `axis "=1,2": give NAME=V1,V2`},
		{"prefetch=", `axis "prefetch=": give NAME=V1,V2`},
		{"prefetch=1,,2", "axis prefetch: an empty value"},
		{"prefetch=1,2,1", "axis prefetch has the value 1 twice"},
		{"prefetch=1..3,2", "axis prefetch has the value 2 twice"},
		{"prefetch=8..1", `range "8..1": give whole numbers, the first not above`},
		{"prefetch=a..3", `range "a..3": give whole numbers`},
		{"prefetch=-1..3", `range "-1..3": give whole numbers`},
		{"prefetch=1..9+0", `step "0" of "1..9+0": give a whole number above 0`},
		{"prefetch=1..9x1", `factor "1" of "1..9x1": give a whole number above 1`},
		{"prefetch=0..8x2", `range "0..8x2"`},
		{"prefetch=0..9223372036854775807+1", "has over 100000 values"},
		{"prefetch=0..1000000", "has over 100000 values"},
	} {
		_, err := ParseAxis(tt.in)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !IsUsage(err) {
			t.Errorf("%s: error %v, want a usage error with %q", tt.in, err, tt.want)
		}
	}
}

// TestSweepOrderDoesNotMatter checks that cells that run in parallel and in random order
// have the same figures as cells that run one by one.
func TestSweepOrderDoesNotMatter(t *testing.T) {
	s := smallSweep(t)
	for _, c := range runAll(t, s, nil, func(Cell) error { return nil }) {
		alone := Cell{Index: c.Index, Cell: sweep.Cell{Values: c.Values, Seed: c.Seed}}
		if err := s.measure(context.Background(), &alone, func(loadgen.Progress) {}); err != nil {
			t.Fatal(err)
		}
		if got, want := fmt.Sprint(c.Metrics), fmt.Sprint(alone.Metrics); got != want {
			t.Errorf("%s: %s, alone %s", s.Label(c.Values), got, want)
		}
	}
}

// BenchmarkSweep runs cells of about 17,000 messages and measures the time of one cell.
func BenchmarkSweep(b *testing.B) {
	s, err := NewSweep(SweepRequest{
		Scenario: "prefetch-sweep", Target: Target{Kind: Sim},
		Axes: []Axis{{Name: "prefetch", Values: []string{"1", "8"}}, {Name: "dispatch", Values: []string{"rr", "fair", "jsq", "lwl"}}},
	})
	if err != nil {
		b.Fatal(err)
	}
	cells := 0
	for b.Loop() {
		if err := s.Run(context.Background(), nil, func(Cell) error { cells++; return nil }, quiet); err != nil {
			b.Fatal(err)
		}
	}
	if cells != 8*b.N {
		b.Fatalf("%d cells, want %d", cells, 8*b.N)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(cells), "us/cell")
}
