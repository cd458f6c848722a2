package benchfile

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"harelab/reports/compare"
)

func open(t *testing.T, paths ...string) *Comparison {
	t.Helper()
	s, err := Open(paths, "")
	if err != nil {
		t.Fatal(err)
	}
	return s.Compare()
}

const (
	old     = "testdata/old.txt"
	doubled = "testdata/nfa-doubled.txt"
)

// TestWhatBenchstatFindsIsFound has benchstat itself read the same files: the rows that it
// marks, and no others, are marked here.
func TestWhatBenchstatFindsIsFound(t *testing.T) {
	random := t.TempDir() + "/random.txt"
	if err := os.WriteFile(random, []byte(shuffled(t, old, 3)), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]string{{old, doubled}, {doubled, old}, {old, random}} {
		out, err := exec.Command("go", "tool", "benchstat", "-format", "csv", pair[0], pair[1]).Output()
		if err != nil {
			t.Fatalf("go tool benchstat: %v", err)
		}
		var theirs, ours []string
		unit := ""
		for _, line := range strings.Split(string(out), "\n") {
			cells := strings.Split(line, ",")
			if len(cells) < 7 || cells[0] == "geomean" {
				continue
			}
			if cells[0] == "" {
				unit = cells[1]
			} else if cells[5] != "~" && cells[5] != "" && cells[1] != cells[3] {
				theirs = append(theirs, cells[0]+" "+unit)
			}
		}
		for _, r := range open(t, pair[0], pair[1]).Rows {
			if e := r.News[0]; e.Differs() && e.Ratio != 1 {
				ours = append(ours, r.Label.Full+" "+r.Unit)
			}
		}
		slices.Sort(theirs)
		slices.Sort(ours)
		if len(theirs) == 0 || !slices.Equal(theirs, ours) {
			t.Errorf("%v: benchstat marks %d rows\n%s\nhere %d are marked\n%s", pair, len(theirs), strings.Join(theirs, "\n"), len(ours), strings.Join(ours, "\n"))
		}
	}
}

// shuffled returns a file with every value multiplied by a random factor.
func shuffled(t *testing.T, path string, seed uint64) string {
	t.Helper()
	t.Logf("seed %d", seed)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if strings.HasPrefix(line, "Benchmark") {
			for i := 2; i < len(f); i += 2 {
				var v float64
				if fmt.Sscan(f[i], &v); f[i+1] != "matches/op" {
					f[i] = fmt.Sprintf("%.4g", v*(1+0.3*rng.NormFloat64()))
				}
			}
		}
		fmt.Fprintln(&b, strings.Join(f, " "))
	}
	return b.String()
}

// TestADoubledStrategyIsNamed, and with the files swapped the sentence is the mirror.
func TestADoubledStrategyIsNamed(t *testing.T) {
	c := open(t, old, doubled)
	if want := "nfa is slower: Match cpu-sec/op +100.0 % (16 of 16 rows)."; c.Headline() != want {
		t.Errorf("%q, want %q", c.Headline(), want)
	}
	c = open(t, doubled, old)
	if want := "nfa is faster: Match cpu-sec/op -50.0 % (16 of 16 rows)."; c.Headline() != want {
		t.Errorf("swapped: %q, want %q", c.Headline(), want)
	}
}

