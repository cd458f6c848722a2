package terminal

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/internal/specimen"
	"harelab/reports/stat"
	"harelab/scenarios/metric"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s differs; look at it, then run: go test ./reports/terminal -update\n%s", path, d)
	}
}

func summaries(rs ...*run.Result) []*stat.Summary {
	var out []*stat.Summary
	for _, r := range rs {
		out = append(out, stat.Summarize(r))
	}
	return out
}

func names(ss []*stat.Summary) map[*stat.Summary]string {
	return arms.Names(arms.OfSummaries(ss), false)
}

func TestWriteTable(t *testing.T) {
	late := specimen.Measured(specimen.CeleryInitial())
	late.Findings = []run.Finding{{Code: "lateness", Text: "The generator was up to 1.2 s late.", Invalid: true}}
	late.Partial = true
	empty := specimen.CeleryInitial()
	empty.Classes = append(empty.Classes, "never_sent")
	var buf bytes.Buffer
	ss := summaries(append(specimen.Arms(), specimen.Foreign(specimen.CeleryInitial()), late, empty)...)
	if err := WriteTable(&buf, ss, names(ss)); err != nil {
		t.Fatal(err)
	}
	golden(t, "table.txt", buf.Bytes())
	for i, line := range bytes.Split(buf.Bytes(), []byte("\n")) {
		if n := len([]rune(string(line))); n > Columns {
			t.Errorf("line %d is %d columns wide", i+1, n)
		}
	}
}

func TestWriteExpectations(t *testing.T) {
	r := specimen.Foreign(specimen.CeleryInitial())
	r.Expect = append(r.Expect,
		run.Expectation{Text: "queued.max <= 1s", Of: metric.Query{Metric: "queued", Stat: "max"}, Op: "<=", Value: 1, Unit: "s"},
		run.Expectation{Text: "wait.max <= 1s", Of: metric.Query{Metric: "wait", Stat: "max"}, Op: "<=", Value: 1, Unit: "s"},
		run.Expectation{Text: "wayt.max <= 1s", Of: metric.Query{Metric: "wayt", Stat: "max"}, Op: "<=", Value: 1, Unit: "s"})
	ss := summaries(specimen.CeleryInitial(), r)
	var buf bytes.Buffer
	if err := WriteExpectations(&buf, ss, names(ss)); err != nil {
		t.Fatal(err)
	}
	golden(t, "expectations.txt", buf.Bytes())
}

func TestWriteAgreement(t *testing.T) {
	off := specimen.Measured(specimen.CeleryOptimized("same-load", 40, 4, false))
	off.Messages[43].Started += 4_000_000
	off.Messages[43].Done += 4_000_000
	off.Late = 37_000
	var buf bytes.Buffer
	ss := summaries(append(specimen.Arms(), specimen.Measured(specimen.CeleryInitial()), off)...)
	if err := WriteAgreement(&buf, stat.Agreements(ss), stat.Target.Name); err != nil {
		t.Fatal(err)
	}
	golden(t, "agreement.txt", buf.Bytes())
}

func TestNumbersForPeople(t *testing.T) {
	for _, tt := range []struct {
		got, want string
	}{
		{stat.Seconds(10.45), "10.45 s"}, {stat.Seconds(0), "0 s"}, {stat.Seconds(10), "10 s"}, {stat.Seconds(0.1), "0.1 s"},
		{stat.Seconds(0.0123), "12.3 ms"}, {stat.Seconds(0.000312), "312 µs"}, {stat.Seconds(12345.6), "12,346 s"},
		{stat.Seconds(-0.0021), "-2.1 ms"}, {stat.Brief(10.96), "11 s"}, {stat.Percent(0.55), "55 %"}, {stat.Percent(0.004), "0.4 %"},
		{stat.Times(105.5), "106x"}, {stat.Count(1204), "1204"}, {stat.Count(1000000), "1,000,000"},
		{stat.Quantity(1, "%"), "100 %"}, {stat.Quantity(0.59901, ""), "0.59901"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}
