package benchfile

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"golang.org/x/perf/benchmath"

	"harelab/reports/compare"
)

const confidence = 0.95 // of intervals

// A Comparison compares files with the first one of their set.
type Comparison struct {
	Base     string
	News     []string
	Rows     []*Row
	Groups   []*Group
	Lone     []Lone // benchmarks and units that are not in all files
	Warnings []string
}

// A Lone row is in some of the files only.
type Lone struct {
	Label   Label
	Unit    string // empty if the files lack the whole benchmark
	In, Not []string
}

// A Row is one unit of one benchmark.
type Row struct {
	Label  Label
	Unit   string
	Better int // -1 lower, +1 higher, 0 unknown
	Base   Estimate
	News   []Effect // one for each new file; N is 0 if it lacks the row
}

// An Estimate is the median of the samples with its 95 % interval, which is infinite if
// there are too few.
type Estimate struct {
	Center, Lo, Hi float64
	N              int
	Exact          bool // every repeat would give the same value
}

// An Effect is the estimate of a new file against the base's.
type Effect struct {
	Estimate
	Ratio  float64 // new/base
	P      float64 // of this row alone, as benchstat has it; 0 if exact
	Tested bool    // not exact, and not all values are equal
	Alone  bool    // the difference stands among all rows of the unit
	Change compare.Change
	z      ranks
}

// Constant reports whether both sides have one and the same value throughout.
func (e Effect) Constant() bool { return e.N > 0 && !e.Tested && e.Ratio == 1 }

// Differs reports whether there is a difference.
func (e Effect) Differs() bool { return e.Change != compare.NoChange }

// Compare compares each other file of a set with its first one.
func (s *Set) Compare() *Comparison {
	base, news := s.Files[0], s.Files[1:]
	c := &Comparison{Base: base.Name, Warnings: slices.Clone(s.Warnings)}
	for _, f := range news {
		c.News = append(c.News, f.Name)
	}
	for _, id := range s.order {
		if lone, ok := s.lone(id, ""); ok {
			c.Lone = append(c.Lone, lone)
		}
		for _, unit := range base.units[id] {
			c.row(s, id, unit)
		}
		c.loneUnits(s, id)
	}
	c.judgeRows()
	c.group()
	return c
}

// row adds the row of a unit if a new file has it too.
func (c *Comparison) row(s *Set, id identity, unit string) {
	u := s.Units[unit]
	was := s.Files[0].values[id][unit]
	row := &Row{Label: s.labels[id], Unit: unit, Better: u.Better, Base: estimate(was, u.Exact)}
	some := false
	for _, f := range s.Files[1:] {
		is := f.values[id][unit]
		some = some || len(is) > 0
		row.News = append(row.News, effect(was, is, u.Exact))
	}
	if some {
		c.Rows = append(c.Rows, row)
	}
}

// lone returns the files that lack a benchmark, or one of its units.
func (s *Set) lone(id identity, unit string) (Lone, bool) {
	l := Lone{Label: s.labels[id], Unit: unit}
	for _, f := range s.Files {
		has := len(f.values[id]) > 0
		if unit != "" {
			has = len(f.values[id][unit]) > 0
		}
		if has {
			l.In = append(l.In, f.Name)
		} else {
			l.Not = append(l.Not, f.Name)
		}
	}
	return l, len(l.Not) > 0
}

// loneUnits adds the units that only some of the files with a benchmark have.
func (c *Comparison) loneUnits(s *Set, id identity) {
	var units []string
	for _, f := range s.Files {
		if len(f.values[id]) == 0 {
			return // the whole benchmark is lone
		}
		for _, u := range f.units[id] {
			if !slices.Contains(units, u) {
				units = append(units, u)
			}
		}
	}
	for _, u := range units {
		if lone, ok := s.lone(id, u); ok {
			c.Lone = append(c.Lone, lone)
		}
	}
}

func sample(values []float64) *benchmath.Sample {
	t := benchmath.DefaultThresholds
	t.CompareAlpha = compare.Alpha
	return benchmath.NewSample(slices.Clone(values), &t)
}

func estimate(values []float64, exact bool) Estimate {
	if len(values) == 0 {
		return Estimate{}
	}
	if exact && equal(values, values[0]) {
		return Estimate{Center: values[0], Lo: values[0], Hi: values[0], N: len(values), Exact: true}
	}
	sum := benchmath.AssumeNothing.Summary(sample(values), confidence)
	return Estimate{Center: sum.Center, Lo: sum.Lo, Hi: sum.Hi, N: len(values)}
}

func effect(was, is []float64, exact bool) Effect {
	e := Effect{Estimate: estimate(is, exact)}
	if len(was) == 0 || len(is) == 0 {
		return e
	}
	b := estimate(was, exact)
	e.Ratio = 1
	if e.Center != b.Center {
		e.Ratio = e.Center / b.Center
	}
	switch {
	case e.Exact && b.Exact:
	case equal(was, was[0]) && equal(is, was[0]):
		e.P = 1
	default:
		e.Tested = true
		e.P = benchmath.AssumeNothing.Compare(sample(was), sample(is)).P
		e.z = rankSum(was, is)
	}
	return e
}

func equal(values []float64, v float64) bool {
	return !slices.ContainsFunc(values, func(w float64) bool { return w != v })
}

// judgeRows decides which rows differ, and which of them stand among all of their unit.
func (c *Comparison) judgeRows() {
	families := make(map[string][]*Effect)
	for _, r := range c.Rows {
		for j := range r.News {
			e := &r.News[j]
			switch {
			case e.Tested:
				families[r.Unit] = append(families[r.Unit], e)
				if e.P < compare.Alpha {
					e.Change = direction(r.Better, e.Center-r.Base.Center)
				}
			case e.N > 0 && e.Ratio != 1:
				e.Change, e.Alone = direction(r.Better, e.Center-r.Base.Center), true
			}
		}
	}
	for _, family := range families {
		var ps []float64
		for _, e := range family {
			ps = append(ps, e.P)
		}
		for i, p := range compare.Holm(ps) {
			family[i].Alone = p < compare.Alpha
		}
	}
}

