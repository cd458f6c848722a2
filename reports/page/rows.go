package page

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"harelab/reports/arms"
	"harelab/reports/folder"
	"harelab/reports/judge"
	"harelab/reports/stat"
	"harelab/scenarios/metric"
)

// maxCards is the greatest number of arms that have a card.
const maxCards = 4

// bigNumbers returns the first goal of the arms that have the same load as the first
// arm: the median over the repeats with their range. Of many arms it returns the first
// and the best two. A page of one arm has two further figures. other names the arms
// with another load.
func bigNumbers(in *arms.Set) (big []bigNumber, other string) {
	if many(in) { // without a common question
		return nil, ""
	}
	if len(in.Arms) == 0 || len(in.Goals) == 0 {
		return nil, otherLoads(in)
	}
	g := in.Goals[0]
	var shown []*arms.Arm
	for _, a := range in.Comparable() {
		if a.Of(g).N > 0 {
			shown = append(shown, a)
		}
	}
	if len(shown) > maxCards {
		sorted := slices.Clone(shown[1:])
		slices.SortStableFunc(sorted, func(a, b *arms.Arm) int {
			x, y := a.Of(g).Center, b.Of(g).Center
			switch {
			case judge.IsBetter(g.Query, x, y):
				return -1
			case judge.IsBetter(g.Query, y, x):
				return 1
			}
			return 0
		})
		shown = append([]*arms.Arm{shown[0]}, sorted[:2]...)
	}
	for _, a := range shown {
		b := card(g, a)
		b.Letter, b.Label = a.Letter, a.Label
		if len(in.Arms) > 1 && !sameTitles(shown) {
			b.Title = a.First().Summary.Title
		}
		if p := a.Predicted; p != nil {
			if v := judge.Value(p.Summary, g.Query); !math.IsNaN(v) {
				b.Predicted = "predicted " + g.Value(v)
			}
		}
		big = append(big, b)
	}
	if len(in.Arms) == 1 {
		big = append(big, more(gather(in), g)...)
	}
	return big, otherLoads(in)
}

// card returns a figure of an arm, without the arm's name.
func card(g judge.Goal, a *arms.Arm) bigNumber {
	e := a.Of(g)
	b := bigNumber{Style: armStyle(a), Value: g.Value(e.Center), Range: g.Spread(e), What: g.Label()}
	if m := a.First().Summary.Race.Of(g.String()); m != nil {
		b.Race = m.Range()
	}
	return b
}

// more returns two further figures for a page of one arm. They do not name it again.
func more(f facts, shown judge.Goal) []bigNumber {
	of := f.about("wait.max")
	if of.String() == shown.String() {
		of = f.about("wait.p50")
	}
	var out []bigNumber
	for _, g := range []judge.Goal{of, judge.About(metric.Must("utilisation"), nil)} {
		if e := f.base.Of(g); e.N > 0 && g.String() != shown.String() {
			out = append(out, card(g, f.base))
		}
	}
	return out
}

// otherLoads names the arms that had another load than the first and are not compared
// with it. It is empty if all had the same.
func otherLoads(in *arms.Set) string {
	var others []string
	comparable := in.Comparable()
	for _, a := range in.Arms {
		if !slices.Contains(comparable, a) {
			others = append(others, fmt.Sprintf("%s (%s)", a.Label, a.First().Summary.Load))
		}
	}
	switch len(others) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("%s had another load than %s and is not compared with it.", others[0], comparable[0].Label)
	}
	return fmt.Sprintf("%s had other loads than %s and are not compared with it.", stat.List(others, "and"), comparable[0].Label)
}

// sameTitles reports whether all arms have the same title, which then is not shown.
func sameTitles(shown []*arms.Arm) bool {
	return !slices.ContainsFunc(shown, func(a *arms.Arm) bool { return a.First().Summary.Title != shown[0].First().Summary.Title })
}

// median returns the median of a figure over an arm's repeats; NaN is not visible.
func median(a *arms.Arm, f func(*stat.Summary) float64) float64 { return a.Over(f).Center }

func figureCell(v float64, format func(float64) string) cell {
	if math.IsNaN(v) {
		return cell{Text: "not visible", Sort: "-1"}
	}
	return cell{Text: format(v), Sort: strconv.FormatFloat(v, 'g', -1, 64)}
}

