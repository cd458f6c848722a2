package amqp

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"harelab/loadgen"
	"harelab/scenarios"
)

// A publisher is one sequence of the load: its connections, and what it sent.
type publisher struct {
	r     *runner
	index int
	spec  *scenarios.Sequence
	lines []*line
	mu    sync.Mutex // users of closed loops share the log
	log   []sent
}

// sent is one message that was handed to the client library.
type sent struct {
	seq, intended, at int64
	service           int64
	tenant            string
	class, copies     int32
	mandatory, paced  bool
}

// A line is one channel on a connection of its own.
type line struct {
	link   *link
	ch     *amqp091.Channel
	window chan struct{} // nil: no limit on unconfirmed messages
	done   sync.WaitGroup

	mu       sync.Mutex
	waiting  []unconfirmed // in order of delivery tag
	log      []confirmation
	returned []int64
}

type unconfirmed struct {
	seq  int64
	user int32
}

type confirmation struct {
	seq, at int64
	ack     bool
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

// publish starts all publishers and all users of closed loops.
func (r *runner) publish(wg *sync.WaitGroup) {
	users := r.plan.Users()
	for _, u := range users {
		r.users = append(r.users, make(chan struct{}, 1))
		r.awaits = append(r.awaits, u.Await)
	}
	for _, p := range r.publishers {
		wg.Go(func() { p.run() })
	}
	for _, u := range users {
		wg.Go(func() { r.publishers[u.Sequence].serve(u) })
	}
}

// fine is how near a due time must be to be waited for by spinning: closer
// than any sleep can hit.
const fine = 60 * time.Microsecond

// run publishes the sequence's messages at their intended times.
func (p *publisher) run() {
	stream := p.r.plan.Sequence(p.index)
	sleeper := p.r.alarm.Sleeper()
	enc := newEncoder()
	for m, n := (loadgen.Planned{}), 0; stream.Next(&m); n++ {
		due := p.r.at(m.At)
		if d := time.Until(due); (d > fine || p.r.fake) && !sleeper.Until(due, p.r.halt) {
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

// serve is one user of a closed loop.
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
		case <-p.r.users[u.Index]:
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
	if ln.window != nil {
		select {
		case ln.window <- struct{}{}:
		case <-p.r.halt:
			return false
		}
	}
	route := p.r.route(m)
	alive := 0
	for _, q := range route {
		if p.r.live[q] {
			alive++
		}
	}
	forWork, forConfirm := p.r.waiters(m)

	// Users of one sequence share its lines: numbers, delivery tags and
	// messages have to go out in one order.
	p.mu.Lock()
	defer p.mu.Unlock()
	if count := p.r.seq.Add(1); !p.r.plan.Static() {
		m.Seq = count - 1
	}
	p.r.book.Open(m.Seq, alive, forWork)
	if p.spec.Confirm {
		p.r.expected.Add(1)
		ln.expect(m.Seq, forConfirm)
	}
	if m.User >= 0 {
		p.r.sentByUsers.Add(1)
	}
	msg := enc.encode(m)
	now := p.r.now()
	p.r.latest.Store(now)
	p.log = append(p.log, sent{
		seq: m.Seq, intended: m.At, at: now, service: m.Service, tenant: m.Tenant,
		class: m.Class, copies: int32(len(route)), mandatory: m.Mandatory, paced: m.Paced,
	})
	if err := ln.ch.PublishWithContext(context.Background(), m.Exchange, m.RoutingKey, m.Mandatory, false, msg); err != nil {
		p.r.fatal("publisher-lost", fmt.Sprintf("Publisher %s was cut off: %v.", p.spec.Name, err))
		return false
	}
	if alive == 0 {
		p.r.wake(forWork) // nobody will work on it
	}
	return true
}

// waiters returns the user who waits for the work on m, and who for its
// confirm; -1 is nobody.
func (r *runner) waiters(m *loadgen.Planned) (forWork, forConfirm int32) {
	switch {
	case m.User < 0:
		return -1, -1
	case r.awaits[m.User] == scenarios.AwaitConfirm:
		return -1, m.User
	}
	return m.User, -1
}

// expect notes the message that gets the line's next delivery tag.
func (ln *line) expect(seq int64, user int32) {
	ln.mu.Lock()
	ln.waiting = append(ln.waiting, unconfirmed{seq, user})
	ln.mu.Unlock()
}

// confirmed handles a confirm; the client hands them over one by one, in order.
func (p *publisher) confirmed(ln *line, c amqp091.Confirmation) {
	now := p.r.now()
	ln.mu.Lock()
	if len(ln.waiting) == 0 {
		ln.mu.Unlock()
		return
	}
	w := ln.waiting[0]
	ln.waiting = ln.waiting[1:]
	ln.log = append(ln.log, confirmation{w.seq, now, c.Ack})
	ln.mu.Unlock()
	p.r.answered.Add(1)
	if ln.window != nil {
		<-ln.window
	}
	if c.Ack {
		p.r.confirmed.Add(1)
	} else {
		p.r.wake(p.r.book.Close(w.seq))
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
	p.r.wake(p.r.book.Close(seq))
}
