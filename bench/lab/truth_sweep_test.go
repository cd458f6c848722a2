package lab

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A grid is the cells of a sweep as messages.csv shows them.
type grid struct {
	axes  []Axis
	cells []gridCell
}

type gridCell struct {
	values []string
	runs   []*csvRun
}

func (c gridCell) key() string { return strings.Join(c.values, " ") }

// randomSweep runs a sweep of a random scenario over two of its settings.
func randomSweep(t *testing.T, rnd *rand.Rand) (*grid, []statement) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "random.yaml")
	if err := os.WriteFile(path, []byte(randomScenario(rnd)), 0o666); err != nil {
		t.Fatal(err)
	}
	axes := []Axis{{Name: "prefetch", Values: []string{"0", "1", "4", "16"}}, {Name: "workers", Values: []string{"1", "2", "3"}}, {Name: "dispatch", Values: []string{"rr", "fair", "random"}}}
	rnd.Shuffle(len(axes), func(i, j int) { axes[i], axes[j] = axes[j], axes[i] })
	s, err := NewSweep(SweepRequest{Scenario: path, Axes: axes[:1+rnd.IntN(2)], Target: Target{Kind: Sim}})
	if err != nil {
		t.Fatal(err)
	}
	var cells []Cell
	if err := s.Run(context.Background(), nil, func(c Cell) error { cells = append(cells, c); return nil }, nil); err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(cells, func(c Cell) bool { return !c.Counts() }) {
		return nil, nil
	}
	g := &grid{axes: s.Axes}
	at := make(map[string]int)
	for _, c := range cells {
		sc, err := s.resolve(c)
		if err != nil {
			t.Fatal(err)
		}
		runs, err := Measure(t.Context(), []Arm{{Scenario: sc, Target: s.Target}}, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		k := strings.Join(c.Values, " ")
		if _, ok := at[k]; !ok {
			at[k] = len(g.cells)
			g.cells = append(g.cells, gridCell{values: c.Values})
		}
		g.cells[at[k]].runs = append(g.cells[at[k]].runs, newCSVRun(t, runs[0]))
	}
	report, err := s.Report(context.Background(), cells, nil)
	if err != nil {
		t.Fatal(err)
	}
	sheet := report.Sheet()
	story := strings.TrimPrefix(sheet.Story.Text, sheet.Story.Headline)
	return g, []statement{{text: sheet.Story.Headline, check: g.tell}, {text: strings.Replace(story, "A random scenario. ", "", 1), check: g.tell}}
}