// TestHeadlines, each also with the files swapped.
func TestHeadlines(t *testing.T) {
	const lower, higher = "Unit wait-sec better=lower\n", "Unit msgs/s better=higher\n"
	many := func(n int, v float64) string {
		var b strings.Builder
		for i := range 50 {
			b.WriteString(bench(fmt.Sprintf("X%d", i), n, v+float64(i), "ns/op"))
		}
		return b.String()
	}
	for _, tt := range []struct{ name, old, new, want, swapped string }{
		{"one benchmark", bench("X", 6, 100, "ns/op"), bench("X", 6, 250, "ns/op"), "X is slower: sec/op +150.0 %.", "X is faster: sec/op -60.0 %."},
		{"higher is better", higher + bench("X", 6, 100, "msgs/s"), bench("X", 6, 200, "msgs/s"), "X is faster: msgs/s +100.0 %.", "X is slower: msgs/s -50.0 %."},
		{"octets", bench("X", 6, 100, "B/op"), bench("X", 6, 50, "B/op"), "X is better: B/op -50.0 %.", "X is worse: B/op +100.0 %."},
		{"from 0", bench("X", 6, 0, "allocs/op"), bench("X", 6, 2, "allocs/op"), "X is worse: allocs/op 0 -> 2.00.", "X is better: allocs/op -100.0 %."},
		{"times from 0", bench("X", 6, 0, "ns/op"), bench("X", 6, 2, "ns/op"), "X is slower: sec/op 0 s -> 2.00 ns.", "X is faster: sec/op -100.0 %."},
		{"another sign", bench("X", 6, -5, "foo"), bench("X", 6, 5, "foo"), "1 row differs, direction unknown: X foo -5.01 -> 5.01.", "1 row differs, direction unknown: X foo 5.01 -> -5.01."},
		{"two units", "BenchmarkX 1 1 a 1 b\n" + lower, "BenchmarkX 1 1 a 1 b\n", "No difference: 2 rows are equal.", "No difference: 2 rows are equal."},
		{"no direction", bench("X", 6, 1, "foo"), bench("X", 6, 2, "foo"), "1 row differs, direction unknown: X foo +100.0 %.", "1 row differs, direction unknown: X foo -50.0 %."},
		{"exact", "Unit lost assume=exact better=lower\nBenchmarkX 1 1 lost\n", "Unit lost assume=exact better=lower\nBenchmarkX 1 2 lost\n", "X is worse: lost +100.0 %.", "X is better: lost -50.0 %."},
		{"exact without a direction", "Unit n assume=exact\nBenchmarkX 1 1 n\n", "Unit n assume=exact\nBenchmarkX 1 2 n\n", "1 row differs, direction unknown: X n +100.0 %.", "1 row differs, direction unknown: X n -50.0 %."},
		{"too few", bench("X", 3, 100, "ns/op"), bench("X", 3, 250, "ns/op"),
			"Nothing can be told: 3 samples a row: at least 4 are needed to tell a change of a row at 0.05, and 6 for a 95 % interval.",
			"Nothing can be told: 3 samples a row: at least 4 are needed to tell a change of a row at 0.05, and 6 for a 95 % interval."},
		{"few, but enough", bench("X", 4, 100, "ns/op"), bench("X", 4, 250, "ns/op"), "X is slower: sec/op +150.0 %.", "X is faster: sec/op -60.0 %."},
		{"the same", bench("X", 6, 100, "ns/op"), bench("X", 6, 100, "ns/op"), "No difference beyond chance in 1 row.", "No difference beyond chance in 1 row."},
		{"one row of a strategy", bench("X/strategy=a/w=1", 9, 100, "ns/op") + bench("X/strategy=a/w=2", 9, 100, "ns/op"), bench("X/strategy=a/w=1", 9, 100, "ns/op") + bench("X/strategy=a/w=2", 9, 300, "ns/op"),
			"a is slower: X sec/op +73.2 % (1 of 2 rows).", "a is faster: X sec/op -42.3 % (1 of 2 rows)."},
		{"both ways", bench("X/strategy=a/w=1", 9, 100, "ns/op") + bench("X/strategy=a/w=2", 9, 100, "ns/op"), bench("X/strategy=a/w=1", 9, 50, "ns/op") + bench("X/strategy=a/w=2", 9, 200, "ns/op"),
			"a is slower in 1 and faster in 1 of 2 rows: X sec/op +0.0 %.", "a is slower in 1 and faster in 1 of 2 rows: X sec/op +0.0 %."},
		{"two benchmarks with few samples", bench("X", 4, 100, "ns/op") + bench("Y", 9, 100, "ns/op"), bench("X", 4, 200, "ns/op") + bench("Y", 9, 200, "ns/op"),
			"X is slower: sec/op +100.0 %; Y is slower: sec/op +100.0 %.", "X is faster: sec/op -50.0 %; Y is faster: sec/op -50.0 %."},
		{"one that chance may explain", bench("X", 4, 100, "ns/op") + bench("Y", 9, 100, "ns/op") + bench("Z", 4, 100, "ns/op"), bench("X", 4, 200, "ns/op") + bench("Y", 9, 200, "ns/op") + bench("Z", 4, 100, "ns/op"),
			"Y is slower: sec/op +100.0 %; 1 row more differs by itself, which chance may explain.", "Y is faster: sec/op -50.0 %; 1 row more differs by itself, which chance may explain."},
		{"one of many benchmarks", many(10, 100), strings.Replace(many(10, 100), bench("X7", 10, 107, "ns/op"), bench("X7", 10, 321, "ns/op"), 1), "X7 is slower: sec/op +200.0 %.", "X7 is faster: sec/op -66.7 %."},
		{"only what chance brings", many(4, 100), strings.Replace(many(4, 100), bench("X7", 4, 107, "ns/op"), bench("X7", 4, 321, "ns/op"), 1),
			"No difference beyond chance: 1 row differs by itself (p < 0.05), and among 50 tested ones chance alone brings about 3.",
			"No difference beyond chance: 1 row differs by itself (p < 0.05), and among 50 tested ones chance alone brings about 3."},
	} {
		if got := read(t, "", tt.old, tt.new).Compare().Headline(); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
		if got := read(t, "", tt.new, tt.old).Compare().Headline(); got != tt.swapped {
			t.Errorf("%s, swapped:\n got %s\nwant %s", tt.name, got, tt.swapped)
		}
	}
}

