package metric

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"harelab/engine/nearest"
)

// A Query names one figure: a metric, its statistic, and labels that choose the
// messages. The zero Query names none; queries from [Parse] and [Cut] are checked.
type Query struct {
	Metric string  // a name of the list
	Stat   string  // mean, p99, ...; empty if the metric is one number
	Labels []Label // in the order written
}

// A Label restricts a query to some messages, or is the by of Metric.By.
type Label struct {
	Key, Value string
	Not        bool // key!=value
}

// The labels. The first four choose messages and go with every metric.
var (
	selectors = []string{"class", "queue", "tenant", "worker"}
	labels    = []string{"before", "by", "class", "phase", "queue", "tenant", "worker"}
)

// Selectors returns the labels that every metric takes, in order of name.
func Selectors() []string { return slices.Clone(selectors) }

// stats are the statistics besides percentiles.
var stats = []string{"max", "mean", "min", "n", "sd"}

// Stats returns the statistics besides percentiles, which are p1 to p100 with or
// without decimals.
func Stats() []string { return slices.Clone(stats) }

// Percentile reads a statistic such as p50 or p99.9. It returns false if the
// statistic is not a percentile above 0 and at most 100.
func Percentile(stat string) (float64, bool) {
	digits, ok := strings.CutPrefix(stat, "p")
	if !ok || strings.Trim(digits, "0123456789.") != "" {
		return 0, false
	}
	p, err := strconv.ParseFloat(digits, 64)
	return p, err == nil && p > 0 && p <= 100
}

func isStat(s string) bool {
	_, ok := Percentile(s)
	return ok || slices.Contains(stats, s)
}

// Parse reads s as a query. Its error names the values that would have been right.
func Parse(s string) (Query, error) {
	q, rest, err := Cut(strings.TrimSpace(s))
	if err == nil && strings.TrimSpace(rest) != "" {
		err = fmt.Errorf("metric %q: nothing may follow the metric, got %q", s, strings.TrimSpace(rest))
	}
	return q, err
}

// Must is [Parse] for a constant query. It panics if the query is wrong.
func Must(s string) Query {
	q, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return q
}

// Cut reads a query from the start of s and returns the rest of s.
func Cut(s string) (q Query, rest string, err error) {
	end := strings.IndexAny(s, "{ =!<>")
	if end < 0 {
		end = len(s)
	}
	name, rest := s[:end], s[end:]
	m, stat := split(name)
	if m == nil {
		word, _, _ := strings.Cut(name, ".")
		return q, rest, fmt.Errorf("unknown metric %q%s", name, nearest.Choices(word, Names()))
	}
	q.Metric, q.Stat = m.Name, stat
	if err := m.takes(name, stat); err != nil {
		return q, rest, err
	}
	if strings.HasPrefix(rest, "{") {
		if q.Labels, rest, err = cutLabels(rest[1:]); err != nil {
			return q, rest, fmt.Errorf("metric %q: %w", name, err)
		}
	}
	return q, rest, q.Check()
}

// Check returns an error for a query that [Parse] would not return: one with an
// unknown metric, or with a statistic or label that the metric does not take.
func (q Query) Check() error {
	m := q.Def()
	if m == nil {
		return fmt.Errorf("unknown metric %q%s", q.Metric, nearest.Choices(q.Metric, Names()))
	}
	written := strings.TrimSuffix(q.Metric+"."+q.Stat, ".")
	if err := m.takes(written, q.Stat); err != nil {
		return err
	}
	if err := m.labelled(q.Labels); err != nil {
		return fmt.Errorf("metric %q: %w", written, err)
	}
	return nil
}

// split splits s into a metric and its statistic. Both may contain dots: jain.busy,
// wait.p99.9.
func split(s string) (m *Metric, stat string) {
	for i := range len(s) + 1 {
		if i == len(s) || s[i] == '.' {
			if m = Lookup(s[:i]); m != nil {
				return m, strings.TrimPrefix(s[i:], ".")
			}
		}
	}
	return nil, ""
}

