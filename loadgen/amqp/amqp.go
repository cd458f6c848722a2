// Package amqp runs a scenario in real time against any AMQP 0-9-1 broker,
// through the RabbitMQ team's Go client. The caller gives it a function to connect
// with, so the same code drives the broker of this process over an in-memory
// connection and a RabbitMQ over TCP.
//
// A run declares the scenario's topology, subscribes its workers, publishes
// its load at the intended times, and records for every message when it was due,
// sent, confirmed, received, started and done. Times inside the broker come from a
// [loadgen.Observer]; without one they are not visible.
//
// Goroutines: one per publisher (or per user of a closed loop), one per
// subscription, one per slot. Each publisher and each worker keeps its own log.
// [loadgen.Merge] makes the result from the logs when the run is over. During the
// run goroutines share counters and the [loadgen.Outstanding].
package amqp

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"harelab/loadgen"
	"harelab/loadgen/run"
	"harelab/scenarios"
)

// Options say where and how to run.
type Options struct {
	// URL is the broker, as amqp://user:password@host:port/vhost. With Dial it
	// may be empty: user guest on /.
	URL string

	// Dial connects to the broker; nil: dial the URL over TCP. With Dial and
	// without a URL, the result names the embedded broker as target.
	Dial func(context.Context) (net.Conn, error)

	Observer loadgen.Observer       // nil: times inside the broker are not visible
	Progress func(loadgen.Progress) // nil, or called five times a second by one goroutine
	Repeat   int                    // number of the run among its repeats, for the result

	alarm *loadgen.Alarm // for tests with a fake clock; nil: a new one
}

// Run runs s once. If ctx ends during the run, Run returns what it has measured,
// marked partial. The error says why the run could not be made: the broker cannot be
// reached, a queue is not empty, the broker refuses the topology.
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
		return nil, inWords(err)
	}
	res := loadgen.Merge(s, r.target, o.Observer, log)
	res.Repeat, res.Started, res.Elapsed = o.Repeat, started, time.Since(started)
	return res, nil
}

// A runner is one run.
type runner struct {
	s            *scenarios.Scenario
	o            Options
	plan         *loadgen.Plan
	demand       loadgen.Demand
	consumed     []bool // by queue: a worker consumes it
	dependencies map[string]*loadgen.Dependency
	routes       struct {
		sync.Mutex
		*loadgen.Router
	}

	alarm   *loadgen.Alarm
	fake    bool          // the clock is a test's, which stands still while a goroutine spins
	zero    time.Time     // run time zero
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
	returning   atomic.Int64 // number of workers that will still join or restart
	attempts    *deliveries  // nil if no worker fails
	late        peak         // greatest lateness of a wake-up

	series   *loadgen.Series
	findings findings
	partial  bool
	timedOut bool
	ended    int64 // run time of the end, microseconds
}

// A publishCount holds the publishers' counters. Progress, the series and the stop
// conditions read them during the run.
type publishCount struct {
	sent      atomic.Int64 // number of messages
	aside     atomic.Bool  // some went to a queue that no worker consumes
	byUsers   atomic.Int64 // number of these that users of closed loops sent
	latest    atomic.Int64 // run time of the last message, microseconds
	expected  atomic.Int64 // number of confirms to come or received
	answered  atomic.Int64 // number of confirms received
	confirmed atomic.Int64 // number of these that were positive
}

// A workCount holds the workers' counters.
type workCount struct {
	delivered atomic.Int64 // number of deliveries received
	acked     atomic.Int64 // number of acks sent
	finished  atomic.Int64 // number of attempts that succeeded
	unacked   atomic.Int64 // number of deliveries that wait for an ack
	held      atomic.Int64 // number of deliveries in buffers
	busy      atomic.Int64 // number of deliveries in slots
	latest    atomic.Int64 // run time at which work last started, microseconds
	begun     atomic.Int64 // microseconds of work that is finished or under way
}

// A user is one user of a closed loop.
type user struct {
	await scenarios.Await
	wake  chan struct{} // receives a value when what the user awaits has happened
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
		series: loadgen.NewSeries(s.Measure.Interval.Microseconds()),
		halt:   make(chan struct{}), consumed: loadgen.Consumed(s), dependencies: loadgen.NewDependencies(s), demand: loadgen.DemandOf(s, plan),
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

// end ends the run: goroutines that wait on halt return.
func (r *runner) end() { r.stopped.Do(func() { close(r.halt) }) }

// run makes the run and returns its log.
func (r *runner) run(ctx context.Context) (loadgen.Log, error) {
	if err := r.prepare(ctx); err != nil {
		r.end()
		return loadgen.Log{}, together(err, r.close())
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
	r.ended = max(0, r.now()) // the run may end before run time zero
	if r.o.Observer != nil {
		r.catchUp()
		r.o.Observer.Ended()
	}
	for _, w := range r.workers {
		w.log.Unacked = w.unacked()
	}
	publishing.Wait()
	background.Wait()
	r.disconnect()
	parked := r.admin.drain(r)
	if err := r.close(); err != nil {
		r.findings.add("cleanup", fmt.Sprintf("The topology could not be removed: %v.", err), false)
	}
	return r.log(parked), nil
}

// catchUp returns when the broker has carried out what publishers and workers have sent
// it. It waits for the answers of calls that change nothing.
func (r *runner) catchUp() {
	if len(r.s.Queues) == 0 {
		return
	}
	q := &r.s.Queues[0]
	ask := func(ch *amqp091.Channel) {
		// An error means that the channel is gone, and all that was sent on it.
		ch.QueueDeclarePassive(q.Name, q.Durable, q.AutoDelete, q.Exclusive, false, nil)
	}
	for _, w := range r.workers {
		w.mu.Lock()
		sess := w.sess
		w.mu.Unlock()
		if sess != nil {
			ask(sess.ch)
		}
	}
	for _, p := range r.publishers {
		for _, ln := range p.lines {
			ask(ln.ch)
		}
	}
}

// log returns the log of the run, after all goroutines have ended.
func (r *runner) log(parked []loadgen.Parked) loadgen.Log {
	l := loadgen.Log{
		Parked: parked, Series: r.series.Samples(), Interval: r.series.Interval(), Findings: r.findings.list,
		Late: r.late.us.Load(), End: r.ended, Partial: r.partial, TimedOut: r.timedOut,
	}
	for _, p := range r.publishers {
		l.Publishers = append(l.Publishers, p.log())
	}
	for _, w := range r.workers {
		l.Workers = append(l.Workers, w.log)
	}
	return l
}

// prepare declares the topology, connects publishers and subscribes workers.
func (r *runner) prepare(ctx context.Context) error {
	var err error
	if r.admin, err = r.newAdmin(ctx); err != nil {
		return err
	}
	if err := r.admin.declare(); err != nil {
		return r.s.Locate(err)
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
			return r.s.Locate(scenarios.Refused(w.spec.Line, fmt.Errorf("worker %q: %w", w.spec.Name, err)))
		}
	}
	return nil
}

// startDelay is the time between the last preparation and run time zero. It lets
// publishers start before their first message is due.
const startDelay = 5 * time.Millisecond

func (r *runner) startClock() {
	r.zero = time.Now().Add(startDelay)
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

// fatal ends the run with a finding that its figures cannot be used.
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

// settle removes a copy of a message from the outstanding ones, and wakes the user
// who waits for the message.
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

// findings collects the findings of a run, the first of each code.
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

// next counts a delivery of a message and returns its number, from 1.
func (d *deliveries) next(seq int64) int32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count[seq]++
	return d.count[seq]
}
