package scenarios

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"harelab/engine/nearest"
	"harelab/scenarios/metric"
)

// expectation parses "metric.stat{labels} op value [when condition]". holds is
// false when the condition does not hold for the params.
func (e env) expectation(line string) (x metric.Expectation, holds bool, err error) {
	if len(line) > maxExpr {
		return x, false, fmt.Errorf("expectation of %d bytes: longer than %d", len(line), maxExpr)
	}
	claim, cond, conditional := strings.Cut(line, " when ")
	x.Text = strings.TrimSpace(claim)
	var rest string
	x.Of, rest, err = metric.Cut(x.Text)
	if err != nil {
		return x, false, err
	}
	rest = strings.TrimSpace(rest)
	for _, op := range metric.Operators() {
		if after, ok := strings.CutPrefix(rest, op); ok {
			x.Op, rest = op, after
			break
		}
	}
	if x.Op == "" {
		return x, false, fmt.Errorf("%q: give one of %s after the metric", x.Text, strings.Join(metric.Operators(), " "))
	}
	if err := e.rightHand(&x, strings.TrimSpace(rest)); err != nil {
		return x, false, err
	}
	if !conditional {
		return x, true, nil
	}
	v, err := e.eval(cond)
	if err == nil && v.kind != truth {
		err = fmt.Errorf("when: give a condition, not %s", v.dimension())
	}
	return x, v.truth, err
}

// ParseExpectation reads an expectation as a scenario file has it, but without
// params: "wait.p99{class=job} < 1s". What it is about is not checked against a
// scenario; see [Scenario.Scope].
func ParseExpectation(s string) (metric.Expectation, error) {
	x, holds, err := env{}.expectation(s)
	if err == nil && !holds {
		err = fmt.Errorf("%q: the condition does not hold", s)
	}
	return x, err
}

// rightHand evaluates the right-hand side of an expectation.
func (e env) rightHand(x *metric.Expectation, src string) error {
	if src == "" {
		return fmt.Errorf("%q: give a value after %s", x.Text, x.Op)
	}
	e.metrics = metric.IsNumber
	v, err := e.eval(src)
	switch {
	case err != nil:
		return err
	case v.kind == text:
		return fmt.Errorf("%q: %q is neither a value nor a metric%s", x.Text, v.text, nearest.Choices(v.text, metric.Numbers()))
	case v.kind != number || v.bytes != 0 || v.time != 0 && v.time != 1 && v.time != -1:
		return fmt.Errorf("%q: give a number, a time or a percentage, not %s", x.Text, v.dimension())
	case math.IsInf(v.num, 0) || math.IsNaN(v.num):
		return fmt.Errorf("%q: the value is not a finite number", x.Text)
	}
	isTime := x.Of.IsTime()
	if v.metric == "" && isTime != (v.time == 1) && v.num != 0 {
		if isTime {
			return fmt.Errorf("%q: %s is a time: give a value such as 100ms", x.Text, x.Of.Metric)
		}
		return fmt.Errorf("%q: %s is not a time: give a number", x.Text, x.Of.Metric)
	}
	x.Value, x.Grain, x.Times = v.num, v.grain, v.metric
	switch {
	case isTime:
		x.Unit = "s"
	case v.percent:
		x.Unit = "%"
	}
	return nil
}

// expect reads the block of expectations into s. A list replaces the expectations
// of s, and a tolerance its tolerance.
func (d *decoder) expect(s *Scenario) func(*yaml.Node) {
	return func(n *yaml.Node) {
		d.named = d.named || len(d.errs) == 0
		d.object(n, "expect", fields{
			"tolerance": d.tolerance(&s.Tolerance),
			"that": func(n *yaml.Node) {
				s.Expect = nil
				d.each(n, "that", func(n *yaml.Node) {
					line, ok := d.scalar(n)
					if !ok {
						return
					}
					e, holds, err := d.env.expectation(line)
					switch {
					case err != nil:
						d.fail(n, "%v", err)
					case holds:
						e.Line = n.Line
						s.Expect = append(s.Expect, e)
					}
				})
			},
		})
	}
}

func (d *decoder) tolerance(t *Tolerance) func(*yaml.Node) {
	return func(n *yaml.Node) {
		d.object(n, "tolerance", fields{"rel": d.share(&t.Rel), "abs": d.time(&t.Abs, 0)})
	}
}

