package matchlab

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"harelab/bench/workload"
	"harelab/engine/topic"
)

// changeEvery is the number of matches after which a binding changes: 1 %.
const changeEvery = 100

// A Churn has the processor time of a match while bindings change, in ns, one value for
// each repeat. Values of the same repeat were measured one after the other.
type Churn struct {
	Quiet    []float64 // one goroutine matches
	Changing []float64 // one goroutine matches and changes a binding after every 100 matches

	Alone  []float64 // two goroutines match, a third does nothing
	Beside []float64 // two goroutines match, a third changes a binding for every 100 matches
}

// MeasureChurn measures matches of a strategy on a workload while bindings change.
func MeasureChurn(ctx context.Context, strategy, name string, o Options) (*Churn, error) {
	o.setDefaults()
	s, err := topic.Lookup(strategy)
	if err != nil {
		return nil, err
	}
	spec, err := workload.Lookup(name)
	if err != nil {
		return nil, err
	}
	w := spec.Make().Arriving(o.Seed)
	all, err := newTruth(w.Bindings, w.Keys)
	if err != nil {
		return nil, err
	}
	c := &churning{m: s.New(), w: w, truth: all, n: len(w.Keys)}
	w.Fill(c.m)
	took, err := c.one(true) // which also warms up
	if err != nil {
		return nil, err
	}
	c.n = max(changeEvery, int(float64(o.Sample)/took)/changeEvery*changeEvery)
	r := new(Churn)
	for i := range o.Repeat {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for _, m := range []struct {
			measure func(bool) (float64, error)
			to      [2]*[]float64 // values without changes, and with changes
		}{{c.one, [2]*[]float64{&r.Quiet, &r.Changing}}, {c.two, [2]*[]float64{&r.Alone, &r.Beside}}} {
			for j := range 2 {
				with := (i + j) % 2 // alternate which is first
				ns, err := m.measure(with == 1)
				if err != nil {
					return nil, err
				}
				*m.to[with] = append(*m.to[with], ns)
			}
		}
	}
	return r, nil
}

// churning is a full matcher whose bindings change.
type churning struct {
	m       topic.Matcher
	w       *workload.Workload
	truth   *truth
	n       int // number of matches of a sample
	next    int // index of the next key
	changes int
}

// change unbinds a binding or, the next time, binds it again.
func (c *churning) change() {
	b := c.w.Bindings[c.changes/2%len(c.w.Bindings)]
	if c.changes%2 == 0 {
		c.m.Unbind(b.Key, b.Dest)
	} else {
		c.m.Bind(b.Key, b.Dest)
	}
	c.changes++
}

// one measures one goroutine that matches. It returns the ns of a match.
func (c *churning) one(changes bool) (float64, error) {
	after := func() {}
	if changes {
		after = c.change
	}
	return c.finish(c.n, []reading{c.read(c.next, c.n, after)}, changes)
}

// two measures two goroutines that match beside a third. It returns the ns of a match.
func (c *churning) two(changes bool) (float64, error) {
	tokens := make(chan struct{}, 64)
	var readers, writer sync.WaitGroup
	writer.Go(func() {
		for range tokens {
			if changes {
				c.change()
			}
		}
	})
	rs := make([]reading, 2)
	for i := range rs {
		readers.Go(func() {
			from := (c.next + i*len(c.w.Keys)/2) % len(c.w.Keys)
			rs[i] = c.read(from, c.n/2, func() { tokens <- struct{}{} })
		})
	}
	readers.Wait()
	close(tokens)
	writer.Wait()
	return c.finish(c.n/2, rs, changes)
}

// A reading has the figures of one goroutine that matched.
type reading struct {
	from, matches int
	took          time.Duration
}

// read matches n keys from an index on, and calls after once for every 100.
func (c *churning) read(from, n int, after func()) reading {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r := reading{from: from}
	dst := make([]topic.Dest, 0, 256)
	start := threadTime()
	for i := range n {
		dst = c.m.Match(dst[:0], c.w.Keys[from])
		r.matches += len(dst)
		if from++; from == len(c.w.Keys) {
			from = 0
		}
		if i%changeEvery == changeEvery-1 {
			after()
		}
	}
	r.took = threadTime() - start
	return r
}

// finish binds a binding that is unbound, checks the readings of n keys each, and returns
// the ns of a match. An unbound binding has no matches, so some may be missing.
func (c *churning) finish(n int, rs []reading, changes bool) (float64, error) {
	if c.changes%2 != 0 {
		c.change()
	}
	c.next = (c.next + n) % len(c.w.Keys)
	total := time.Duration(0)
	for _, r := range rs {
		total += r.took
		if want := c.truth.of(r.from, n); r.matches > want || r.matches < want*9/10 || !changes && r.matches < want {
			return 0, fmt.Errorf("%d matches of %d keys, want %d; not measured", r.matches, n, want)
		}
	}
	return float64(total) / float64(n*len(rs)), nil
}

