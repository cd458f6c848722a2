package matchlab

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"harelab/bench/workload"
)

var processStart = time.Now()

// A Measurement has the figures of one contender on one workload.
type Measurement struct {
	Contender string
	Workload  string
	Bindings  int // number of bindings that were bound
	LeftOut   int // number of bindings that the contender cannot express

	Matches   float64   // mean destinations of a key over the whole stream; every sample is checked for its own
	CPU       []float64 // processor time of a match, in ns, a value for each repeat
	Wall      []float64 // the same by the clock
	Allocs    []float64 // allocations of a match, a value for each repeat
	BindCPU   []float64 // processor time of a bind, in ns, of every tenth binding beside the others
	UnbindCPU []float64 // processor time of an unbind, likewise
	Heap      float64   // bytes of heap for each binding
}

// An arm is a contender with its matcher filled.
type arm struct {
	c        Contender
	s        Subject
	bindings []workload.Binding
	truth    *truth
	next     int // index of the next key
	batch    int // number of keys that take about the sample time
	m        Measurement
}

// measure measures contenders on one workload. Each repeat takes one sample of every
// contender, in random order, so that other load on the machine affects all alike. The
// routing keys lie as they would arrive on a connection (see
// [workload.Workload.Arriving]), in an order drawn from o.Seed. If ctx is cancelled,
// measure returns the whole repeats so far if they are two or more.
func measure(ctx context.Context, w *workload.Workload, contenders []Contender, o *Options, report func(done, of int)) ([]Measurement, error) {
	w = w.Arriving(o.Seed)
	all, err := newTruth(w.Bindings, w.Keys)
	if err != nil {
		return nil, err
	}
	var arms []*arm
	turns := o.Repeat * len(contenders)
	for _, c := range contenders {
		report(0, turns)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		a, err := newArm(c, w, all, o.Sample)
		if err != nil {
			return nil, err
		}
		if a != nil {
			arms = append(arms, a)
		}
	}
	rng := rand.New(rand.NewPCG(o.Seed, 1))
	for repeat := range o.Repeat {
		for i, at := range rng.Perm(len(arms)) {
			if ctx.Err() != nil {
				return interrupted(arms, repeat), ctx.Err()
			}
			report(repeat*len(arms)+i, turns)
			if err := arms[at].sample(); err != nil {
				return nil, err
			}
		}
	}
	var ms []Measurement
	for _, a := range arms {
		a.change()
		ms = append(ms, a.m)
	}
	return ms, nil
}

// interrupted returns the measurements of the first repeats.
func interrupted(arms []*arm, repeats int) (ms []Measurement) {
	if repeats < 2 {
		return nil
	}
	for _, a := range arms {
		a.m.CPU, a.m.Wall, a.m.Allocs = a.m.CPU[:repeats], a.m.Wall[:repeats], a.m.Allocs[:repeats]
		ms = append(ms, a.m)
	}
	return ms
}

// newArm fills a contender's matcher and warms it up. It returns nil if the
// contender can express none of the bindings.
func newArm(c Contender, w *workload.Workload, all *truth, sample time.Duration) (*arm, error) {
	a := &arm{c: c, bindings: c.accepted(w), truth: all}
	if len(a.bindings) == 0 && !c.Limit {
		return nil, nil
	}
	out := len(w.Bindings) - len(a.bindings)
	if out > 0 {
		var err error
		if a.truth, err = newTruth(a.bindings, w.Keys); err != nil {
			return nil, err
		}
	}
	a.m = Measurement{Contender: c.Name, Workload: w.Name, Bindings: len(a.bindings), LeftOut: out, Matches: a.truth.mean()}
	a.fill(w.Keys)
	if err := a.calibrate(sample); err != nil {
		return nil, err
	}
	_, err := a.run(a.batch) // warms up caches and tables
	return a, err
}

// fill binds all bindings and measures the heap that they take.
func (a *arm) fill(keys [][]byte) {
	before := heap()
	s := a.c.New(keys)
	for _, b := range a.bindings {
		s.Bind(b.Key, b.Dest)
	}
	a.s = s
	if n := float64(len(a.bindings)); n > 0 {
		a.m.Heap = float64(heap()-before) / n
	}
}

// calibrate finds the number of keys that take the sample time. It measures twice and
// takes the larger number, since other load makes a few keys look slow.
func (a *arm) calibrate(sample time.Duration) error {
	for range 2 {
		for n := 1; ; n *= 2 {
			start := CPUTime()
			if _, err := a.run(n); err != nil {
				return err
			}
			if took := CPUTime() - start; took > sample/4 {
				a.batch = max(a.batch, 1, int(float64(n)*float64(sample)/float64(took)))
				break
			}
		}
	}
	return nil
}

// run matches the next n keys and checks the number of matches.
func (a *arm) run(n int) (matches int, err error) {
	matches = a.s.Run(a.next, n)
	err = a.truth.check(a.c.Name+" on "+a.m.Workload, a.next, n, matches)
	a.next = (a.next + n) % (len(a.truth.upTo) - 1)
	return matches, err
}

// sample measures one batch.
func (a *arm) sample() error {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start, cpu := time.Now(), CPUTime()
	_, err := a.run(a.batch)
	cpu, wall := CPUTime()-cpu, time.Since(start)
	runtime.ReadMemStats(&after)
	n := float64(a.batch)
	a.m.CPU = append(a.m.CPU, float64(cpu)/n)
	a.m.Wall = append(a.m.Wall, float64(wall)/n)
	a.m.Allocs = append(a.m.Allocs, float64(after.Mallocs-before.Mallocs)/n)
	return err
}

// Binds and unbinds are measured in changeRounds rounds of at least changesLeast each.
const (
	changeRounds = fewestSamples
	changesLeast = 2000
)

// change measures binds and unbinds of every tenth binding beside the others.
func (a *arm) change() {
	var some []workload.Binding
	for i := 0; i < len(a.bindings); i += 10 {
		some = append(some, a.bindings[i])
	}
	if len(some) == 0 {
		return
	}
	turns := 1 + changesLeast/len(some)
	n := float64(turns * len(some))
	for range changeRounds {
		var bind, unbind time.Duration
		for range turns {
			start := CPUTime()
			for _, b := range some {
				a.s.Unbind(b.Key, b.Dest)
			}
			half := CPUTime()
			for _, b := range some {
				a.s.Bind(b.Key, b.Dest)
			}
			unbind += half - start
			bind += CPUTime() - half
		}
		a.m.UnbindCPU = append(a.m.UnbindCPU, float64(unbind)/n)
		a.m.BindCPU = append(a.m.BindCPU, float64(bind)/n)
	}
}

func heap() int64 {
	var s runtime.MemStats
	for range 2 { // the second collection frees what pools hold
		runtime.GC()
	}
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}

// Median returns the middle of the values, or the mean of the two middle ones.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func (m *Measurement) String() string {
	return fmt.Sprintf("%s on %s: %.1f ns", m.Contender, m.Workload, Median(m.CPU))
}