// headline reads the scenario's main metric.
func (d *decoder) headline(r *Report) func(*yaml.Node) {
	return func(n *yaml.Node) {
		var ok bool
		if r.Headline, ok = d.scalar(n); !ok {
			return
		}
		d.headlineAt = n
		d.named = d.named || len(d.errs) == 0
		if _, err := metric.Parse(r.Headline); err != nil {
			d.fail(n, "headline: %v", err)
		}
	}
}

// checkMetrics gives the expectations their tolerance. It refuses expectations and a
// headline whose labels name what the scenario cannot have, provided that all names
// were read.
func (d *decoder) checkMetrics(s *Scenario) {
	scope := metric.Scope{} // admits every name
	if d.named {
		scope = s.Scope()
	}
	for i := range s.Expect {
		e := &s.Expect[i]
		e.RelTol, e.AbsTol = s.Tolerance.Rel, s.Tolerance.Abs.Seconds()
		if err := scope.Check(e.Of); err != nil {
			d.fail(&yaml.Node{Line: e.Line}, "%v", err)
		}
	}
	if q, err := metric.Parse(s.Report.Headline); err == nil && d.headlineAt != nil {
		if err := scope.Check(q); err != nil {
			d.fail(d.headlineAt, "headline: %v", err)
		}
	}
}

// Scope returns the names that labels of metrics may have: the scenario's classes,
// queues and workers, and the tenants that its messages can have. Tenants are not
// known if there are more than 10,000, or if they are drawn from bindings.
func (s *Scenario) Scope() metric.Scope {
	scope := metric.Scope{Classes: []string{}, Queues: []string{}, Workers: []string{}}
	for i := range s.Classes {
		scope.Classes = append(scope.Classes, s.Classes[i].Name)
	}
	for i := range s.Queues {
		scope.Queues = append(scope.Queues, s.Queues[i].Name)
	}
	for i := range s.Workers {
		scope.Workers = append(scope.Workers, s.Workers[i].Name)
	}
	scope.Tenants = s.tenants()
	return scope
}

// maxTenants is the greatest number of tenants that tenants lists.
const maxTenants = 10_000

// tenants returns every tenant that messages can have, or nil if they are not known.
func (s *Scenario) tenants() []string {
	all, seen := []string{}, map[string]bool{}
	for i := range s.Classes {
		names, ok := s.tenantsOf(&s.Classes[i])
		if !ok || len(all)+len(names) > maxTenants {
			return nil
		}
		for _, name := range names {
			if name != "" && !seen[name] {
				seen[name] = true
				all = append(all, name)
			}
		}
	}
	return all
}

// tenantsOf fills a class's tenant template with every value of its keys.
func (s *Scenario) tenantsOf(c *Class) (names []string, ok bool) {
	names, rest := []string{""}, c.Tenant
	for {
		name, at, found := placeholder(rest)
		if !found {
			break
		}
		values := []string{c.Name}
		for i := range c.Keys {
			if k := &c.Keys[i]; k.Name == name {
				if k.From != "" {
					return nil, false
				}
				values = append(k.List(), s.fixed(name)...)
			}
		}
		if len(names)*len(values) > maxTenants {
			return nil, false
		}
		var longer []string
		for _, head := range names {
			for _, v := range values {
				longer = append(longer, head+rest[:at]+v)
			}
		}
		names, rest = longer, rest[at+len(name)+2:]
	}
	for i := range names {
		names[i] += rest
	}
	return names, true
}

// fixed returns the values that phases of the load fix for a key.
func (s *Scenario) fixed(key string) []string {
	var out []string
	for _, q := range s.Load {
		for _, p := range q.Phases {
			if v, ok := p.Fix[key]; ok {
				out = append(out, v)
			}
		}
	}
	return out
}

// List returns the values that the key can have. It leaves out values that a phase
// fixes, and knows none of a key that is drawn from bindings.
func (k *Key) List() []string {
	if len(k.Values) > 0 {
		return append([]string(nil), k.Values...)
	}
	names := make([]string, k.N)
	for i := range names {
		names[i] = k.Prefix + strconv.Itoa(i)
	}
	return names
}
