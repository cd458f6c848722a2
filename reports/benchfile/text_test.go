package benchfile

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"harelab/reports/terminal"
)

var update = flag.Bool("update", false, "write the goldens")

func TestNumbersAreScaled(t *testing.T) {
	for _, tt := range []struct {
		v          float64
		unit, want string
	}{
		{100e-9, "sec/op", "100 ns"}, {250e-9, "cpu-sec/op", "250 ns"}, {1.2345e-6, "sec/op", "1.23 µs"}, {0.3e-9, "sec/op", "0.300 ns"},
		{10.9, "wait-max-sec", "10.9 s"}, {5400, "wait-max-sec", "5,400 s"}, {0, "sec/op", "0 s"},
		{2048.25, "B/op", "2.00 KiB"}, {185.2, "B/binding", "185 B"}, {1.5e9, "B/s", "1.40 GiB"}, {1000, "B/op", "1,000 B"},
		{14105, "allocs/op", "14,105"}, {559.235, "msgs/s", "559"}, {26083.4, "msgs/s", "26.1 k"}, {0.5702, "jain-busy", "570 m"}, {1, "x", "1"},
		{1e300, "foo", "1e+300"}, {1e300, "sec/op", "1e+300 s"}, {-1e300, "B/op", "-1e+300 B"}, {1e-300, "sec/op", "1e-300 s"},
	} {
		if got := Number(tt.v, tt.unit); got != tt.want {
			t.Errorf("%v %s: %q, want %q", tt.v, tt.unit, got, tt.want)
		}
	}
}

func TestDelta(t *testing.T) {
	for ratio, want := range map[float64]string{2: "+100.0 %", 0.5: "-50.0 %", 1.0002: "+0.02 %", 250: "x250", 1e300: "x1e+300", 1e-300: "/1e+300", -2e307: "another sign", 0: "-100.0 %"} {
		if got := delta(ratio); got != want {
			t.Errorf("%v: %q, want %q", ratio, got, want)
		}
	}
}

// TestText: the goldens show what differs first and fold the rest, and no line is wider
// than 100 columns.
func TestText(t *testing.T) {
	extreme := bench("X/a="+strings.Repeat("long/b=", 20)+"end", 6, 1e300, "foo") + bench("Y", 6, 1e-300, "foo")
	for _, tt := range []struct {
		name string
		set  *Set
		all  bool
	}{
		{"doubled", openSet(t, old, doubled), false},
		{"three", openSet(t, old, doubled, old), false},
		{"two-packages", read(t, "", "pkg: a\n"+bench("X", 6, 100, "ns/op")+"pkg: b\n"+bench("X", 6, 100, "ns/op"), "pkg: a\n"+bench("X", 6, 100, "ns/op")+"pkg: b\n"+bench("X", 6, 250, "ns/op")), true},
		{"extremes", read(t, "", extreme, bench("X/a="+strings.Repeat("long/b=", 20)+"end", 6, 1, "foo")+bench("Y", 6, 1, "foo")), true},
	} {
		var b bytes.Buffer
		if err := WriteText(&b, tt.set.Compare(), tt.all); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if utf8.RuneCountInString(line) > terminal.Columns+1 {
				t.Errorf("%s: a line of %d columns: %s", tt.name, utf8.RuneCountInString(line), line)
			}
		}
		golden(t, "testdata/"+tt.name+".golden", b.Bytes())
	}
}

func openSet(t *testing.T, paths ...string) *Set {
	t.Helper()
	s, err := Open(paths, ".name:Match .unit:(cpu-ns/op OR allocs/op)")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (-update writes it):\n%s", path, got)
	}
}

func TestSheet(t *testing.T) {
	sheet := openSet(t, old, doubled).Compare().Sheet([]string{"harelab", "compare", "a", "b"})
	var html, md bytes.Buffer
	if err := errors.Join(sheet.WriteHTML(&html), sheet.WriteMarkdown(&md)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"<h1>nfa is slower: Match cpu-sec/op", "<details><summary>", "Rows without a change, allocs/op: 54", "harelab compare a b", "reach ±78",
	} {
		if !strings.Contains(html.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if *shoot != "" {
		if err := os.WriteFile(*shoot, html.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

var shoot = flag.String("shoot", "", "write the page of the comparison to this file")
