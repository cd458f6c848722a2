package matchlab

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchunit"

	"harelab/engine/topic"
)

// TestRun makes a small run and reads what it wrote.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("measures for some seconds")
	}
	dir := t.TempDir()
	last := -1.0
	r, err := Run(context.Background(), Options{
		Strategies: []string{topic.Default, "trie", "bitmap", CachedDefault},
		Workloads:  []string{"tyler1000", "celery", "adversarial7"},
		Repeat:     2, Sample: time.Millisecond, Quick: true, Out: dir,
	}, func(p Progress) {
		if p.Share < last || p.Share > 1 || p.Part == "" {
			t.Errorf("progress %+v after %v", p, last)
		}
		last = p.Share
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Of("trie", "adversarial7") != nil {
		t.Error("trie was measured on adversarial7, which takes it for ever")
	}
	for _, ch := range r.Charts() {
		svg, err := os.ReadFile(filepath.Join(dir, "plots", ch.Name+".svg"))
		if err != nil || !bytes.HasPrefix(svg, []byte("<svg")) {
			t.Errorf("%s.svg: %v, %.20q", ch.Name, err, svg)
		}
		if ch.Title == "" || ch.Wide == nil || ch.Narrow == nil || ch.Wide.Alt == "" || ch.Wide.Note == "" {
			t.Errorf("%s: %+v", ch.Name, ch)
		}
	}
	page, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, outside := range []string{"http://", "https://", "<script src", "<link"} {
		if s := strings.ReplaceAll(string(page), "http://www.w3.org/", ""); strings.Contains(s, outside) {
			t.Errorf("report.html contains %s", outside)
		}
	}
	checkBenchFile(t, filepath.Join(dir, "bench.txt"))
	checkRead(t, dir)
}

// checkRead draws the results of a folder again and checks that all files are the same.
func checkRead(t *testing.T, dir string) {
	t.Helper()
	again := t.TempDir()
	r, err := Read(dir)
	if err == nil {
		err = r.Write(again)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bench.txt", "match.json", "table.txt", "report.html", "report.md"} {
		was, err1 := os.ReadFile(filepath.Join(dir, name))
		is, err2 := os.ReadFile(filepath.Join(again, name))
		if err := errors.Join(err1, err2); err != nil || !bytes.Equal(was, is) {
			t.Errorf("%s drawn again differs (%v)", name, err)
		}
	}
}

// checkBenchFile checks that all names and units are of the closed vocabulary.
func checkBenchFile(t *testing.T, name string) {
	keys := map[string]bool{"strategy": true, "workload": true, "bindings": true}
	known := make(map[string]bool)
	for _, u := range units {
		_, tidied := benchunit.Tidy(1, u.name)
		known[tidied] = true
	}
	files := benchfmt.Files{Paths: []string{name}}
	results := 0
	for files.Scan() {
		r, ok := files.Result().(*benchfmt.Result)
		if !ok {
			if err, ok := files.Result().(*benchfmt.SyntaxError); ok {
				t.Error(err)
			}
			continue
		}
		results++
		_, parts := r.Name.Parts()
		for _, p := range parts {
			if key, _, _ := strings.Cut(strings.TrimPrefix(string(p), "/"), "="); !keys[key] {
				t.Errorf("%s: key %q is not in the vocabulary", r.Name, key)
			}
		}
		for _, v := range r.Values {
			if !known[v.Unit] {
				t.Errorf("%s: unit %q is not in the vocabulary", r.Name, v.Unit)
			}
			if benchfmt.UnitMetadataMap(files.Units()).GetBetter(v.Unit) == 0 && v.Unit != "matches/op" {
				t.Errorf("%s: the file does not say which direction of %q is better", r.Name, v.Unit)
			}
		}
	}
	if err := files.Err(); err != nil || results == 0 {
		t.Errorf("%s: %d results, %v", name, results, err)
	}
}

// TestWrongMatchesAreAnError plants a contender that loses a match.
func TestWrongMatchesAreAnError(t *testing.T) {
	c, err := Ours(topic.Default)
	if err != nil {
		t.Fatal(err)
	}
	right := c.New
	c.Name = "lossy"
	c.New = func(keys [][]byte) Subject { return lossy{right(keys)} }
	_, err = Compare(context.Background(), Options{
		Strategies: []string{topic.Default}, Workloads: []string{"celery"}, Others: []Contender{c},
		Repeat: 1, Sample: time.Millisecond,
	}, func(Progress) {})
	if err == nil || !strings.Contains(err.Error(), "lossy on celery") {
		t.Errorf("error %v, want one about lossy on celery", err)
	}
}

type lossy struct{ Subject }

func (l lossy) Run(from, n int) int { return l.Subject.Run(from, n) - 1 }

// TestCalibrateBelievesTheQuicker checks that a sample has its length although something
// took the processor during the first measurement.
func TestCalibrateBelievesTheQuicker(t *testing.T) {
	const sample = 4 * time.Millisecond
	a := &arm{s: &disturbed{}, truth: &truth{upTo: []int{0, 1}}}
	if err := a.calibrate(sample); err != nil {
		t.Fatal(err)
	}
	if a.batch < 100 {
		t.Errorf("%d keys are believed to take %v", a.batch, sample)
	}
}

// disturbed is a subject whose first run is slow.
type disturbed struct{ runs int }

func (d *disturbed) Bind(string, topic.Dest)   {}
func (d *disturbed) Unbind(string, topic.Dest) {}

func (d *disturbed) Run(_, n int) int {
	if d.runs++; d.runs == 1 {
		for start := CPUTime(); CPUTime()-start < 10*time.Millisecond; {
		}
	}
	for range n {
		CPUTime()
	}
	return n
}

func TestUnknownNamesAreErrors(t *testing.T) {
	for _, o := range []Options{{Strategies: []string{"tire"}}, {Workloads: []string{"tire"}}} {
		if _, err := Compare(context.Background(), o, func(Progress) {}); err == nil || !strings.Contains(err.Error(), `unknown`) {
			t.Errorf("error %v, want one about an unknown name", err)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		o    Options
		want string // text in the error; empty: no error
	}{
		{Options{}, ""},
		{Options{Strategies: []string{"trie", topic.Default}, Workloads: []string{"adversarial7"}}, ""},
		{Options{Strategies: []string{"tire"}}, `unknown strategy "tire"`},
		{Options{Workloads: []string{"tire"}}, `unknown workload "tire"`},
		{Options{Strategies: []string{"scan", "scan"}}, `"scan" is named twice`},
		{Options{Workloads: []string{"iot", "iot"}}, `"iot" is named twice`},
		{Options{Strategies: []string{"trie"}, Workloads: []string{"celery", "adversarial7"}}, `workload "adversarial7" would take hours with trie`},
	} {
		err := tt.o.Validate()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("Validate(%q, %q): %v, want %s", tt.o.Strategies, tt.o.Workloads, err, tt.want)
		}
	}
}

func TestInterruptedRunsReturn(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r, err := Run(ctx, Options{Workloads: []string{"celery"}, Out: filepath.Join(t.TempDir(), "out")}, func(Progress) {})
	if r != nil || err != context.Canceled {
		t.Errorf("results %v, error %v, want none, %v", r, err, context.Canceled)
	}
}

// TestUnwrittenRunsSaySo interrupts a run whose folder cannot be made.
func TestUnwrittenRunsSaySo(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	r, err := Run(ctx, Options{
		Strategies: []string{topic.Default}, Workloads: []string{"celery", "tyler1000"},
		Repeat: 2, Sample: time.Millisecond, Quick: true, Out: file,
	}, func(p Progress) {
		if p.Part == "tyler1000" {
			cancel()
		}
	})
	if r == nil || err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("results %+v, error %v, want them and why they were not written", r, err)
	}
}

