package lab

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"harelab/reports/arms"
	"harelab/reports/compare"
	"harelab/reports/stat"
)

// comparison returns what compare prints of a pair.
func (p randomPair) comparison(t *testing.T) string {
	t.Helper()
	n := len(p.runs) / 2
	names := []string{"random", "other"}
	sides, err := compare.Sides(names, [][]*stat.Summary{arms.Summaries(p.runs[:n]), arms.Summaries(p.runs[n:])}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := compare.WriteText(&b, compare.Compare(sides[0], sides[1])); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var (
	sameLoadLine = regexp.MustCompile(`^same load: (yes|no)$`)
	noteLine     = regexp.MustCompile(`^note: .+: \d of the \d repeats of (?:random|other) (?:has no value and is|have no value and are) left out$|^note: (.*) is not compared: (random|other) has no value for it$|^note: .*(?:samples|repeats).*$`)
	exactLine    = regexp.MustCompile(`^All figures are exact: virtual time\. Better or worse is a change of more than a fifth\.$`)
	inWords      = regexp.MustCompile(`(\S+(?:\{[^}]*\})?) \(([^()]+)\)`)
)

// checkComparison checks what compare prints: the sentence, every row of the table, and
// the last sentence, which lists what is better and worse.
func (p pairOfArms) checkComparison(text string) error {
	head, rest, _ := strings.Cut(text, "\n\n")
	head = strings.Join(strings.Fields(head), " ")
	if strings.HasPrefix(head, "No verdict") {
		return fmt.Errorf("%q, and the loads are the same", head)
	}
	for _, s := range sentences(head) {
		if err := p.compared(s); err != nil {
			return fmt.Errorf("%q: %w", s, err)
		}
	}
	lines := strings.Split(strings.TrimSpace(rest), "\n")
	changes := make(map[string]string)
	for len(lines) > 0 {
		line := lines[0]
		if sameLoadLine.MatchString(strings.TrimSpace(line)) {
			break
		}
		lines = lines[1:]
		fields := regexp.MustCompile(`\s{2,}`).Split(strings.TrimSpace(line), -1)
		if fields[0] == "random" { // the head
			continue
		}
		if len(fields) < 3 {
			return fmt.Errorf("no row is like %q", line)
		}
		if len(fields) > 3 {
			changes[fields[0]] = fields[3]
		}
		if err := p.checkRow(fields); err != nil {
			return fmt.Errorf("%q: %w", line, err)
		}
	}
	// Long lines are folded; those that go on are indented.
	for i, s := range strings.Split(regexp.MustCompile(`\n\s+`).ReplaceAllString(strings.Join(lines, "\n"), " "), "\n") {
		switch {
		case i == 0 && s != "same load: yes":
			return fmt.Errorf("%q, and the loads are the same", s)
		case i == 0, exactLine.MatchString(s), noteLine.MatchString(s):
		default:
			if err := p.checkVerdict(strings.Join(strings.Fields(afterLine(rest, s)), " "), changes); err != nil {
				return fmt.Errorf("%q: %w", s, err)
			}
			return nil
		}
	}
	return fmt.Errorf("it has no verdict")
}

// afterLine returns the text from a line on.
func afterLine(text, line string) string {
	start := strings.Fields(line)
	at := strings.LastIndex(text, "\n"+strings.Join(start[:min(4, len(start))], " "))
	return text[at+1:]
}

// compared checks a sentence that compares the arms. With repeats a difference must also be
// significant, and three repeats on each side never are, unless all have the same value.
func (p pairOfArms) compared(s string) error {
	if len(p.base) == 1 {
		return p.checkBalance(s)
	}
	p.chance = true
	if !changed.MatchString(s) {
		return p.checkBalance(s)
	}
	first, _, _ := strings.Cut(changed.FindStringSubmatch(s)[2], "; ")
	for _, one := range enumeration(overlap.ReplaceAllString(first, "")) {
		c, err := parseClause(one)
		if err != nil {
			return err
		}
		for _, runs := range [][]*csvRun{p.base, p.other} {
			if differ(runs, c.figure) {
				return fmt.Errorf("%q: repeats differ, and three are too few to tell", one)
			}
		}
	}
	return p.checkBalance(s)
}

// differ reports whether repeats that have a figure have different values of it, apart from
// rounding.
func differ(runs []*csvRun, figure func(*csvRun) float64) bool {
	least, most := math.Inf(1), math.Inf(-1)
	for _, r := range runs {
		if v := figure(r); !math.IsNaN(v) && !math.IsInf(v, 1) {
			least, most = min(least, v), max(most, v)
		}
	}
	return most-least > 1e-9*math.Abs(most)
}

// checkRow recomputes a row of the table: metric, both values and the change.
func (p pairOfArms) checkRow(fields []string) error {
	q := metricText.FindStringSubmatch(fields[0])
	if q == nil {
		return fmt.Errorf("no metric is like it")
	}
	if q[1] == "idle_while_waiting" || q[1] == "starvation" && slices.ContainsFunc(slices.Concat(p.base, p.other), (*csvRun).redelivered) {
		return nil
	}
	var values [2]float64
	for i, runs := range [][]*csvRun{p.base, p.other} {
		if fields[i+1] == "-" {
			return nil
		}
		var err error
		values[i] = median(runs, func(c *csvRun) float64 {
			v, e := c.ask(q)
			if e != nil {
				err = e
			}
			return v
		})
		if err != nil {
			return err
		}
		value, _, _ := strings.Cut(fields[i+1], " ± ")
		if slices.ContainsFunc(runs, (*csvRun).redelivered) && (q[1] == "utilisation" || strings.HasPrefix(q[1], "jain")) {
			return nil // rows do not tell of work that was lost
		}
		if strings.HasPrefix(value, "0") && math.IsNaN(values[i]) {
			continue // a count of no messages
		}
		if err := printsEntry(value, values[i]); err != nil {
			return err
		}
	}
	if len(fields) < 4 || fields[3] == "~" {
		return nil
	}
	from, to := values[0], values[1]
	switch change := fields[3]; {
	case change == "=":
		if math.Abs(from-to) > 1e-9 {
			return fmt.Errorf("they differ: %v and %v", from, to)
		}
	case change == "from 0":
		if from != 0 {
			return fmt.Errorf("the base is %v", from)
		}
	case strings.HasPrefix(change, "x"):
		if x := float64From(change[1:]); math.Abs(x-to/from) > 0.01*x {
			return fmt.Errorf("it is x%v", to/from)
		}
	default:
		x := float64From(strings.TrimPrefix(strings.TrimSuffix(change, " %"), "+"))
		if !(math.Abs(x-100*(to/from-1)) <= 0.0501) {
			return fmt.Errorf("it is %v %%", 100*(to/from-1))
		}
	}
	return nil
}

// printsEntry is printsAs for a table, whose values have four digits, factors an x, and
// shares a percent sign.
func printsEntry(text string, v float64) error {
	scale := 1.0
	number, unit, _ := strings.Cut(strings.ReplaceAll(text, "x", " x"), " ")
	switch unit {
	case "ms":
		scale = 1e-3
	case "µs":
		scale = 1e-6
	case "%":
		scale = 1e-2
	case "s", "x", "":
	default:
		return fmt.Errorf("unit %q", unit)
	}
	number = strings.TrimSuffix(number, "/s")
	x := float64From(number)
	digit := math.Pow(10, math.Floor(math.Log10(max(math.Abs(x), 1e-9)))-2) // times have three digits
	if digits := len(strings.ReplaceAll(number, ".", "")); digits > 3 {
		digit /= 10
	}
	if !(math.Abs(x*scale-v) <= max(min(digit, 1)*scale*0.50001, 0.5e-6)) {
		return fmt.Errorf("%s, but it is %v", text, v)
	}
	return nil
}

// checkVerdict checks the sentence that lists what is better and worse with the changes of
// the table, whose values are checked.
func (p pairOfArms) checkVerdict(s string, changes map[string]string) error {
	says := same
	rest, ok := strings.CutPrefix(strings.TrimSuffix(s, "."), "other ")
	if !ok {
		return fmt.Errorf("no verdict is like it")
	}
	if rest == "shows no clear difference" || rest == "shows no significant difference" {
		for name := range changes {
			if err := p.clearIn(name, same); err != nil {
				return err
			}
		}
		return nil
	}
	for _, word := range regexp.MustCompile(`(?:^is |, )(better|worse) in `).FindAllStringSubmatchIndex(rest, -1) {
		says = direction(rest[word[2]:word[3]])
		list := rest[word[1]:]
		if next := strings.Index(list, ", worse in "); next >= 0 {
			list = list[:next]
		}
		for _, m := range inWords.FindAllStringSubmatch(list, -1) {
			if is := changes[m[1]]; is != m[2] && is != "from 0" {
				return fmt.Errorf("%s: %s in the table", m[0], is)
			}
			if err := p.clearIn(m[1], says); err != nil {
				return err
			}
		}
	}
	if says == same {
		return fmt.Errorf("no verdict is like it")
	}
	return nil
}

// clearIn checks whether a metric is clearly better or worse with the other arm, or neither.
func (p pairOfArms) clearIn(name string, says direction) error {
	q := metricText.FindStringSubmatch(name)
	if q == nil {
		return fmt.Errorf("no metric is like %q", name)
	}
	runs := slices.Concat(p.base, p.other)
	if q[1] == "idle_while_waiting" || slices.ContainsFunc(runs, (*csvRun).redelivered) {
		return nil
	}
	c := clause{lower: true, least: 1e-3}
	switch q[1] {
	case "throughput", "jain.busy":
		c.lower, c.least = false, 0
		if q[1] == "jain.busy" {
			c.least = 0.01
		}
	case "utilisation":
		return nil // neither direction is better
	case "slowdown":
		c.least = 0.05
	case "lost", "dropped", "expired", "dead_lettered", "left", "duplicated":
		c.least = 1
	}
	from, err := p.base[0].ask(q)
	if err != nil {
		return err
	}
	for _, runs := range [][]*csvRun{p.base, p.other} {
		if differ(runs, func(r *csvRun) float64 { v, _ := r.ask(q); return v }) {
			if says != same {
				return fmt.Errorf("%s: repeats differ, and three are too few to tell", name)
			}
			return nil
		}
	}
	to, _ := p.other[0].ask(q)
	if math.Abs(math.Abs(from-to)-0.2*max(from, to)) < 1e-9 {
		return nil // on the very threshold
	}
	is := same
	if c.clear(from, to) {
		is = worse
		if (to < from) == c.lower {
			is = better
		}
	}
	if is != says && !math.IsNaN(from+to) {
		return fmt.Errorf("%s is %s: from %v to %v", name, is, from, to)
	}
	return nil
}
