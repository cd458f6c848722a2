package lab

import (
	"flag"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"harelab/reports/arms"
	"harelab/reports/judge"
	"harelab/reports/page"
	"harelab/reports/plot"
)

var (
	pairs     = flag.Int("truth.pairs", 300, "number of random pairs of variants whose pages TestPagesTellTheTruth checks")
	firstPair = flag.Uint64("truth.first", 0, "number of the first of these pairs")
)

// A statement is prose of a page with its check against messages.csv.
type statement struct {
	text  string
	check func(text string) error
	blind bool // rows do not tell enough to check it in full
}

// statements returns all that the pages of a random pair say in sentences: the page of
// both arms, that of each alone, the verdict in both directions, and the strips on
// capacity.
func (p randomPair) statements(t *testing.T) []statement {
	t.Helper()
	var out []statement
	n := len(p.runs) / 2
	for _, runs := range [][]*arms.Run{p.runs, p.runs[:n], p.runs[n:]} {
		set := arms.NewSet(runs)
		o := told{runs: make(map[string][]*csvRun), named: make(map[string]*csvRun)}
		for _, a := range set.Arms {
			o.labels = append(o.labels, a.Label)
			for _, r := range a.Runs {
				c := newCSVRun(t, r)
				o.runs[a.Label], o.named[set.RunName(r)] = append(o.runs[a.Label], c), c
			}
		}
		blind := slices.ContainsFunc(o.all(), (*csvRun).redelivered)
		s := page.Tell(set)
		out = append(out, statement{text: s.Headline + " " + s.Text, check: o.tell})
		for _, c := range page.Sound(set).Checks {
			if c.Name == "ledger" {
				out = append(out, statement{text: c.Text, check: o.checkLedger})
			}
		}
		for _, c := range plot.Of(set) {
			if f := c.Draw(set, plot.Wide); f != nil {
				out = append(out, statement{text: f.Note + "\n" + f.Alt, check: o.checkCaption, blind: blind})
			}
		}
		for i, a := range set.Arms {
			for _, c := range page.Capacity(arms.NewSet(a.Runs)).Checks {
				out = append(out, statement{text: c.Text, check: o.runs[o.labels[i]][0].checkOverloads})
			}
		}
		if len(set.Arms) == 2 {
			a, b := arms.Summaries(set.Arms[0].Runs), arms.Summaries(set.Arms[1].Runs)
			goals := judge.Goals(slices.Concat(a, b))
			there := pairOfArms{base: o.runs["random"], other: o.runs["other"]}
			back := pairOfArms{base: o.runs["other"], other: o.runs["random"]}
			out = append(out, statement{text: p.comparison(t), check: there.checkComparison, blind: blind},
				statement{text: judge.Weigh(goals, a, b).Sentence("other", "random"), check: there.checkBalance},
				statement{text: judge.Weigh(goals, b, a).Sentence("other", "random"), check: back.checkBalance})
		}
	}
	return out
}

// TestPagesTellTheTruth runs random scenarios with random variants and recomputes every
// figure and every better, worse, equal, lost and overloaded that their pages say, from
// messages.csv and with code of its own. A sentence that the checker does not know fails
// too: it would go unchecked.
func TestPagesTellTheTruth(t *testing.T) {
	checked := 0
	for i := range uint64(pairsToCheck()) {
		n := *firstPair + i
		p := newRandomPair(t, rand.New(rand.NewPCG(n, 1)))
		for _, s := range p.statements(t) {
			checked++
			if err := s.check(s.text); err != nil {
				t.Errorf("pair %d (-truth.first %d -truth.pairs 1): %s\n\t%v", n, n, s.text, err)
			}
		}
	}
	t.Logf("%d statements about %d pairs from %d on", checked, pairsToCheck(), *firstPair)
}

// pairsToCheck is a few of the pairs in short tests.
func pairsToCheck() int {
	if testing.Short() {
		return min(*pairs, 60)
	}
	return *pairs
}

