package sweep

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/perf/benchfmt"

	"harelab/reports/arms"
	"harelab/reports/internal/specimen"
	"harelab/reports/terminal"
)

var shoot = flag.String("shoot", "", "write the pages of the specimens to this folder")

// grid is a sweep whose wait grows with prefetch, more under rr than under
// fair, and whose throughput grows with workers.
func grid(repeats int) *Sweep {
	s := &Sweep{
		Scenario: "prefetch-sweep", Target: "sim", Virtual: true, Goal: "wait.p99",
		Axes:    []Axis{{"prefetch", []string{"1", "2", "4", "8", "16", "32", "0"}}, {"dispatch", []string{"rr", "fair", "jsq", "lwl"}}},
		Command: []string{"harelab", "sweep", "prefetch-sweep", "--axis", "prefetch=1,2,4,8,16,32,0", "--target", "amqp://u:secret@h/"},
	}
	for i, p := range s.Axes[0].Values {
		for k, d := range s.Axes[1].Values {
			for r := range repeats {
				w := 10 * math.Pow(1+float64(i), 1.2/(1+float64(k))) * (1 + 0.05*float64(r))
				s.Cells = append(s.Cells, Cell{Values: []string{p, d}, Repeat: r, Metrics: map[string]float64{
					"wait.mean": w / 8, "wait.p99": w, "wait.max": w * 1.3, "held.max": w / 3, "slowdown.mean": w, "throughput": 100 + 10*float64(i) - float64(k*k),
					"idle_while_waiting": float64(i), "utilisation": 0.7, "jain.busy{by=worker}": 0.9,
				}})
			}
		}
	}
	return s
}

// catalogue is one axis: strategies.
func catalogue() *Sweep {
	s := &Sweep{Scenario: "dispatch-catalogue", Target: "sim", Virtual: true, Goal: "wait.p99", Axes: []Axis{{"dispatch", nil}}}
	for _, row := range []struct {
		name                 string
		mean, p99, max, slow float64
	}{{"fair", 1.239, 10.38, 11.88, 12.3}, {"rr", 6.748, 38.94, 67.72, 62.1}, {"jsq", 2.187, 20.55, 30.48, 20.8}, {"po2", 3.556, 23.46, 33.11, 33.3}, {"random", 8.914, 61.7, 76.13, 81.2}} {
		s.Axes[0].Values = append(s.Axes[0].Values, row.name)
		s.Cells = append(s.Cells, Cell{Values: []string{row.name}, Metrics: map[string]float64{
			"wait.mean": row.mean, "wait.p99": row.p99, "wait.max": row.max, "slowdown.mean": row.slow, "throughput": 2.8, "idle_while_waiting": row.mean * 100,
		}})
	}
	s.Extremes = arms.Summarize(specimen.CeleryOptimized("fair", 40, 1, true), specimen.CeleryOptimized("random", 40, 4, false))
	return s
}

func TestSentence(t *testing.T) {
	s := grid(1)
	if got, want := s.Sentence(), "With a prefetch of 1, 99 % of messages start within 10 s instead of 103 s with no prefetch limit and rr."; got != want {
		t.Errorf("sentence %q, want %q", got, want)
	}
	s.Goal = "throughput"
	if got, want := s.Sentence(), "With no prefetch limit and rr, messages are done at a rate of 160 a second instead of 91 a second with a prefetch of 1 and lwl."; got != want {
		t.Errorf("sentence %q, want %q", got, want)
	}
	s = catalogue()
	for _, tie := range []string{"lwl", "jiq"} {
		s.Axes[0].Values = append(s.Axes[0].Values, tie)
		s.Cells = append(s.Cells, Cell{Values: []string{tie}, Metrics: s.Cells[0].Metrics})
	}
	if got, want := s.Sentence(), "With fair, lwl or jiq, 99 % of messages start within 10.4 s instead of 61.7 s with random."; got != want {
		t.Errorf("sentence %q, want %q", got, want)
	}
	s = catalogue()
	s.Cells = s.Cells[:1]
	if got, want := s.Sentence(), "There is no choice: only one cell was measured. With fair, 99 % of messages start within 10.4 s."; got != want {
		t.Errorf("sentence %q, want %q", got, want)
	}
	if best, worst, ok := catalogue().Best(); !ok || best[0] != "fair" || worst[0] != "random" {
		t.Errorf("best %v, worst %v", best, worst)
	}
}

