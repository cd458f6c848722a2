package sweep

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"harelab/reports/plot"
)

// of makes a sweep of order, prefetch and size with one value of the goal for each cell.
func of(goal func(order, prefetch, size string) float64) *Sweep {
	s := &Sweep{Scenario: "s", Title: "A question", Target: "sim", Virtual: true, Goal: "wait.p99", Axes: []Axis{
		{"order", []string{"fifo", "priority", "aging"}}, {"prefetch", []string{"1", "4", "16", "0"}}, {"size", []string{"s", "l"}}}}
	for _, o := range s.Axes[0].Values {
		for _, p := range s.Axes[1].Values {
			for _, z := range s.Axes[2].Values {
				v := goal(o, p, z)
				s.Cells = append(s.Cells, Cell{Values: []string{o, p, z}, Load: "x", Metrics: map[string]float64{
					"wait.p99": v, "wait.mean": v / 4, "wait.max": 2 * v, "throughput": 100, "idle_while_waiting": v}})
			}
		}
	}
	return s
}

// TestTiesAreGrouped: cells that are equally good are named by the settings that they have
// in common, and the name covers no other cell. The sentence does not depend on the order
// of the values of an axis.
func TestTiesAreGrouped(t *testing.T) {
	for _, tt := range []struct {
		name string
		goal func(o, p, z string) float64
		want string
	}{
		{"one axis decides", func(o, p, z string) float64 { return map[string]float64{"fifo": 1, "priority": 61, "aging": 10}[o] },
			"With fifo, 99 % of messages start within 1 s instead of 61 s with priority. prefetch and size do not change that."},
		{"two ways", func(o, p, z string) float64 {
			if o == "fifo" || p == "16" || p == "0" {
				return 1
			}
			return 61
		}, "With a prefetch of 16 or more, or with fifo, 99 % of messages start within 1 s instead of 61 s with priority or aging and a prefetch of 1 or 4. size does not change that."},
		{"an odd cell out", func(o, p, z string) float64 {
			if o == "fifo" && (p != "1" || z != "l") {
				return 1
			}
			return 2
		}, "With fifo and a prefetch of 4 or more, or with fifo and s, 99 % of messages start within 1 s instead of 2 s with priority or aging, or with a prefetch of 1 and l."},
		{"scattered", func(o, p, z string) float64 {
			if (len(o)+len(p))%2 == map[string]int{"s": 0, "l": 1}[z] {
				return 1
			}
			return 2
		}, " other cells, 99 % of messages start within 1 s instead of 2 s with "},
		{"no limit is worst", func(o, p, z string) float64 {
			if p == "0" {
				return 5
			}
			return 0
		}, "With a prefetch of 1, 4 or 16, 99 % of messages start at once instead of within 5 s with no prefetch limit. order and size do not change that."},
		{"nothing matters", func(o, p, z string) float64 { return 3 }, "In every cell 99 % of messages start within 3 s: order, prefetch and size do not change that."},
	} {
		for _, s := range []*Sweep{of(tt.goal), reversed(of(tt.goal))} {
			got := s.Sentence()
			if s.Axes[0].Values[0] != "fifo" { // names stay in the order of their axis
				got = strings.ReplaceAll(got, "aging or priority", "priority or aging")
			}
			if got != tt.want && (tt.name != "scattered" || !strings.Contains(got, tt.want)) {
				t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
			}
		}
	}
}

// reversed is the same sweep with the values of each axis, and the cells, in the other
// order.
func reversed(s *Sweep) *Sweep {
	out := *s
	out.Axes = nil
	for _, a := range s.Axes {
		a.Values = slices.Clone(a.Values)
		slices.Reverse(a.Values)
		out.Axes = append(out.Axes, a)
	}
	out.Cells = slices.Clone(s.Cells)
	slices.Reverse(out.Cells)
	return &out
}

