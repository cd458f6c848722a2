package scenarios

import (
	"bytes"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"

	"harelab/scenarios/metric"
)

// YAML returns the resolved scenario in the format of scenario files, without
// params, conditions, counts or generated parts. Loading and resolving the text gives
// the same scenario and the same text again.
func (s *Scenario) YAML() []byte {
	var b bytes.Buffer
	line := func(key, val string) {
		if val != "" {
			fmt.Fprintf(&b, "%s: %s\n", key, val)
		}
	}
	line("schema", Schema)
	line("name", quote(s.Name))
	line("variant", optional(s.Variant))
	line("title", optional(s.Title))
	line("description", optional(s.Doc))
	line("tags", texts(s.Tags))
	line("seed", strconv.FormatUint(s.Seed, 10))
	var params flow
	for _, k := range sortedKeys(s.Params) {
		params.add(quote(k), strconv.Quote(s.Params[k]))
	}
	line("params", params.optional())
	line("engine", s.Engine.yaml())
	if len(s.Exchanges)+len(s.Queues)+len(s.Bindings) > 0 {
		b.WriteString("topology:\n")
		lines(&b, "  ", "exchanges", s.Exchanges, Exchange.yaml)
		lines(&b, "  ", "queues", s.Queues, Queue.yaml)
		lines(&b, "  ", "bindings", s.Bindings, Binding.yaml)
	}
	lines(&b, "", "classes", s.Classes, Class.yaml)
	b.WriteString("load:\n")
	for _, q := range s.Load {
		s.printSequence(&b, q)
	}
	lines(&b, "", "dependencies", s.Dependencies, Dependency.yaml)
	lines(&b, "", "workers", s.Workers, Worker.yaml)
	lines(&b, "", "faults", s.Faults, Fault.yaml)
	if s.Network.RTT > 0 {
		line("network", "{rtt: "+s.Network.RTT.String()+"}")
	}
	line("ready", string(s.Ready))
	line("stop", fmt.Sprintf("{when: %s, idle: %v, timeout: %v}", s.Stop.When, s.Stop.Idle, s.Stop.Timeout))
	line("measure", s.Measure.yaml())
	line("repeat", strconv.Itoa(s.Repeat))
	fmt.Fprintf(&b, "expect:\n  tolerance: {rel: %s, abs: %v}\n", num(s.Tolerance.Rel), s.Tolerance.Abs)
	lines(&b, "  ", "that", s.Expect, func(e metric.Expectation) string { return strconv.Quote(resolved(e)) })
	var r flow
	r.add("headline", optional(s.Report.Headline))
	r.add("compare_with", optional(s.Report.CompareWith))
	r.add("charts", texts(s.Report.Charts))
	line("report", r.optional())
	return b.Bytes()
}

// lines writes a list with one line per entry.
func lines[T any](b *bytes.Buffer, indent, key string, list []T, text func(T) string) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "%s%s:\n", indent, key)
	for _, item := range list {
		fmt.Fprintf(b, "%s  - %s\n", indent, text(item))
	}
}

// A flow collects the fields of a mapping in braces; empty values are left out.
type flow struct{ parts []string }

func (f *flow) add(key, val string) {
	if val != "" {
		f.parts = append(f.parts, key+": "+val)
	}
}

func (f *flow) flag(key string, on bool) {
	if on {
		f.add(key, "true")
	}
}

func (f *flow) String() string { return "{" + strings.Join(f.parts, ", ") + "}" }

// optional returns "" for an empty mapping.
func (f *flow) optional() string {
	if len(f.parts) == 0 {
		return ""
	}
	return f.String()
}

// quote writes a text so that every reader of YAML reads it as a text.
func quote(s string) string {
	plain := s != "" && (s[0] >= 'a' && s[0] <= 'z' || s[0] >= 'A' && s[0] <= 'Z')
	for i := 0; i < len(s) && plain; i++ {
		plain = isWord(s[i]) || s[i] == '-' || s[i] == '.'
	}
	switch strings.ToLower(s) {
	case "on", "off", "yes", "no", "true", "false", "null":
		plain = false
	}
	if plain {
		return s
	}
	return strconv.Quote(s)
}

func optional(s string) string {
	if s == "" {
		return ""
	}
	return quote(s)
}

