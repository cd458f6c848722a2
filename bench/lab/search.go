package lab

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"harelab/engine/nearest"
	"harelab/reports/arms"
	"harelab/reports/stat"
	"harelab/scenarios"
	"harelab/scenarios/metric"
)

// A SearchRequest asks how far one param can go before a bound breaks: how many
// clients, how large a prefetch, how few workers.
type SearchRequest struct {
	Scenario string
	Variant  string   // empty: the scenario itself
	Param    string   // a param that takes whole numbers
	From, To int      // the search goes from From, where bounds should hold, to To, which may be less
	Bounds   []string // in the form of a scenario's expectations: "wait.p99 < 50ms"
	Target   Target
	Set      map[string]string
	Seed     *uint64
	Repeat   int // runs of each value, with consecutive seeds; bounds must hold in all; 0: 1
}

// A Search is a search ready to run.
type Search struct {
	request SearchRequest
	file    *scenarios.File
	base    *scenarios.Scenario
	bounds  []metric.Expectation
}

// A Tried is one value of a search with its runs.
type Tried struct {
	Value int
	Holds bool        // the bounds hold in all runs, and all runs are valid
	Runs  []*arms.Run // their verdicts are those of the bounds
}

// A Found is the result of a search. It assumes that bounds which break at a value also
// break at all further values up to To: the search does not try them all.
type Found struct {
	Value int     // the last value at which the bounds hold
	None  bool    // they do not hold at From; Value is From
	Edge  bool    // they hold at To, so the last value lies beyond it
	Tried []Tried // in the order they ran
}

// NewSearch checks the request against the scenario.
func NewSearch(q SearchRequest) (*Search, error) {
	q.Repeat = max(q.Repeat, 1)
	f, err := load(q.Scenario)
	if err != nil {
		return nil, err
	}
	s := &Search{request: q, file: f}
	if len(q.Bounds) == 0 {
		return nil, &UsageError{"a search needs a bound, such as 'wait.p99 < 50ms'"}
	}
	for _, text := range q.Bounds {
		x, err := scenarios.ParseExpectation(text)
		if err != nil {
			return nil, &UsageError{fmt.Sprintf("bound %v", err)}
		}
		s.bounds = append(s.bounds, x)
	}
	if s.base, err = resolve(f, scenarios.Options{Set: q.Set, Variant: q.Variant, Seed: q.Seed}); err != nil {
		return nil, err
	}
	if _, ok := s.base.Params[q.Param]; !ok {
		return nil, &UsageError{fmt.Sprintf("unknown param %q%s", q.Param, nearest.Choices(q.Param, slices.Sorted(maps.Keys(s.base.Params))))}
	}
	for _, v := range []int{q.From, q.To} { // the scenario may still refuse a value between them
		sc, err := s.resolve(v, 0)
		if err != nil {
			return nil, fmt.Errorf("%s=%d: %w", q.Param, v, err)
		}
		for _, x := range s.bounds {
			if err := sc.Scope().Check(x.Of); err != nil {
				return nil, &UsageError{fmt.Sprintf("bound %v", err)}
			}
		}
	}
	return s, nil
}

// resolve returns the scenario of one value. Its only expectations are the bounds.
func (s *Search) resolve(value, repeat int) (*scenarios.Scenario, error) {
	q := s.request
	at, seed := strconv.Itoa(value), s.base.Seed+uint64(repeat)
	o := scenarios.Options{Set: maps.Clone(q.Set), Variant: q.Variant, Seed: &seed}
	if o.Set == nil {
		o.Set = make(map[string]string)
	}
	o.Set[q.Param] = at
	sc, err := resolve(s.file, o)
	if err != nil {
		return nil, err
	}
	out := *named(sc, Axis{Name: q.Param}, at)
	out.Expect = slices.Clone(s.bounds)
	for i := range out.Expect {
		out.Expect[i].RelTol, out.Expect[i].AbsTol = out.Tolerance.Rel, out.Tolerance.Abs.Seconds()
	}
	return &out, nil
}

// Run halves the range until the last value at which the bounds hold and the first at
// which they break are neighbours. Every value gets the same seeds. When ctx is
// cancelled, Run returns what was tried with ctx's error.
func (s *Search) Run(ctx context.Context, w Watcher) (*Found, error) {
	q := s.request
	found := &Found{Value: q.From}
	holds := func(value int) (bool, error) {
		t, err := s.try(ctx, value, w)
		if err != nil {
			return false, err
		}
		found.Tried = append(found.Tried, t)
		return t.Holds, nil
	}
	ok, err := holds(q.From)
	if err != nil || !ok {
		found.None = err == nil
		return found, err
	}
	ok, err = holds(q.To)
	if err != nil || ok {
		if ok {
			found.Value, found.Edge = q.To, true
		}
		return found, err
	}
	for broken := q.To; found.Value+1 < broken || found.Value-1 > broken; {
		middle := found.Value + (broken-found.Value)/2
		ok, err := holds(middle)
		switch {
		case err != nil:
			return found, err
		case ok:
			found.Value = middle
		default:
			broken = middle
		}
	}
	return found, nil
}

// try runs one value. An invalid run is an error, since its figures decide nothing.
func (s *Search) try(ctx context.Context, value int, w Watcher) (Tried, error) {
	t := Tried{Value: value, Holds: true}
	var asked []Arm
	for r := range s.request.Repeat {
		sc, err := s.resolve(value, r)
		if err != nil {
			return t, err
		}
		asked = append(asked, Arm{Scenario: sc, Target: s.request.Target, Repeat: r})
	}
	runs, err := Measure(ctx, asked, 1, w)
	if err != nil {
		return t, err
	}
	t.Runs = runs
	for _, r := range runs {
		if !r.Summary.Valid() {
			return t, invalid(r.Summary)
		}
		t.Holds = t.Holds && stat.AllMet(r.Summary.Verdicts)
	}
	return t, nil
}
