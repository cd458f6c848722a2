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

// Run runs the cells that done does not hold, in random order so that a
// machine's moods do not line up with an axis, and calls record for each as it
// ends. Cells in virtual time run side by side on all processors, others one by
// one. It returns ctx's error when interrupted; record and progress, which may be nil,
// are called from one goroutine at a time.
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

// left lists the cells that done does not hold, in random order.
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

// Left lists the arms that Run will run, done being what was measured before.
func (s *Sweep) Left(done []Cell) []Arm {
	var arms []Arm
	for _, c := range s.left(done) {
		if sc, err := s.resolve(c); err == nil {
			arms = append(arms, Arm{Scenario: sc, Target: s.Target, Repeat: c.Repeat})
		}
	}
	return arms
}

// A SweepProgress is how far a sweep has come.
type SweepProgress struct {
	Done, Total int
	Left        time.Duration // estimate, -1 when there is none
	Label       string        // of the cell that Under is about, else of the one finished last
	Under       *loadgen.Progress
}

// A sweepQueue hands a sweep's cells to those that run them, and tells of what
// they did.
type sweepQueue struct {
	sweep    *Sweep
	todo     []Cell
	done     int // cells that were there before
	record   func(Cell) error
	progress func(SweepProgress)
	started  time.Time

	mu    sync.Mutex
	taken int
	ended int
	spent time.Duration // until the last of them ended
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

// under tells how the cell under way gets on.
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

// tell reports progress. The time that is left is judged by the cells that
// have ended, before there are any by what the one under way says.
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