// direction says what a difference of d is. Samples may differ though their medians are
// the same; which is better is then unknown.
func direction(better int, d float64) compare.Change {
	switch {
	case better == 0 || d == 0:
		return compare.Differs
	case (d > 0) == (better > 0):
		return compare.Better
	}
	return compare.Worse
}

// A Group is the rows of one benchmark, unit and strategy.
type Group struct {
	Name   string // the strategy, or the benchmark if the names have no strategy
	Of     string // the benchmark if Name is a strategy
	Unit   string
	Better int
	Rows   []*Row
	News   []GroupEffect
}

// A GroupEffect is how a group changed in a new file.
type GroupEffect struct {
	Rows, Up, Down int // all rows, and those that differ: more than the base, or less
	Same           int // rows of which all values are equal
	Base, Center   float64
	Ratio          float64 // geometric mean of the rows' ratios; NaN if one of them has none
	P              float64 // of all rows together, corrected for the number of groups
	Together       bool    // the rows together differ by more than chance
	Change         compare.Change
	tested         int     // rows that are neither exact nor constant
	off            float64 // above 0: the rows together are more than the base
}

// Differ returns the number of rows that differ.
func (e GroupEffect) Differ() int { return e.Up + e.Down }

// group makes the groups and judges them.
func (c *Comparison) group() {
	byKey := make(map[[4]string]*Group)
	for _, r := range c.Rows {
		g := &Group{Name: r.Label.Strategy(), Of: r.Label.Base, Unit: r.Unit, Better: r.Better}
		if g.Name == "" {
			g.Name, g.Of = r.Label.Base, ""
		}
		if r.Label.Config != "" {
			g.Name = r.Label.Config + " " + g.Name
		}
		k := [4]string{g.Name, g.Of, g.Unit}
		if byKey[k] == nil {
			byKey[k] = g
			c.Groups = append(c.Groups, g)
		}
		byKey[k].Rows = append(byKey[k].Rows, r)
	}
	families := make(map[string][]*GroupEffect)
	for _, g := range c.Groups {
		g.News = make([]GroupEffect, len(c.News))
		for j := range c.News {
			g.News[j] = g.sum(j)
			if e := &g.News[j]; e.tested > 0 {
				families[g.Unit] = append(families[g.Unit], e)
			}
		}
	}
	for _, family := range families {
		var ps []float64
		for _, e := range family {
			ps = append(ps, e.P)
		}
		for i, p := range compare.Holm(ps) {
			family[i].P = p
		}
	}
	for _, g := range c.Groups {
		for j := range g.News {
			g.judge(j)
		}
	}
}

// sum adds up the rows of a group in one new file. Its P is that of a test of all rows
// together: the row's own if there is only one to test, else that of the sum of their
// rank sums (P. van Elteren, Bull. Inst. Int. Statist. 37, 1960).
func (g *Group) sum(j int) GroupEffect {
	e := GroupEffect{P: 1}
	var all ranks
	var only Effect
	logs, was, is := 0.0, 0.0, 0.0
	for _, r := range g.Rows {
		n := r.News[j]
		if n.N == 0 {
			continue
		}
		e.Rows++
		switch {
		case n.Constant():
			e.Same++
		case n.Differs() && n.Center > r.Base.Center:
			e.Up++
		case n.Differs() && n.Center < r.Base.Center:
			e.Down++
		}
		if n.Tested {
			e.tested++
			all, only = all.add(n.z), n
		}
		if n.Ratio != 1 || r.Base.Center != 0 {
			logs += math.Log(n.Ratio)
			was += math.Log(r.Base.Center)
			is += math.Log(n.Center)
		} else {
			was, is = math.NaN(), math.NaN()
		}
	}
	if n := float64(e.Rows); n > 0 {
		e.Ratio, e.Base, e.Center = finite(math.Exp(logs/n)), finite(math.Exp(was/n)), finite(math.Exp(is/n))
	}
	e.off = all.off
	switch e.tested {
	case 0:
	case 1:
		e.P = only.P
	default:
		e.P = all.p()
	}
	return e
}

// finite returns NaN for a mean that a 0 or a negative value spoils.
func finite(v float64) float64 {
	if v == 0 || math.IsInf(v, 0) {
		return math.NaN()
	}
	return v
}

// judge decides whether a group changed: all its rows together are significant, or a row
// stands alone. It has no direction if a row that stands alone changed the other way.
func (g *Group) judge(j int) {
	e := &g.News[j]
	up, down := false, false
	for _, r := range g.Rows {
		if n := r.News[j]; n.Alone && n.Differs() {
			up, down = up || n.Center > r.Base.Center, down || n.Center < r.Base.Center
		}
	}
	if e.Together = e.P < compare.Alpha; e.Together {
		up, down = up || e.off > 0, down || e.off < 0
	}
	switch {
	case up && down:
		e.Change = compare.Differs
	case up:
		e.Change = direction(g.Better, 1)
	case down:
		e.Change = direction(g.Better, -1)
	}
}

// CheckCommon refuses a comparison in which a file has no row that the base has.
func (c *Comparison) CheckCommon() error {
	for j, name := range c.News {
		if !slices.ContainsFunc(c.Rows, func(r *Row) bool { return r.News[j].N > 0 }) {
			return fmt.Errorf("%s and %s have no benchmark in common: %s", name, c.Base, strings.Join(c.loneTexts(2), "; "))
		}
	}
	return nil
}