// TestInterruptedRunsAreWritten interrupts a run in each of its parts and checks that the
// measurements so far are written and marked.
func TestInterruptedRunsAreWritten(t *testing.T) {
	for _, tt := range []struct{ at, want string }{
		{"tyler1000", "1 of 2 workloads and 0 of 3 sweeps"},
		{"scaling-100", "2 of 2 workloads and 0 of 3 sweeps"},
		{"hashes-3", "2 of 2 workloads and 2 of 3 sweeps"},
	} {
		if testing.Short() && strings.HasPrefix(tt.at, "hashes") {
			continue // the sweeps before it are slow
		}
		ctx, cancel := context.WithCancel(context.Background())
		dir := t.TempDir()
		r, err := Run(ctx, Options{
			Strategies: []string{topic.Default, CachedDefault}, Workloads: []string{"celery", "tyler1000"},
			Repeat: 2, Sample: time.Millisecond, Quick: true, Out: dir,
		}, func(p Progress) {
			if p.Part == tt.at {
				cancel()
			}
		})
		if !errors.Is(err, context.Canceled) || r == nil || !strings.Contains(r.Partial, tt.want) {
			t.Fatalf("interrupted at %s: results %+v, error %v, want them and %v", tt.at, r, err, context.Canceled)
		}
		for _, name := range []string{"table.txt", "report.html", "bench.txt"} {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil || !strings.Contains(string(text), tt.want) {
				t.Errorf("interrupted at %s: %s does not say %q (%v)", tt.at, name, tt.want, err)
			}
		}
		checkBenchFile(t, filepath.Join(dir, "bench.txt"))
		checkRead(t, dir)
	}
}

