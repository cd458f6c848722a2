package scenarios

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"harelab/engine/nearest"
)

// maxErrors is the greatest number of mistakes that one reading of a file reports.
const maxErrors = 10

// A decoder turns the nodes of a file into a Scenario. It goes on after a
// mistake, so that the user sees all mistakes at once; its results are valid only if
// errs stays empty.
type decoder struct {
	file  string
	env   env
	index int // index of the current copy of a repeated entry; -1: none
	errs  []*Error

	entries int // number of entries that count made so far
	values  int // number of values of keys so far

	declared   map[name]int // line of each declared name
	references []reference
	uses       []Use
	headlineAt *yaml.Node // report.headline, nil without one
	named      bool       // all names that metrics may use were read without a mistake

	read func(path string) ([]byte, error) // reads a data file beside the scenario
}

// fail records a mistake at n.
func (d *decoder) fail(n *yaml.Node, format string, args ...any) {
	line := 0
	if n != nil {
		line = n.Line
	}
	for _, e := range d.errs { // the copies of a repeated entry have the same mistakes
		if e.Line == line && e.Msg == fmt.Sprintf(format, args...) {
			return
		}
	}
	if len(d.errs) < maxErrors {
		d.errs = append(d.errs, &Error{File: d.file, Line: line, Msg: fmt.Sprintf(format, args...)})
	}
}

// fields maps the field names of an object to the functions that read them.
type fields map[string]func(*yaml.Node)

// object reads the mapping n field by field, in the order of the file.
func (d *decoder) object(n *yaml.Node, what string, f fields, required ...string) {
	if n.Kind != yaml.MappingNode {
		d.fail(n, "%s: give a mapping%s", what, nearest.Choices("", sortedKeys(f)))
		return
	}
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		name := key.Value
		read, ok := f[name]
		switch {
		case key.Kind != yaml.ScalarNode || key.Tag == "!!merge":
			d.fail(key, "%s: a field name must be a plain word", what)
		case !ok:
			d.fail(key, "%s: unknown field %q%s", what, name, nearest.Choices(name, sortedKeys(f)))
		case seen[name]:
			d.fail(key, "%s: field %q is given twice", what, name)
		default:
			read(val)
		}
		seen[name] = true
	}
	for _, name := range required {
		if !seen[name] {
			d.fail(n, "%s: field %q is missing", what, name)
		}
	}
}

// field returns the value of one field of a mapping, or nil.
func field(n *yaml.Node, name string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

// without returns a copy of a mapping without the named fields.
func without(n *yaml.Node, names ...string) *yaml.Node {
	m := *n
	m.Content = nil
	for i := 0; i+1 < len(n.Content); i += 2 {
		drop := false
		for _, name := range names {
			drop = drop || n.Content[i].Value == name
		}
		if !drop {
			m.Content = append(m.Content, n.Content[i], n.Content[i+1])
		}
	}
	return &m
}

// each calls f on every entry of the sequence n whose condition "when" holds.
func (d *decoder) each(n *yaml.Node, what string, f func(*yaml.Node)) {
	if n.Kind != yaml.SequenceNode {
		d.fail(n, "%s: give a list, as [a, b] or lines that begin with -", what)
		return
	}
	for _, item := range n.Content {
		if when := field(item, "when"); when != nil {
			v, ok := d.condition(when)
			if !ok || !v {
				continue
			}
			item = without(item, "when")
		}
		f(item)
	}
}

// maxRepeat bounds the number of entries of all lists together after count is expanded.
const maxRepeat = 200_000

// repeated is each for entries that may have a count: it calls f count times, with
// d.index set.
func (d *decoder) repeated(n *yaml.Node, what string, f func(item *yaml.Node, count int)) {
	d.each(n, what, func(item *yaml.Node) {
		count := 1
		if c := field(item, "count"); c != nil {
			d.whole(&count, 0, maxRepeat)(c)
			item = without(item, "count")
		}
		if !d.room(item, count, what) {
			return
		}
		for i := range count {
			d.index = i
			f(item, count)
			if len(d.errs) >= maxErrors {
				break
			}
		}
		d.index = -1
	})
}

// room counts entries that count makes. It returns false if the scenario has too many.
func (d *decoder) room(n *yaml.Node, count int, what string) bool {
	if d.entries += count; d.entries > maxRepeat {
		d.fail(n, "%s: more than %s entries in all lists of the scenario: lower count", what, grouped(maxRepeat))
		return false
	}
	return true
}

// scalar returns the text of a scalar node. It refuses an unquoted on, off, yes or
// no, which other readers of YAML take for a boolean.
func (d *decoder) scalar(n *yaml.Node) (string, bool) {
	switch {
	case n.Kind == yaml.AliasNode:
		d.fail(n, "anchors and aliases are not part of the format: use params")
		return "", false
	case n.Kind != yaml.ScalarNode:
		d.fail(n, "give a single value")
		return "", false
	case n.Tag == "!!null":
		d.fail(n, "the value is missing")
		return "", false
	}
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		switch strings.ToLower(n.Value) {
		case "on", "off", "yes", "no":
			d.fail(n, "bare %s is a boolean to some readers of YAML: write true or false, or quote it", n.Value)
			return "", false
		}
	}
	return n.Value, true
}

