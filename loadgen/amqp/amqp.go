// Package amqp runs a scenario in real time against any AMQP 0-9-1 broker,
// through the RabbitMQ team's Go client. It is given a way to connect, so the
// very same code drives the broker of this process over an in-memory
// connection and a RabbitMQ over TCP.
//
// A run declares the scenario's topology, subscribes its workers, publishes
// its load at the intended times, and writes down for every message when it was
// due, sent, confirmed, received, started and done. What a broker does inside
// is seen only through a [loadgen.Observer]; without one those times stay
// invisible.
//
// Goroutines: one per publisher (or per user of a closed loop), one per
// subscription, one per slot, each with a log of its own that is merged when
// the run is over; what they share are counters, the [loadgen.Book] and, per
// worker, the buffer.
package amqp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"harelab/loadgen"
	"harelab/loadgen/run"
	"harelab/scenarios"
)

// Options say where and how to run.
type Options struct {
	// URL is the broker, as amqp://user:password@host:port/vhost. With Dial it
	// may be empty: user guest on /.
	URL string

	// Dial connects to the broker; nil dials the URL over TCP. A run that is
	// given Dial and no URL is reported as made on the embedded broker.
	Dial func(context.Context) (net.Conn, error)

	Observer loadgen.Observer       // nil: the broker's inside is not visible
	Progress func(loadgen.Progress) // nil, or called five times a second by one goroutine
	Repeat   int                    // number of the run among its repeats, for the result

	alarm *loadgen.Alarm // of tests with a fake clock; nil: the kernel's
}

// Run runs s once. When ctx ends during the run, what was measured until then is
// returned, marked partial. The error says what kept the run from being made:
// the broker cannot be reached, a queue is not empty, the topology is refused.
func Run(ctx context.Context, s *scenarios.Scenario, o Options) (*run.Result, error) {
	if err := s.Refuse("a real broker", loadgen.Features...); err != nil {
		return nil, err
	}
	r, err := newRunner(s, o)
	if err != nil {
		return nil, err
	}
	defer r.alarm.Close()
	res, err := r.run(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w", err)
	}
	return res, nil
}

// A runner is one run.
type runner struct {
	s       *scenarios.Scenario
	o       Options
	plan    *loadgen.Plan
	alarm   *loadgen.Alarm
	fake    bool // the clock stands while a goroutine spins
	book    *loadgen.Book
	target  run.Target
	planned int64

	routes struct {
		sync.Mutex
		*loadgen.Router
	}
	live []bool // queues that some worker consumes, by index

	zero    time.Time
	halt    chan struct{} // closed when the run ends
	stopped sync.Once

	admin      *admin
	workers    []*worker
	publishers []*publisher
	users      []chan struct{}   // closed loops: the message is done with
	awaits     []scenarios.Await // of each user
	seq        atomic.Int64      // messages published, and the next number in a plan with closed loops

	delivered, redelivered, started, finished, confirmed, answered, acked, unacked, held, busy, inversions atomic.Int64
	expected                                                                                               atomic.Int64 // confirms
	pending                                                                                                atomic.Int64 // restarts to come
	latest                                                                                                 atomic.Int64 // when the last message was sent
	sentByUsers                                                                                            atomic.Int64
	begun                                                                                                  atomic.Int64 // microseconds of work that is finished or under way
	tardy                                                                                                  atomic.Int64 // attempts that ended late
	late                                                                                                   peak         // how late a wake-up was at most

	demand loadgen.Demand

	retried   bool // some worker fails: deliveries are counted
	attempts  deliveries
	links     map[string][]*link // shared by the workers of a group
	series    []run.Sample
	findings  findings
	partial   bool
	broken    atomic.Bool
	lastEvent int64
}

func newRunner(s *scenarios.Scenario, o Options) (*runner, error) {
	if err := checkFaults(s); err != nil {
		return nil, err
	}
	plan, err := loadgen.NewPlan(s)
	if err != nil {
		return nil, err
	}
	r := &runner{
		s: s, o: o, plan: plan, alarm: o.alarm, book: loadgen.NewBook(),
		halt: make(chan struct{}), planned: int64(plan.Planned()), live: make([]bool, len(s.Queues)),
	}
	if r.fake = r.alarm != nil; !r.fake {
		r.alarm = loadgen.NewAlarm()
	}
	r.routes.Router = loadgen.NewRouter(s)
	for i := range s.Workers {
		w, err := newWorker(r, i)
		if err != nil {
			return nil, err
		}
		r.workers = append(r.workers, w)
	}
	r.demand = loadgen.DemandOf(s, plan)
	for i := range s.Workers {
		r.retried = r.retried || s.Workers[i].Fail != nil
		if s.Workers[i].JoinsAt > 0 {
			r.pending.Add(1)
		}
	}
	for i := range s.Queues {
		for j := range s.Workers {
			consumes := func(c scenarios.Consume) bool { return c.Queue == s.Queues[i].Name }
			r.live[i] = r.live[i] || slices.ContainsFunc(s.Workers[j].Consume, consumes)
		}
	}
	return r, nil
}