// TestAdvice checks that the first sentence names the strategy to choose, and that the
// others have the size of the difference with its interval.
func TestAdvice(t *testing.T) {
	m := func(contender, workload string, ns float64) Measurement {
		return Measurement{Contender: contender, Workload: workload, CPU: []float64{ns, ns + .1, ns + .2, ns + .3, ns + .4, ns + .5}}
	}
	for _, tt := range []struct {
		rule string
		ms   []Measurement
		want []string
	}{
		{"the default though another is faster somewhere",
			[]Measurement{m(topic.Default, "tyler1000", 50), m("scan", "tyler1000", 10), m(topic.Default, "b", 50), m("scan", "b", 100)},
			[]string{"Choose nfa: on 1 of 2 workloads no other is faster, on 1 it takes at most twice the fastest time, and no binding key makes it slow.",
				"Where few keys repeat (tyler1000), scan is 4.9 times as fast as nfa (4.8 to 5.0)."}},
		{"the mirror: nothing to say where the default is faster",
			[]Measurement{m(topic.Default, "tyler1000", 10), m("scan", "tyler1000", 50)},
			[]string{"Choose nfa: no other is faster, and no binding key makes it slow."}},
		{"the default though another is faster everywhere",
			[]Measurement{m(topic.Default, "a", 50), m("scan", "a", 30)},
			[]string{"Choose nfa: it takes at most twice the fastest time, and no binding key makes it slow.",
				"For keys like those of this workload (a), scan is 1.7 times as fast as nfa (1.7 to 1.7)."}},
		{"the best on most workloads without the default",
			[]Measurement{m("scan", "a", 50), m("trie", "a", 10), m("scan", "b", 50), m("trie", "b", 10)},
			[]string{"Choose trie: on all 2 workloads no other is faster (nfa was not measured).",
				"Do not use trie if strangers choose binding keys: its work multiplies with every '#'."}},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			r := &Results{Matches: tt.ms}
			if got := r.Advice(); !slices.Equal(got, tt.want) {
				t.Errorf("advice %q, want %q", got, tt.want)
			}
		})
	}
}

// TestMatchCaption names the default, the fastest and the slowest, and their mirror.
func TestMatchCaption(t *testing.T) {
	m := func(contender string, ns float64) Measurement {
		return Measurement{Contender: contender, Workload: "a", CPU: []float64{ns, ns + .1, ns + .2, ns + .3, ns + .4, ns + .5}}
	}
	for _, tt := range []struct {
		ms   []Measurement
		want string
	}{
		{[]Measurement{m("scan", 10), m("nfa", 50), m("trie", 100)}, "nfa takes 50.2 ns a match; the fastest is scan at 10.2 ns; the slowest is trie at 100 ns."},
		{[]Measurement{m("scan", 100), m("nfa", 50), m("trie", 10)}, "nfa takes 50.2 ns a match; the fastest is trie at 10.2 ns; the slowest is scan at 100 ns."},
		{[]Measurement{m("nfa", 50), m("trie", 49.9)}, "nfa takes 50.2 ns a match and is among the fastest, with trie; no median is longer."},
		{[]Measurement{m("trie", 100), m("nfa", 50)}, "nfa takes 50.2 ns a match and is the fastest; the slowest is trie at 100 ns."},
		{[]Measurement{m("nfa", 50)}, "nfa takes 50.2 ns a match."},
	} {
		r := &Results{Matches: tt.ms}
		if got := r.matchCaption("a"); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

// TestNoiseIsSaid: the strip says how wide the intervals are, and warns if that matters.
func TestNoiseIsSaid(t *testing.T) {
	for _, tt := range []struct {
		to    float64
		want  string
		state string
	}{
		{178, "The widest 95 % interval is ±78 % (nfa on a); half of them are within ±78 %. Where two times differ by less, chance may be the reason.", "note"},
		{102, "The widest 95 % interval is ±2 % (nfa on a); half of them are within ±2 %.", "ok"},
	} {
		r := &Results{Options: Options{Repeat: 6}, Matches: []Measurement{{Contender: "nfa", Workload: "a", CPU: []float64{100, 100, 100, 100, 100, tt.to}}}}
		found := false
		for _, c := range r.sound().Checks {
			found = found || c.Name == "noise" && c.Text == tt.want && c.State == tt.state
		}
		if s := r.sound(); !found || s.State != tt.state {
			t.Errorf("%+v lacks %q", s, tt.want)
		}
	}
}

// TestStandingWords: the words do not count where one workload, all or none are meant.
func TestStandingWords(t *testing.T) {
	for _, tt := range []struct {
		best, within, of int
		want             string
	}{
		{1, 1, 1, "no other is faster"},
		{0, 1, 1, "it takes at most twice the fastest time"},
		{0, 0, 1, "it takes more than twice the fastest time"},
		{3, 3, 3, "on all 3 workloads no other is faster"},
		{1, 3, 3, "on 1 of 3 workloads no other is faster, on all it takes at most twice the fastest time"},
		{1, 2, 3, "on 1 of 3 workloads no other is faster, on 2 it takes at most twice the fastest time"},
		{0, 2, 3, "on 2 of 3 workloads it takes at most twice the fastest time"},
		{0, 0, 3, "it takes more than twice the fastest time"},
	} {
		if got := standingWords(tt.best, tt.within, tt.of); got != tt.want {
			t.Errorf("%d, %d of %d: %q, want %q", tt.best, tt.within, tt.of, got, tt.want)
		}
	}
}