// value returns the value of a scalar: the result of its expression if it begins
// with =, else the literal.
func (d *decoder) value(n *yaml.Node) (value, bool) {
	s, ok := d.scalar(n)
	if !ok {
		return value{}, false
	}
	src, isExpr := strings.CutPrefix(s, "=")
	if !isExpr {
		return parseLiteral(s), true
	}
	v, err := d.eval(src)
	if err != nil {
		d.fail(n, "%v", err)
		return value{}, false
	}
	return v, true
}

// eval evaluates an expression, in a repeated entry with its index as i.
func (d *decoder) eval(src string) (value, error) {
	if d.index < 0 {
		return d.env.eval(src)
	}
	e := env{params: make(map[string]value, len(d.env.params)+1)}
	for k, v := range d.env.params {
		e.params[k] = v
	}
	e.params["i"] = value{num: float64(d.index)}
	return e.eval(src)
}

// condition evaluates a "when", which may begin with =.
func (d *decoder) condition(n *yaml.Node) (holds, ok bool) {
	s, ok := d.scalar(n)
	if !ok {
		return false, false
	}
	v, err := d.eval(strings.TrimPrefix(s, "="))
	if err == nil && v.kind != truth {
		err = fmt.Errorf("when: give a condition, not %s", v.dimension())
	}
	if err != nil {
		d.fail(n, "%v", err)
		return false, false
	}
	return v.truth, true
}

// quantity returns a function that reads a number of the given dimension and passes
// it to set.
func (d *decoder) quantity(want value, example string, set func(*yaml.Node, float64)) func(*yaml.Node) {
	return func(n *yaml.Node) {
		v, ok := d.value(n)
		if !ok {
			return
		}
		if v.kind == number && v.time == want.time && v.bytes == want.bytes {
			set(n, v.num)
			return
		}
		if s := strings.TrimPrefix(n.Value, "-"); !strings.HasPrefix(n.Value, "=") {
			if _, _, err := scanNumber(s); err != nil {
				d.fail(n, "%v", err)
				return
			}
		}
		switch {
		case v.bare:
			d.fail(n, "unknown param %q%s", v.text, d.env.have(v.text))
		case v.kind == number && v.time == 0 && v.bytes == 0:
			d.fail(n, "%s has no unit: give %s", n.Value, example)
		default:
			d.fail(n, "give %s, not %s", example, v.dimension())
		}
	}
}

// time reads a duration of at least least.
func (d *decoder) time(p *time.Duration, least time.Duration) func(*yaml.Node) {
	return d.quantity(value{time: 1}, "a time such as 100ms", func(n *yaml.Node, s float64) {
		t, ok := duration(s)
		if !ok || t < least {
			d.fail(n, "%s is out of range: give at least %v", n.Value, least)
			return
		}
		*p = t
	})
}

// rate reads events per second.
func (d *decoder) rate(p *float64) func(*yaml.Node) {
	return d.quantity(value{time: -1}, "a rate such as 300/s", func(n *yaml.Node, v float64) {
		if v < 0 || v > 1e9 {
			d.fail(n, "%s is out of range: give 0/s to 1e9/s", n.Value)
			return
		}
		*p = v
	})
}

// number reads a plain number from least to most.
func (d *decoder) number(p *float64, least, most float64) func(*yaml.Node) {
	return d.quantity(value{}, "a plain number such as 1.5", func(n *yaml.Node, v float64) {
		if !(v >= least && v <= most) {
			d.fail(n, "%s is out of range: give %g to %g", n.Value, least, most)
			return
		}
		*p = v
	})
}

