package benchfile

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"harelab/reports/compare"
	"harelab/reports/stat"
)

// Headline says what differs, in a sentence for each new file.
func (c *Comparison) Headline() string {
	var out []string
	for j, name := range c.News {
		text := c.headline(j)
		if len(c.News) > 1 {
			text = name + ": " + text
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

// fewClaims is the number of groups that a headline names.
const fewClaims = 4

func (c *Comparison) headline(j int) string {
	known, unknown := c.claims(j)
	var parts []string
	_, sections := c.alike(j)
	for _, slower := range []bool{true, false} {
		if s := alikeText(sections, slower); s != "" {
			parts = append(parts, s)
		}
	}
	for i, cl := range known {
		if i == fewClaims {
			parts = append(parts, rest(known[i:]))
			break
		}
		parts = append(parts, cl.text())
	}
	if len(unknown) > 0 {
		parts = append(parts, unknownText(unknown))
	}
	if n := c.alone(j); n > 0 && len(parts) > 0 {
		parts = append(parts, areRows(n, "more differs by itself", "more differ by themselves")+", which chance may explain")
	}
	if len(parts) > 0 {
		return strings.Join(parts, "; ") + "."
	}
	return c.nothing(j)
}

// alone returns the number of rows that differ in groups that no claim is about.
func (c *Comparison) alone(j int) int {
	n := 0
	alike, _ := c.alike(j)
	for _, g := range c.Groups {
		if e := g.News[j]; e.Change == compare.NoChange && !alike[g] {
			n += e.Differ()
		}
	}
	return n
}

// A claim is what a headline says of one group: that it is slower, faster, better, worse
// or different, in one unit or in several.
type claim struct {
	name string
	verb string
	size float64 // of the largest change, as the absolute logarithm of its ratio
	rows int
	in   []string
}

func (c claim) text() string {
	return fmt.Sprintf("%s %s: %s", c.name, c.verb, strings.Join(c.in, ", "))
}

// claims returns what can be said of groups, the largest change first: those of known
// direction, and those of units without one.
func (c *Comparison) claims(j int) (known, unknown []claim) {
	alike, _ := c.alike(j)
	for _, g := range c.Groups {
		e := g.News[j]
		if e.Change == compare.NoChange || alike[g] {
			continue
		}
		name := g.Name
		if len(g.Rows) == 1 && g.Of == "" {
			name = g.Rows[0].Label.String()
		}
		cl := claim{name: name, verb: g.verb(j), size: g.size(j), rows: max(e.Differ(), 1), in: []string{g.detail(j)}}
		list := &known
		if g.Better == 0 {
			list = &unknown
		}
		i := slices.IndexFunc(*list, func(o claim) bool { return o.name == cl.name && o.verb == cl.verb })
		if i < 0 {
			*list = append(*list, cl)
			continue
		}
		o := &(*list)[i]
		o.in, o.size, o.rows = append(o.in, cl.in...), max(o.size, cl.size), o.rows+cl.rows
	}
	for _, list := range [][]claim{known, unknown} {
		slices.SortStableFunc(list, func(a, b claim) int { return cmp.Compare(b.size, a.size) })
	}
	return known, unknown
}

// verb says how a group changed.
func (g *Group) verb(j int) string {
	e := g.News[j]
	up, down := g.words()
	whole := func(n int) bool { return e.Together || n == e.Rows || e.Rows == 1 }
	word, n := up, e.Up
	if e.Change == compare.Differs && g.Better != 0 && e.Up > 0 && e.Down > 0 {
		return fmt.Sprintf("is %s in %d and %s in %d of %d rows", up, e.Up, down, e.Down, e.Rows)
	}
	if g.lower(j) {
		word, n = down, e.Down
	}
	if g.Better == 0 {
		return "differs"
	}
	if whole(n) {
		return "is " + word
	}
	return fmt.Sprintf("is %s in %d of %d rows", word, n, e.Rows)
}

// lower reports whether a group that changed is less than the base.
func (g *Group) lower(j int) bool {
	e := g.News[j]
	if e.Together {
		return e.off < 0
	}
	return e.Down > e.Up
}

// words returns what more and less of a unit is called.
func (g *Group) words() (up, down string) {
	switch {
	case g.Better < 0 && isTime(g.Unit):
		return "slower", "faster"
	case g.Better > 0 && isRate(g.Unit):
		return "faster", "slower"
	case g.Better > 0:
		return "better", "worse"
	}
	return "worse", "better"
}

// size is the size of a group's change: that of its mean if the rows changed together,
// else that of the row that changed most.
func (g *Group) size(j int) float64 {
	if e := g.News[j]; e.Together && !math.IsNaN(e.Ratio) {
		return math.Abs(math.Log(e.Ratio))
	}
	return math.Abs(math.Log(g.most(j).News[j].Ratio))
}

// most returns the row that changed most, among those that differ if there are any.
func (g *Group) most(j int) *Row {
	return slices.MaxFunc(g.Rows, func(a, b *Row) int {
		size := func(r *Row) float64 {
			if e := r.News[j]; e.N > 0 && e.Differs() && !math.IsNaN(e.Ratio) {
				return 1 + math.Abs(math.Log(e.Ratio))
			}
			return 0
		}
		return cmp.Compare(size(a), size(b))
	})
}

// detail says in which unit a group changed, by how much, and in how many rows.
func (g *Group) detail(j int) string {
	e := g.News[j]
	unit := strings.TrimSpace(g.Of + " " + g.Unit)
	if len(g.Rows) == 1 {
		return fmt.Sprintf("%s %s", unit, g.mostText(j))
	}
	switch {
	case e.Rows == 1 || math.IsNaN(e.Ratio):
		return fmt.Sprintf("%s %s", unit, g.mostText(j))
	case !e.Together && e.Differ() < e.Rows:
		return fmt.Sprintf("%s up to %s", unit, g.mostText(j))
	case e.Differ() == 0:
		return fmt.Sprintf("%s %s (%d rows together)", unit, delta(e.Ratio), e.Rows)
	}
	if e.Change == compare.Differs && g.Better != 0 {
		return fmt.Sprintf("%s %s", unit, delta(e.Ratio)) // the verb counts the rows
	}
	n, other := e.Up, e.Down
	if g.lower(j) {
		n, other = other, n
	}
	text := fmt.Sprintf("%s %s (%d of %d rows", unit, delta(e.Ratio), n, e.Rows)
	if other > 0 {
		text += fmt.Sprintf(", %d the other way", other)
	}
	return text + ")"
}

// mostText writes the change of the row that changed most; from 0 both values.
func (g *Group) mostText(j int) string {
	r := g.most(j)
	e := r.News[j]
	if r.Base.Center == 0 || e.Ratio < 0 {
		return Number(r.Base.Center, g.Unit) + " -> " + Number(e.Center, g.Unit)
	}
	if e.Ratio == 1 {
		return "spread, at the same median"
	}
	return delta(e.Ratio)
}

// rest counts the claims that a headline leaves out.
func rest(claims []claim) string {
	count := make(map[string]int)
	for _, cl := range claims {
		count[cl.verb]++
	}
	other, names := 0, []string{}
	for _, verb := range []string{"is slower", "is faster", "is worse", "is better"} {
		if n := count[verb]; n > 0 {
			names = append(names, fmt.Sprintf("%d more %s", n, strings.TrimPrefix(verb, "is ")))
			delete(count, verb)
		}
	}
	for _, n := range count {
		other += n
	}
	if other > 0 {
		names = append(names, fmt.Sprintf("%d more with rows both ways", other))
	}
	return strings.Join(names, ", ")
}

// unknownText says what differs in units without a direction.
func unknownText(claims []claim) string {
	rows := 0
	var in []string
	for i, cl := range claims {
		rows += cl.rows
		if i < fewClaims {
			in = append(in, cl.name+" "+strings.Join(cl.in, ", "))
		}
	}
	text := fmt.Sprintf("%s differ, direction unknown: %s", countOf(rows, "row"), strings.Join(in, "; "))
	if rows == 1 {
		text = strings.Replace(text, "row differ,", "row differs,", 1)
	}
	if n := len(claims) - len(in); n > 0 {
		text += fmt.Sprintf("; and %d more groups", n)
	}
	return text
}

// counts are the rows of one new file by what was found.
type counts struct{ rows, constant, better, worse, unknown, tested, possible int }

func (c *Comparison) counts(j int) counts {
	var n counts
	for _, r := range c.Rows {
		e := r.News[j]
		if e.N == 0 {
			continue
		}
		n.rows++
		switch {
		case e.Constant():
			n.constant++
		case e.Change == compare.Better:
			n.better++
		case e.Change == compare.Worse:
			n.worse++
		case e.Change == compare.Differs:
			n.unknown++
		}
		if e.Tested {
			n.tested++
			if leastP(r.Base.N, e.N) < compare.Alpha {
				n.possible++
			}
		}
	}
	return n
}

func (n counts) differ() int { return n.better + n.worse + n.unknown }

// leastP is the least p value that the U-test gives for two samples without ties: that of
// the two orders in which one lies wholly below the other.
func leastP(n1, n2 int) float64 {
	orders := 1.0 // ways to choose the ranks of the first
	for i := range n1 {
		orders *= float64(n2+i+1) / float64(i+1)
	}
	return min(1, 2/orders)
}

// nothing says why no group is named.
func (c *Comparison) nothing(j int) string {
	n := c.counts(j)
	switch {
	case n.rows == 0:
		return "Nothing in common with " + c.Base + "."
	case n.rows == n.constant:
		return fmt.Sprintf("No difference: %s equal.", areRows(n.rows, "is", "are"))
	case n.possible == 0:
		return fmt.Sprintf("Nothing can be told: %s.", c.tooFew(j))
	case n.differ() > 0:
		chance := math.Round(compare.Alpha * float64(n.tested))
		return fmt.Sprintf("No difference beyond chance: %s (p < %.2f), and among %d tested ones chance alone brings about %.0f.", areRows(n.differ(), "differs by itself", "differ by themselves"), compare.Alpha, n.tested, max(1, chance))
	}
	return fmt.Sprintf("No difference beyond chance in %s.", countOf(n.tested, "row"))
}

// countOf writes a number of things.
func countOf(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return stat.Count(n) + " " + what + "s"
}

func areRows(n int, one, many string) string {
	if n == 1 {
		return "1 row " + one
	}
	return stat.Count(n) + " rows " + many
}

// Summary counts the rows by what was found, in a sentence for each new file.
func (c *Comparison) Summary() string {
	var out []string
	for j, name := range c.News {
		n := c.counts(j)
		var parts []string
		add := func(k int, what string) {
			if k > 0 {
				parts = append(parts, stat.Count(k)+" "+what)
			}
		}
		add(n.worse, "worse")
		add(n.better, "better")
		add(n.unknown, "different, direction unknown")
		add(n.rows-n.constant-n.differ(), "without a difference")
		add(n.constant, "constant")
		if len(parts) == 0 {
			continue
		}
		out = append(out, fmt.Sprintf("%s against %s: %s: %s.", name, c.Base, countOf(n.rows, "row"), strings.Join(parts, ", ")))
	}
	return strings.Join(out, " ")
}

// Notes says what a reader must know: too few samples, everything changed alike, and the
// warnings of reading.
func (c *Comparison) Notes() []string {
	var out []string
	add := func(s string) {
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for j := range c.News {
		add(c.tooFew(j))
	}
	for _, w := range c.Warnings {
		add(w)
	}
	return out
}

// Samples that a row needs: for a p value below Alpha, and for a 95 % interval.
const (
	toTell   = 4
	toBound  = 6
	alikeMin = 3 // groups that change alike, from which on the machine is suspected
)

// tooFew says that rows have too few samples.
func (c *Comparison) tooFew(j int) string {
	least, rows := math.MaxInt, 0
	for _, r := range c.Rows {
		if e := r.News[j]; e.Tested && min(e.N, r.Base.N) < toBound {
			least = min(least, e.N, r.Base.N)
			rows++
		}
	}
	if rows == 0 {
		return ""
	}
	has := fmt.Sprintf("%s a row", countOf(least, "sample"))
	if n := c.counts(j).tested; rows < n {
		has = fmt.Sprintf("%s in %d of %d rows", countOf(least, "sample"), rows, n)
	}
	if least >= toTell {
		return fmt.Sprintf("%s: at least %d are needed for a 95 %% interval", has, toBound)
	}
	return fmt.Sprintf("%s: at least %d are needed to tell a change of a row at %.2f, and %d for a 95 %% interval", has, toTell, compare.Alpha, toBound)
}

// alike returns the groups of strategies that changed as if the machine had changed: all
// strategies of a benchmark and unit of time are faster, or all are slower, and three
// quarters of them by more than chance.
func (c *Comparison) alike(j int) (of map[*Group]bool, sections []alikeSection) {
	of = make(map[*Group]bool)
	var order []string
	by := make(map[string][]*Group)
	for _, g := range c.Groups {
		if g.Of != "" && g.Better != 0 && isTime(g.Unit) {
			title := g.Of + " " + g.Unit
			if by[title] == nil {
				order = append(order, title)
			}
			by[title] = append(by[title], g)
		}
	}
	for _, title := range order {
		s := alikeSection{title: title, n: len(by[title]), least: math.Inf(1), most: 0}
		certain := 0
		for _, g := range by[title] {
			e := g.News[j]
			s.least, s.most = min(s.least, e.Ratio), max(s.most, e.Ratio)
			if e.Change != compare.NoChange {
				certain++
			}
		}
		if s.n >= alikeMin && 4*certain >= 3*s.n && (s.most < 1 || s.least > 1) {
			for _, g := range by[title] {
				of[g] = true
			}
			sections = append(sections, s)
		}
	}
	return of, sections
}

// An alikeSection is a benchmark and unit of which all n strategies changed alike, by
// ratios from least to most.
type alikeSection struct {
	title       string
	n           int
	least, most float64
}

// alikeText says what changed alike, in one direction.
func alikeText(sections []alikeSection, slower bool) string {
	var in []string
	n := 0
	for _, s := range sections {
		if (s.least > 1) == slower {
			n = max(n, s.n)
			near, far := s.least, s.most
			if !slower {
				near, far = far, near
			}
			in = append(in, fmt.Sprintf("%s %s to %s", s.title, delta(near), delta(far)))
		}
	}
	if in == nil {
		return ""
	}
	word := "faster"
	if slower {
		word = "slower"
	}
	return fmt.Sprintf("all %d strategies are %s, so that the machine may have changed and not the code: %s", n, word, strings.Join(in, ", "))
}

// loneTexts names at most n of the benchmarks that are not in all files.
func (c *Comparison) loneTexts(n int) []string {
	var out []string
	for i, l := range c.Lone {
		if i == n {
			out = append(out, fmt.Sprintf("%d more are not in all files", len(c.Lone)-n))
			break
		}
		what := l.Label.String()
		if l.Unit != "" {
			what += " " + l.Unit
		}
		out = append(out, fmt.Sprintf("%s is only in %s", what, stat.List(l.In, "and")))
	}
	return out
}
