package loadgen

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"harelab/scenarios"
)

// A Planned is one message to publish.
type Planned struct {
	Seq        int64 // publish order over the whole run; -1 in a plan with closed loops, where runners number messages as they send them
	At         int64 // intended time, microseconds of run time
	Sequence   int32 // index into Scenario.Load
	Class      int32 // index into Scenario.Classes
	User       int32 // the user of a closed loop who sends it, else -1
	Paced      bool  // the message has a time of its own, from an open phase or a trace: its lateness counts
	Exchange   string
	RoutingKey string
	Headers    []scenarios.Argument // shared: do not change
	Tenant     string               // empty: none
	Priority   uint8
	Persistent bool
	Mandatory  bool
	Expiration int64 // microseconds; 0: none
	Size       int   // octets of the body, at least scenarios.MinSize
	Service    int64 // microseconds of work
	Cost       int64 // value of the header x-cost, microseconds; 0: none
}

// A Plan is the load of one run: the messages with their times and properties.
// Every random purpose draws from its own stream of the seed, so adding a worker, a
// class or a sequence does not shift what the others draw, and a share of the
// sequences draws the same as in the whole plan. Any number of goroutines may use a
// Plan; each [Stream] and [User] that it returns belongs to one goroutine.
type Plan struct {
	s       *scenarios.Scenario
	classes []class
	static  bool        // no sequence has a closed loop
	spread  [][]float64 // by sequence and phase: see spread
	count   func() int  // number of messages, counted once
}

// NewPlan prepares the load of s.
func NewPlan(s *scenarios.Scenario) (*Plan, error) {
	if n := max(len(s.Classes), len(s.Load)); n > MaxBodyIndex {
		return nil, &scenarios.Error{File: s.File, Msg: fmt.Sprintf("%d classes or sequences: at most %d have a number in a message body", n, MaxBodyIndex)}
	}
	p := &Plan{s: s, static: static(s), spread: spread(s)}
	for i := range s.Classes {
		c, err := newClass(s, &s.Classes[i])
		if err != nil {
			return nil, err
		}
		p.classes = append(p.classes, c)
	}
	p.count = sync.OnceValue(p.countAll)
	return p, nil
}

// static reports whether no sequence of s is a closed loop.
func static(s *scenarios.Scenario) bool {
	for i := range s.Load {
		if slices.ContainsFunc(s.Load[i].Phases, func(p scenarios.Phase) bool { return p.Model == scenarios.Closed }) {
			return false
		}
	}
	return true
}

// Static reports whether the plan has no closed loops, so that every message is
// known before the run. Only then do messages carry a Seq.
func (p *Plan) Static() bool { return p.static }

// Planned returns the number of messages of the plan, or -1 if closed loops decide
// it during the run. The first call walks the plan.
func (p *Plan) Planned() int {
	if !p.static {
		return -1
	}
	return p.count()
}

func (p *Plan) countAll() int {
	n := 0
	for i := range p.s.Load {
		for t := p.arrivals(i); t.ok; t.advance() {
			n++
		}
	}
	return n
}

// Offered returns a function that counts the messages due by a run time in
// microseconds. Call it with times in ascending order.
func (p *Plan) Offered() func(until int64) int64 {
	var times []*arrivals
	for i := range p.s.Load {
		times = append(times, p.arrivals(i))
	}
	n := int64(0)
	return func(until int64) int64 {
		for _, t := range times {
			for t.ok && t.at <= until {
				n++
				t.advance()
			}
		}
		return n
	}
}

// All returns the messages of all sequences but those of closed loops, merged in
// order of time, then of sequence. Each call starts from the beginning.
func (p *Plan) All() *Stream { return p.stream(-1) }

// Sequence returns the messages of one sequence, numbered as in [Plan.All].
func (p *Plan) Sequence(i int) *Stream { return p.stream(i) }

