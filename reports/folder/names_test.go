package folder

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/perf/benchfmt"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/internal/specimen"
)

// alike are names that were made into the same file names or benchmark keys.
var alike = []string{
	"медле", "быстр", "a b", "a_b", "a-b", "a  b", "a/b", "a=b", "a%20b", "a%b", "A", "a", "\u00e9", "e\u0301", "é-", "all", "%61ll",
	"a+b", "a:b", "a\tb", "a\u00a0b", "a\u2028b", "x~9f86d08188", "..", ".", "con", strings.Repeat("long", 60), strings.Repeat("long", 60) + "er",
}

func TestDifferentNamesHaveDifferentFiles(t *testing.T) {
	seen := map[string]string{}
	for _, name := range alike {
		file := fileName(name)
		onDisk := strings.ToLower(file)
		if other, ok := seen[onDisk]; ok {
			t.Errorf("%q and %q have the same file name %s", name, other, file)
		}
		seen[onDisk] = name
		if len(file) > 120 || strings.ContainsAny(file, `/\:*?"<>| `) || strings.HasPrefix(file, ".") || strings.ContainsFunc(file, func(c rune) bool { return c > '~' }) {
			t.Errorf("%q: file name %q", name, file)
		}
	}
}

func TestReadableNamesOfFiles(t *testing.T) {
	for name, want := range map[string]string{
		"run_user_query": "run_user_query", "quick-2.5": "quick-2.5", "Quick Task": "quick-task~0c79d5973d", "быстр": "~5f8939119d",
	} {
		if got := fileName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestDifferentTextsAreDifferentKeys(t *testing.T) {
	seen := map[string]string{}
	for _, name := range alike {
		v := workload(name, false)
		if other, ok := seen[v]; ok || v == "all" {
			t.Errorf("%q and %q are both %s", name, other, v)
		}
		seen[v] = name
		if strings.ContainsAny(v, "/= \t") || len(strings.Fields(v)) != 1 {
			t.Errorf("%q: value %q", name, v)
		}
	}
	if a, b := KeyParts("a", "b+c"), KeyParts("a+b", "c"); a == b {
		t.Errorf("two lists are %s", a)
	}
	for in, want := range map[string]string{"rr+fair": "rr+fair", "a b": "a%20b", "a_b": "a_b", "медле": "медле", "\xff": "%FF"} {
		if got := KeyValue(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

// TestClassesKeepTheirOwnFilesAndRows writes a run whose classes have the names above, each
// with a message of its own.
func TestClassesKeepTheirOwnFilesAndRows(t *testing.T) {
	r := specimen.CeleryOptimized("", len(alike), 1, false)
	r.Classes = alike
	r.Headline, r.Expect = "", nil
	for i := range r.Messages {
		r.Messages[i].Class = int32(i % len(alike))
	}
	r.Spans = nil
	f := New(arms.Summarize(r), Manifest{})
	dir := t.TempDir()
	if err := f.Write(dir); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "wait-*.hlog"))
	if len(files) != len(alike) {
		t.Errorf("%d files wait-*.hlog for %d classes", len(files), len(alike))
	}
	b, err := os.ReadFile(filepath.Join(dir, "bench.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	read := benchfmt.NewReader(bytes.NewReader(b), "bench.txt")
	for read.Scan() {
		switch rec := read.Result().(type) {
		case *benchfmt.SyntaxError:
			t.Fatal(rec)
		case *benchfmt.Result:
			rows = append(rows, rec.Name.String())
		}
	}
	distinct := slices.Compact(slices.Sorted(slices.Values(rows)))
	if len(rows) != len(alike)+1 || len(distinct) != len(rows) {
		t.Errorf("%d rows with %d names, want %d", len(rows), len(distinct), len(alike)+1)
	}
}

func TestRunsKeepTheirOwnFolders(t *testing.T) {
	var results []*run.Result
	for _, name := range alike {
		r := specimen.CeleryOptimized(name, 2, 1, false)
		results = append(results, r)
	}
	seen := map[string]string{}
	for i, r := range New(arms.Summarize(results...), Manifest{}).Runs {
		dir := strings.ToLower(r.Dir)
		if other, ok := seen[dir]; ok || !filepath.IsLocal(r.Dir) {
			t.Errorf("%q and %q have the folder %s", alike[i], other, r.Dir)
		}
		seen[dir] = alike[i]
	}
}