func texts(list []string) string {
	if len(list) == 0 {
		return ""
	}
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

func num(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func rate(v float64) string { return num(v) + "/s" }

// whole writes n unless it is the default.
func whole(n, def int) string {
	if n == def {
		return ""
	}
	return strconv.Itoa(n)
}

func span(t, def time.Duration) string {
	if t == def {
		return ""
	}
	return t.String()
}

func (e Engine) yaml() string {
	var f flow
	f.add("matcher", optional(e.Matcher))
	f.add("dispatch", optional(e.Dispatch))
	f.add("order", optional(e.Order))
	f.add("fair_key", optional(e.FairKey))
	return f.optional()
}

func (x Exchange) yaml() string {
	var f flow
	f.add("name", quote(x.Name))
	f.add("type", quote(x.Type))
	f.flag("durable", x.Durable)
	f.flag("auto_delete", x.AutoDelete)
	f.flag("internal", x.Internal)
	f.add("arguments", table(x.Arguments))
	return f.String()
}

func (q Queue) yaml() string {
	var f flow
	f.add("name", quote(q.Name))
	f.flag("durable", q.Durable)
	f.flag("auto_delete", q.AutoDelete)
	f.flag("exclusive", q.Exclusive)
	f.add("arguments", table(q.Arguments))
	return f.String()
}

func (b Binding) yaml() string {
	var f flow
	f.add("exchange", quote(b.Exchange))
	f.add("queue", optional(b.Queue))
	f.add("to_exchange", optional(b.ToExchange))
	f.add("key", quote(b.Key))
	f.add("arguments", table(b.Arguments))
	return f.String()
}

func table(args []Argument) string {
	var f flow
	for _, a := range args {
		f.add(quote(a.Name), tableValue(a.Value))
	}
	return f.optional()
}

func tableValue(v any) string {
	switch v := v.(type) {
	case string:
		return strconv.Quote(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		if s := num(v); strings.Contains(s, ".") {
			return s
		}
		return num(v) + ".0"
	case bool:
		return strconv.FormatBool(v)
	case []Argument:
		if s := table(v); s != "" {
			return s
		}
		return "{}"
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = tableValue(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	panic(fmt.Sprintf("scenarios: argument of type %T", v))
}

func (c Class) yaml() string {
	var p, f, keys flow
	p.add("exchange", quote(c.Exchange))
	p.add("key", quote(c.Key))
	p.add("headers", table(c.Headers))
	p.add("tenant", optional(c.Tenant))
	p.add("priority", whole(int(c.Priority), 0))
	p.flag("persistent", c.Persistent)
	p.flag("mandatory", c.Mandatory)
	p.add("expiration", span(c.Expiration, 0))
	for _, k := range c.Keys {
		keys.add(quote(k.Name), k.yaml())
	}
	f.add("name", quote(c.Name))
	f.add("publish", p.String())
	f.add("keys", keys.optional())
	f.add("size", c.Size.yaml(bytesText))
	f.add("service", c.Service.yaml(microText))
	f.add("cost", string(c.Cost))
	return f.String()
}

func (k Key) yaml() string {
	var f, w flow
	if len(k.Weights) > 0 {
		for i, v := range k.Values {
			w.add(quote(v), num(k.Weights[i]))
		}
		f.add("dist", "weighted")
		f.add("weights", w.String())
		return f.String()
	}
	f.add("dist", "zipf")
	f.add("s", num(k.S))
	f.add("n", whole(k.N, 0))
	f.add("values", texts(k.Values))
	f.add("prefix", optional(k.Prefix))
	f.add("from", optional(k.From))
	return f.String()
}

func bytesText(v float64) string { return num(v) + "B" }

func microText(v float64) string {
	if v == math.Trunc(v) && v < 1<<53/1000 {
		return (time.Duration(v) * time.Microsecond).String()
	}
	return num(v) + "us"
}

func (d Dist) yaml(text func(float64) string) string {
	var f flow
	f.add("dist", d.Kind)
	fam := familyOf(d.Kind)
	for i, p := range fam.params {
		if p.plain {
			f.add(p.name, num(d.Params[i]))
			continue
		}
		f.add(p.name, text(d.Params[i]))
	}
	if len(d.Modes) > 0 {
		parts := make([]string, len(d.Modes))
		for i, m := range d.Modes {
			parts[i] = fmt.Sprintf("{p: %s, value: %s}", num(m.P), text(m.Value))
		}
		f.add("modes", "["+strings.Join(parts, ", ")+"]")
	}
	if len(d.Values) > 0 {
		parts := make([]string, len(d.Values))
		for i, v := range d.Values {
			parts[i] = text(v)
		}
		f.add("values", "["+strings.Join(parts, ", ")+"]")
	}
	if d.Max > 0 {
		f.add("max", text(d.Max))
	}
	return f.String()
}

func (m Measure) yaml() string {
	var f flow
	f.add("interval", m.Interval.String())
	f.add("warmup", m.Warmup.String())
	switch m.Trace {
	case 0:
		f.add("trace", "none")
	case 1:
		f.add("trace", "all")
	default:
		f.add("trace", quote("sample:"+num(m.Trace)))
	}
	f.add("group_by", texts(m.GroupBy))
	f.add("gauges", texts(m.Gauges))
	return f.String()
}

// literal reports whether the expectation's value is a literal, as in "100ms" but not
// "=2*limit".
func literal(e metric.Expectation) bool {
	_, value, ok := strings.Cut(e.Text, e.Op)
	value = strings.TrimSpace(value)
	return ok && value != "" && value[0] >= '0' && value[0] <= '9' &&
		strings.Trim(value, "0123456789abcdefghijklmnopqrstuvwxyz.%") == ""
}

// resolved returns the expectation with its value evaluated, or as it was written if
// the value is a literal.
func resolved(e metric.Expectation) string {
	if literal(e) {
		return e.Text
	}
	left := e.Of.String() + " " + e.Op + " "
	if e.Times != "" {
		if e.Value != 1 {
			left += num(e.Value) + " * "
		}
		return left + e.Times
	}
	v, unit, places := e.Value, "", -1
	switch e.Unit {
	case "%":
		v, unit = v*100, "%"
	case "s":
		unit = "s"
	}
	if e.Grain > 0 {
		grain := e.Grain
		if unit == "%" {
			grain *= 100
		}
		places = max(0, int(math.Round(-math.Log10(grain))))
	}
	return left + strconv.FormatFloat(v, 'f', places, 64) + unit
}

func sortedWeights(s *Scenario, weights []float64) string {
	var f flow
	for c, w := range weights {
		if w > 0 {
			f.add(quote(s.Classes[c].Name), num(w))
		}
	}
	sort.Strings(f.parts)
	return f.String()
}
