// Package lab runs experiments: it expands what the user asked for into arms,
// runs each arm on its target, and reports progress.
//
// An arm is one scenario variant on one target, repeated. Targets are virtual
// time, the broker in this process, and any AMQP broker by URL; the same
// scenario goes to all of them unchanged.
package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"harelab/engine/dispatch"
	"harelab/engine/nearest"
	"harelab/engine/topic"
	"harelab/loadgen"
	"harelab/loadgen/run"
	"harelab/scenarios"
)

// Base is the word that selects the scenario itself among its variants.
const Base = "base"

// A Request is what the user asked to run.
type Request struct {
	Scenarios []string // names of shipped scenarios or paths of files
	Variants  []string // empty: the scenario and all its variants
	Targets   []Target
	Set       map[string]string
	Seed      *uint64
	Repeat    int // 0: as often as the scenario file says
	Matcher   string
	Dispatch  string
	Order     string
}

// An Arm is one scenario on one target, run Repeat times with seeds that
// follow one another.
type Arm struct {
	Scenario *scenarios.Scenario
	Target   Target
	Repeat   int // which repetition, from 0
}

// Name is what progress and tables call the arm.
func (a Arm) Name() string {
	name := a.Scenario.Name
	if a.Scenario.Variant != "" {
		name += "/" + a.Scenario.Variant
	}
	return name
}

// Expand resolves the request into arms: targets in the order given, and under
// each target the scenarios with their variants and repetitions. So a
// prediction stands complete before the first measurement begins.
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

// twice returns what is in list more than once.
func twice[T comparable](list []T) (T, bool) {
	for i, v := range list {
		if slices.Contains(list[:i], v) {
			return v, true
		}
	}
	var none T
	return none, false
}

// repetitions resolves one variant once per repetition: repetition n runs with
// the seed raised by n, the same on every target, so that arms can be compared
// seed by seed.
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

// load reads a scenario. Whatever hinders that is the user's to mend.
func load(name string) (*scenarios.File, error) {
	f, err := scenarios.Load(name)
	if err != nil && !IsUsage(err) {
		err = &UsageError{err.Error()}
	}
	return f, err
}

// resolve settles a scenario and looks its strategies up, so that a misspelt
// one is refused before anything runs.
func resolve(f *scenarios.File, o scenarios.Options) (*scenarios.Scenario, error) {
	s, err := f.Resolve(o)
	if err != nil {
		return nil, err
	}
	return s, CheckStrategies(s.Engine.Matcher, s.Engine.Dispatch, s.Engine.Order)
}

// CheckStrategies refuses names that no strategy has; an empty name is the
// default. Its errors are usage errors.
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
			_, text, _ := strings.Cut(err.Error(), ": ") // the registry's package, which is not the user's word
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

// A UsageError is a mistake in what the user asked for.
type UsageError struct{ Text string }

func (e *UsageError) Error() string { return e.Text }

// IsUsage reports whether err is the user's to mend: a usage error or a
// mistake in a scenario file.
func IsUsage(err error) bool {
	var usage *UsageError
	var scenario *scenarios.Error
	return errors.As(err, &usage) || errors.As(err, &scenario)
}

// A Watcher is told how the arms get on; i is an arm's place among them. Its
// methods are called one at a time.
type Watcher interface {
	Begin(i, n int, a Arm)
	Progress(i int, p loadgen.Progress)
	End(i int, a Arm, r *run.Result)
}

// Run runs the arms in order, up to parallel of them side by side, and returns
// their results in order. Arms that share a broker, being on a URL, run one by
// one. When ctx is cancelled, the arms under way end early with partial results,
// the rest are left out, and Run returns what there is with ctx's error.
func Run(ctx context.Context, arms []Arm, parallel int, w Watcher) ([]*run.Result, error) {
	if slices.ContainsFunc(arms, func(a Arm) bool { return a.Target.Kind == AMQP }) {
		parallel = 1
	}
	work, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		results = make([]*run.Result, len(arms))
		mu      sync.Mutex // guards next and w
		next    int
		wg      sync.WaitGroup
	)
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		if next == len(arms) || work.Err() != nil {
			return 0, false
		}
		next++
		w.Begin(next-1, len(arms), arms[next-1])
		return next - 1, true
	}
	for range max(parallel, 1) {
		wg.Go(func() {
			for i, ok := take(); ok; i, ok = take() {
				a := arms[i]
				r, err := a.run(work, func(p loadgen.Progress) {
					mu.Lock()
					w.Progress(i, p)
					mu.Unlock()
				})
				mu.Lock()
				if r != nil {
					r.Repeat = a.Repeat
					results[i] = r
					w.End(i, a, r)
				}
				mu.Unlock()
				if err != nil && work.Err() == nil {
					cancel(fmt.Errorf("%s on %s: %w", a.Name(), a.Target, err))
				}
			}
		})
	}
	wg.Wait()
	return slices.DeleteFunc(results, func(r *run.Result) bool { return r == nil }), context.Cause(work)
}
