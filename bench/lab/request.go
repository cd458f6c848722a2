package lab

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"harelab/engine/dispatch"
	"harelab/engine/nearest"
	"harelab/engine/topic"
	"harelab/scenarios"
)

// Base is the variant name that selects the scenario itself.
const Base = "base"

// A Request asks for runs of scenarios.
type Request struct {
	Scenarios []string // names of shipped scenarios or paths of files
	Variants  []string // empty: the scenario and all its variants
	Targets   []Target
	Set       map[string]string
	Seed      *uint64
	Repeat    int // runs of each variant on each target; 0: the scenario's own number
	Matcher   string
	Dispatch  string
	Order     string
}

// An Arm is one run of a scenario on a target.
type Arm struct {
	Scenario *scenarios.Scenario
	Target   Target
	Repeat   int // index of the repetition
}

// Name is the arm's name in progress and tables.
func (a Arm) Name() string {
	name := a.Scenario.Name
	if a.Scenario.Variant != "" {
		name += "/" + a.Scenario.Variant
	}
	return name
}

// Expand resolves the request into arms: for each target in the order given, the
// scenarios with their variants and repetitions. So a prediction is complete before the
// first measurement begins.
func Expand(q Request) ([]Arm, error) {
	if name, ok := twice(q.Scenarios); ok {
		return nil, &UsageError{fmt.Sprintf("scenario %q is named twice (--repeat runs it more often)", name)}
	}
	if target, ok := twice(q.Targets); ok {
		return nil, &UsageError{fmt.Sprintf("target %s is named twice (--repeat runs on it more often)", target)}
	}
	files := make([]*scenarios.File, len(q.Scenarios))
	for i, name := range q.Scenarios {
		f, err := load(name)
		if err != nil {
			return nil, err
		}
		files[i] = f
	}
	if err := checkVariants(files, q.Variants); err != nil {
		return nil, err
	}
	var arms []Arm
	for _, target := range q.Targets {
		for _, f := range files {
			for _, variant := range chosen(f, q.Variants) {
				repeated, err := q.repetitions(f, variant, target)
				if err != nil {
					return nil, err
				}
				arms = append(arms, repeated...)
			}
		}
	}
	return arms, nil
}

// twice returns an element that is in list more than once.
func twice[T comparable](list []T) (T, bool) {
	for i, v := range list {
		if slices.Contains(list[:i], v) {
			return v, true
		}
	}
	var none T
	return none, false
}

// repetitions resolves one variant once per repetition. Repetition n adds n to the seed
// on every target, so that arms can be compared seed by seed.
func (q Request) repetitions(f *scenarios.File, variant string, target Target) ([]Arm, error) {
	options := scenarios.Options{Set: q.Set, Variant: variant, Seed: q.Seed,
		Matcher: q.Matcher, Dispatch: q.Dispatch, Order: q.Order}
	first, err := resolve(f, options)
	if err != nil {
		return nil, err
	}
	arms := []Arm{{Scenario: first, Target: target}}
	n := q.Repeat
	if n == 0 {
		n = first.Repeat
	}
	for i := 1; i < n; i++ {
		seed := first.Seed + uint64(i)
		options.Seed = &seed
		s, err := resolve(f, options)
		if err != nil {
			return nil, err
		}
		arms = append(arms, Arm{Scenario: s, Target: target, Repeat: i})
	}
	return arms, nil
}

// load reads a scenario. All its errors are usage errors.
func load(name string) (*scenarios.File, error) {
	f, err := scenarios.Load(name)
	if err != nil && !IsUsage(err) {
		err = &UsageError{err.Error()}
	}
	return f, err
}

// resolve resolves a scenario and looks its strategies up, so that a misspelt name is
// refused before anything runs.
func resolve(f *scenarios.File, o scenarios.Options) (*scenarios.Scenario, error) {
	s, err := f.Resolve(o)
	if err != nil {
		return nil, err
	}
	return s, errors.Join(CheckStrategies(s.Engine.Matcher, s.Engine.Dispatch, s.Engine.Order), checkArguments(s))
}

// checkArguments refuses queues and exchanges whose arguments name an unknown strategy.
// A broker that does not know these arguments would accept any value.
func checkArguments(s *scenarios.Scenario) error {
	for _, q := range s.Queues {
		if err := CheckStrategies("", argument(q.Arguments, "x-dispatch"), argument(q.Arguments, "x-order")); err != nil {
			return &UsageError{fmt.Sprintf("%s: queue %q: %v", s.Name, q.Name, err)}
		}
	}
	for _, x := range s.Exchanges {
		if err := CheckStrategies(argument(x.Arguments, "x-matcher"), "", ""); err != nil {
			return &UsageError{fmt.Sprintf("%s: exchange %q: %v", s.Name, x.Name, err)}
		}
	}
	return nil
}

// argument returns the value of an argument if it is a string, else "".
func argument(args []scenarios.Argument, name string) string {
	for _, a := range args {
		if text, ok := a.Value.(string); ok && a.Name == name {
			return text
		}
	}
	return ""
}

// CheckStrategies refuses unknown strategies; an empty name is the default strategy. Its
// errors are usage errors.
func CheckStrategies(matcher, selector, order string) error {
	for _, s := range []struct {
		flag, name string
		lookup     func(string) error
	}{
		{"matcher", matcher, func(name string) error { _, err := topic.Lookup(name); return err }},
		{"dispatch", selector, func(name string) error { _, err := dispatch.LookupSelector(name); return err }},
		{"order", order, func(name string) error { _, err := dispatch.LookupOrder(name); return err }},
	} {
		if s.name == "" {
			continue
		}
		if err := s.lookup(s.name); err != nil {
			_, text, _ := strings.Cut(err.Error(), ": ") // without the name of the registry's package
			return &UsageError{s.flag + ": " + text}
		}
	}
	return nil
}

// chosen lists the variants of f to run; the empty name is the scenario itself.
func chosen(f *scenarios.File, want []string) []string {
	all := append([]string{""}, f.Variants()...)
	if len(want) == 0 {
		return all
	}
	out := all[:0:0]
	for _, v := range all {
		if slices.Contains(want, v) || v == "" && (slices.Contains(want, Base) || len(all) == 1) {
			out = append(out, v)
		}
	}
	return out
}

// checkVariants refuses a variant that none of the scenarios has.
func checkVariants(files []*scenarios.File, want []string) error {
	have := []string{Base}
	for _, f := range files {
		have = append(have, f.Variants()...)
	}
	for _, v := range want {
		if !slices.Contains(have, v) {
			return &UsageError{fmt.Sprintf("unknown variant %q%s", v, nearest.Choices(v, have))}
		}
	}
	return nil
}
