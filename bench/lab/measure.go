package lab

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"harelab/loadgen"
	"harelab/loadgen/run"
	"harelab/reports/arms"
)

// A Watcher follows the progress of arms; i is an arm's index among those that were
// asked for. Its methods are called one at a time.
type Watcher interface {
	Plan(asked []Arm, parallel int) // before the first arm: all that will run
	Begin(i, n int, a Arm)
	Progress(i int, p loadgen.Progress)
	End(i int, a Arm, r *run.Result)
}

// Measure runs the arms in order, at most parallel of them at a time, and returns their
// summarised runs in that order. W may be nil. If an arm runs on a URL, all arms run one
// by one, since they may share its broker. When ctx is cancelled, running arms end early
// with partial results, the others do not run, and Measure returns the runs there are
// with ctx's error. If it is cancelled while the figures are computed, they have none: see
// [stat.Outline].
func Measure(ctx context.Context, asked []Arm, parallel int, w Watcher) ([]*arms.Run, error) {
	if w == nil {
		w = unwatched{}
	}
	if slices.ContainsFunc(asked, func(a Arm) bool { return a.Target.Kind == AMQP }) {
		parallel = 1
	}
	w.Plan(asked, parallel)
	work, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		results = make([]*run.Result, len(asked))
		mu      sync.Mutex // guards next and w
		next    int
		wg      sync.WaitGroup
	)
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		if next == len(asked) || work.Err() != nil {
			return 0, false
		}
		next++
		w.Begin(next-1, len(asked), asked[next-1])
		return next - 1, true
	}
	for range max(parallel, 1) {
		wg.Go(func() {
			for i, ok := take(); ok; i, ok = take() {
				a := asked[i]
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
	results = slices.DeleteFunc(results, func(r *run.Result) bool { return r == nil })
	return summarize(ctx, results, arms.Summarize), context.Cause(work)
}

// summarize computes the figures of runs. If ctx ends meanwhile it returns runs without
// figures at once. If ctx has ended before, it cut runs off, and the user asked for the
// figures of what there is.
func summarize(ctx context.Context, results []*run.Result, compute func(...*run.Result) []*arms.Run) []*arms.Run {
	if ctx.Err() != nil {
		return compute(results...)
	}
	computed := make(chan []*arms.Run, 1)
	go func() { computed <- compute(results...) }()
	select {
	case runs := <-computed:
		return runs
	case <-ctx.Done():
		return arms.Outline(results...)
	}
}

// unwatched is the watcher of an experiment without one.
type unwatched struct{}

func (unwatched) Plan([]Arm, int)                {}
func (unwatched) Begin(int, int, Arm)            {}
func (unwatched) Progress(int, loadgen.Progress) {}
func (unwatched) End(int, Arm, *run.Result)      {}

// ByTarget groups neighbouring arms on the same target. The results of a group can be
// shown before the next group begins.
func ByTarget(asked []Arm) [][]Arm {
	var out [][]Arm
	for i, a := range asked {
		if i == 0 || a.Target != asked[i-1].Target {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], a)
	}
	return out
}
