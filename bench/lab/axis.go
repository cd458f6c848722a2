package lab

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"harelab/engine/nearest"
	"harelab/reports/sweep"
	"harelab/scenarios"
	"harelab/scenarios/metric"
)

// An Axis is one dimension of a sweep: a param of the scenario, or one of the
// strategies matcher, dispatch and order.
type Axis = sweep.Axis

// strategyAxes are the axes that are not params.
var strategyAxes = []string{"matcher", "dispatch", "order"}

// cellsMax bounds the points of a sweep: more are a typing mistake.
const cellsMax = 100_000

// ParseAxis reads NAME=VALUES, the form of the flag --axis. VALUES is a list
// (1,2,5), a range (1..8), a range with a step (0..100+25) or with a factor
// (1..256x2), or a list of these.
func ParseAxis(s string) (Axis, error) {
	name, list, ok := strings.Cut(s, "=")
	if !ok || name == "" || list == "" {
		return Axis{}, &UsageError{fmt.Sprintf("axis %q: give NAME=V1,V2,... or NAME=FROM..TO[+STEP|xFACTOR]", s)}
	}
	a := Axis{Name: name}
	for v := range strings.SplitSeq(list, ",") {
		values, err := expandRange(strings.TrimSpace(v))
		if err != nil {
			return Axis{}, &UsageError{fmt.Sprintf("axis %s: %v", name, err)}
		}
		for _, v := range values {
			if slices.Contains(a.Values, v) {
				return Axis{}, &UsageError{fmt.Sprintf("axis %s has the value %s twice", name, v)}
			}
			a.Values = append(a.Values, v)
		}
	}
	return a, nil
}

// expandRange returns the values of one element of an axis.
func expandRange(s string) ([]string, error) {
	if s == "" {
		return nil, fmt.Errorf("an empty value")
	}
	from, rest, ok := strings.Cut(s, "..")
	if !ok {
		return []string{s}, nil
	}
	next := func(v int) int { return v + 1 }
	to := rest
	if t, step, ok := strings.Cut(rest, "+"); ok {
		n, err := strconv.Atoi(step)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("step %q of %q: give a whole number above 0", step, s)
		}
		to, next = t, func(v int) int { return v + n }
	} else if t, factor, ok := strings.Cut(rest, "x"); ok {
		n, err := strconv.Atoi(factor)
		if err != nil || n < 2 {
			return nil, fmt.Errorf("factor %q of %q: give a whole number above 1", factor, s)
		}
		to, next = t, func(v int) int { return v * n }
	}
	low, err1 := strconv.Atoi(from)
	high, err2 := strconv.Atoi(to)
	if err1 != nil || err2 != nil || low < 0 || high < low || next(low) <= low {
		return nil, fmt.Errorf("range %q: give whole numbers, the first not above the second, such as 1..8, 0..100+25 or 1..256x2", s)
	}
	var out []string
	for v, last := low, -1; v <= high && v > last; v, last = next(v), v { // v falls when it overflows
		if len(out) == cellsMax {
			return nil, fmt.Errorf("range %q has over %d values", s, cellsMax)
		}
		out = append(out, strconv.Itoa(v))
	}
	return out, nil
}

// options returns o with the values v of the axes. An axis named like a strategy sets
// the scenario's param of that name, if it has one: the file says what the param does.
func options(o scenarios.Options, params map[string]string, axes []Axis, v []string) scenarios.Options {
	set := maps.Clone(o.Set)
	if set == nil {
		set = make(map[string]string)
	}
	for i, a := range axes {
		_, param := params[a.Name]
		switch {
		case !param && a.Name == "matcher":
			o.Matcher = v[i]
		case !param && a.Name == "dispatch":
			o.Dispatch = v[i]
		case !param && a.Name == "order":
			o.Order = v[i]
		default:
			set[a.Name] = v[i]
		}
	}
	o.Set = set
	return o
}

// checkAxes refuses axes that the scenario does not have, and axes that set also fixes.
func checkAxes(axes []Axis, params, set map[string]string) error {
	have := slices.Sorted(maps.Keys(params))
	for _, s := range strategyAxes {
		if !slices.Contains(have, s) {
			have = append(have, s)
		}
	}
	cells := 1
	for i, a := range axes {
		if !slices.Contains(have, a.Name) {
			return &UsageError{fmt.Sprintf("unknown axis %q%s", a.Name, nearest.Choices(a.Name, have))}
		}
		if v, ok := set[a.Name]; ok {
			return &UsageError{fmt.Sprintf("axis %q has the values %s, and --set fixes it at %s: give one or the other", a.Name, join(a.Values), v)}
		}
		for _, b := range axes[:i] {
			if a.Name == b.Name {
				return &UsageError{fmt.Sprintf("axis %q is given twice", a.Name)}
			}
		}
		if cells *= len(a.Values); cells > cellsMax {
			return &UsageError{fmt.Sprintf("the sweep has over %d cells", cellsMax)}
		}
	}
	if len(axes) == 0 {
		return &UsageError{"a sweep needs an axis (--axis NAME=V1,V2,...), in the call or in the scenario file"}
	}
	return nil
}

// checkMetric refuses an unknown metric, and a label with a class, tenant, queue or
// worker that the scenario cannot have.
func checkMetric(name string, scope metric.Scope) error {
	q, err := metric.Parse(name)
	if err == nil {
		err = scope.Check(q)
	}
	if err != nil {
		return &UsageError{err.Error()}
	}
	return nil
}