// TestConstantRowsAreNoTests: they would make the correction stricter for nothing.
func TestConstantRowsAreNoTests(t *testing.T) {
	line := func(v float64) string {
		var b strings.Builder
		b.WriteString(bench("X", 6, v, "ns/op"))
		for i := range 100 {
			for range 6 {
				fmt.Fprintf(&b, "BenchmarkC%d 1 5 ns/op\n", i)
			}
		}
		return b.String()
	}
	c := read(t, "", line(100), line(120)).Compare()
	if want := "X is slower: sec/op +20.0 %."; c.Headline() != want {
		t.Errorf("%q, want %q", c.Headline(), want)
	}
	if want := "b.txt against a.txt: 101 rows: 1 worse, 100 constant."; c.Summary() != want {
		t.Errorf("%q, want %q", c.Summary(), want)
	}
}

// TestEqualsAreSeldomNamed: of 100 pairs of files whose 60 rows have equal distributions,
// hardly any has a sentence that names something.
func TestEqualsAreSeldomNamed(t *testing.T) {
	const seed = 5
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	file := func() string {
		var b strings.Builder
		for i := range 60 {
			for range 8 {
				fmt.Fprintf(&b, "BenchmarkX/strategy=s%d/w=%d 1 %g ns/op\n", i%6, i, math.Exp(0.3*rng.NormFloat64()))
			}
		}
		return b.String()
	}
	named := 0
	for range 100 {
		c := read(t, "", file(), file()).Compare()
		if slices.ContainsFunc(c.Groups, func(g *Group) bool { return g.News[0].Change != compare.NoChange }) {
			named++
		}
	}
	if named > 15 {
		t.Errorf("%d of 100 pairs of equals are said to differ", named)
	}
}

// TestOneSidedAreNamed: what only one of the files has is said, and is refused if nothing
// is left.
func TestOneSidedAreNamed(t *testing.T) {
	c := read(t, "", "BenchmarkX 1 1 ns/op\nBenchmarkOld 1 1 ns/op\n", "BenchmarkX 1 1 ns/op\nBenchmarkNew 1 1 ns/op\n").Compare()
	var b strings.Builder
	if err := WriteText(&b, c, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"note: Old is only in a.txt\n", "note: New is only in b.txt\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s\nlacks %q", b.String(), want)
		}
	}
	err := read(t, "", "BenchmarkX 1 1 ns/op\n", "BenchmarkY 1 1 ns/op\n").Compare().CheckCommon()
	if want := "b.txt and a.txt have no benchmark in common: X is only in a.txt; Y is only in b.txt"; err == nil || err.Error() != want {
		t.Errorf("%v, want %q", err, want)
	}
}

// TestEverythingAlikeIsSuspected: if all strategies change the same way, the machine may
// be the reason, and none is named.
func TestEverythingAlikeIsSuspected(t *testing.T) {
	file := func(a, b, c float64) string {
		return bench("X/strategy=a", 9, 100*a, "ns/op") + bench("X/strategy=b", 9, 200*b, "ns/op") + bench("X/strategy=c", 9, 300*c, "ns/op")
	}
	for _, tt := range []struct{ old, new, want string }{
		{file(1, 1, 1), file(1.2, 1.3, 1.5), "all 3 strategies are slower, so that the machine may have changed and not the code: X sec/op +20.0 % to +50.0 %."},
		{file(1.2, 1.3, 1.5), file(1, 1, 1), "all 3 strategies are faster, so that the machine may have changed and not the code: X sec/op -16.7 % to -33.3 %."},
		{file(1, 1, 1), file(1.2, 1.3, 0.5), "c is faster: X sec/op -50.0 %; b is slower: X sec/op +30.0 %; a is slower: X sec/op +20.0 %."},
		{file(1, 1, 1), file(1, 2, 1), "b is slower: X sec/op +100.0 %."},
	} {
		if got := read(t, "", tt.old, tt.new).Compare().Headline(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}