// now returns the run time in microseconds.
func (r *runner) now() int64 { return time.Since(r.zero).Microseconds() }

// at returns the wall-clock time of a run time.
func (r *runner) at(us int64) time.Time { return r.zero.Add(time.Duration(us) * time.Microsecond) }

// end ends the run; all that waits on halt comes back.
func (r *runner) end() { r.stopped.Do(func() { close(r.halt) }) }

func (r *runner) run(ctx context.Context) (*run.Result, error) {
	started := time.Now()
	if err := r.prepare(ctx); err != nil {
		r.end()
		return nil, errors.Join(err, r.close())
	}
	var background, publishing sync.WaitGroup
	published := make(chan struct{})
	r.startClock()
	for _, w := range r.workers {
		w.begin(&background)
	}
	r.publish(&publishing)
	background.Go(func() { publishing.Wait(); close(published) })
	background.Go(r.inject)
	background.Go(r.churn)
	background.Go(r.sample)
	background.Go(r.watch)
	background.Go(r.report)
	r.wait(ctx, published)
	r.end()
	r.lastEvent = max(0, r.now()) // run time zero may be still to come
	publishing.Wait()
	background.Wait()
	for _, w := range r.workers {
		w.leave()
	}
	for _, p := range r.publishers {
		p.close()
	}
	terminal := r.admin.drain(r)
	if err := r.close(); err != nil {
		r.findings.add("cleanup", fmt.Sprintf("The topology could not be removed: %v.", err), false)
	}
	res := r.result(terminal)
	res.Started, res.Elapsed = started, time.Since(started)
	return res, nil
}

// prepare declares, connects and subscribes.
func (r *runner) prepare(ctx context.Context) error {
	var err error
	if r.admin, err = r.newAdmin(ctx); err != nil {
		return err
	}
	if err := r.admin.declare(); err != nil {
		return err
	}
	for i := range r.s.Load {
		p, err := r.newPublisher(ctx, i)
		if p != nil {
			r.publishers = append(r.publishers, p)
		}
		if err != nil {
			return err
		}
	}
	for _, w := range r.workers {
		if w.spec.JoinsAt > 0 {
			continue
		}
		if err := w.join(ctx); err != nil {
			return fmt.Errorf("worker %q: %w", w.spec.Name, err)
		}
	}
	return nil
}

// lead is the time between the last preparation and run time zero, so that the
// first message finds its publisher waiting.
const lead = 5 * time.Millisecond

func (r *runner) startClock() {
	r.zero = time.Now().Add(lead)
	if r.o.Observer != nil {
		r.o.Observer.Started(r.zero)
	}
}

// close removes what the run declared and closes what is open.
func (r *runner) close() error {
	for _, w := range r.workers {
		w.leave()
	}
	for _, p := range r.publishers {
		p.close()
	}
	if r.admin == nil {
		return nil
	}
	return r.admin.close()
}

// over reports whether the run has ended.
func (r *runner) over() bool {
	select {
	case <-r.halt:
		return true
	default:
		return false
	}
}

// fatal ends a run whose figures cannot be used.
func (r *runner) fatal(code, text string) {
	if r.over() {
		return
	}
	r.findings.add(code, text, true)
	r.broken.Store(true)
	r.end()
}

// route returns the queues that a message should reach.
func (r *runner) route(m *loadgen.Planned) []int32 {
	r.routes.Lock()
	defer r.routes.Unlock()
	return r.routes.Route(m.Exchange, m.RoutingKey, m.Headers)
}

// settle notes that a copy of a message is through and wakes who waits for it.
func (r *runner) settle(seq int64, queue int32) { r.wake(r.book.Settle(seq, queue)) }

func (r *runner) wake(user int32) {
	if user < 0 {
		return
	}
	select {
	case r.users[user] <- struct{}{}:
	default:
	}
}

// findings collects what a reader must know.
type findings struct {
	mu   sync.Mutex
	list []run.Finding
}

func (f *findings) add(code, text string, invalid bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, have := range f.list {
		if have.Code == code {
			return
		}
	}
	f.list = append(f.list, run.Finding{Code: code, Text: text, Invalid: invalid})
}

// deliveries counts the deliveries of each message, over all workers.
type deliveries struct {
	mu    sync.Mutex
	count map[int64]int32
}

// next returns which delivery of the message this is, from 1.
func (d *deliveries) next(seq int64) int32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.count == nil {
		d.count = map[int64]int32{}
	}
	d.count[seq]++
	return d.count[seq]
}
