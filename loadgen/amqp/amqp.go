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
// subscription, one per slot. Each publisher and each worker keeps a log of its
// own, a value that [loadgen.Merge] makes the result of when the run is over; what
// they share are counters and the [loadgen.Outstanding].
package amqp

import (
	"context"
	"errors"
	"fmt"
	"net"
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
	started := time.Now()
	log, err := r.run(ctx)
	if err != nil {
		return nil, err
	}
	res := loadgen.Merge(s, r.target, o.Observer, log)
	res.Repeat, res.Started, res.Elapsed = o.Repeat, started, time.Since(started)
	return res, nil
}

// A runner is one run.
type runner struct {
	s      *scenarios.Scenario
	o      Options
	plan   *loadgen.Plan
	demand loadgen.Demand
	live   []bool // queues that some worker consumes, by index
	routes struct {
		sync.Mutex
		*loadgen.Router
	}

	alarm   *loadgen.Alarm
	fake    bool // the clock stands while a goroutine spins
	zero    time.Time
	halt    chan struct{} // closed when the run ends
	stopped sync.Once

	target     run.Target
	admin      *admin
	publishers []*publisher
	users      []user // of closed loops
	workers    []*worker
	links      map[string][]*link // shared by the workers of a group

	outstanding *loadgen.Outstanding
	published   publishCount
	worked      workCount
	returning   atomic.Int64 // workers that are still to join or to come back
	attempts    *deliveries  // nil where no worker fails
	late        peak         // how late a wake-up was at most

	series   []run.Sample
	findings findings
	partial  bool
	ended    int64 // run time
}

// A publishCount counts what publishers do. It is read while they are at it, for
// progress, the series and the conditions to stop; the logs hold the rest.
type publishCount struct {
	sent, byUsers       atomic.Int64 // byUsers: by users of closed loops
	latest              atomic.Int64 // run time of the last one sent
	expected            atomic.Int64 // confirms
	answered, confirmed atomic.Int64 // of these; confirmed: positive ones
}

// A workCount does so for workers.
type workCount struct {
	delivered, acked, finished atomic.Int64
	unacked                    atomic.Int64 // deliveries that wait for an ack
	held, busy                 atomic.Int64 // deliveries in buffers, in slots
	latest                     atomic.Int64 // run time at which work started last
	begun                      atomic.Int64 // microseconds of work that is finished or under way
}

// A user is one user of a closed loop.
type user struct {
	await scenarios.Await
	wake  chan struct{} // the message is done with
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
		s: s, o: o, plan: plan, alarm: o.alarm, outstanding: loadgen.NewOutstanding(),
		halt: make(chan struct{}), live: loadgen.Consumed(s), demand: loadgen.DemandOf(s, plan),
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
	for i := range s.Workers {
		if s.Workers[i].Fail != nil {
			r.attempts = newDeliveries()
		}
		if s.Workers[i].JoinsAt > 0 {
			r.returning.Add(1)
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

// run carries the run out and returns its log.
func (r *runner) run(ctx context.Context) (loadgen.Log, error) {
	if err := r.prepare(ctx); err != nil {
		r.end()
		return loadgen.Log{}, errors.Join(err, r.close())
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
	r.ended = max(0, r.now()) // run time zero may be still to come
	publishing.Wait()
	background.Wait()
	r.disconnect()
	parked := r.admin.drain(r)
	if err := r.close(); err != nil {
		r.findings.add("cleanup", fmt.Sprintf("The topology could not be removed: %v.", err), false)
	}
	return r.log(parked), nil
}

// log returns what was recorded. Nobody records any more.
func (r *runner) log(parked []loadgen.Parked) loadgen.Log {
	l := loadgen.Log{
		Parked: parked, Series: r.series, Findings: r.findings.list,
		Late: r.late.us.Load(), End: r.ended, Partial: r.partial,
	}
	for _, p := range r.publishers {
		l.Publishers = append(l.Publishers, p.record())
	}
	for _, w := range r.workers {
		l.Workers = append(l.Workers, w.log)
	}
	return l
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

// disconnect closes the connections of workers and publishers, which ends their
// logs. It may be called again.
func (r *runner) disconnect() {
	for _, w := range r.workers {
		w.leave()
	}
	for _, p := range r.publishers {
		p.close()
	}
}

// close removes what the run declared and closes what is open.
func (r *runner) close() error {
	r.disconnect()
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
	r.end()
}

// route returns the queues that a message should reach.
func (r *runner) route(m *loadgen.Planned) []int32 {
	r.routes.Lock()
	defer r.routes.Unlock()
	return r.routes.Route(m.Exchange, m.RoutingKey, m.Headers)
}

// settle notes that a copy of a message is through and wakes who waits for it.
func (r *runner) settle(seq int64, queue int32) { r.wake(r.outstanding.Settle(seq, queue)) }

func (r *runner) wake(user int32) {
	if user < 0 {
		return
	}
	select {
	case r.users[user].wake <- struct{}{}:
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

func newDeliveries() *deliveries { return &deliveries{count: map[int64]int32{}} }

// next returns which delivery of the message this is, from 1.
func (d *deliveries) next(seq int64) int32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count[seq]++
	return d.count[seq]
}