// figureRows returns a row for every class of every arm.
func figureRows(in *arms.Set) [][]cell {
	var rows [][]cell
	for _, a := range in.Arms {
		for _, c := range a.First().Summary.Classes {
			get := func(f func(*stat.Class) float64) float64 {
				return median(a, func(s *stat.Summary) float64 { return f(s.Class(c.Name)) })
			}
			finished := get(func(c *stat.Class) float64 { return float64(c.N) })
			figureCell := func(v float64, format func(float64) string) cell {
				if math.IsNaN(v) && (finished == 0 || a.First().Summary.Target.Visible()) {
					return cell{Text: "-", Sort: "-1"} // nothing is hidden: there is no such figure
				}
				return figureCell(v, format)
			}
			dist := func(d func(*stat.Class) *stat.Dist, f func(*stat.Dist) float64) float64 {
				return get(func(c *stat.Class) float64 {
					if d(c) == nil {
						return math.NaN()
					}
					return f(d(c))
				})
			}
			wait := func(c *stat.Class) *stat.Dist { return c.Wait }
			most := func(d *stat.Dist) float64 { return d.Max }
			rows = append(rows, []cell{
				{Text: a.Label, Letter: a.Letter, Style: armStyle(a), Head: true},
				{Text: c.Name, Head: true},
				figureCell(finished, func(v float64) string { return stat.Count(int(v)) }),
				figureCell(dist(wait, func(d *stat.Dist) float64 { return d.Mean }), stat.Seconds),
				figureCell(dist(wait, func(d *stat.Dist) float64 { return d.P50 }), stat.Brief),
				figureCell(dist(wait, func(d *stat.Dist) float64 { return d.P95 }), stat.Brief),
				figureCell(dist(wait, func(d *stat.Dist) float64 { return d.P99 }), stat.Brief),
				figureCell(dist(wait, most), stat.Brief),
				figureCell(dist(func(c *stat.Class) *stat.Dist { return c.Queued }, most), stat.Brief),
				figureCell(dist(func(c *stat.Class) *stat.Dist { return c.Held }, most), stat.Brief),
				figureCell(get(func(c *stat.Class) float64 { return float64(c.Stuck) }), func(v float64) string { return stat.Count(int(v)) }),
				figureCell(get(func(c *stat.Class) float64 { return c.Starvation }), stat.Brief),
				figureCell(dist(func(c *stat.Class) *stat.Dist { return c.Slowdown }, most), stat.Times),
				figureCell(get(func(c *stat.Class) float64 {
					if c.N == 0 {
						return math.NaN()
					}
					return c.Finish
				}), stat.Brief),
			})
		}
	}
	return rows
}

// makespan returns the time at which the last message was done, or "-" if none was.
func makespan(a *arms.Arm) cell {
	if median(a, func(s *stat.Summary) float64 { return float64(s.All.N) }) == 0 {
		return cell{Text: "-", Sort: "-1"}
	}
	return figureCell(median(a, func(s *stat.Summary) float64 { return s.Makespan }), stat.Brief)
}

// runRows returns a row for every arm, with the figures of the run as a whole.
func runRows(in *arms.Set) [][]cell {
	var rows [][]cell
	for _, a := range in.Arms {
		get := func(f func(*stat.Summary) float64, format func(float64) string) cell {
			v := median(a, f)
			if math.IsNaN(v) && a.First().Summary.Target.Visible() {
				return cell{Text: "-", Sort: "-1"} // nothing is hidden: there is no such figure
			}
			return figureCell(v, format)
		}
		count := func(v float64) string { return stat.Count(int(v)) }
		s := a.First().Summary
		rows = append(rows, []cell{
			{Text: a.Label, Letter: a.Letter, Style: armStyle(a), Head: true},
			{Text: in.TargetName(s.Target), Head: true},
			makespan(a),
			get(func(s *stat.Summary) float64 { return s.Utilisation }, stat.Percent),
			get(func(s *stat.Summary) float64 { return s.IdleWhileWaiting }, stat.Brief),
			get(func(s *stat.Summary) float64 {
				if s.JainBusyByWorker == nil {
					return math.NaN()
				}
				return *s.JainBusyByWorker
			}, func(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }),
			get(func(s *stat.Summary) float64 {
				if s.Ledger.Gone > 0 {
					return math.NaN() // the target does not show which are lost
				}
				return float64(s.Ledger.Lost)
			}, count),
			get(func(s *stat.Summary) float64 { return float64(s.Ledger.Duplicated) }, count),
			get(func(s *stat.Summary) float64 { return float64(s.Ledger.Redelivered) }, count),
		})
	}
	return rows
}

func agreements(in *arms.Set, ss []*stat.Summary) []agreement {
	var out []agreement
	for _, a := range stat.Agreements(ss) {
		v := agreement{Arm: a.Arm, Target: in.TargetName(a.Target), Class: "ok", Verdict: a.Verdict()}
		if !a.Within() {
			v.Class = "bad"
		}
		if e := a.Excuse(); e != "" {
			v.Verdict += "; " + e
		}
		for _, l := range a.Lines {
			d := stat.Brief(l.Diff())
			if l.Diff() > 0 {
				d = "+" + d
			}
			mark := cell{Text: "✓"}
			if !l.Within {
				mark = cell{Text: "✗"}
			}
			v.Rows = append(v.Rows, []cell{{Text: l.Class, Head: true}, {Text: l.Metric, Head: true}, {Text: stat.Seconds(l.Predicted)}, {Text: stat.Seconds(l.Measured)}, {Text: d}, mark})
		}
		out = append(out, v)
	}
	return out
}

// index links to the expectations of each arm in a report of many scenarios.
func index(in *arms.Set, groups []verdictGroup) []verdictGroup {
	if !many(in) {
		return nil
	}
	return groups
}