func TestNoRankingByOneClass(t *testing.T) {
	s := catalogue()
	if s.ranking(900) == nil {
		t.Error("no ranking")
	}
	s.Goal = "wait.max{class=quiet}"
	for i := range s.Cells {
		s.Cells[i].Metrics[s.Goal] = float64(i)
	}
	if s.ranking(900) != nil {
		t.Error("a ranking by one class shows the waits of all")
	}
}

func TestInvalidCellsAreLeftOut(t *testing.T) {
	s := catalogue()
	s.Cells[0].Invalid = "The generator was late."
	if got := s.Sentence(); !strings.HasPrefix(got, "With jsq, 99 % of messages start within") {
		t.Errorf("sentence %q", got)
	}
	if sound := s.sound(); sound.State != "note" || len(sound.Checks) < 3 {
		t.Errorf("sound: %+v", sound)
	}
}

func TestWriteReadsBack(t *testing.T) {
	dir := t.TempDir()
	s := grid(2)
	if err := Write(dir, s); err != nil {
		t.Fatal(err)
	}
	got, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got.Sentence() != s.Sentence() || len(got.Cells) != len(s.Cells) {
		t.Errorf("read back: %d cells, %q", len(got.Cells), got.Sentence())
	}
	html, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(html, []byte("secret")) || bytes.Contains(bytes.ReplaceAll(html, []byte("isNaN"), nil), []byte("NaN")) {
		t.Error("the page holds credentials or NaN")
	}
	for _, name := range []string{"report.md", "bench.txt", "plots/heatmap.svg", "plots/lines.svg", "plots/pareto.svg", "plots/ranking.png"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	again := t.TempDir()
	if err := Write(again, got); err != nil {
		t.Fatal(err)
	}
	if second, _ := os.ReadFile(filepath.Join(again, "report.html")); !bytes.Equal(html, second) {
		t.Error("a page drawn from what was read back differs")
	}
	if _, err := Read(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder: %v", err)
	}
}

func TestBenchUsesTheVocabulary(t *testing.T) {
	var buf bytes.Buffer
	if err := grid(1).WriteBench(&buf); err != nil {
		t.Fatal(err)
	}
	r := benchfmt.NewReader(&buf, "bench.txt")
	n := 0
	for r.Scan() {
		res, ok := r.Result().(*benchfmt.Result)
		if err, bad := r.Result().(*benchfmt.SyntaxError); bad {
			t.Fatal(err)
		}
		if !ok {
			continue // Unit lines
		}
		if !strings.Contains(res.Name.String(), "/dispatch=") || !strings.Contains(res.Name.String(), "/prefetch=") {
			t.Errorf("name %s", res.Name)
		}
		n++
	}
	if n != 28 {
		t.Errorf("%d lines, want 28", n)
	}
}

// TestBenchUnits: a unit is exact if all repeats in virtual time have the same value. It
// is sampled if seeds differ in it, and on a real clock.
func TestBenchUnits(t *testing.T) {
	real := grid(1)
	real.Virtual = false
	for _, tt := range []struct {
		name               string
		s                  *Sweep
		unit, better, want string
	}{
		{"one run", grid(1), "wait-p99-sec", "lower", "exact"},
		{"one run", grid(1), "msgs/s", "higher", "exact"},
		{"repeats that agree", grid(2), "msgs/s", "higher", "exact"},
		{"repeats that differ", grid(2), "wait-p99-sec", "lower", ""},
		{"a real clock", real, "wait-p99-sec", "lower", ""},
	} {
		var buf bytes.Buffer
		if err := tt.s.WriteBench(&buf); err != nil {
			t.Fatal(err)
		}
		r := benchfmt.NewReader(&buf, "bench.txt")
		for r.Scan() {
		}
		for key, want := range map[string]string{"better": tt.better, "assume": tt.want} {
			got := ""
			if u := r.Units().Get(tt.unit, key); u != nil {
				got = u.Value
			}
			if got != want {
				t.Errorf("%s: %s of %s is %q, want %q", tt.name, key, tt.unit, got, want)
			}
		}
	}
}

func TestCheck(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(*Sweep)
		want  string
	}{
		"no axes":       {func(s *Sweep) { s.Axes = nil }, "no axes"},
		"bad goal":      {func(s *Sweep) { s.Goal = "speed" }, `unknown metric "speed"`},
		"short cell":    {func(s *Sweep) { s.Cells[3].Values = nil }, "cell 3 has 0 values for 1 axes"},
		"unknown value": {func(s *Sweep) { s.Cells[0].Values = []string{"rrr"} }, `axis dispatch has no value "rrr" (have fair`},
	} {
		s := catalogue()
		tt.spoil(s)
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, tt.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"schema":"harelab/sweep-report/v1","goal":"wait.p99","axes":[{"name":"a","values":["1","2"]}],"cells":[{"values":["1"],"metrics":{"wait.p99":1}}]}`)
	f.Add(`{}`)
	f.Fuzz(func(t *testing.T, in string) {
		s, err := decode("fuzz", []byte(in))
		if err != nil || len(s.Cells) > 50 {
			return
		}
		for _, a := range s.Axes {
			if len(a.Values) > 20 {
				return
			}
		}
		s.Sentence()
		s.table()
		s.charts()
	})
}

func TestWriteTable(t *testing.T) {
	var buf bytes.Buffer
	if err := WriteTable(&buf, catalogue()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(buf.String(), "\n")
	if lines[0] != catalogue().Sentence() || !strings.HasPrefix(lines[1], "dispatch  wait.p99  wait.mean") || !strings.HasPrefix(lines[2], "fair        10.4 s     1.24 s") || lines[7] != "The same in every cell: throughput 2.8/s." {
		t.Errorf("table:\n%s", buf.String())
	}
}

// narrow is a terminal of 80 columns.
type narrow struct{ bytes.Buffer }

func (*narrow) Style() terminal.Style { return terminal.Style{Columns: 80} }

// TestTableFits: no line of the text is wider than the terminal, and what is left out is
// named.
func TestTableFits(t *testing.T) {
	s := twoClasses()
	for i := range s.Cells {
		s.Cells[i].Overloads = []string{"From 120 s to 150 s the load of queue slow needs 60 busy slots and 8 are there: no prefetch or dispatch can help; 62 slots would."}
		for k, m := range tableMetrics {
			s.Cells[i].Metrics[m] = float64(i*k) / 7
		}
	}
	var wide bytes.Buffer
	var small narrow
	for columns, w := range map[int]interface {
		io.Writer
		String() string
	}{100: &wide, 80: &small} {
		if err := WriteTable(w, s); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(w.String()) {
			if n := terminal.Width(strings.TrimSuffix(line, "\n")); n > columns {
				t.Errorf("%d columns: %s", n, line)
			}
		}
		for _, want := range []string{"wait.p99{class=quick}", "slots", "Not shown in " + strconv.Itoa(columns) + " columns"} {
			if !strings.Contains(w.String(), want) {
				t.Errorf("%d columns: %q is missing:\n%s", columns, want, w.String())
			}
		}
	}
}

func TestShoot(t *testing.T) {
	if *shoot == "" {
		t.Skip("no -shoot folder")
	}
	for i, s := range []*Sweep{grid(3), catalogue()} {
		if err := Write(filepath.Join(*shoot, "sweep"+strconv.Itoa(i)), s); err != nil {
			t.Fatal(err)
		}
	}
}
