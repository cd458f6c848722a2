package amqp

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"harelab/loadgen"
	"harelab/scenarios"
)

// A publisher publishes one sequence of the load.
type publisher struct {
	r     *runner
	index int
	spec  *scenarios.Sequence
	lines []*line
	mu    sync.Mutex // users of closed loops share what follows
	sent  []loadgen.Sent
}

// A line is a channel for publishing, on a connection of its own.
type line struct {
	link   *link
	ch     *amqp091.Channel
	window chan struct{} // nil: no limit on unconfirmed messages
	done   sync.WaitGroup

	mu       sync.Mutex
	waiting  []unconfirmed // messages without a confirm, in order of delivery tag
	answered []loadgen.Answer
	returned []int64
}

type unconfirmed struct {
	seq  int64
	user int32 // the user who waits for the confirm; -1: none
}

func (r *runner) newPublisher(ctx context.Context, i int) (*publisher, error) {
	p := &publisher{r: r, index: i, spec: &r.s.Load[i]}
	for n := range p.spec.Connections {
		l, err := r.connect(ctx, fmt.Sprintf("publisher %s %d", p.spec.Name, n+1))
		if err != nil {
			return p, err
		}
		ln := &line{link: l}
		p.lines = append(p.lines, ln)
		if err := p.openLine(ln); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (p *publisher) openLine(ln *line) error {
	ch, err := ln.link.conn.Channel()
	if err != nil {
		return err
	}
	ln.ch = ch
	returns := ch.NotifyReturn(make(chan amqp091.Return, 64))
	ln.done.Go(func() {
		for ret := range returns {
			p.returned(ln, ret)
		}
	})
	if !p.spec.Confirm {
		return nil
	}
	if p.spec.MaxInFlight > 0 {
		ln.window = make(chan struct{}, p.spec.MaxInFlight)
	}
	confirms := ch.NotifyPublish(make(chan amqp091.Confirmation, 1024))
	ln.done.Go(func() {
		for c := range confirms {
			p.confirmed(ln, c)
		}
	})
	return ch.Confirm(false)
}

// close closes the publisher's connections; it may be called again.
func (p *publisher) close() {
	for _, ln := range p.lines {
		ln.link.close()
		ln.done.Wait()
	}
}

// log returns the publisher's log. The publisher must be closed.
func (p *publisher) log() loadgen.PublisherLog {
	l := loadgen.PublisherLog{Sequence: int32(p.index), Sent: p.sent}
	for _, ln := range p.lines {
		l.Answered = append(l.Answered, ln.answered...)
		l.Returned = append(l.Returned, ln.returned...)
	}
	return l
}

// publish starts all publishers and all users of closed loops.
func (r *runner) publish(wg *sync.WaitGroup) {
	users := r.plan.Users()
	for _, u := range users {
		r.users = append(r.users, user{await: u.Await, wake: make(chan struct{}, 1)})
	}
	for _, p := range r.publishers {
		wg.Go(func() { p.run() })
	}
	for _, u := range users {
		wg.Go(func() { r.publishers[u.Sequence].serve(u) })
	}
}

// spinTime is the time before a due time from which a goroutine spins, as no sleep
// is as precise.
const spinTime = 60 * time.Microsecond

// run publishes the sequence's messages at their intended times.
func (p *publisher) run() {
	stream := p.r.plan.Sequence(p.index)
	sleeper := p.r.alarm.Sleeper()
	enc := newEncoder()
	for m, n := (loadgen.Planned{}), 0; stream.Next(&m); n++ {
		due := p.r.at(m.At)
		if d := time.Until(due); (d > spinTime || p.r.fake) && !sleeper.Until(due, p.r.halt) {
			return
		}
		for time.Until(due) > 0 {
			runtime.Gosched()
		}
		if m.Paced {
			p.r.late.note(time.Since(due))
		}
		if !p.send(p.lines[n%len(p.lines)], &m, enc) {
			return
		}
	}
}

// serve runs one user of a closed loop.
func (p *publisher) serve(u *loadgen.User) {
	sleeper := p.r.alarm.Sleeper()
	enc := newEncoder()
	at := u.Start
	var m loadgen.Planned
	for {
		if !sleeper.Until(p.r.at(at), p.r.halt) || !u.Next(p.r.now(), &m) {
			return
		}
		if !p.send(p.lines[int(u.Index)%len(p.lines)], &m, enc) {
			return
		}
		select {
		case <-p.r.users[u.Index].wake:
		case <-p.r.halt:
			return
		}
		at = p.r.now() + u.Think()
	}
}

// send publishes one message and reports whether the run goes on.
func (p *publisher) send(ln *line, m *loadgen.Planned, enc *encoder) bool {
	select {
	case <-p.r.halt:
		return false
	default:
	}
	if p.r.published.sent.Load() >= scenarios.MaxMessages {
		p.r.findings.add(loadgen.Full.Code, loadgen.Full.Text, false)
		p.r.end()
		return false
	}
	if ln.window != nil {
		select {
		case ln.window <- struct{}{}:
		case <-p.r.halt:
			return false
		}
	}
	route := p.r.route(m)
	copies := 0 // number that workers will receive
	first := int32(-1)
	if len(route) > 0 {
		first = slices.Min(route)
	}
	for _, q := range route {
		if p.r.consumed[q] {
			copies++
		} else {
			p.r.published.aside.Store(true)
		}
	}
	forWork, forConfirm := p.r.waiters(m)

	// Users of one sequence share its lines. The lock keeps numbers, delivery tags
	// and messages in the same order.
	p.mu.Lock()
	defer p.mu.Unlock()
	count := &p.r.published
	if count.sent.Add(1); !p.r.plan.Static() {
		m.Seq = p.number()
	}
	p.r.outstanding.Add(m.Seq, copies, forWork)
	if p.spec.Confirm {
		count.expected.Add(1)
		ln.expect(m.Seq, forConfirm)
	}
	if m.User >= 0 {
		count.byUsers.Add(1)
	}
	msg := enc.encode(m)
	now := p.r.now()
	count.latest.Store(now)
	p.sent = append(p.sent, loadgen.Sent{
		Seq: m.Seq, Intended: m.At, At: now, Service: m.Service, Tenant: m.Tenant,
		Class: m.Class, Copies: int32(len(route)), Workable: int32(copies), Queue: first, Paced: m.Paced,
	})
	if err := ln.ch.PublishWithContext(context.Background(), m.Exchange, m.RoutingKey, m.Mandatory, false, msg); err != nil {
		p.r.fatal("publisher-lost", fmt.Sprintf("Publisher %s was cut off: %v.", p.spec.Name, inWords(err)))
		return false
	}
	if copies == 0 {
		p.r.wake(forWork) // no work will be done on it
	}
	return true
}

// number returns the number of the publisher's next message in a plan with closed
// loops. Publishers number their messages independently, and no two numbers are
// equal. Merge renumbers the messages.
func (p *publisher) number() int64 {
	return int64(len(p.sent))*int64(len(p.r.s.Load)) + int64(p.index)
}

// waiters returns the user who waits for the work on m and the user who waits for
// its confirm; -1: none.
func (r *runner) waiters(m *loadgen.Planned) (forWork, forConfirm int32) {
	switch {
	case m.User < 0:
		return -1, -1
	case r.users[m.User].await == scenarios.AwaitConfirm:
		return -1, m.User
	}
	return m.User, -1
}

// expect adds the message with the line's next delivery tag to those that wait for
// a confirm.
func (ln *line) expect(seq int64, user int32) {
	ln.mu.Lock()
	ln.waiting = append(ln.waiting, unconfirmed{seq, user})
	ln.mu.Unlock()
}

// confirmed handles a confirm. The client passes confirms one by one, in order.
func (p *publisher) confirmed(ln *line, c amqp091.Confirmation) {
	now := p.r.now()
	ln.mu.Lock()
	if len(ln.waiting) == 0 {
		ln.mu.Unlock()
		return
	}
	w := ln.waiting[0]
	ln.waiting = ln.waiting[1:]
	ln.answered = append(ln.answered, loadgen.Answer{Seq: w.seq, At: now, Ack: c.Ack})
	ln.mu.Unlock()
	p.r.published.answered.Add(1)
	if ln.window != nil {
		<-ln.window
	}
	if c.Ack {
		p.r.published.confirmed.Add(1)
	} else {
		p.r.wake(p.r.outstanding.Drop(w.seq))
	}
	p.r.wake(w.user)
}

// returned handles a message that no queue took.
func (p *publisher) returned(ln *line, ret amqp091.Return) {
	seq, ok := loadgen.BodySeq(ret.Body)
	if !ok {
		return
	}
	ln.mu.Lock()
	ln.returned = append(ln.returned, seq)
	ln.mu.Unlock()
	p.r.wake(p.r.outstanding.Drop(seq))
}
