package lab

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"

	"harelab/loadgen"
)

// Run runs the cells that are not in done and calls record for each as it ends. The
// order is random, so that changes of the machine's speed do not align with an axis.
// Cells in virtual time run in parallel on all processors, others one by one. When ctx
// is cancelled, Run returns its error. Record and progress are called by one goroutine
// at a time; progress may be nil.
func (s *Sweep) Run(ctx context.Context, done []Cell, record func(Cell) error, progress func(SweepProgress)) error {
	if progress == nil {
		progress = func(SweepProgress) {}
	}
	q := &sweepQueue{sweep: s, todo: s.left(done), done: len(done), record: record, progress: progress, started: time.Now()}
	side := 1
	if s.Target.Kind == Sim {
		side = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for range side {
		wg.Go(func() {
			for c, ok := q.take(ctx); ok; c, ok = q.take(ctx) {
				err := s.measure(ctx, &c, func(p loadgen.Progress) { q.under(c, p) })
				if err == nil {
					err = q.finish(c)
				}
				if err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// left lists the cells that are not in done, in random order.
func (s *Sweep) left(done []Cell) []Cell {
	have := make(map[[2]int]bool, len(done))
	for _, d := range done {
		have[[2]int{d.Index, d.Repeat}] = true
	}
	todo := slices.DeleteFunc(s.cells(), func(c Cell) bool { return have[[2]int{c.Index, c.Repeat}] })
	order := rand.New(rand.NewPCG(s.Base.Seed, 0))
	order.Shuffle(len(todo), func(i, j int) { todo[i], todo[j] = todo[j], todo[i] })
	return todo
}

// Left lists the arms that Run will run if the cells in done are finished.
func (s *Sweep) Left(done []Cell) []Arm {
	var arms []Arm
	for _, c := range s.left(done) {
		if sc, err := s.resolve(c); err == nil {
			arms = append(arms, Arm{Scenario: sc, Target: s.Target, Repeat: c.Repeat})
		}
	}
	return arms
}

// A SweepProgress is the state of a running sweep.
type SweepProgress struct {
	Done, Total int               // cells
	Left        time.Duration     // estimate of the time left; -1: none
	Label       string            // names the cell that runs, if Under is set, else the one that ended last
	Under       *loadgen.Progress // progress of a running cell; nil: a cell has ended
}

// A sweepQueue hands out the cells of a sweep to the goroutines that run them, and
// reports their progress.
type sweepQueue struct {
	sweep    *Sweep
	todo     []Cell
	done     int // number of cells that were finished before
	record   func(Cell) error
	progress func(SweepProgress)
	started  time.Time

	mu    sync.Mutex
	taken int           // number of cells of todo that were handed out
	ended int           // number of cells of todo that have ended
	spent time.Duration // from started to the end of the last of them
}

func (q *sweepQueue) take(ctx context.Context) (Cell, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.taken == len(q.todo) || ctx.Err() != nil {
		return Cell{}, false
	}
	q.taken++
	return q.todo[q.taken-1], true
}

// under reports the progress of a running cell.
func (q *sweepQueue) under(c Cell, p loadgen.Progress) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tell(c, &p)
}

func (q *sweepQueue) finish(c Cell) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.record(c); err != nil {
		return err
	}
	q.ended++
	q.spent = time.Since(q.started)
	q.tell(c, nil)
	return nil
}

// tell reports progress. It estimates the time left from the cells that have ended, and
// before the first has ended from the running one.
func (q *sweepQueue) tell(c Cell, under *loadgen.Progress) {
	left := time.Duration(-1)
	switch rest := time.Duration(len(q.todo) - q.ended); {
	case q.ended > 0:
		left = q.spent / time.Duration(q.ended) * rest
		if under != nil {
			left = max(0, left-under.Elapsed)
		}
	case under.Left >= 0:
		left = under.Left + (under.Elapsed+under.Left)*(rest-1)
	}
	q.progress(SweepProgress{Done: q.done + q.ended, Total: q.done + len(q.todo), Left: left, Label: q.sweep.Label(c.Values), Under: under})
}
