package benchfile

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// read reads files from text; a file without a name of its own is called a.txt, b.txt ...
func read(t *testing.T, filter string, texts ...string) *Set {
	t.Helper()
	var names []string
	var files []io.Reader
	for i, text := range texts {
		names = append(names, string(rune('a'+i))+".txt")
		files = append(files, strings.NewReader(text))
	}
	s, err := Read(names, files, filter)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// bench writes n benchmark lines of one name whose values are around v.
func bench(name string, n int, v float64, unit string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "Benchmark%s 1 %g %s\n", name, v*(1+0.001*float64(i)), unit)
	}
	return b.String()
}

// TestTheKeyIsTheFullOne: what tells benchmarks apart is a part of their key, and what
// describes a file as a whole is not, but is said.
func TestTheKeyIsTheFullOne(t *testing.T) {
	const pkgs = "pkg: a\nBenchmarkX 1 1 ns/op\npkg: b\nBenchmarkX 1 2 ns/op\n"
	for _, tt := range []struct {
		name, old, new string
		rows, lone     int
		warns          string
	}{
		{"two packages", pkgs, pkgs, 2, 0, ""},
		{"one of two packages", pkgs, "pkg: a\nBenchmarkX 1 1 ns/op\n", 1, 1, ""},
		{"another package", "pkg: a\nBenchmarkX 1 1 ns/op\n", "pkg: b\nBenchmarkX 1 1 ns/op\n", 0, 2, ""},
		{"two toolchains in one file", "toolchain: 1\nBenchmarkX 1 1 ns/op\ntoolchain: 2\nBenchmarkX 1 1 ns/op\n", "toolchain: 2\nBenchmarkX 1 1 ns/op\n", 1, 1, ""},
		{"another commit", "commit: 1\nBenchmarkX 1 1 ns/op\n", "commit: 2\nBenchmarkX 1 1 ns/op\n", 1, 0, `commit is "1" in a.txt and "2" in b.txt`},
		{"another processor", "cpu: 1\nBenchmarkX 1 1 ns/op\n", "cpu: 2\nBenchmarkX 1 1 ns/op\n", 1, 0, "another machine may be the difference"},
		{"a unit in one file only", "BenchmarkX 1 1 ns/op 2 B/op\n", "BenchmarkX 1 1 ns/op\n", 1, 1, ""},
	} {
		c := read(t, "", tt.old, tt.new).Compare()
		if len(c.Rows) != tt.rows || len(c.Lone) != tt.lone {
			t.Errorf("%s: %d rows and %d lone ones, want %d and %d", tt.name, len(c.Rows), len(c.Lone), tt.rows, tt.lone)
		}
		if warns := strings.Join(c.Warnings, "\n"); !strings.Contains(warns, tt.warns) || tt.warns == "" && warns != "" {
			t.Errorf("%s: warnings %q, want %q", tt.name, warns, tt.warns)
		}
	}
}

// TestDirections: a unit is judged as the files say, or as package benchfmt knows it.
func TestDirections(t *testing.T) {
	for _, tt := range []struct {
		old, new, unit string
		want           Unit
	}{
		{"", "", "ns/op", Unit{Better: -1}},
		{"", "", "MB/s", Unit{Better: 1}},
		{"", "", "errors/s", Unit{}},
		{"", "", "cpu-ns/op", Unit{}},
		{"Unit cpu-ns/op better=lower\n", "", "cpu-ns/op", Unit{Better: -1}},
		{"", "Unit cpu-ns/op better=lower\n", "cpu-ns/op", Unit{Better: -1}},
		{"Unit msgs better=lower\n", "Unit msgs better=higher\n", "msgs", Unit{}},
		{"Unit msgs better=higher assume=exact\n", "", "msgs", Unit{Better: 1, Exact: true}},
	} {
		line := "BenchmarkX 1 1 " + tt.unit + "\n"
		s := read(t, "", tt.old+line, tt.new+line)
		for unit, got := range s.Units {
			if got != tt.want {
				t.Errorf("%q, %q: %s is %+v, want %+v", tt.old, tt.new, unit, got, tt.want)
			}
		}
	}
}

func TestFilter(t *testing.T) {
	const text = "BenchmarkX/strategy=nfa 1 1 ns/op 3 B/op\nBenchmarkX/strategy=trie 1 1 ns/op 3 B/op\n"
	for filter, rows := range map[string]int{"": 4, "*": 4, "/strategy:nfa": 2, ".unit:ns/op": 2, "/strategy:nfa .unit:B/op": 1, "-/strategy:nfa": 2} {
		if c := read(t, filter, text, text).Compare(); len(c.Rows) != rows {
			t.Errorf("filter %q: %d rows, want %d", filter, len(c.Rows), rows)
		}
	}
	if err := CheckFilter("(x"); err == nil || !strings.Contains(err.Error(), "write terms such as '/strategy:nfa") {
		t.Errorf("a filter that is not in the syntax: %v", err)
	}
}

// TestBadInputIsNormal: what cannot be read is left out and said, or refused.
func TestBadInputIsNormal(t *testing.T) {
	for _, tt := range []struct{ text, refuses, warns string }{
		{"hello\n", "a.txt has no benchmark lines", ""},
		{"BenchmarkX 1 1 ns/op\n", "a.txt has no benchmark that the filter admits", ""},
		{"\xff\xfeB\x00", "UTF-16", ""},
		{"BenchmarkF 1 1 ns/op\nBenchmarkF x y\n", "", "a.txt:2: "},
		{"BenchmarkF 1 1 ns/op\nBenchmarkF 1 NaN ns/op\n", "", "not finite numbers"},
	} {
		s, err := Read([]string{"a.txt"}, []io.Reader{strings.NewReader(tt.text)}, ".name:F")
		if tt.refuses != "" {
			if err == nil || !strings.Contains(err.Error(), tt.refuses) {
				t.Errorf("%q: error %v, want %q", tt.text, err, tt.refuses)
			}
			continue
		}
		if err != nil || !strings.Contains(strings.Join(s.Warnings, "\n"), tt.warns) {
			t.Errorf("%q: %v, want the warning %q", tt.text, err, tt.warns)
		}
	}
}

// TestByteOrderMark wants the first line of a file that begins with one to count: a unit
// whose mark was taken for a part of it had no direction.
func TestByteOrderMark(t *testing.T) {
	const file = "\xef\xbb\xbfUnit widgets better=higher\nBenchmarkA 1 2 widgets\n"
	if got := read(t, "", file, file).Units["widgets"]; got.Better != 1 {
		t.Errorf("widgets are %+v, want higher better", got)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("Unit a better=higher\npkg: x\nBenchmarkA/k=v-8 1 2 a 3 ns/op\n", "BenchmarkA 1 1e300 a\n")
	f.Fuzz(func(t *testing.T, a, b string) {
		s, err := Read([]string{"a", "b"}, []io.Reader{strings.NewReader(a), strings.NewReader(b)}, "")
		if err != nil {
			return
		}
		c := s.Compare()
		if err := WriteText(io.Discard, c, true); err != nil {
			t.Error(err)
		}
		c.Sheet(nil)
	})
}
