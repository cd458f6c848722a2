package plot

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"harelab/reports/stat"
)

// figures are specimens of the charts that are not drawn from runs.
func figures(width float64) map[string]*Figure {
	values := []string{"1", "2", "4", "8", "no limit"}
	line := func(label string, f float64) SweepLine {
		l := SweepLine{Label: label}
		for i := range values {
			y := 2 + f*float64(i)
			l.Y, l.Lo, l.Hi = append(l.Y, y), append(l.Lo, y*0.9), append(l.Hi, y*1.1)
		}
		return l
	}
	grid := Grid{X: "prefetch", Y: "dispatch", XValues: values, YValues: []string{"rr", "fair"}, Format: stat.Brief,
		Panels: []GridPanel{{"workers=1", [][]float64{{1, 2, 4, 8, 16}, {1, 1.5, 2, math.NaN(), 3}}}, {"workers=2", [][]float64{{1, 1, 2, 4, 8}, {0.5, 1, 1, 1, 1}}}}}
	var dots []Dot
	var ranks []Rank
	for i := range 8 {
		f := float64(i)
		dots = append(dots, Dot{fmt.Sprint("prefetch=", i), 100 + 10*f - 3*f*math.Mod(f, 2), 1 + f*f})
		ranks = append(ranks, Rank{fmt.Sprint("prefetch=", i, " dispatch=fair"), 0.5 + f, 3 + 4*f, 5 + 5*f})
	}
	nanos := func(v float64) string { return stat.Plain(v) + " ns" }
	many := LinePanel{}
	for i := range 8 {
		many.Lines = append(many.Lines, line(fmt.Sprint("matcher-", i), math.Pow(2.5, float64(i))))
	}
	wide := Grid{X: "prefetch", Y: "visibility", YValues: []string{"a", "a long name of a value"}, Format: stat.Brief, Panels: []GridPanel{{Values: make([][]float64, 2)}}}
	for i := range 14 {
		wide.XValues = append(wide.XValues, fmt.Sprint(250*i))
		for k := range 2 {
			wide.Panels[0].Values[k] = append(wide.Panels[0].Values[k], 0.0203+0.001*float64(i*(k+1)))
		}
	}
	long := slices.Clone(ranks[:3])
	for i := range long {
		long[i].Label = fmt.Sprint("prefetch=100 dispatch=round-robin-eager order=aging workers=", i)
	}
	return map[string]*Figure{
		"heatmap-wide": Heatmap(wide, width, "Small windows are best."),
		"ranking-long": Ranking(long, stat.Brief, width, "The first is best."),
		"dots": Dots([]DotRow{
			{"nfa", 94, 90, 99, "94 ns", true}, {"trie", 140, 120, 180, "140 ns", false}, {"cached(nfa)", 2300, 2300, 2300, "2.3 µs", false},
		}, nanos, width, "nfa takes 94 ns a match, cached(nfa) 2.3 µs."),
		"versus": Versus(Contest{Ours: []string{"nfa", "cached(nfa)", "trie"}, Others: []string{"nats-gsl", "nats-cache", "mochi"}, Axis: "times the best peer's time a match",
			Rows: []ContestRow{
				{"rabbit2011: 2,000 bindings", "nfa 94 ns, best peer nats-gsl 290 ns", []ContestDot{{"nfa", 0.32, 0.3, 0.35}, {"cached(nfa)", 0.33, 0.32, 0.36}, {"trie", 0.7, 0.7, 0.7}, {"nats-gsl", 1, 0.97, 1.04}, {"mochi", 22, 20, 25}}},
				{"iot: 10 bindings", "nfa 10 ns, best peer nats-cache 12 ns", []ContestDot{{"nfa", 0.8, 0.8, 0.9}, {"nats-cache", 1, 1, 1}}},
			}}, width, "nfa is faster."),
		"many-lines": SweepLines(LineChart{Axis: "bindings", Metric: "time a match", Values: values, Format: stat.Brief, Panels: []LinePanel{many}}, width, "They grow."),
		"forest": Forest([]ForestRow{
			{"wait.max{class=run_user_query}", []ForestEffect{{0, 0.371, math.NaN(), math.Inf(1), 1, "-62.9 %, better"}, {1, 1.3, 1.2, 1.4, -1, "+30.0 %, worse"}}},
			{"held.max{class=run_user_query}", []ForestEffect{{0, 0, 0, 0, 1, "-100.0 %, better"}, {1, 1, 0.98, 1.02, 0, "no difference"}}},
		}, width, "A is better."),
		"heatmap": Heatmap(grid, width, "Small windows are best."),
		"lines":   SweepLines(LineChart{Axis: "prefetch", Metric: "wait.p99", Values: values, Format: stat.Brief, Panels: []LinePanel{{Lines: []SweepLine{line("dispatch=rr", 5), line("dispatch=fair", 1), line("dispatch=jsq", 0.9), line("dispatch=lwl", 0.8)}}}}, width, "It grows."),
		"pareto":  Pareto(dots, "throughput, messages per second", "wait, 99th percentile", stat.Plain, stat.Brief, width, "Few are worth it."),
		"ranking": Ranking(ranks, stat.Brief, width, "The first is best."),
	}
}