// A Deletion has the times of deleting a queue, in ns, one value for each repeat.
type Deletion struct {
	Took    []float64 // processor time of the goroutine that deletes
	FromMap []float64 // processor time of the same number of deletions from a map[topic.Dest]

	// Pause is the longest time between two matches of a concurrent publisher.
	// Elsewhere is that of a publisher to another exchange, which only the machine stops.
	Pause, Elsewhere []float64
}

// MeasureDeletion measures the deletion of a queue that has 10,000 of a matcher's 100,000
// bindings: the matcher unbinds them.
func MeasureDeletion(ctx context.Context, strategy string, repeat int) (*Deletion, error) {
	s, err := topic.Lookup(strategy)
	if err != nil {
		return nil, err
	}
	w := workload.IoT(100_000)
	own, other := s.New(), s.New()
	w.Fill(own)
	w.Fill(other)
	d := new(Deletion)
	for range repeat {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		d.FromMap = append(d.FromMap, float64(deletionFromMap(w)))
		for _, of := range []topic.Matcher{own, other} {
			took, pause := deletion(of, own, w)
			if of == own {
				d.Took = append(d.Took, float64(took))
				d.Pause = append(d.Pause, float64(pause))
			} else {
				d.Elsewhere = append(d.Elsewhere, float64(pause))
			}
		}
	}
	return d, nil
}

// deletionFromMap returns the processor time of the same number of deletions from a Go
// map of the same size: a yardstick for the speed of the machine.
func deletionFromMap(w *workload.Workload) time.Duration {
	bindings := make(map[topic.Dest]struct{}, len(w.Bindings))
	for i := range w.Bindings {
		bindings[topic.Dest(i)] = struct{}{}
	}
	runtime.GC()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := threadTime()
	for i := 0; i < len(w.Bindings); i += deletedShare {
		delete(bindings, topic.Dest(i))
	}
	return threadTime() - start
}

// deletedShare: every deletedShare-th binding is one of the deleted queue.
const deletedShare = 10

// deletion unbinds a queue's bindings from a matcher while a publisher uses the matcher
// publishers, which may be the same.
func deletion(of, publishers topic.Matcher, w *workload.Workload) (took, pause time.Duration) {
	const queue = 1 << 20
	for i := 0; i < len(w.Bindings); i += deletedShare {
		of.Bind(w.Bindings[i].Key, queue)
	}
	runtime.GC() // do not count garbage of the binds
	stop := Publish(publishers, w.Keys)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := threadTime()
	for i := 0; i < len(w.Bindings); i += deletedShare {
		of.Unbind(w.Bindings[i].Key, queue)
	}
	took = threadTime() - start
	return took, stop()
}

// Publish matches keys in a new goroutine until stop is called. Stop returns the longest
// pause between two matches.
func Publish(m topic.Matcher, keys [][]byte) (stop func() time.Duration) {
	var stopped atomic.Bool
	started, longest := make(chan struct{}), make(chan time.Duration)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		dst := make([]topic.Dest, 0, 256)
		close(started)
		p := NewPauses()
		for i := 0; !stopped.Load(); i = (i + 1) % len(keys) {
			dst = m.Match(dst[:0], keys[i])
			p.Tick()
		}
		longest <- p.Longest
	}()
	<-started
	return func() time.Duration {
		stopped.Store(true)
		return <-longest
	}
}

// Pauses measures the longest time between two ticks of a goroutine that is locked to its
// thread. If the kernel reports it, time in which the thread was ready but did not run is
// subtracted.
type Pauses struct {
	Longest time.Duration
	last    time.Time
	delay   time.Duration // time that the thread was ready but did not run, so far
}

// NewPauses begins to measure the calling goroutine.
func NewPauses() *Pauses {
	p := &Pauses{delay: threadDelay()}
	p.last = time.Now() // reading the delay is no pause
	return p
}

// Tick ends a pause and begins the next.
func (p *Pauses) Tick() {
	const suspect = 20 * time.Microsecond // a shorter pause is not worth asking the kernel, which takes time
	now := time.Now()
	if pause := now.Sub(p.last); pause > max(p.Longest, suspect) {
		before := p.delay
		p.delay = threadDelay()
		p.Longest = max(p.Longest, pause-(p.delay-before))
		now = time.Now()
	}
	p.last = now
}

// Skip begins the next pause and ignores this one.
func (p *Pauses) Skip() { p.last = time.Now() }