// TestTruthCatchesLies plants wrong sentences. The checker must find each of them.
func TestTruthCatchesLies(t *testing.T) {
	figures := compiled(`within (\S+ \S+) instead of within (\S+ \S+)|(\d\S* m?s) instead of (\d\S* m?s)`)
	lies := []struct {
		name string
		lie  func(text string) string // as it is if it does not apply
	}{
		{"worse is called better", func(s string) string { return strings.Replace(s, "Worse with", "Better with", 1) }},
		{"better is called worse", func(s string) string { return strings.Replace(s, "Better with", "Worse with", 1) }},
		{"the figures of the arms are exchanged", func(s string) string {
			return figures.ReplaceAllString(s, "$2$4 instead of $1$3")
		}},
		{"a change is called no difference", func(s string) string {
			if strings.Contains(s, " of being received") {
				return s // the value is not at the end of the clause
			}
			return compiled(`^(?:Better|Worse) with other(?: \([^)]*\))?: ([^;]*) instead of [^;.]*(.*)`).ReplaceAllString(s, "$1 with both random and other: no difference$2")
		}},
		{"the price is hidden in the return", func(s string) string { return strings.Replace(s, "; the price: ", "; in return ", 1) }},
		{"a lost message is forgotten", func(s string) string {
			return compiled(`(random|other) lost [\d,]+ of`).ReplaceAllString(s, "$1 lost 0 of")
		}},
		{"a slot too many is there", func(s string) string {
			return compiled(`\d+ (?:is|are) there`).ReplaceAllString(s, "99 are there")
		}},
		{"an expectation that is met is called not met", func(s string) string {
			return compiled(`Not met: .*`).ReplaceAllString(s, "Not met: lost < 1000 with random.")
		}},
		{"the ledger counts a drop too few", func(s string) string {
			return compiled(`: \d+ (messages? (?:was|were) dropped by queue tasks \(the queue was full)`).ReplaceAllString(s, ": 999 $1")
		}},
		{"the ledger calls an end by another name", func(s string) string {
			return strings.Replace(s, "expired in queue tasks, which does not dead-letter", "were dropped by queue tasks", 1)
		}},
		{"the ledger forgets what was not finished", func(s string) string {
			return compiled(`^[\d,]+ of ([\d,]+) messages finished\..*`).ReplaceAllString(s, "$1 of $1 messages published, delivered and finished once.")
		}},
		{"a caption names another part as the largest", func(s string) string {
			return compiled(`(random|other) (?:in the queue|being worked on) \(`).ReplaceAllString(s, "$1 on the wire (")
		}},
		{"a caption exchanges the median and the longest", func(s string) string {
			return compiled(`(longest: random) ([1-9]\S* \S+) and ([1-9]\S* m?s)([.,].*)$`).ReplaceAllStringFunc(s, func(m string) string {
				g := compiled(`(longest: random) (\S+ \S+) and (\S+ m?s)([.,].*)$`).FindStringSubmatch(m)
				if g[2] == g[3] {
					return m
				}
				return g[1] + " " + g[3] + " and " + g[2] + g[4]
			})
		}},
		{"a caption moves the end", func(s string) string { return strings.Replace(s, "done: random after ", "done: random after 9", 1) }},
		{"a caption counts a message too many", func(s string) string {
			return strings.Replace(s, "not acked: random ", "not acked: random 9", 1)
		}},
		{"a caption names another arm as the one that starves", func(s string) string {
			return compiled(`In (random|other) no (\S+) starts for (\S+ \S+), in (random|other) for (\S+ \S+) at most`).ReplaceAllString(s, "In $4 no $2 starts for $3, in $1 for $5 at most")
		}},
		{"a caption shortens the longest wait of an interval", func(s string) string {
			return compiled(`(in an interval: .*?: )\S+ (m?s) \(due`).ReplaceAllString(s, "${1}0.001 $2 (due")
		}},
		{"a row of compare has another value", func(s string) string {
			return compiled(`(?m)^(makespan +)\S+`).ReplaceAllString(s, "${1}77.77")
		}},
		{"a row of compare has another change", func(s string) string {
			return compiled(`(?m)^(throughput .*[+-])\S+ %`).ReplaceAllString(s, "${1}77.7 %")
		}},
		{"compare calls a worse figure better", func(s string) string {
			return compiled(`(?m)^other is worse in ((?:wait|held|slowdown|makespan|throughput)[^,]*)$`).ReplaceAllString(s, "other is better in $1")
		}},
		{"compare calls a change under its threshold worse", func(s string) string {
			g := compiled(`(?m)^(\S+) .* ([+-]1?\d\.\d %)\s*$`).FindStringSubmatch(compiled(`(?m)^(?:idle|util).*$`).ReplaceAllString(s, ""))
			if g == nil {
				return s
			}
			return strings.Replace(s, "other shows no clear difference.", "other is worse in "+g[1]+" ("+g[2]+").", 1)
		}},
	}
	enough := 5
	if testing.Short() {
		enough = 1
	}
	applied := make([]int, len(lies))
	for n := uint64(0); slices.Min(applied) < enough && n < 3000; n++ {
		p := newRandomPair(t, rand.New(rand.NewPCG(n, 2)))
		for _, s := range p.statements(t) {
			if s.blind {
				continue
			}
			for i, l := range lies {
				if applied[i] >= 4*enough {
					continue
				}
				lie := l.lie(s.text)
				if lie == s.text {
					continue
				}
				if s.check(s.text) != nil {
					break // the other test reports it
				}
				applied[i]++
				if s.check(lie) == nil {
					t.Errorf("pair %d: %s, and it was not found:\n\t%s\n\tinstead of %s", n, l.name, lie, s.text)
				}
			}
		}
	}
	for i, l := range lies {
		if applied[i] < enough {
			t.Errorf("%s: the lie could be planted in only %d sentences", l.name, applied[i])
		}
	}
	t.Logf("planted %v", applied)
}

// expressions are those that compiled has compiled.
var expressions = make(map[string]*regexp.Regexp)

// compiled compiles a regular expression once.
func compiled(text string) *regexp.Regexp {
	re := expressions[text]
	if re == nil {
		re = regexp.MustCompile(text)
		expressions[text] = re
	}
	return re
}