// takes checks the statistic of a metric; written is the text of both, for messages.
func (m *Metric) takes(written, stat string) error {
	switch {
	case !m.Distribution() && written != m.Name:
		return fmt.Errorf("metric %q: %s is one number and takes no statistic", written, m.Name)
	case m.Distribution() && !isStat(stat):
		what := "give a statistic"
		if stat != "" {
			what = fmt.Sprintf("unknown statistic %q: give one", stat)
		}
		return fmt.Errorf("metric %q: %s, as %s.p99 (have %s, p1 to p100)", written, what, m.Name, strings.Join(stats, ", "))
	}
	return nil
}

// labelled checks the labels of a query for the metric.
func (m *Metric) labelled(ls []Label) error {
	by := false
	for i, l := range ls {
		switch l.Key {
		case "by":
			if m.By == "" || l.Not || l.Value != m.By {
				return m.wrongBy(l)
			}
			by = true
		case "before":
			if !m.Before {
				return fmt.Errorf("%s has no label \"before\" (have %s)", m.Name, strings.Join(selectors, ", "))
			}
			if _, err := (Query{Labels: ls[i : i+1]}).Before(); err != nil {
				return err
			}
		case "phase":
			if !m.Plan {
				return fmt.Errorf("%s has no label \"phase\" (have %s)", m.Name, strings.Join(selectors, ", "))
			}
			if _, err := (Query{Labels: ls[i : i+1]}).Phase(); err != nil {
				return err
			}
		default:
			if !slices.Contains(selectors, l.Key) {
				return fmt.Errorf("unknown label %q%s", l.Key, nearest.Choices(l.Key, labels))
			}
		}
		for _, o := range ls[:i] {
			if o.Key == l.Key && !(o.Not && l.Not) {
				return fmt.Errorf("label %q is given twice: write it once with =, or any number of times with !=", l.Key)
			}
		}
	}
	if m.By != "" && !by {
		return fmt.Errorf("%s needs the label by: write %s{by=%s}", m.Name, m.Name, m.By)
	}
	return nil
}

func (m *Metric) wrongBy(l Label) error {
	if m.By == "" {
		return fmt.Errorf("%s has no label \"by\" (have %s)", m.Name, strings.Join(selectors, ", "))
	}
	return fmt.Errorf("label %s: give by=%s", l, m.By)
}

// cutLabels reads labels up to the closing brace.
func cutLabels(s string) (ls []Label, rest string, err error) {
	for {
		var l Label
		if l, s, err = cutLabel(s); err != nil {
			return nil, s, err
		}
		ls = append(ls, l)
		switch {
		case strings.HasPrefix(s, "}"):
			return ls, s[1:], nil
		case s == "":
			return nil, s, errors.New("the labels lack their closing }")
		}
		s = s[1:] // the comma
	}
}

// cutLabel reads key=value or key!=value up to the comma or brace after it. A value
// that contains one of those is in quotes, in Go's syntax.
func cutLabel(s string) (l Label, rest string, err error) {
	s = strings.TrimLeft(s, " ")
	end := strings.IndexAny(s, ",}")
	if end < 0 {
		end = len(s)
	}
	at := strings.IndexByte(s[:end], '=')
	if at < 0 {
		return l, s, fmt.Errorf("label %q: give key=value or key!=value", strings.TrimSpace(s[:end]))
	}
	l.Key, l.Not = strings.CutSuffix(s[:at], "!")
	l.Key = strings.TrimSpace(l.Key)
	value := strings.TrimLeft(s[at+1:], " ")
	if quoted, err := strconv.QuotedPrefix(value); err == nil && quoted[0] == '"' {
		l.Value, _ = strconv.Unquote(quoted)
		rest = strings.TrimLeft(value[len(quoted):], " ")
		if rest != "" && rest[0] != ',' && rest[0] != '}' {
			return l, s, fmt.Errorf("label %s: give a comma or } after it, not %q", l, rest)
		}
	} else {
		n := strings.IndexAny(value, ",}")
		if n < 0 {
			n = len(value)
		}
		l.Value, rest = strings.TrimSpace(value[:n]), value[n:]
	}
	if l.Value == "" {
		return l, s, fmt.Errorf("label %q: give key=value or key!=value", strings.TrimSpace(s[:end]))
	}
	return l, rest, nil
}

