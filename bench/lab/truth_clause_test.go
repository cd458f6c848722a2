package lab

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A clause is a figure in words, such as "99 % of quick start within 1.7 ms instead of
// 49 s", taken apart.
type clause struct {
	figure   func(c *csvRun) float64
	lower    bool // a lower value is better
	least    float64
	once     bool   // checked only where every message was delivered at most once
	to, from string // values as printed; from is empty if the clause gives one value
}

// A form is one kind of clause: a pattern in which {who} stands for the messages and {v} for a
// value, and the figure that it speaks of.
type form struct {
	pattern string
	figure  func(c *csvRun, p float64) float64
	higher  bool
	least   float64
	once    bool
}

// time returns the figure of a form that gives a percentile of a time of all published
// messages: one that was never finished has taken longer than any other.
func timeOf(metric string) func(c *csvRun, p float64) float64 {
	return func(c *csvRun, p float64) float64 { return nearestRank(c.times(metric), p) }
}

// ofFinished returns the figure of a form about the finished messages.
func ofFinished(metric string, f func([]float64) float64) func(c *csvRun, p float64) float64 {
	return func(c *csvRun, _ float64) float64 { return f(finite(c.times(metric))) }
}

func longest(vs []float64) float64 { return nearestRank(vs, 100) }

func ends(states ...string) func(c *csvRun, p float64) float64 {
	return func(c *csvRun, _ float64) float64 { return c.count(states...) }
}

var forms = []form{
	{pattern: `{p} of {who} start {v}`, figure: timeOf("wait"), least: 1e-3},
	{pattern: `{p} of {who} start {v} of being received`, figure: timeOf("held"), least: 1e-3},
	{pattern: `{p} of {who} are done {v}`, figure: timeOf("sojourn"), least: 1e-3},
	{pattern: `the longest wait of {who} is {v}`, figure: ofFinished("wait", longest), least: 1e-3},
	{pattern: `the mean wait of {who} is {v}`, figure: ofFinished("wait", average), least: 1e-3},
	{pattern: `the mean time from sending to done of {who} is {v}`, figure: ofFinished("sojourn", average), least: 1e-3},
	{pattern: `for {v} no {who} starts`, figure: func(c *csvRun, _ float64) float64 { return c.starvation() }, least: 1e-3, once: true},
	{pattern: `the last {who} is done after {v}`, figure: func(c *csvRun, _ float64) float64 {
		last := math.NaN()
		for _, r := range c.finished() {
			last = max(last, r.done)
			if math.IsNaN(last) {
				last = r.done
			}
		}
		return last
	}, least: 1e-3},
	{pattern: `{who} are done at a rate of {v}`, higher: true, figure: func(c *csvRun, _ float64) float64 { return c.throughput() }},
	{pattern: `{v} {who} are lost`, figure: ends("lost"), least: 1},
	{pattern: `{v} {who} are dropped`, figure: ends("dropped"), least: 1},
	{pattern: `{v} {who} expire`, figure: ends("expired"), least: 1},
	{pattern: `{v} {who} are dead-lettered`, figure: ends("dead-lettered"), least: 1},
	{pattern: `{v} {who} are (?:not served|left)`, figure: ends("left"), least: 1},
}

// atOnce is the wait in seconds below which a message starts at once: a mean that prints
// as 0 may hide a few microseconds.
const atOnce = 1e-4

// zeroForms are clauses that say that a figure is 0.
var zeroForms = []form{
	{pattern: `all {who} start at once`, figure: ofFinished("wait", func(vs []float64) float64 {
		if v := longest(vs); !(v < atOnce) {
			return v
		}
		return 0
	})},
	{pattern: `no {who} is finished`, figure: ofFinished("wait", func(vs []float64) float64 { return float64(len(vs)) })},
	{pattern: `no {who} starves`, figure: func(c *csvRun, _ float64) float64 { return c.starvation() }, once: true},
	{pattern: `no {who} is lost`, figure: ends("lost")},
	{pattern: `no {who} is dropped`, figure: ends("dropped")},
	{pattern: `no {who} expires`, figure: ends("expired")},
	{pattern: `no {who} is dead-lettered`, figure: ends("dead-lettered")},
	{pattern: `every {who} is served`, figure: ends("left")},
}

const (
	who    = `(?P<who>(?:finished )?(?:messages?|quick|slow|bulk)(?: of tenants? (?:other than )?t\d)?)`
	share  = `(?:(?P<p>\d+(?:\.\d+)?) %|half)`
	amount = `(?:within )?\d[\d,.]*(?: (?:µs|ms|s|%|a second|times)\b)?|at once|never|endless`
	value  = `(?P<to>` + amount + `)(?: instead of (?P<from>` + amount + `))?`
)

// patterns are those of the forms, then those of zeroForms.
var patterns = func() []*regexp.Regexp {
	var out []*regexp.Regexp
	for _, f := range slices.Concat(forms, zeroForms) {
		p := strings.NewReplacer("{p}", share, "{who}", who, "{v}", value).Replace(f.pattern)
		out = append(out, regexp.MustCompile("^(?i:"+p+")$"))
	}
	return out
}()

// parseClause takes a clause apart. It returns an error for a clause of unknown form, so
// that no claim goes unchecked.
func parseClause(text string) (clause, error) {
	for i, re := range patterns {
		m := re.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		group := func(name string) string {
			if k := re.SubexpIndex(name); k >= 0 {
				return m[k]
			}
			return ""
		}
		var f form
		out := clause{}
		if i < len(forms) {
			f = forms[i]
			out.to, out.from = group("to"), group("from")
		} else {
			f, out.to = zeroForms[i-len(forms)], "0"
		}
		p, err := strconv.ParseFloat(group("p"), 64)
		if err != nil {
			p = 50 // half
		}
		who := strings.ToLower(group("who"))
		out.lower, out.least, out.once = !f.higher, f.least, f.once
		out.figure = func(c *csvRun) float64 {
			some := c.of(who)
			if all := c.of(strings.TrimPrefix(who, "finished ")); some != nil && len(some.rows) == 0 && len(all.rows) > 0 && !f.higher {
				return math.Inf(1) // none was finished
			}
			return f.figure(some, p)
		}
		return out, nil
	}
	return clause{}, fmt.Errorf("no form of clause is like %q", text)
}

// printsAs reports whether a figure is what the text says, to the last digit printed.
func printsAs(text string, v float64) error {
	text = strings.TrimPrefix(text, "within ")
	switch text {
	case "at once":
		text = "0 s"
	case "never", "endless": // no message was finished
		if !math.IsInf(v, 1) && !math.IsNaN(v) {
			return fmt.Errorf("never, but it is %v", v)
		}
		return nil
	}
	number, unit, _ := strings.Cut(text, " ")
	number = strings.ReplaceAll(number, ",", "")
	x, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return err
	}
	// Three significant digits, of which zeros at the end are not printed.
	digit := min(math.Pow(10, math.Floor(math.Log10(max(x, 1e-9)))-2), 1)
	scale, ok := map[string]float64{"": 1, "s": 1, "ms": 1e-3, "µs": 1e-6, "min": 60, "h": 3600, "%": 0.01, "a second": 1, "times": 1}[unit]
	if !ok {
		return fmt.Errorf("unit %q", unit)
	}
	if !(math.Abs(x*scale-v) <= max(digit*scale*0.5000001, 0.5e-6)) {
		return fmt.Errorf("%s, but it is %v", text, v)
	}
	return nil
}

// float64From reads a number with commas between its thousands.
func float64From(s string) float64 {
	v, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", ""), 64)
	if err != nil {
		return math.NaN()
	}
	return v
}
