package judge

import (
	"fmt"
	"math"
	"strings"

	"harelab/reports/stat"
	"harelab/scenarios/metric"
)

// Say says that the goal has the value, as a clause that begins in lower case and has
// no full stop: "99 % of quick start within 1.7 ms", "for 10 s no job starts".
func (g Goal) Say(v float64) string {
	p, _, _ := phraseOf(g.Query)
	switch {
	case math.IsNaN(v):
		return "there is no value of " + g.String()
	case math.IsInf(v, 1):
		_, one := who(g.Query)
		return "no " + one + " is finished"
	case g.isZero(v) && p.zero != "":
		return g.fill(p.zero, "")
	case g.isZero(v) && p.none != "":
		return g.fill(strings.Replace(p.say, p.with+"{v}", p.none, 1), "")
	}
	return g.fill(p.say, g.Value(v))
}

// CountsFirst reports whether the goal in words begins with its value, as in "3 messages
// are lost". Two values side by side would part the number from its subject.
func (g Goal) CountsFirst() bool {
	p, _, _ := phraseOf(g.Query)
	return strings.HasPrefix(p.say, "{v}")
}

// Label names the goal for a place beside its value, as "longest wait of quick" or
// "99 % of quick start within". It begins in lower case.
func (g Goal) Label() string {
	p, _, _ := phraseOf(g.Query)
	return g.fill(p.label, "")
}

// Change says that the goal has the value to where it had from: "99 % of quick start
// within 1.7 ms instead of 49 s".
func (g Goal) Change(from, to float64) string {
	p, _, _ := phraseOf(g.Query)
	a, b := g.special(p, from), g.special(p, to)
	if a == "" && b == "" {
		return g.fill(p.say, g.Value(to)+" instead of "+g.Value(from))
	}
	if a == "" {
		a = p.with + g.Value(from)
	}
	if b == "" {
		b = p.with + g.Value(to)
	}
	return g.fill(strings.Replace(p.say, p.with+"{v}", b+" instead of "+a, 1), "")
}

// special returns the words that replace a value with its preposition, empty for a
// value that is written as it is.
func (g Goal) special(p phrase, v float64) string {
	switch {
	case math.IsInf(v, 1) && p.with != "":
		return "never"
	case g.isZero(v) && p.none != "":
		return p.none
	}
	return ""
}

// Value writes a value of the goal for prose, at three significant digits.
func (g Goal) Value(v float64) string {
	switch {
	case math.IsNaN(v):
		return "no value"
	case math.IsInf(v, 1):
		if p, _, _ := phraseOf(g.Query); p.with != "" {
			return "never"
		}
		return "endless"
	}
	switch g.Unit() {
	case "s":
		return stat.Brief(v)
	case "%":
		return stat.Percent(v)
	case "x":
		return stat.Plain(v) + " times"
	case "/s":
		return stat.Plain(v) + " a second"
	}
	if v == math.Trunc(v) {
		return stat.Count(int(v))
	}
	return stat.Plain(v)
}

// Spread writes the range of an estimate's repeats, as "3.1 s to 4.2 s in 5 runs". It
// is empty for one run, or if all repeats print as the same value.
func (g Goal) Spread(e Estimate) string {
	lo, hi := g.Value(e.Lo), g.Value(e.Hi)
	if e.N < 2 || lo == hi {
		return ""
	}
	return fmt.Sprintf("%s to %s in %d runs", lo, hi, e.N)
}

// Who names the messages of the goal as a plural: "quick", "messages of tenants other
// than noisy".
func (g Goal) Who() string {
	who, _ := g.who()
	return who
}

// isZero reports whether a value prints as 0.
func (g Goal) isZero(v float64) bool {
	return v == 0 || g.IsTime() && math.Abs(v) < 0.5e-6
}

// fill puts a value and the goal's messages into the text of a phrase.
func (g Goal) fill(text, value string) string {
	_, noun, percentile := phraseOf(g.Query)
	plural, singular := g.who()
	if percentile == "50" {
		text = strings.Replace(text, "{p} %", "half", 1)
	}
	only := ""
	if len(g.Selecting()) > 0 {
		only = " for " + plural
	}
	return strings.NewReplacer("{for}", only, "{p}", percentile, "{noun}", noun, "{who}", plural, "{one}", singular, "{v}", value).Replace(text)
}

// who names the messages that the goal is about, as a plural and as one of them. A
// class stands for its messages.
func (g Goal) who() (plural, singular string) {
	plural, singular = who(g.Query)
	if g.finished {
		plural, singular = "finished "+plural, "finished "+singular
	}
	return plural, singular
}

// who names the messages that a query's labels select.
func who(q metric.Query) (plural, singular string) {
	plural, singular = "messages", "message"
	var rest []string
	if c := q.Only("class"); c == singular { // the class of a load without a scenario
	} else if c != "" {
		plural, singular = c, c
	} else if others := except(q, "class"); others != "" {
		rest = append(rest, others)
	}
	for _, k := range []struct{ key, is, not string }{
		{"tenant", "of tenant ", "of tenants "},
		{"queue", "in queue ", "in queues "},
		{"worker", "on worker ", "on workers "},
	} {
		if v := q.Only(k.key); v != "" {
			rest = append(rest, k.is+v)
		} else if others := except(q, k.key); others != "" {
			rest = append(rest, k.not+others)
		}
	}
	if before, err := q.Before(); err == nil && before >= 0 {
		rest = append(rest, "before "+stat.Brief(before.Seconds()))
	}
	tail := strings.Join(append([]string{""}, rest...), " ")
	return plural + tail, singular + tail
}

// except names the values that labels key!=value exclude, as "other than a and b".
func except(q metric.Query, key string) string {
	var names []string
	for _, l := range q.Labels {
		if l.Key == key && l.Not {
			names = append(names, l.Value)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "other than " + stat.List(names, "and")
}