// String writes the query as [Parse] reads it.
func (q Query) String() string {
	var b strings.Builder
	b.WriteString(q.Metric)
	if q.Stat != "" {
		b.WriteString("." + q.Stat)
	}
	b.WriteString(Braced(q.Labels))
	return b.String()
}

// Braced writes labels in braces, as after a query's name, or nothing if there are
// none.
func Braced(ls []Label) string {
	if len(ls) == 0 {
		return ""
	}
	parts := make([]string, len(ls))
	for i, l := range ls {
		parts[i] = l.String()
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// String writes the label as in a query.
func (l Label) String() string {
	op, value := "=", l.Value
	if l.Not {
		op = "!="
	}
	if strings.ContainsAny(value, ",}\"") || strings.TrimSpace(value) != value || !strconv.CanBackquote(value) {
		value = strconv.Quote(value)
	}
	return l.Key + op + value
}

// Def returns the query's metric, or nil for the zero Query.
func (q Query) Def() *Metric { return Lookup(q.Metric) }

// Unit returns the unit of the query's values: that of the metric, or none for the
// statistic n.
func (q Query) Unit() string {
	if m := q.Def(); m != nil && q.Stat != "n" {
		return m.Unit
	}
	return ""
}

// IsTime reports whether the query's values are seconds.
func (q Query) IsTime() bool { return q.Unit() == "s" }

// BenchUnit returns the query's unit in files of Go's benchmark format, such as
// wait-p99-sec and jain-busy. It does not depend on labels.
func (q Query) BenchUnit() string {
	if q.Unit() == "/s" {
		return "msgs/s"
	}
	unit := strings.NewReplacer("_", "-", ".", "-").Replace(q.Metric)
	if q.Stat != "" {
		unit += "-" + q.Stat
	}
	if q.IsTime() {
		unit += "-sec"
	}
	return unit
}

// Better returns the direction of better values.
func (q Query) Better() Direction {
	if m := q.Def(); m != nil && q.Stat != "n" {
		return m.Better
	}
	return Neither
}

// Selecting returns the labels that choose messages.
func (q Query) Selecting() []Label {
	var ls []Label
	for _, l := range q.Labels {
		if slices.Contains(selectors, l.Key) {
			ls = append(ls, l)
		}
	}
	return ls
}

// Only returns the value of a label key=value, or empty if there is none.
func (q Query) Only(key string) string {
	for _, l := range q.Labels {
		if l.Key == key && !l.Not {
			return l.Value
		}
	}
	return ""
}

// Before returns the run time of the label before, negative if there is none.
func (q Query) Before() (time.Duration, error) { return q.time("before") }

// Phase returns the run time of the label phase, negative if there is none.
func (q Query) Phase() (time.Duration, error) { return q.time("phase") }

func (q Query) time(key string) (time.Duration, error) {
	for _, l := range q.Labels {
		if l.Key != key {
			continue
		}
		d, err := time.ParseDuration(l.Value)
		if err != nil || l.Not || d < 0 {
			return 0, fmt.Errorf("label %s: give %s=20s, or another duration", l, key)
		}
		return d, nil
	}
	return -1, nil
}

// Admit reports whether the labels with a key, if any, admit the value.
func Admit(ls []Label, key, value string) bool {
	for _, l := range ls {
		if l.Key == key && (l.Value == value) == l.Not {
			return false
		}
	}
	return true
}
