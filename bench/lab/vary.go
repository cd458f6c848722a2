package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"harelab/reports/arms"
	"harelab/reports/compare"
	"harelab/reports/stat"
	"harelab/scenarios"
)

// MeasuredRepeats is the default number of runs of each value on a real clock. With
// fewer than six on each side, no difference is significant in the U-test after the
// correction for a table of metrics.
const MeasuredRepeats = 6

// variantAxis is the name of the axis whose values are variants of the scenario.
const variantAxis = "variant"

// A VaryRequest asks for a comparison of one scenario under several values of a setting.
type VaryRequest struct {
	Scenario string
	Variant  string // empty: the scenario itself
	Axis     Axis   // a param, matcher, dispatch, order or variant; its first value is the base
	Target   Target
	Set      map[string]string
	Seed     *uint64
	Repeat   int      // 0: once in virtual time, MeasuredRepeats elsewhere
	Metrics  []string // the metrics to compare; empty: the default ones
}

// A Varied has the runs of a [Vary].
type Varied struct {
	Runs    []*arms.Run // in the order they ran
	byValue map[string][]*stat.Summary
	axis    Axis
}

// Vary is a comparison ready to run.
type Vary struct {
	Arms    []Arm    // in the order they run
	values  []string // of each arm
	axis    Axis
	metrics []string
}

// NewVary expands the request. Runs of the values alternate, and every second round is
// in reverse order, so that changes of the machine's speed affect all values alike. All
// values of one round share a seed, so they get the same work.
func NewVary(q VaryRequest) (*Vary, error) {
	if len(q.Axis.Values) < 2 {
		return nil, &UsageError{fmt.Sprintf("--vary %s: give two values or more, such as dispatch=rr,fair", q.Axis.Name)}
	}
	f, err := load(q.Scenario)
	if err != nil {
		return nil, err
	}
	options := scenarios.Options{Set: q.Set, Variant: q.Variant, Seed: q.Seed}
	base, err := resolve(f, options)
	if err != nil {
		return nil, err
	}
	if q.Axis.Name != variantAxis {
		if err := checkAxes([]Axis{q.Axis}, base.Params, q.Set); err != nil {
			return nil, err
		}
	} else if err := checkVariants([]*scenarios.File{f}, q.Axis.Values); err != nil {
		return nil, err
	}
	repeat := q.Repeat
	if repeat == 0 {
		repeat = MeasuredRepeats
		if q.Target.Kind == Sim {
			repeat = 1
		}
	}
	v := &Vary{axis: q.Axis, metrics: q.Metrics}
	scope := base.Scope()
	for r := range repeat {
		round := slices.Clone(q.Axis.Values)
		if r%2 == 1 {
			slices.Reverse(round)
		}
		seed := base.Seed + uint64(r)
		for _, value := range round {
			s, err := resolve(f, varied(options, base.Params, q.Axis, value, seed))
			if err != nil {
				return nil, err
			}
			v.Arms = append(v.Arms, Arm{Scenario: named(s, q.Axis, value), Target: q.Target, Repeat: r})
			v.values = append(v.values, value)
			scope = scope.Join(s.Scope())
		}
	}
	for _, m := range q.Metrics {
		if err := checkMetric(m, scope); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// varied returns o with one value and the seed.
func varied(o scenarios.Options, params map[string]string, a Axis, value string, seed uint64) scenarios.Options {
	o.Seed = &seed
	if a.Name != variantAxis {
		return options(o, params, []Axis{a}, []string{value})
	}
	o.Variant = value
	if value == Base {
		o.Variant = ""
	}
	return o
}

// named returns s with its value in the name of its variant. So the values have
// different names in progress, tables and the results folder.
func named(s *scenarios.Scenario, a Axis, value string) *scenarios.Scenario {
	if a.Name == variantAxis {
		return s
	}
	out := *s
	out.Variant = a.Name + "=" + value
	if s.Variant != "" {
		out.Variant = s.Variant + ", " + out.Variant
	}
	return &out
}

// Run runs the arms. When ctx is cancelled it returns the runs there are with ctx's
// error.
func (v *Vary) Run(ctx context.Context, w Watcher) (*Varied, error) {
	runs, err := Measure(ctx, v.Arms, 1, w)
	out := &Varied{Runs: runs, byValue: make(map[string][]*stat.Summary), axis: v.axis}
	for i, r := range out.Runs {
		out.byValue[v.values[i]] = append(out.byValue[v.values[i]], r.Summary)
	}
	return out, err
}

// Compare compares each value with the first one. Nil metrics are the default ones.
func (v *Varied) Compare(metrics []string) (*compare.Comparison, error) {
	var names []string
	var runs [][]*stat.Summary
	for _, value := range v.axis.Values {
		ss := v.byValue[value]
		if len(ss) == 0 {
			return nil, errors.New("not every value was measured")
		}
		names, runs = append(names, v.axis.Name+"="+value), append(runs, ss)
	}
	sides, err := compare.Sides(names, runs, metrics)
	if err != nil {
		return nil, &UsageError{err.Error()}
	}
	return compare.Compare(sides[0], sides[1:]...), nil
}
