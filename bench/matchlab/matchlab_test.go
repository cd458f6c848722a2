package matchlab

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/perf/benchfmt"

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
		Strategies: []string{topic.Default, "trie", CachedDefault},
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
	if r.of("trie", "adversarial7") != nil {
		t.Error("trie was measured on adversarial7, which takes it for ever")
	}
	for _, ch := range r.Charts() {
		svg, err := os.ReadFile(filepath.Join(dir, "plots", ch.Name+".svg"))
		if err != nil || !bytes.HasPrefix(svg, []byte("<svg")) {
			t.Errorf("%s.svg: %v, %.20q", ch.Name, err, svg)
		}
		if ch.Question == "" || ch.Finding == "" {
			t.Errorf("%s: question %q, finding %q", ch.Name, ch.Question, ch.Finding)
		}
	}
	page, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, outside := range []string{"http://", "https://", "<script", "<link"} {
		if s := strings.ReplaceAll(string(page), "http://www.w3.org/", ""); strings.Contains(s, outside) {
			t.Errorf("report.html contains %s", outside)
		}
	}
	checkBenchFile(t, filepath.Join(dir, "bench.txt"))
}

// checkBenchFile wants only names and units of the closed vocabulary.
func checkBenchFile(t *testing.T, name string) {
	keys := map[string]bool{"strategy": true, "workload": true, "bindings": true}
	units := map[string]bool{"sec/op": true, "cpu-sec/op": true, "matches/op": true, "allocs/op": true, "B/binding": true}
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
			if !units[v.Unit] {
				t.Errorf("%s: unit %q is not in the vocabulary", r.Name, v.Unit)
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

func TestUnknownNamesAreErrors(t *testing.T) {
	for _, o := range []Options{{Strategies: []string{"tire"}}, {Workloads: []string{"tire"}}} {
		if _, err := Compare(context.Background(), o, func(Progress) {}); err == nil || !strings.Contains(err.Error(), `unknown`) {
			t.Errorf("error %v, want one about an unknown name", err)
		}
	}
}

func TestInterruptedRunsReturn(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, Options{Workloads: []string{"celery"}}, func(Progress) {}); err != context.Canceled {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}
