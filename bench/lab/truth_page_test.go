package lab

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A told is all that a page may speak of: arms by label, each with its repeats, as
// messages.csv shows them.
type told struct {
	labels []string
	runs   map[string][]*csvRun
	named  map[string]*csvRun // each repeat by its name
}

func (o told) all() []*csvRun {
	var out []*csvRun
	for _, l := range o.labels {
		out = append(out, o.runs[l]...)
	}
	return out
}

// sentences splits prose at the full stops that end a sentence.
func sentences(text string) []string {
	var out []string
	for _, s := range regexp.MustCompile(`\.( |$)`).Split(strings.ReplaceAll(text, "\u00a0", " "), -1) {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// A claim is a kind of sentence of the page's story with its check. The check gets the
// pattern's groups.
type claim struct {
	pattern *regexp.Regexp
	check   func(o told, m []string) error
}

const arm = `(\S+)`

func say(pattern string, check func(o told, m []string) error) claim {
	return claim{regexp.MustCompile(`^(?:` + pattern + `)$`), check}
}

// claims are the sentences of stories. The first that a sentence is like decides.
var claims = []claim{
	say(`Cut off after (.*), with ([\d,]+) of ([\d,]+) messages finished`, func(o told, m []string) error {
		for _, r := range o.all() {
			if number(m[2]) == len(r.finished()) && number(m[3]) == len(r.rows) {
				return nil
			}
		}
		return fmt.Errorf("no run finished %s of %s messages", m[2], m[3])
	}),
	say(`The run of .* was stopped before its end|The measurements until then are below; they say nothing about the whole run`, nil),
	say(`A lost message was accepted by the broker, and no worker will ever finish it`, nil),
	say(`(.* lost [\d,]+ of [\d,]+ messages)(?:; (.*) lost none)?`, func(o told, m []string) error {
		for _, part := range strings.Split(m[1], " and ") {
			g := regexp.MustCompile(`^` + arm + ` lost ([\d,]+) of ([\d,]+) messages$`).FindStringSubmatch(part)
			if g == nil {
				return fmt.Errorf("no claim is like %q", part)
			}
			most := 0.0
			for _, r := range o.runs[g[1]] {
				most = max(most, r.count("lost"))
			}
			if most != float64(number(g[2])) || len(o.runs[g[1]][0].rows) != number(g[3]) {
				return fmt.Errorf("%s lost %v of %d", g[1], most, len(o.runs[g[1]][0].rows))
			}
		}
		for _, none := range strings.FieldsFunc(m[2], func(r rune) bool { return r == ' ' }) {
			for _, r := range o.runs[none] {
				if r.count("lost") > 0 {
					return fmt.Errorf("%s lost some", none)
				}
			}
		}
		return nil
	}),
	say(`Not met: (.*)`, func(o told, m []string) error {
		for _, part := range strings.Split(m[1], ", ") {
			if regexp.MustCompile(`^\d+ more$`).MatchString(part) {
				continue
			}
			text, label, ok := strings.Cut(part, " with ")
			if !ok {
				text, label = part, o.labels[0]
			}
			holds := true
			for _, r := range o.runs[label] {
				h, err := r.holds(text)
				if err != nil {
					return err
				}
				holds = holds && h
			}
			if holds {
				return fmt.Errorf("%q is met in every run of %s", text, label)
			}
		}
		return nil
	}),
	say(`(?:For .* no .* starts|Most .*)while (\S+) runs(?:: (.*))?`, nil),
	say(`(For .* no .* starts)(?: while \S+ runs)?(?:: (.*))?`, func(o told, m []string) error { return o.both(m[1], m[2]) }),
	say(`Most of the wait is held in workers' prefetch windows, not in the queue`, func(o told, m []string) error { return nil }),
	say(`For .* of it a worker has received the message and not yet started it`, nil),
	say(`The workers keep up: (.*)`, func(o told, m []string) error {
		longest := math.Inf(-1)
		for _, r := range o.runs[o.labels[0]] {
			waits, work := r.times("wait"), r.times("service")
			if len(waits) == 0 {
				continue // nothing was published in this repeat
			}
			if nearestRank(waits, 99) > max(average(finite(work)), 1e-3) {
				return fmt.Errorf("99 %% wait %v, and work takes %v", nearestRank(waits, 99), average(finite(work)))
			}
			longest = max(longest, nearestRank(waits, 100))
		}
		c, err := parseClause(m[1])
		if err != nil {
			return err
		}
		return printsAs(c.to, longest)
	}),
	say(`([\d,]+) of ([\d,]+) messages were finished`, func(o told, m []string) error {
		if r := o.runs[o.labels[0]][0]; number(m[1]) != len(r.finished()) || number(m[2]) != len(r.rows) {
			return fmt.Errorf("%d of %d were", len(r.finished()), len(r.rows))
		}
		return nil
	}),
	say(`Sent (\S+) and received (\S+) messages a second; (.*); (.*)`, func(o told, m []string) error {
		for i, at := range []func(r csvRow) float64{func(r csvRow) float64 { return r.sent }, func(r csvRow) float64 { return r.received }} {
			v := median(o.runs[o.labels[0]], func(c *csvRun) float64 {
				first, last, n := math.Inf(1), math.Inf(-1), 0.0
				for _, r := range c.rows {
					first = min(first, r.sent)
				}
				begun := 0.0
				for _, r := range c.rows {
					if t := at(r); t >= first {
						last, n = max(last, t), n+1
						if t == first {
							begun = 1
						}
					}
				}
				n -= begun
				if last > first {
					return n / (last - first)
				}
				return math.NaN()
			})
			if err := printsAs(m[i+1], v); err != nil {
				return err
			}
		}
		return o.both(m[3], m[4])
	}),
	say(`No message was published`, func(o told, m []string) error {
		if n := len(o.all()[0].rows); n > 0 {
			return fmt.Errorf("%d were", n)
		}
		return nil
	}),
	say(`([\d,]+) messages were published`, nil),
	say(`No (\S+) was finished`, func(o told, m []string) error {
		if n := len(o.runs[o.labels[0]][0].of(m[1]).finished()); n > 0 {
			return fmt.Errorf("%d were", n)
		}
		return nil
	}),
	say(`([\d,]+) of ([\d,]+) sat in the prefetch window of a worker that was busy with something else, for at least as long as their own work takes and for up to (.*)`, nil),
	say(`(.*): ((?:random|other) .*)`, func(o told, m []string) error { return o.listed(m[1], m[2]) }),
	say(`There is no verdict: the runs have no figure in common`, nil),
}

// tell checks a story that compares arms or describes one.
func (o told) tell(text string) error {
	for _, s := range sentences(text) {
		s, err := o.plainLabels(s)
		if err == nil {
			err = o.sentence(s)
		}
		if err != nil {
			return fmt.Errorf("%q: %w", s, err)
		}
	}
	return nil
}

// sentence checks one sentence of a story.
func (o told) sentence(s string) error {
	if len(o.labels) == 2 && balanceLike.MatchString(s) {
		return pairOfArms{base: o.runs[o.labels[0]], other: o.runs[o.labels[1]]}.checkBalance(s)
	}
	if done, err := o.claim(s); done {
		return err
	}
	if len(o.labels) > 1 {
		return fmt.Errorf("no claim is like %q", s)
	}
	for _, part := range strings.Split(s, "; ") {
		if err := o.one(o.labels[0], part); err != nil {
			return err
		}
	}
	return nil
}

// claim checks a sentence that is like one of the claims, and reports whether it is.
func (o told) claim(s string) (bool, error) {
	for _, c := range claims {
		if m := c.pattern.FindStringSubmatch(s); m != nil {
			if c.check == nil {
				return true, nil
			}
			return true, c.check(o, m)
		}
	}
	return false, nil
}

var (
	explained = regexp.MustCompile(`\bother \(([^()]*)\)`)
	moreSlots = regexp.MustCompile(`(\d+) instead of (\d+) slots`)
)

// plainLabels takes what a label explains from a sentence, as in "other (4 instead of 2
// slots and order fifo)", and checks the slots.
func (o told) plainLabels(s string) (string, error) {
	for _, m := range explained.FindAllStringSubmatch(s, -1) {
		if g := moreSlots.FindStringSubmatch(m[1]); g != nil {
			now, before := o.runs[o.labels[1]][0].slots, o.runs[o.labels[0]][0].slots
			if number(g[1]) != now || number(g[2]) != before {
				return s, fmt.Errorf("there are %d instead of %d slots", now, before)
			}
		}
	}
	return explained.ReplaceAllString(s, "other"), nil
}

var balanceLike = regexp.MustCompile(`^(Better|Worse) with other|with both random and other|\(random\) and .* \(other\)`)

// one checks a clause about an arm.
func (o told) one(label, text string) error {
	if m := regexp.MustCompile(`(?i)^most (.+) start at once$`).FindStringSubmatch(text); m != nil {
		half := func(c *csvRun) float64 { return nearestRank(c.of(strings.ToLower(m[1])).times("wait"), 50) }
		if v := median(o.runs[label], half); v != 0 {
			return fmt.Errorf("half wait %v", v)
		}
		return nil
	}
	c, err := parseClause(regexp.MustCompile(`(?i)^in most runs `).ReplaceAllString(text, ""))
	if err != nil {
		return err
	}
	if c.once && slices.ContainsFunc(o.runs[label], (*csvRun).redelivered) {
		return nil
	}
	if err = printsAs(c.to, median(o.runs[label], c.figure)); err == nil {
		return nil
	}
	// A figure of the finished messages may be that of the runs that finished some.
	return printsAs(c.to, median(o.runs[label], func(r *csvRun) float64 {
		if v := c.figure(r); !math.IsInf(v, 1) {
			return v
		}
		return math.NaN()
	}))
}

// both checks two clauses about the first arm, the second of which may be empty.
func (o told) both(a, b string) error {
	if err := o.one(o.labels[0], a); err != nil || b == "" {
		return err
	}
	return o.one(o.labels[0], b)
}

// listed checks the values of a figure in each arm: "random 3 s, other 4 s (3 s to 5 s in
// 3 runs)".
func (o told) listed(label, values string) error {
	values = regexp.MustCompile(` \([^()]* to [^()]* in \d+ runs\)`).ReplaceAllString(values, "")
	for _, part := range strings.Split(values, ", ") {
		of, v, _ := strings.Cut(part, " ")
		if _, ok := o.runs[of]; !ok {
			return fmt.Errorf("no arm %q", of)
		}
		c, err := parseLabel(label, v)
		if err != nil {
			return err
		}
		if c.once && slices.ContainsFunc(o.runs[of], (*csvRun).redelivered) {
			continue
		}
		if err := printsAs(v, median(o.runs[of], c.figure)); err != nil {
			return fmt.Errorf("%s: %w", of, err)
		}
	}
	return nil
}

// parseLabel makes a clause of a figure's label and a value.
func parseLabel(label, value string) (clause, error) {
	for _, f := range []struct{ from, to string }{
		{`^(.* start) within$`, "$1 V"},
		{`^(.*) start within this time of being received$`, "$1 start within V of being received"},
		{`^(.* are done) within$`, "$1 V"},
		{`^(longest wait of .*)$`, "the $1 is V"},
		{`^(mean wait of .*)$`, "the $1 is V"},
		{`^(mean time from sending to done of .*)$`, "the $1 is V"},
		{`^longest time in which (no .* starts)$`, "for V $1"},
		{`^time until (the last .* is done)$`, "$1 after V"},
		{`^rate at which (.* are done)$`, "$1 at a rate of V"},
		{`^(.*) (lost|dropped|dead-lettered)$`, "V $1 are $2"},
		{`^(.*) not served$`, "V $1 are not served"},
	} {
		if re := regexp.MustCompile("(?i)" + f.from); re.MatchString(label) {
			return parseClause(strings.Replace(re.ReplaceAllString(label, f.to), "V", value, 1))
		}
	}
	return clause{}, fmt.Errorf("no label is like %q", label)
}

func number(s string) int {
	n, _ := strconv.Atoi(strings.ReplaceAll(s, ",", ""))
	return n
}

var (
	expectationText = regexp.MustCompile(`^(\S+) (<|>|==) ([\d.]+)(ms|s|/s)?$`)
	metricText      = regexp.MustCompile(`^(\w+(?:\.busy)?)(?:\.(\w+))?(?:\{(\w+)(!?=)(\w+)\})?$`)
)

// holds evaluates an expectation of the random scenarios.
func (c *csvRun) holds(text string) (bool, error) {
	m := expectationText.FindStringSubmatch(text)
	if m == nil {
		return false, fmt.Errorf("no expectation is like %q", text)
	}
	v, err := c.ask(metricText.FindStringSubmatch(m[1]))
	if err != nil {
		return false, err
	}
	bound, _ := strconv.ParseFloat(m[3], 64)
	if m[4] == "ms" {
		bound /= 1000
	}
	switch m[2] {
	case "<":
		return v < bound, nil
	case ">":
		return v > bound, nil
	}
	return v == bound, nil
}

// ask returns the value of a metric, taken apart by metricText. It is NaN if no message
// has one, which meets no expectation.
func (c *csvRun) ask(m []string) (float64, error) {
	some := c
	if m[3] != "" && m[3] != "by" {
		who := "messages of tenant " + m[5]
		switch {
		case m[3] == "class":
			who = m[5]
		case m[4] == "!=":
			who = "messages of tenants other than " + m[5]
		}
		some = c.of(who)
	}
	if len(some.rows) == 0 {
		if m[1] == "utilisation" {
			return 0, nil // of no messages
		}
		return math.NaN(), nil
	}
	switch m[1] {
	case "lost", "dropped", "expired", "left":
		return some.count(m[1]), nil
	case "dead_lettered":
		return some.count("dead-lettered"), nil
	case "throughput":
		return some.throughput(), nil
	case "starvation":
		return some.starvation(), nil
	case "makespan":
		return nearestRank(finite(some.ends()), 100), nil
	case "utilisation":
		return some.utilisation(), nil
	case "jain.busy":
		return c.jainBusy(), nil
	case "wait", "held", "sojourn", "slowdown":
		vs := finite(some.times(m[1]))
		switch m[2] {
		case "max":
			return nearestRank(vs, 100), nil
		case "mean":
			return average(vs), nil
		}
		p, err := strconv.ParseFloat(m[2][1:], 64)
		return nearestRank(vs, p), err
	}
	return 0, fmt.Errorf("no metric is called %q", m[0])
}

// ends returns when messages were done, in order.
func (c *csvRun) ends() []float64 {
	var out []float64
	for _, r := range c.finished() {
		out = append(out, r.done)
	}
	slices.Sort(out)
	return out
}