func TestGoldenFigures(t *testing.T) {
	for name, f := range figures(Wide) {
		golden(t, name+".svg", f.SVG())
	}
	if *shoot == "" {
		return
	}
	for width, w := range map[float64]string{Wide: "wide", Narrow: "narrow"} {
		for name, f := range figures(width) {
			if err := os.WriteFile(filepath.Join(*shoot, "fig-"+name+"-"+w+".svg"), f.SVG(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestFront(t *testing.T) {
	dots := []Dot{{"a", 1, 1}, {"b", 2, 3}, {"beaten", 1.5, 4}, {"c", 3, 5}, {"equal to c", 3, 5}}
	if got, want := Front(dots), []int{0, 1, 3}; cmp.Diff(want, got) != "" {
		t.Errorf("Front = %v, want %v", got, want)
	}
	dots = []Dot{{"a hair slower, far shorter", 560, 0.018}, {"fastest", 564, 0.047}, {"the same as the first", 561, 0.018}, {"slower and worse", 500, 0.2}, {"slower, shorter", 400, 0.01}}
	if got, want := Front(dots), []int{4, 2}; cmp.Diff(want, got) != "" {
		t.Errorf("Front of throughputs that are alike = %v, want %v", got, want)
	}
}

// TestDecadesFit: with less room there are fewer ticks.
func TestDecadesFit(t *testing.T) {
	for n, want := range map[int]int{9: 6, 5: 3, 2: 2} {
		if got := (decades{stat.Brief, n}).Ticks(0.004, 0.25); len(got) != want {
			t.Errorf("room for %d: %d ticks, want %d", n, len(got), want)
		}
	}
}

// TestThinnedNamesFit: each name that is left has room, and a short axis keeps all
// names.
func TestThinnedNamesFit(t *testing.T) {
	var names []string
	for i := range 50 {
		names = append(names, fmt.Sprint(i+1))
	}
	sty := style(dim, smallSize)
	for _, apart := range []float64{14, 7, 30} {
		last := -1
		for i, n := range thinned(names, sty, apart) {
			if n == "" {
				continue
			}
			if n != names[i] || last >= 0 && float64(i-last)*apart < textWidth(sty, n)+4 {
				t.Errorf("%g apart: %q at %d, after %d", apart, n, i, last)
			}
			last = i
		}
		if last < 40 {
			t.Errorf("%g apart: the last name is at %d", apart, last)
		}
	}
	if cmp.Diff(names[:5], thinned(names[:5], sty, 2)) != "" {
		t.Error("a short axis loses names")
	}
}