// TestSentenceMirrors: where the better cells become the worse, the two sides of the
// sentence change places.
func TestSentenceMirrors(t *testing.T) {
	for _, goal := range []string{"wait.p99{class=quick}", "wait.max", "starvation{class=quick}", "throughput", "lost", "utilisation"} {
		sentence := func(with2, with5 float64) string {
			s := &Sweep{Goal: goal, Axes: []Axis{{"workers", []string{"2", "5"}}}}
			for i, v := range []float64{with2, with5} {
				s.Cells = append(s.Cells, Cell{Values: s.Axes[0].Values[i : i+1], Metrics: map[string]float64{goal: v}})
			}
			return s.Sentence()
		}
		low, high := sentence(1, 8), sentence(8, 1)
		swap := strings.NewReplacer("2 workers", "5 workers", "5 workers", "2 workers")
		if low == high || swap.Replace(low) != high {
			t.Errorf("%s: %q and %q", goal, low, high)
		}
		best := "With 2 workers, "
		if goal == "throughput" || goal == "utilisation" {
			best = "With 5 workers, "
		}
		if !strings.HasPrefix(low, best) {
			t.Errorf("%s: %q does not begin with %q", goal, low, best)
		}
	}
}

func TestSentenceOfRepeats(t *testing.T) {
	s := &Sweep{Goal: "wait.max", Axes: []Axis{{"prefetch", []string{"1", "4"}}}}
	for i, v := range []float64{1, 2, 9} {
		s.Cells = append(s.Cells, Cell{Values: []string{"1"}, Repeat: i, Metrics: map[string]float64{"wait.max": v}},
			Cell{Values: []string{"4"}, Repeat: i, Metrics: map[string]float64{"wait.max": 10 * v}})
	}
	if got, want := s.Sentence(), "With a prefetch of 1, the longest wait of messages is 2 s instead of 20 s with a prefetch of 4 (medians of 3 repeats)."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestSettings: values of an axis in words.
func TestSettings(t *testing.T) {
	for _, tt := range []struct {
		axis   Axis
		chosen []string
		want   string
	}{
		{Axis{"workers", []string{"1", "2", "3"}}, []string{"2", "3"}, "2 or 3 workers"},
		{Axis{"workers", []string{"3", "2", "1"}}, []string{"3", "2"}, "2 or 3 workers"},
		{Axis{"workers", []string{"1", "2", "3"}}, []string{"1"}, "1 worker"},
		{Axis{"workers", []string{"1", "2", "4", "8", "16"}}, []string{"2", "4", "8", "16"}, "2 or more workers"},
		{Axis{"prefetch", []string{"0", "1", "4", "16"}}, []string{"0", "16"}, "a prefetch of 16 or more"},
		{Axis{"prefetch", []string{"0", "1", "4", "16"}}, []string{"0"}, "no prefetch limit"},
		{Axis{"prefetch", []string{"0", "1", "4", "16"}}, []string{"0", "1"}, "a prefetch of 1 or no limit"},
		{Axis{"prefetch", []string{"1", "2", "3", "4", "5", "6", "7"}}, []string{"1", "2", "3", "4", "5", "7"}, "a prefetch of 1 to 5 or 7"},
		{Axis{"rho", []string{"0.5", "0.9"}}, []string{"0.9"}, "a rho of 0.9"},
		{Axis{"interval", []string{"1s", "500ms"}}, []string{"500ms"}, "an interval of 500ms"},
		{Axis{"size", []string{"128B", "16KiB", "1KiB"}}, []string{"1KiB", "16KiB"}, "a size of 1KiB or more"},
		{Axis{"order", []string{"fifo", "drr", "aging"}}, []string{"fifo", "drr"}, "fifo or drr"},
		{Axis{"split", []string{"true", "false"}}, []string{"true"}, "split=true"},
		{Axis{"ack", []string{"on-done", "none"}}, []string{"none"}, "ack=none"},
	} {
		s := &Sweep{Axes: []Axis{tt.axis}}
		var at []int
		for _, v := range tt.chosen {
			at = append(at, slices.Index(tt.axis.Values, v))
		}
		if got := s.setting(0, at); got != tt.want {
			t.Errorf("%s %v: %q, want %q", tt.axis.Name, tt.chosen, got, tt.want)
		}
	}
	two := &Sweep{Axes: []Axis{{"base", []string{"fifo", "drr"}}, {"other", []string{"fifo", "drr"}}}}
	if got := two.with([][]string{{"fifo", "drr"}}); got != "base=fifo and other=drr" {
		t.Errorf("%q", got)
	}
}

func TestTextSaysWhatIsNearly(t *testing.T) {
	s := of(func(o, p, z string) float64 {
		return map[string]float64{"fifo": 10, "priority": 10.3, "aging": 20}[o] + map[string]float64{"1": 0, "4": 9, "16": 9, "0": 9}[p]
	})
	for _, want := range []string{"A question.", "Within 5 % of the best are the cells with fifo or priority and a prefetch of 1.",
		"judged by wait.p99, 99 % of messages start within.", "A prefetch of 0 means no limit.", "All cells have the same arrivals and service times"} {
		if got := s.text(); !strings.Contains(got, want) {
			t.Errorf("text lacks %q: %s", want, got)
		}
	}
}

// TestLoadsThatDiffer: the text says which axis changes the load.
func TestLoadsThatDiffer(t *testing.T) {
	s := of(func(o, p, z string) float64 { return 1 + float64(len(o)) })
	for i, c := range s.Cells {
		s.Cells[i].Load = c.Values[2]
	}
	text, sound := s.text(), s.sound()
	if !strings.Contains(text, "Size changes the load; cells with the same size have the same arrivals") || strings.Contains(text, "All cells have the same") {
		t.Errorf("text %q", text)
	}
	if sound.State != "note" || sound.Checks[1].Name != "load" || !strings.HasPrefix(sound.Checks[1].Text, "Size changes the load, so") {
		t.Errorf("sound %+v", sound)
	}
	for i := range s.Cells {
		s.Cells[i].Load = ""
	}
	if text := s.text(); strings.Contains(text, "arrivals") || s.sound().State != "ok" {
		t.Errorf("loads that nobody knows: %q", text)
	}
}

// TestLinesKeepTheBest: of too many lines and panels the best are drawn, and the chart
// says that others are left out.
func TestLinesKeepTheBest(t *testing.T) {
	s := &Sweep{Goal: "wait.p99", Axes: []Axis{{"prefetch", nil}, {"dispatch", nil}, {"workers", nil}}}
	for i := range 10 {
		s.Axes[0].Values = append(s.Axes[0].Values, string(rune('0'+i)))
	}
	for i := range 9 {
		s.Axes[1].Values = append(s.Axes[1].Values, string(rune('a'+i)))
	}
	for i := range 8 {
		s.Axes[2].Values = append(s.Axes[2].Values, string(rune('A'+i)))
	}
	for i, p := range s.Axes[0].Values {
		for k, d := range s.Axes[1].Values {
			for n, w := range s.Axes[2].Values {
				s.Cells = append(s.Cells, Cell{Values: []string{p, d, w}, Metrics: map[string]float64{"wait.p99": float64(1000 - i - 10*k - 100*n)}})
			}
		}
	}
	f := s.lines(plot.Wide)
	if f == nil || !strings.Contains(f.Note, "with the best cells") {
		t.Fatalf("lines: %+v", f)
	}
	panes, note := s.panes(0, 1)
	if len(panes) != plot.MaxPanels || panes[0].title != "workers=C" || panes[5].title != "workers=H" || !strings.Contains(note, "Of 8 combinations") {
		t.Errorf("%d panes, the first %s; %q", len(panes), panes[0].title, note)
	}
	if lines := s.bestOf(s.linesOf(panes[0], 1), plot.MaxLines); len(lines) != plot.MaxLines || lines[len(lines)-1].title != "dispatch=i" {
		t.Errorf("lines %v", lines)
	}
}

// TestManyValues: a long axis is named by its ends, and a long table is cut.
func TestManyValues(t *testing.T) {
	s := &Sweep{Scenario: "s", Target: "sim", Goal: "wait.p99", Axes: []Axis{{"prefetch", nil}, {"order", []string{"fifo", "drr"}}}}
	for i := range 150 {
		s.Axes[0].Values = append(s.Axes[0].Values, strconv.Itoa(i))
		for _, o := range s.Axes[1].Values {
			v := 1.0
			if i < 3 || i == 70 || o == "drr" {
				v = 2
			}
			s.Cells = append(s.Cells, Cell{Values: []string{strconv.Itoa(i), o}, Metrics: map[string]float64{"wait.p99": v}})
		}
	}
	if got, want := s.Sentence(), "With a prefetch of 3 to 69 or 71 to 149 and fifo, 99 % of messages start within 1 s instead of 2 s with drr, or with a prefetch of 1, 2, 70 or no limit."; got != want {
		t.Errorf("sentence %q, want %q", got, want)
	}
	if text := s.text(); !strings.Contains(text, "over prefetch (150 values, 0 to 149) and order (fifo, drr): 300 cells") {
		t.Errorf("text %q", text)
	}
	if table := s.Sheet().Tables[0]; len(table.Rows) != maxRows || len(table.Sort) != maxRows || !strings.HasSuffix(table.Note, "These are 200 of 300; sweep.json has all.") {
		t.Errorf("%d rows, %q", len(table.Rows), table.Note)
	}
}

func TestShortLabels(t *testing.T) {
	one := &Sweep{Axes: []Axis{{"prefetch", []string{"1"}}}}
	if got := one.short([]string{"1"}) + " " + one.short([]string{"fair"}); got != "prefetch=1 fair" {
		t.Error(got)
	}
}

func TestIdleFindingOnlyIfItDiffers(t *testing.T) {
	s := of(func(o, p, z string) float64 {
		return map[string]float64{"fifo": 13, "priority": 13.1, "aging": 13.05}[o]
	})
	if got := s.idleFinding(); got != "" {
		t.Errorf("13 s against 13.1 s: %q", got)
	}
	s = of(func(o, p, z string) float64 { return map[string]float64{"fifo": 0, "priority": 20, "aging": 10}[o] })
	if got, want := s.idleFinding(), "order=fifo prefetch=1 size=s 0 s, order=priority prefetch=0 size=l 20 s."; !strings.HasSuffix(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestChoice(t *testing.T) {
	if got := choice([]plot.Dot{{Label: "a", X: 500, Y: 1}, {Label: "b", X: 564, Y: 2}, {Label: "c", X: 564, Y: 3}}); got != "2 of 3 cells are unbeaten, since no cell is better in both figures: a and b." {
		t.Error(got)
	}
	if got := choice([]plot.Dot{{Label: "a", X: 564, Y: 1}, {Label: "b", X: 500, Y: 2}}); got != "No cell beats a in either figure." {
		t.Error(got)
	}
}

// TestNothingToTrade: there is no chart of what to choose where throughput, or the wait, is
// the same in every cell.
func TestNothingToTrade(t *testing.T) {
	if grid(1).pareto(plot.Wide) == nil {
		t.Error("no chart of a sweep with something to trade")
	}
	for name, metric := range map[string]string{"throughput": "throughput", "wait": "wait.p99"} {
		s := grid(1)
		for i := range s.Cells {
			s.Cells[i].Metrics[metric] = 100 + float64(i)*1e-12
		}
		if s.pareto(plot.Wide) != nil {
			t.Errorf("a chart where every cell has the same %s", name)
		}
	}
}

// TestPrice: the text says what the best cell costs other classes.
func TestPrice(t *testing.T) {
	s := of(func(o, p, z string) float64 { return map[string]float64{"fifo": 3, "priority": 1, "aging": 2}[o] })
	for i, c := range s.Cells {
		s.Cells[i].Metrics["wait.max{class=bulk}"] = map[string]float64{"fifo": 1, "priority": 61, "aging": 10}[c.Values[0]]
		s.Cells[i].Metrics["wait.max{class=urgent}"] = map[string]float64{"fifo": 1.1, "priority": 0.1, "aging": 1.1}[c.Values[0]]
	}
	if s.price() != "" {
		t.Errorf("a price without a class: %s", s.price())
	}
	s.Goal = "wait.max{class=bulk}"
	if want := "The price of the best cell, with fifo, a prefetch of 1 and s: the longest wait of urgent is 1.1 s instead of 0.1 s with priority."; !strings.Contains(s.text(), want) {
		t.Errorf("text lacks %q: %s", want, s.text())
	}
	s.Goal = "wait.max{class=urgent}"
	if want := "The price of the best cell, with priority, a prefetch of 1 and s: the longest wait of bulk is 61 s instead of 1 s with fifo."; !strings.Contains(s.text(), want) {
		t.Errorf("text lacks %q: %s", want, s.text())
	}
	s.Goal = "wait.max{class=bulk}"
	for i := range s.Cells {
		s.Cells[i].Metrics["wait.max{class=urgent}"] = 1.1 - float64(i)/1000
	}
	if got := s.price(); got != "" {
		t.Errorf("a price that nobody feels: %s", got)
	}
}

// twoClasses is a sweep of workers and slowworkers whose goal is the wait of quick. Only
// slowworkers changes the wait of slow.
func twoClasses() *Sweep {
	s := &Sweep{Scenario: "starving", Target: "sim", Virtual: true, Goal: "wait.p99{class=quick}", Expect: []string{"wait.p99{class=quick} < 1s"},
		Axes: []Axis{{"workers", []string{"1", "2", "3"}}, {"slowworkers", []string{"1", "2", "6"}}}}
	for i, w := range s.Axes[0].Values {
		for k, sw := range s.Axes[1].Values {
			slow := []float64{205, 67.2, 4.95}[k]
			s.Cells = append(s.Cells, Cell{Values: []string{w, sw}, Slots: 8 * (i + 1 + []int{1, 2, 6}[k]), Metrics: map[string]float64{
				"wait.p99{class=quick}": []float64{1.73e-3, 0, 0}[i], "wait.p99{class=slow}": slow, "wait.p99": slow, "throughput": 8,
			}})
		}
	}
	return s
}

// TestTiesAreBroken: among cells that are equal by the goal, the best is the best for other
// classes, then the one with the fewest slots, and the text says what the tie hides.
func TestTiesAreBroken(t *testing.T) {
	for _, s := range []*Sweep{twoClasses(), reversed(twoClasses())} {
		best, worst, _ := s.Best()
		if !slices.Equal(best, []string{"2", "6"}) || !slices.Equal(worst, []string{"1", "1"}) {
			t.Errorf("best %v, worst %v", best, worst)
		}
		if got, want := s.Sentence(), "With 2 or 3 workers, 99 % of quick start at once instead of within 1.73 ms with 1 worker. slowworkers does not change that."; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if got, want := s.hidden(), "The best cells differ in another figure: with 2 or 3 workers and 6 slowworkers, 99 % of slow start within 4.95 s instead of 205 s with 2 or 3 workers and 1 slowworker."; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestExpected: the sweep says which cells meet what the file expects, and which of them is
// the cheapest.
func TestExpected(t *testing.T) {
	unmet := func(which func(c Cell) bool) *Sweep {
		s := twoClasses()
		for i, c := range s.Cells {
			if which(c) {
				s.Cells[i].Unmet = s.Expect
			}
		}
		return s
	}
	for _, tt := range []struct {
		name  string
		unmet func(c Cell) bool
		want  string
	}{
		{"all", func(c Cell) bool { return false }, "Every cell meets wait.p99{class=quick} < 1s. The cheapest has 16 slots: with 1 worker and 1 slowworker."},
		{"none", func(c Cell) bool { return true }, "None of the 9 cells meets wait.p99{class=quick} < 1s."},
		{"some", func(c Cell) bool { return c.Values[0] == "1" }, "6 of 9 cells meet wait.p99{class=quick} < 1s: those with 2 or 3 workers. The cheapest has 24 slots: with 2 workers and 1 slowworker."},
		{"the others", func(c Cell) bool { return c.Values[0] != "1" }, "3 of 9 cells meet wait.p99{class=quick} < 1s: those with 1 worker. The cheapest has 16 slots: with 1 worker and 1 slowworker."},
		{"one", func(c Cell) bool { return c.Values[0] != "3" || c.Values[1] != "6" }, "1 of 9 cells meets wait.p99{class=quick} < 1s: the one with 3 workers and 6 slowworkers. It has 72 slots."},
	} {
		for _, s := range []*Sweep{unmet(tt.unmet), reversed(unmet(tt.unmet))} {
			if got := s.expected(); got != tt.want {
				t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
			}
		}
	}
	s := twoClasses()
	s.Cells[4].Invalid = "cut off" // it meets nothing
	if got := s.expected(); !strings.HasPrefix(got, "8 of 9 cells meet") {
		t.Error(got)
	}
	s = twoClasses()
	if s.Expect = []string{"lost == 0"}; s.expected() != "" {
		t.Error("that nothing is lost anywhere is no news")
	}
	if s.Expect = nil; s.expected() != "" {
		t.Error("nothing is expected")
	}
}

// TestOverloadedCells: the sweep says which cells are overloaded by plan.
func TestOverloadedCells(t *testing.T) {
	over := func(text func(c Cell) string) *Sweep {
		s := twoClasses()
		for i, c := range s.Cells {
			if o := text(c); o != "" {
				s.Cells[i].Overloads = []string{o}
			}
		}
		return s
	}
	for _, tt := range []struct {
		name string
		text func(c Cell) string
		want string
	}{
		{"none", func(c Cell) string { return "" }, ""},
		{"all alike", func(c Cell) string { return "Too much." }, "In every cell: Too much."},
		{"some alike", func(c Cell) string { return map[string]string{"1": "Too much."}[c.Values[1]] }, "With 1 slowworker: Too much."},
		{"all", func(c Cell) string { return "Too much for " + c.Values[1] + "." }, "In every cell the load needs more slots than there are. | With 1 worker and 1 slowworker: Too much for 1."},
		{"some", func(c Cell) string {
			return map[string]string{"1": "Too much for 1.", "2": "Too much for 2."}[c.Values[1]]
		}, "In 6 of 9 cells the load needs more slots than there are: those with 1 or 2 slowworkers. | With 1 worker and 1 slowworker: Too much for 1."},
	} {
		for _, s := range []*Sweep{over(tt.text), reversed(over(tt.text))} {
			if got := strings.Join(s.overloads(), " | "); got != tt.want {
				t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
			}
		}
	}
}

// TestBestAlongAnAxis: the caption of lines names the best values for each line.
func TestBestAlongAnAxis(t *testing.T) {
	s := &Sweep{Goal: "wait.p99", Axes: []Axis{{"prefetch", []string{"1", "2", "4", "8", "0"}}, {"workers", []string{"1", "2"}}}}
	for _, w := range s.Axes[1].Values {
		for _, p := range s.Axes[0].Values {
			v := 0.068
			if w == "1" && len(p) == 1 && p < "4" && p != "0" {
				v = 0.1
			}
			if w == "2" {
				v = 0.05
				if p == "2" {
					v = 0.0401
				}
			}
			s.Cells = append(s.Cells, Cell{Values: []string{p, w}, Metrics: map[string]float64{"wait.p99": v}})
		}
	}
	panes, _ := s.panes(0, 1)
	if got, want := s.lineFinding(panes, 0, 1), "Best prefetch: 4 or more for 1 worker (68 ms), 2 for 2 workers (40.1 ms)."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestTableSaysOnceWhatIsTheSame: metrics that are the same in every cell are in the note,
// and the goal and the same metric of other classes are the first columns.
func TestTableSaysOnceWhatIsTheSame(t *testing.T) {
	s := of(func(o, p, z string) float64 { return float64(len(o)) / 100 })
	for i := range s.Cells {
		s.Cells[i].Metrics["wait.p99{class=quiet}"] = float64(i) / 10
	}
	table := s.table()
	if got := strings.Join(table.Columns, " "); got != "order prefetch size wait.p99 wait.p99{class=quiet} wait.mean wait.max idle_while_waiting" {
		t.Errorf("columns %s", got)
	}
	if !strings.HasSuffix(table.Note, "The same in every cell: throughput 100/s.") {
		t.Errorf("note %q", table.Note)
	}
	s.Goal = "throughput"
	if got := s.table().Columns[3]; got != s.Goal {
		t.Errorf("the first figure is %s, want the goal even where nothing moves it", got)
	}
}

// TestCountsAreSaidAfterTheirSetting: of a goal that counts messages each cell has a clause of
// its own. Two numbers side by side would part the first from what it counts.
func TestCountsAreSaidAfterTheirSetting(t *testing.T) {
	s := &Sweep{Scenario: "s", Target: "sim", Virtual: true, Goal: "dead_lettered", Axes: []Axis{{"retry", []string{"backoff-jitter", "immediate"}}}}
	for i, v := range []float64{0, 13542} {
		s.Cells = append(s.Cells, Cell{Values: []string{s.Axes[0].Values[i]}, Load: "x", Metrics: map[string]float64{"dead_lettered": v}})
	}
	if got, want := s.Sentence(), "With backoff-jitter, no message is dead-lettered; with immediate, 13,542 messages are dead-lettered."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