// share reads a probability, as 15% or 0.15.
func (d *decoder) share(p *float64) func(*yaml.Node) { return d.number(p, 0, 1) }

// whole reads a whole number from least to most.
func (d *decoder) whole(p *int, least, most int) func(*yaml.Node) {
	return d.quantity(value{}, "a whole number", func(n *yaml.Node, v float64) {
		// In floating point, 0.7*10 is slightly below 7.
		r := math.Round(v)
		if math.Abs(r-v) > 1e-9*math.Max(1, math.Abs(v)) {
			d.fail(n, "%s is %g: give a whole number", n.Value, v)
			return
		}
		if r < float64(least) || r > float64(most) {
			d.fail(n, "%s is out of range: give %d to %d", n.Value, least, most)
			return
		}
		*p = int(r)
	})
}

// flag reads true or false.
func (d *decoder) flag(p *bool) func(*yaml.Node) {
	return func(n *yaml.Node) {
		v, ok := d.value(n)
		if !ok {
			return
		}
		if v.kind != truth {
			d.fail(n, "give true or false, not %s", v.dimension())
			return
		}
		*p = v.truth
	}
}

// text reads a string and fills {i}. Other {names} are mistakes.
func (d *decoder) text(p *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		d.template(p)(n)
		if name, _, ok := placeholder(*p); ok {
			d.fail(n, "{%s} has no meaning here: only {i} in a repeated entry, and names of keys in publish", name)
		}
	}
}

// template reads a string and fills {i}. Other {names} stay.
func (d *decoder) template(p *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		s, ok := d.scalar(n)
		if !ok {
			return
		}
		if strings.HasPrefix(s, "=") {
			v, ok := d.value(n)
			if !ok {
				return
			}
			s = v.String()
		}
		if d.index >= 0 {
			s, ok = d.fillIndex(n, s)
		}
		if ok {
			*p = s
		}
	}
}

// fillIndex replaces {i} and expressions that begin with i, such as {i%64}.
func (d *decoder) fillIndex(n *yaml.Node, s string) (string, bool) {
	var b strings.Builder
	for {
		name, at, ok := placeholder(s)
		if !ok {
			b.WriteString(s)
			return b.String(), true
		}
		end := at + len(name) + 2
		if name[0] == 'i' && (len(name) == 1 || !isWord(name[1])) {
			v, err := d.eval(name)
			if err != nil || v.kind != number || v.num != math.Trunc(v.num) {
				d.fail(n, "{%s} is not a whole number", name)
				return "", false
			}
			b.WriteString(s[:at])
			fmt.Fprintf(&b, "%d", int64(v.num))
		} else {
			b.WriteString(s[:end])
		}
		s = s[end:]
	}
}

// placeholder finds the first {name} of s.
func placeholder(s string) (name string, at int, ok bool) {
	at = strings.IndexByte(s, '{')
	if at < 0 {
		return "", 0, false
	}
	end := strings.IndexByte(s[at:], '}')
	if end < 2 {
		return "", 0, false
	}
	return s[at+1 : at+end], at, true
}

// choice reads one of the given words.
func choice[T ~string](d *decoder, p *T, have ...T) func(*yaml.Node) {
	return func(n *yaml.Node) {
		var s string
		before := len(d.errs)
		d.text(&s)(n)
		words := make([]string, len(have))
		for i, h := range have {
			if words[i] = string(h); words[i] == s {
				*p = h
				return
			}
		}
		if len(d.errs) == before {
			d.fail(n, "unknown value %q%s", s, nearest.Choices(s, words))
		}
	}
}

// texts reads a list of strings.
func (d *decoder) texts(p *[]string, what string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		d.each(n, what, func(item *yaml.Node) {
			var s string
			d.text(&s)(item)
			*p = append(*p, s)
		})
	}
}

// mistakes returns the mistakes in order of line, or nil.
func (d *decoder) mistakes() error {
	if len(d.errs) == 0 {
		return nil
	}
	sort.SliceStable(d.errs, func(i, j int) bool { return d.errs[i].Line < d.errs[j].Line })
	if len(d.errs) == 1 {
		return d.errs[0]
	}
	return Errors(d.errs)
}

// sortedKeys returns the keys of m in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
