package sweep

import (
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
// in common, and the name covers no other cell.
func TestTiesAreGrouped(t *testing.T) {
	for _, tt := range []struct {
		name string
		goal func(o, p, z string) float64
		want string
	}{
		{"one axis decides", func(o, p, z string) float64 { return map[string]float64{"fifo": 1, "priority": 61, "aging": 10}[o] },
			"order=fifo with any prefetch and size is best: 99 % of messages wait 1 s at most. Worst is order=priority with any prefetch and size: 61 s."},
		{"two ways", func(o, p, z string) float64 {
			if o == "fifo" || p == "16" || p == "0" {
				return 1
			}
			return 61
		}, "prefetch=16 and 0 with any order and size, and order=fifo with any prefetch and size are equally good: 99 % of messages wait 1 s at most. Worst is order=priority or aging prefetch=1 or 4 with any size: 61 s."},
		{"an odd cell out", func(o, p, z string) float64 {
			if o == "fifo" && (p != "1" || z != "l") {
				return 1
			}
			return 2
		}, "order=fifo prefetch=4, 16 and 0 with any size, and order=fifo size=s with any prefetch are equally good: 99 % of messages wait 1 s at most. Worst is order=priority or aging with any prefetch and size, or prefetch=1 size=l with any order: 2 s."},
		{"scattered", func(o, p, z string) float64 {
			if (len(o)+len(p))%2 == map[string]int{"s": 0, "l": 1}[z] {
				return 1
			}
			return 2
		}, " more are equally good: 99 % of messages wait 1 s at most. Worst is "},
		{"nothing matters", func(o, p, z string) float64 { return 3 }, "The settings make no difference to wait.p99: it is 3 s in every cell."},
	} {
		if got := of(tt.goal).Sentence(); got != tt.want && (tt.name != "scattered" || !strings.Contains(got, tt.want)) {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
	}
}

func TestSentenceOfRepeats(t *testing.T) {
	s := &Sweep{Goal: "wait.max", Axes: []Axis{{"prefetch", []string{"1", "4"}}}}
	for i, v := range []float64{1, 2, 9} {
		s.Cells = append(s.Cells, Cell{Values: []string{"1"}, Repeat: i, Metrics: map[string]float64{"wait.max": v}},
			Cell{Values: []string{"4"}, Repeat: i, Metrics: map[string]float64{"wait.max": 10 * v}})
	}
	if got, want := s.Sentence(), "prefetch=1 is best: the longest wait is 2 s (median of 3 repeats). Worst is prefetch=4: 20 s."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestClaim: the sentence says in words what the goal's value means, or has its name.
func TestClaim(t *testing.T) {
	for _, tt := range []struct {
		goal  string
		value float64
		want  string
	}{
		{"wait.p99", 15, "99 % of messages wait 15 s at most"},
		{"wait.p99.9{class=quick}", 0.5, "99.9 % of quick wait 0.5 s at most"},
		{"wait.p99{class=quick}", 0, "99 % of quick start at once"},
		{"wait.p50{class=quick}", 2, "the median wait of quick is 2 s"},
		{"wait.max{class=quick}", 2, "the longest wait of quick is 2 s"},
		{"wait.p99{tenant!=noisy}", 2, "wait.p99{tenant!=noisy} is 2 s"},
		{"held.p99", 2, "the 99th percentile of the time held by a worker before the start is 2 s"},
		{"lost", 3, "lost is 3"},
	} {
		if got := (&Sweep{Goal: tt.goal}).claim(tt.value); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.goal, got, tt.want)
		}
	}
}

func TestTextSaysWhatMakesNoDifference(t *testing.T) {
	s := of(func(o, p, z string) float64 {
		return map[string]float64{"fifo": 10, "priority": 10.3, "aging": 20}[o] + map[string]float64{"1": 0, "4": 9, "16": 9, "0": 9}[p]
	})
	for _, want := range []string{"A question.", "Within 5 % of the best: order=fifo and priority prefetch=1 with any size.", "Size does not change wait.p99 in any cell.",
		"judged by wait.p99, the 99th percentile of the wait.", "A prefetch of 0 means no limit.", "All cells have the same arrivals and service times"} {
		if got := s.text(); !strings.Contains(got, want) {
			t.Errorf("text lacks %q: %s", want, got)
		}
	}
	for metric, want := range map[string]string{"wait.max{class=quiet}": "the longest wait of quiet", "held.mean": "the mean time held by a worker before the start", "throughput": "", "wait.p50{worker=w}": ""} {
		if got := goalWords(metric); got != want {
			t.Errorf("%s in words is %q, want %q", metric, got, want)
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
	if got, want := s.Sentence(), "prefetch=3 to 69 and 71 to 149 order=fifo are equally good: 99 % of messages wait 1 s at most. Worst is order=drr with any prefetch, or prefetch=0, 1, 2 or 70 with any order: 2 s."; got != want {
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
	rate := func(v float64) string { return "r" }
	if got := choice([]plot.Dot{{Label: "a", X: 560, Y: 1}, {Label: "b", X: 564, Y: 2}}, rate); !strings.HasPrefix(got, "No cell beats a in either figure. Throughput is the same in every cell (r), so there is none") {
		t.Error(got)
	}
	if got := choice([]plot.Dot{{Label: "a", X: 500, Y: 1}, {Label: "b", X: 564, Y: 2}, {Label: "c", X: 564, Y: 3}}, rate); got != "2 of 3 cells are unbeaten, since no cell is better in both figures: a and b." {
		t.Error(got)
	}
}

// TestGoalOfOneClass: with a goal of one class the chart shows the wait of that class, and
// the text says what the best cell costs other classes.
func TestGoalOfOneClass(t *testing.T) {
	s := of(func(o, p, z string) float64 { return map[string]float64{"fifo": 3, "priority": 1, "aging": 2}[o] })
	for i, c := range s.Cells {
		s.Cells[i].Metrics["wait.max{class=bulk}"] = map[string]float64{"fifo": 1, "priority": 61, "aging": 10}[c.Values[0]]
		s.Cells[i].Metrics["wait.max{class=urgent}"] = map[string]float64{"fifo": 1.1, "priority": 0.1, "aging": 1.1}[c.Values[0]]
	}
	if f := s.pareto(plot.Wide); f != nil {
		t.Errorf("a chart of what to choose, with the same throughput in every cell: %+v", f)
	}
	for i, c := range s.Cells {
		s.Cells[i].Metrics["throughput"] = map[string]float64{"fifo": 120, "priority": 120, "aging": 90}[c.Values[0]]
	}
	if f := s.pareto(plot.Wide); f == nil || !strings.HasPrefix(f.Alt, "No cell beats order=priority") {
		t.Errorf("by the wait of all: %+v", f)
	}
	if s.price() != "" {
		t.Errorf("a price without a class: %s", s.price())
	}
	s.Goal = "wait.max{class=bulk}"
	if f := s.pareto(plot.Wide); f == nil || !strings.HasPrefix(f.Alt, "No cell beats order=fifo") {
		t.Errorf("by the wait of bulk: %+v", f)
	}
	if want := "The price: wait.max{class=urgent} is 1.1 s in the best cell, but 0.1 s in order=priority with any prefetch and size."; !strings.Contains(s.text(), want) {
		t.Errorf("text lacks %q: %s", want, s.text())
	}
	for i := range s.Cells {
		s.Cells[i].Metrics["wait.max{class=urgent}"] = 1.1 - float64(i)/1000
	}
	if got := s.price(); got != "" {
		t.Errorf("a price that nobody feels: %s", got)
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
