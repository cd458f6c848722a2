package amqp

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"harelab/loadgen"
	"harelab/loadgen/run"
	"harelab/scenarios"
)

// A worker is one client process of the scenario: slots that work on one
// first-in first-out buffer over all its queues. A worker that dies and restarts
// has a new connection, but the same slots and log.
type worker struct {
	r      *runner
	index  int32
	spec   *scenarios.Worker
	queues []int32 // by subscription

	mu      sync.Mutex
	sess    *session // nil: not connected
	buffer  []item   // oldest first
	slots   []slot
	running int  // number of busy slots
	stalled bool // no work starts
	log     loadgen.WorkerLog
	count   int // number of finished deliveries, for ack.forget
	policy  *loadgen.FailPolicy
	called  *loadgen.Dependency // nil: work takes its service time
	waits   *loadgen.Waits
}

type slot struct {
	in   chan item
	free bool
	ends atomic.Int64 // run time at which the work under way should end, microseconds; 0: none
}

// An item is one delivery.
type item struct {
	sess        *session
	tag         uint64
	seq         int64
	intended    int64
	service     int64
	received    int64
	class       int32
	queue       int32
	attempt     int32 // number of the delivery among those of its message, from 1; 0 if no worker fails
	redelivered bool
	forgotten   bool            // the broker expects no ack: it needs none, or it was sent
	took        int64           // microseconds that the attempt takes, set when a slot gets the delivery
	verdict     loadgen.Verdict // set then, too
	again       *forwarded      // nil if the worker never fails
}

func newWorker(r *runner, index int) (*worker, error) {
	spec := &r.s.Workers[index]
	w := &worker{r: r, index: int32(index), spec: spec, slots: make([]slot, spec.Slots), waits: loadgen.NewWaits(len(r.s.Classes))}
	w.log.Worker = w.index
	for i := range w.slots {
		w.slots[i] = slot{in: make(chan item, 1), free: true}
	}
	for _, c := range spec.Consume {
		for i := range r.s.Queues {
			if r.s.Queues[i].Name == c.Queue {
				w.queues = append(w.queues, int32(i))
			}
		}
	}
	var err error
	w.policy, err = loadgen.NewFailPolicy(r.s, spec)
	w.called = r.dependencies[spec.Calls]
	return w, err
}

// begin starts the slots, and a goroutine that joins at JoinsAt.
func (w *worker) begin(wg *sync.WaitGroup) {
	for i := range w.slots {
		wg.Go(func() { w.serve(int32(i)) })
	}
	if w.spec.JoinsAt > 0 {
		wg.Go(func() {
			defer w.r.returning.Add(-1)
			if w.r.alarm.Sleeper().Until(w.r.at(w.spec.JoinsAt.Microseconds()), w.r.halt) {
				w.rejoin(context.Background())
			}
		})
	}
}

// rejoin joins during the run. A failure ends the run.
func (w *worker) rejoin(ctx context.Context) {
	if err := w.join(ctx); err != nil {
		w.r.fatal("worker-lost", "Worker "+w.spec.Name+" could not connect: "+inWords(err).Error()+".")
	}
}

// arrive gives a delivery to the lowest free slot, or adds it to the buffer.
func (w *worker) arrive(it item) {
	w.mu.Lock()
	if it.sess != w.sess {
		w.mu.Unlock()
		w.abandon(&it) // its connection is gone already
		return
	}
	defer w.mu.Unlock()
	if !w.stalled && len(w.buffer) == 0 {
		for i := range w.slots {
			if w.slots[i].free {
				w.hand(i, it)
				return
			}
		}
	}
	w.buffer = append(w.buffer, it)
	w.r.worked.held.Add(1)
}

// hand gives a free slot a delivery to work on; mu is held.
func (w *worker) hand(i int, it item) {
	w.slots[i].free = false
	w.running++
	w.r.worked.busy.Add(1)
	w.decide(&it)
	w.slots[i].in <- it
}

// decide sets how long the work on a delivery takes and how it will end. It runs when a slot gets the
// delivery, with mu held: slots are goroutines, and the order in which they run must
// not change the draws.
func (w *worker) decide(it *item) {
	now := w.r.now()
	it.took, it.verdict = w.policy.Attempt(it.attempt, now, w.called.Call(now, w.service(it).Microseconds()))
}

// service returns the time that this worker works on a delivery.
func (w *worker) service(it *item) time.Duration {
	return time.Duration(math.Round(float64(it.service)*w.spec.Slow)) * time.Microsecond
}

// next hands the oldest delivery of the buffer to a slot that has finished, or
// frees the slot.
func (w *worker) next(i int32) (item, bool) {
	w.mu.Lock()
	if len(w.buffer) > 0 && !w.stalled {
		it := w.buffer[0]
		w.buffer = w.buffer[1:]
		w.r.worked.held.Add(-1)
		w.decide(&it)
		w.mu.Unlock()
		return it, true
	}
	w.slots[i].free = true
	w.running--
	w.r.worked.busy.Add(-1)
	sess, idle := w.sess, w.running == 0
	w.mu.Unlock()
	if idle && sess != nil {
		sess.flush()
	}
	return item{}, false
}

// resume ends a stall.
func (w *worker) resume() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.stalled {
		return
	}
	w.stalled = false
	for i := range w.slots {
		if len(w.buffer) == 0 {
			return
		}
		if w.slots[i].free {
			w.r.worked.held.Add(-1)
			w.hand(i, w.buffer[0])
			w.buffer = w.buffer[1:]
		}
	}
}

// freeze stalls the worker: running work ends, and no other starts.
func (w *worker) freeze() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stalled = true
}