// named returns the keys of the cells that words name: "2 or 3 workers and a prefetch of
// 1, or with fair". More says that cells are counted and not named.
func (g *grid) named(words string) (keys []string, more bool, err error) {
	all := make(map[string]bool)
	for _, box := range strings.Split(words, ", or with ") {
		if m := regexp.MustCompile(`^(.*), or in \d+ other cells?$`).FindStringSubmatch(box); m != nil {
			box, more = m[1], true
		}
		only := make([][]string, len(g.axes))
		rest := box
		for i, a := range g.axes {
			pattern := map[string]string{
				"workers":  `(\d+(?:(?:, | or | to )\d+)*(?: or more)?) workers?`,
				"prefetch": `no prefetch limit|a prefetch of ((?:\d+|no limit)(?:(?:, | or | to )(?:\d+|no limit))*(?: or more)?)`,
				"dispatch": `((?:rr|fair|random)(?:(?:, | or )(?:rr|fair|random))*)`,
			}[a.Name]
			m := regexp.MustCompile(pattern).FindStringSubmatch(rest)
			if m == nil {
				only[i] = a.Values
				continue
			}
			rest = strings.Replace(rest, m[0], "", 1)
			if only[i], err = valuesNamed(a, m[0], m[1]); err != nil {
				return nil, false, err
			}
		}
		if left := strings.Trim(strings.ReplaceAll(strings.ReplaceAll(rest, " and ", ""), ", ", ""), " "); left != "" && left != "any setting" {
			return nil, false, fmt.Errorf("no cells are called %q (%q is left)", words, left)
		}
		for _, c := range g.cells {
			in := true
			for i, v := range c.values {
				in = in && slices.Contains(only[i], v)
			}
			if in {
				all[c.key()] = true
			}
		}
	}
	for k := range all {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys, more, nil
}

// valuesNamed returns the values of an axis that words name, as "1, 4 or no limit" and "4
// or more".
func valuesNamed(a Axis, words, amount string) ([]string, error) {
	if words == "no prefetch limit" {
		return []string{"0"}, nil
	}
	order := []string{"1", "2", "3", "4", "16", "0"} // no limit is the most
	amount, above := strings.CutSuffix(amount, " or more")
	var out []string
	for _, v := range regexp.MustCompile(`, | or `).Split(strings.ReplaceAll(amount, "no limit", "0"), -1) {
		from, to, span := strings.Cut(v, " to ")
		if !span {
			to = from
		}
		if above {
			to = order[len(order)-1]
		}
		if !slices.Contains(a.Values, from) {
			return nil, fmt.Errorf("%s has no value %q", a.Name, v)
		}
		if from == to {
			out = append(out, v)
			continue
		}
		for _, x := range order[slices.Index(order, from) : slices.Index(order, to)+1] {
			if slices.Contains(a.Values, x) {
				out = append(out, x)
			}
		}
	}
	return out, nil
}

func (g *grid) cell(key string) gridCell {
	return g.cells[slices.IndexFunc(g.cells, func(c gridCell) bool { return c.key() == key })]
}

// where returns the keys of cells with a property, in order.
func (g *grid) where(is func(gridCell) bool) []string {
	var out []string
	for _, c := range g.cells {
		if is(c) {
			out = append(out, c.key())
		}
	}
	slices.Sort(out)
	return out
}

// areNamed checks that words name exactly these cells.
func (g *grid) areNamed(words string, keys []string) error {
	named, more, err := g.named(words)
	if err != nil {
		return err
	}
	for _, k := range named {
		if !slices.Contains(keys, k) {
			return fmt.Errorf("%s is named, and it is %v", k, keys)
		}
	}
	if !more && len(named) != len(keys) {
		return fmt.Errorf("%v are named, and it is %v", named, keys)
	}
	return nil
}

// tied checks a change between cells: those named first have its value, those named last
// the value instead of it. Ends says that no other cell is better or worse.
func (g *grid) tied(first, change, last string, ends bool) error {
	c, err := parseClause(change)
	if err != nil {
		return err
	}
	if c.once && slices.ContainsFunc(g.cells, func(c gridCell) bool { return slices.ContainsFunc(c.runs, (*csvRun).redelivered) }) {
		return nil
	}
	value := make(map[string]float64)
	for _, cell := range g.cells {
		if v := median(cell.runs, c.figure); !math.IsNaN(v) && !math.IsInf(v, 1) {
			value[cell.key()] = v
		}
	}
	for _, side := range []struct{ words, text string }{{first, c.to}, {last, c.from}} {
		if side.text == "" { // all cells have one value
			continue
		}
		named, more, err := g.named(side.words)
		if err != nil {
			return err
		}
		v := value[named[0]]
		for _, k := range named {
			if err := printsAs(side.text, value[k]); err != nil {
				return fmt.Errorf("%s: %w", k, err)
			}
		}
		if !ends {
			continue
		}
		equal := g.where(func(cell gridCell) bool { x, ok := value[cell.key()]; return ok && math.Abs(x-v) <= 1e-9*math.Abs(v) })
		if !more && !slices.Equal(equal, named) {
			return fmt.Errorf("%v are named, and %v have the same value", named, equal)
		}
		for k, x := range value {
			if beyond := (x < v) == c.lower && x != v && math.Abs(x-v) > 1e-9*math.Abs(v); beyond == (side.text == c.to) && beyond {
				return fmt.Errorf("%s has %v, which is better than the best, %v", k, x, v)
			}
			if side.text == c.from && c.from != c.to && (x > v) == c.lower && math.Abs(x-v) > 1e-9*math.Abs(v) {
				return fmt.Errorf("%s has %v, which is worse than the worst, %v", k, x, v)
			}
		}
	}
	return nil
}

// clauseStart is how clauses begin, and names of cells do not.
const clauseStart = `(?:\d+(?:\.\d+)? % of|half of|the|for \d|all|no (?:finished|message|quick|slow|bulk)|messages|finished|quick|slow|bulk|\d\S* (?:instead of \d\S* )?(?:messages|finished|quick|slow|bulk))`

var (
	sweepChange   = regexp.MustCompile(`^With (.*?), (` + clauseStart + `.*? instead of .*?) with (.*?)(?: \(medians of \d+ repeats\))?$`)
	sweepEach     = regexp.MustCompile(`^With (.*?), (` + clauseStart + `[^;]*); with (.*?), (` + clauseStart + `.*?)(?: \(medians of \d+ repeats\))?$`)
	sweepOther    = regexp.MustCompile(`^The best cells differ in another figure: with (.*?), (` + clauseStart + `.*? instead of .*?) with (.*)$`)
	sweepSame     = regexp.MustCompile(`^In every cell (.*): [\w, ]+ do(?:es)? not change that$`)
	sweepIdle     = regexp.MustCompile(`^(\w+) does not change that$`)
	sweepMeet     = regexp.MustCompile(`^(\d+) of (\d+) cells meets? (.*): (?:those|the one) with (.*)$`)
	sweepVoid     = regexp.MustCompile(`^No cell has a value of .*$`)
	sweepWithout  = regexp.MustCompile(`^There is no such figure with (.*)$`)
	sweepNone     = regexp.MustCompile(`^(?:None of the \d+ cells meets|The cell does not meet) (.*)$`)
	sweepEvery    = regexp.MustCompile(`^Every cell meets (.*)$`)
	sweepCheapest = regexp.MustCompile(`^(?:It|The cheapest) has (\d+) slots?(?:, and is overloaded)?(?:: with (.*))?$`)
	sweepPrice    = regexp.MustCompile(`^The price of the best cell, with (.*?): (.*)$`)
	sweepCost     = regexp.MustCompile(`^(.*? instead of .*?) with (.*)$`)
	sweepFacts    = regexp.MustCompile(`^(random on sim over .*|All cells have the same arrivals and service times, so they differ only in these settings|A prefetch of 0 means no limit|Within \d+ % of the best are the cells with .*)$`)
)

// tell checks the sentences of a sweep's story.
func (g *grid) tell(text string) error {
	var met []string // the cells of the last sentence on what meets the expectations
	meets := func(expect string) []string {
		return g.where(func(c gridCell) bool {
			for _, e := range regexp.MustCompile(`, | and `).Split(expect, -1) {
				for _, r := range c.runs {
					if ok, err := r.holds(e); err != nil || !ok {
						return false
					}
				}
			}
			return true
		})
	}
	for _, s := range sentences(text) {
		var err error
		switch {
		case sweepChange.MatchString(s):
			m := sweepChange.FindStringSubmatch(s)
			err = g.tied(m[1], m[2], m[3], true)
		case sweepEach.MatchString(s):
			m := sweepEach.FindStringSubmatch(s)
			if err = g.tied(m[1], m[2], m[3], true); err == nil {
				err = g.tied(m[3], m[4], m[1], false)
			}
		case sweepOther.MatchString(s):
			m := sweepOther.FindStringSubmatch(s)
			err = g.tied(m[1], m[2], m[3], false)
		case sweepSame.MatchString(s):
			err = g.tied("any setting", sweepSame.FindStringSubmatch(s)[1], "any setting", false)
		case sweepMeet.MatchString(s):
			m := sweepMeet.FindStringSubmatch(s)
			met = meets(m[3])
			if number(m[1]) != len(met) || number(m[2]) != len(g.cells) {
				err = fmt.Errorf("%d of %d do", len(met), len(g.cells))
			} else {
				err = g.areNamed(m[4], met)
			}
		case sweepNone.MatchString(s):
			if met = meets(sweepNone.FindStringSubmatch(s)[1]); len(met) > 0 {
				err = fmt.Errorf("%v do", met)
			}
		case sweepEvery.MatchString(s):
			if met = meets(sweepEvery.FindStringSubmatch(s)[1]); len(met) < len(g.cells) {
				err = fmt.Errorf("only %v do", met)
			}
		case sweepCheapest.MatchString(s):
			err = g.cheapest(met, sweepCheapest.FindStringSubmatch(s))
		case sweepPrice.MatchString(s):
			m := sweepPrice.FindStringSubmatch(s)
			for _, part := range strings.Split(m[2], "; ") {
				c := sweepCost.FindStringSubmatch(part)
				if c == nil {
					err = fmt.Errorf("no price is like %q", part)
				} else if e := g.tied(m[1], c[1], c[2], false); e != nil {
					err = e
				}
			}
		case sweepWithout.MatchString(s):
			_, _, err = g.named(sweepWithout.FindStringSubmatch(s)[1])
		case sweepIdle.MatchString(s), sweepVoid.MatchString(s), sweepFacts.MatchString(s):
		default:
			err = fmt.Errorf("no sentence about sweeps is like it")
		}
		if err != nil {
			return fmt.Errorf("%q: %w", s, err)
		}
	}
	return nil
}

// cheapest checks which of the cells that meet the expectations has the fewest slots.
func (g *grid) cheapest(met []string, m []string) error {
	fewest := math.MaxInt
	for _, k := range met {
		fewest = min(fewest, g.cell(k).runs[0].slots)
	}
	if number(m[1]) != fewest {
		return fmt.Errorf("the fewest slots are %d", fewest)
	}
	if m[2] == "" {
		return nil
	}
	return g.areNamed(m[2], g.where(func(c gridCell) bool { return slices.Contains(met, c.key()) && c.runs[0].slots == fewest }))
}

// TestSweepsTellTheTruth does for sweeps what TestPagesTellTheTruth does for pages.
func TestSweepsTellTheTruth(t *testing.T) {
	checked := 0
	for i := range uint64(pairsToCheck() / 10) {
		n := *firstPair + i
		_, statements := randomSweep(t, rand.New(rand.NewPCG(n, 3)))
		for _, s := range statements {
			checked++
			if err := s.check(s.text); err != nil {
				t.Errorf("sweep %d: %s\n\t%v", n, s.text, err)
			}
		}
	}
	t.Logf("%d statements about sweeps from %d on", checked, *firstPair)
}