func (p *Plan) stream(only int) *Stream {
	st := &Stream{plan: p}
	for i := range p.s.Load {
		st.times = append(st.times, p.arrivals(i))
		var f *filler
		if only < 0 || only == i {
			f = p.filler(p.s.Load[i].Name)
		}
		st.fill = append(st.fill, f)
	}
	return st
}

// A Stream yields messages in order of their intended time. It keeps no more
// than the next message of each sequence.
type Stream struct {
	plan  *Plan
	times []*arrivals // by sequence
	fill  []*filler   // by sequence; nil: its messages are only counted
	seq   int64       // number of the next message
}

// Next fills m with the next message and reports whether there was one. The slices
// of m stay valid and must not be changed.
func (st *Stream) Next(m *Planned) bool {
	for {
		first := -1
		for i, t := range st.times {
			if t.ok && (first < 0 || t.at < st.times[first].at) {
				first = i
			}
		}
		if first < 0 {
			return false
		}
		t := st.times[first]
		wanted := st.fill[first] != nil
		if wanted {
			st.fill[first].fill(m, t)
			m.Seq, m.Sequence, m.User = st.seq, int32(first), -1
			if !st.plan.static {
				m.Seq = -1
			}
		}
		st.seq++
		t.advance()
		if wanted {
			return true
		}
	}
}

// A User is one user of a closed loop. The user sends a message, waits for what
// Await names, thinks, and sends the next message.
type User struct {
	Index    int32 // in Users
	Sequence int32 // index into Scenario.Load
	Start    int64 // run time of the first message in microseconds, after thinking once
	End      int64 // run time in microseconds from which the user sends nothing; math.MaxInt64: none
	Await    scenarios.Await

	phase *scenarios.Phase
	left  *atomic.Int64 // number of messages of the phase not yet sent, shared by its users
	fill  *filler
	next  arrivals
	think func() int64
}

// Users returns the users of all closed loops, in order of sequence and phase.
// Each call starts from the beginning.
func (p *Plan) Users() []*User {
	var users []*User
	for i := range p.s.Load {
		q := &p.s.Load[i]
		start := q.Start.Microseconds()
		for j := range q.Phases {
			ph := &q.Phases[j]
			if ph.Model == scenarios.Closed {
				users = p.usersOf(users, int32(i), j, start)
			}
			start += ph.Duration.Microseconds()
		}
	}
	return users
}

func (p *Plan) usersOf(users []*User, seq int32, j int, start int64) []*User {
	ph := &p.s.Load[seq].Phases[j]
	left := new(atomic.Int64)
	left.Store(math.MaxInt64)
	if ph.Count > 0 {
		left.Store(int64(ph.Count))
	}
	for n := range ph.Users {
		purpose := fmt.Sprintf("%s/phase-%d/user-%d", p.s.Load[seq].Name, j, n)
		r := scenarios.Stream(p.s.Seed, "think/"+purpose)
		u := &User{
			Index: int32(len(users)), Sequence: seq, End: math.MaxInt64, Await: ph.Await,
			phase: ph, left: left, fill: p.filler(purpose),
			think: func() int64 { return ph.Think.Draw(r) },
		}
		u.next = arrivals{phase: ph, pick: scenarios.Stream(p.s.Seed, "class/"+purpose), index: n}
		u.Start = start + u.think()
		if ph.Duration > 0 {
			u.End = start + ph.Duration.Microseconds()
		}
		users = append(users, u)
	}
	return users
}

// Next fills m with the user's next message, sent at run time at in microseconds.
// It returns false when the phase is over.
func (u *User) Next(at int64, m *Planned) bool {
	if at >= u.End || u.left.Add(-1) < 0 {
		return false
	}
	u.next.at = at
	u.next.choose()
	u.fill.fill(m, &u.next)
	u.next.index += u.phase.Users
	m.Seq, m.Sequence, m.User = -1, u.Sequence, u.Index
	return true
}

// Think draws the time until the user's next message, in microseconds.
func (u *User) Think() int64 { return u.think() }