// serve runs one slot.
func (w *worker) serve(i int32) {
	sleeper := w.r.alarm.Sleeper()
	var p pace
	for {
		var it item
		select {
		case it = <-w.slots[i].in:
		case <-w.r.halt:
			return
		}
		for ok := true; ok; it, ok = w.next(i) {
			if w.r.over() {
				w.abandon(&it)
				return
			}
			p = w.work(&it, i, sleeper, p)
		}
	}
}

// work does the work of one delivery and returns the slot's pace after it.
func (w *worker) work(it *item, i int32, s *loadgen.Sleeper, p pace) pace {
	r := w.r
	begin := time.Now()
	started := r.now()
	r.worked.latest.Store(started)
	w.waits.Record(it.class, started-it.intended)
	if w.spec.Ack.When == scenarios.OnStart {
		it.sess.ack(it)
		it.forgotten = true
	}
	service := time.Duration(it.took) * time.Microsecond
	p = p.follow(begin, r.at(it.intended), r.s.Network.RTT)
	end := begin.Add(service - p.makeUp(service))
	r.worked.begun.Add(it.service)
	w.slots[i].ends.Store(end.Sub(r.zero).Microseconds())
	finished := false
	if w.spec.Work == "spin" || time.Until(end) < spinTime && !w.r.fake {
		finished = spin(end, it.sess.dead)
	} else {
		finished = s.Until(end, it.sess.dead)
	}
	ended := r.now()
	w.slots[i].ends.Store(0)
	if !finished {
		r.worked.begun.Add(-it.service)
		w.cut(it, i, started, ended)
		return pace{}
	}
	p.ended = time.Now()
	late := p.ended.Sub(end)
	p.late += late
	r.late.note(late)
	if it.verdict.End != loadgen.Succeed {
		r.worked.begun.Add(-it.service)
		end := loadgen.Failed
		if it.verdict.End == loadgen.Reject {
			end = loadgen.Rejected
		}
		w.note(it, i, started, ended, late, end)
		w.carryOut(it)
		return p
	}
	w.note(it, i, started, ended, late, loadgen.Finished)
	r.worked.finished.Add(1)
	if w.spec.Ack.When == scenarios.OnDone {
		w.ackDone(it)
	}
	r.settle(it.seq, it.queue)
	return p
}

// spin keeps a processor busy until end. It returns false if dead is closed before.
func spin(end time.Time, dead <-chan struct{}) bool {
	for {
		for range 1000 {
			if time.Until(end) <= 0 {
				return true
			}
		}
		select {
		case <-dead:
			return false
		default:
		}
	}
}

// cut notes work that did not end: the worker died before, or the run is over.
func (w *worker) cut(it *item, i int32, started, ended int64) {
	if w.r.over() {
		w.note(it, i, started, ended, 0, loadgen.Unended)
		return
	}
	w.note(it, i, started, ended, 0, loadgen.Cut)
	if it.forgotten {
		w.r.settle(it.seq, it.queue)
	}
}

// abandon notes a delivery whose work has not begun: its worker died or the run is
// over.
func (w *worker) abandon(it *item) {
	if w.r.over() {
		w.note(it, -1, run.None, run.None, 0, loadgen.Unended)
		return
	}
	w.note(it, -1, run.None, run.None, 0, loadgen.Cut)
	if it.forgotten {
		w.r.settle(it.seq, it.queue)
	}
}

// note adds an attempt to the log, whose work ended late after its time.
func (w *worker) note(it *item, slot int32, started, ended int64, late time.Duration, end loadgen.AttemptEnd) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log.Attempts = append(w.log.Attempts, loadgen.Attempt{
		Seq: it.seq, Received: it.received, Started: started, Ended: ended, Queue: it.queue, Slot: slot,
		Late: int32(min(max(late.Microseconds(), 0), math.MaxInt32)),
		End:  end, Redelivered: it.redelivered, Forgotten: it.forgotten,
	})
}

// ackDone acks finished work in the scenario's way: each by itself or in batches,
// and every n-th not at all.
func (w *worker) ackDone(it *item) {
	a := &w.spec.Ack
	w.mu.Lock()
	w.count++
	forget := a.Forget > 0 && w.count%a.Forget == 0
	w.mu.Unlock()
	switch {
	case forget:
		it.sess.forgotten.Add(1)
	case a.Batch > 1:
		it.sess.later(it, a.Batch)
	default:
		it.sess.ack(it)
	}
}

// unacked returns the number of deliveries whose work is done and whose acks the worker
// forgot or has not sent yet.
func (w *worker) unacked() int64 {
	w.mu.Lock()
	sess := w.sess
	w.mu.Unlock()
	if sess == nil {
		return 0
	}
	sess.batch.Lock()
	defer sess.batch.Unlock()
	return sess.forgotten.Load() + int64(len(sess.batch.items))
}

// leave closes the worker's connection and abandons its deliveries. It may be called
// again.
func (w *worker) leave() {
	w.mu.Lock()
	sess := w.sess
	w.mu.Unlock()
	if sess != nil {
		sess.meant.Store(true)
		sess.link.close()
		sess.end()
	}
	for i := range w.slots {
		select {
		case it := <-w.slots[i].in: // the slot had stopped before it got this
			w.abandon(&it)
		default:
		}
	}
}

// die ends the worker's session by a fault, with AMQP's handshake if orderly.
func (w *worker) die(orderly bool) {
	w.mu.Lock()
	sess := w.sess
	w.mu.Unlock()
	if sess == nil {
		return
	}
	sess.meant.Store(true)
	if orderly {
		sess.link.close()
	} else {
		sess.link.kill()
	}
	sess.end()
}