// verdicts groups the expectations by arm, with a column for each run of the arm: the
// prediction, then the repeats.
func verdicts(in *arms.Set) []verdictGroup {
	var out []verdictGroup
	for _, a := range in.Arms {
		runs := a.Runs
		if a.Predicted != nil {
			runs = append([]*arms.Run{a.Predicted}, runs...)
		}
		g := verdictGroup{ID: "arm-" + a.Letter, Letter: a.Letter, Label: a.Label, Style: armStyle(a)}
		rows := make(map[string]int)
		for column, r := range runs {
			s := r.Summary
			head := in.TargetName(s.Target)
			if s.Repeat > 0 {
				head = fmt.Sprintf("repeat %d", s.Repeat+1)
			}
			g.Targets = append(g.Targets, head)
			g.Met += stat.CountMet(s.Verdicts)
			g.All += len(s.Verdicts)
			g.Failed = g.Failed || !stat.AllMet(s.Verdicts)
			for _, v := range s.Verdicts {
				i, ok := rows[v.Text]
				if !ok {
					i = len(g.Verdicts)
					rows[v.Text] = i
					g.Verdicts = append(g.Verdicts, verdict{Text: v.Text, Cells: make([]verdictCell, len(runs))})
				}
				g.Verdicts[i].Cells[column] = verdictOf(v)
			}
		}
		if g.All > 0 {
			out = append(out, g)
		}
	}
	return out
}

func verdictOf(v stat.Verdict) verdictCell {
	out := verdictCell{Mark: "✓", Class: "ok"}
	switch {
	case v.Error != "" && v.Measured != nil:
		return verdictCell{"✗", "bad", stat.Quantity(*v.Measured, v.Unit) + ", but " + v.Error}
	case v.Error != "":
		return verdictCell{"✗", "bad", v.Error}
	case v.Measured == nil:
		return verdictCell{"•", "note", string(v.Outcome)}
	case v.Outcome == stat.CutOff:
		return verdictCell{"•", "note", stat.Quantity(*v.Measured, v.Unit) + " until it was cut off"}
	case v.Outcome == stat.NotDecided:
		return verdictCell{"✗", "bad", stat.Quantity(*v.Measured, v.Unit) + ", not decided: lateness may explain " + stat.Quantity(v.Effect, v.Unit)}
	case v.Outcome == stat.NotMet:
		out = verdictCell{Mark: "✗", Class: "bad"}
	}
	out.Measured = stat.Quantity(*v.Measured, v.Unit)
	return out
}

// commands returns the commands that reproduce the figures.
func commands(f *folder.Folder) []string {
	again := []string{
		"harelab rerun DIR     # runs again what this folder's manifest names",
		"harelab report DIR    # draws this page and its charts from the data",
	}
	if len(f.Manifest.Command) > 0 {
		return append([]string{Shell(f.Manifest.Command)}, again...)
	}
	var out []string
	seen := make(map[string]bool)
	for _, r := range f.Runs {
		s := r.Summary
		c := []string{"harelab", "run", s.Scenario}
		if s.Variant != "" {
			c = append(c, "--variant", s.Variant)
		}
		target := s.Target.Kind
		if target == "amqp" {
			target = s.Target.URL
		}
		c = append(c, "--target", target, "--seed", strconv.FormatUint(s.Seed, 10))
		if line := Shell(c); !seen[line] {
			seen[line] = true
			out = append(out, line)
		}
	}
	return append(out, again...)
}

// Shell joins arguments to a line for a POSIX shell, quoted as it needs.
func Shell(args []string) string {
	var out []string
	for _, a := range args {
		if a == "" || strings.ContainsAny(a, " \t\n'\"\\$&;|<>()*?[]{}`!#~") {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		out = append(out, a)
	}
	return strings.Join(out, " ")
}

// factLines returns lines of the manifest for the foot of the page.
func factLines(f *folder.Folder) []string {
	m := f.Manifest
	var out []string
	built := strings.TrimSpace("harelab " + m.Version)
	if m.Revision != "" {
		built += ", commit " + m.Revision[:min(12, len(m.Revision))]
		if m.Modified {
			built += " with changes"
		}
	}
	out = append(out, built+", "+m.Go)
	if h := m.Host; h != nil {
		cpu := h.CPU
		if cpu == "" {
			cpu = h.Arch
		}
		out = append(out, fmt.Sprintf("%s/%s, %d x %s, GOMAXPROCS %d", h.OS, h.Arch, h.CPUs, cpu, h.Procs))
	}
	for _, a := range m.Arms {
		target := strings.TrimSpace(a.Target + " " + a.URL)
		fact := fmt.Sprintf("%s on %s: seed %d, scenario %s", a.Arm, target, a.Seed, a.ScenarioHash[:12])
		if a.Dir != "." { // the only arm's files lie beside the page
			fact += ", files in " + a.Dir
		}
		out = append(out, fact)
	}
	return out
}
