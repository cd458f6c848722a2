package sim

import (
	"cmp"
	"container/heap"

	"harelab/loadgen"
	"harelab/loadgen/run"
	"harelab/scenarios"
)

// A planSource is the source of a scenario's load: the planned messages of each
// sequence, and those that the users of closed loops send during the run.
type planSource struct {
	sequences []*sequence
	users     []*loadgen.User
	ready     userHeap        // users who will send, by time
	waiting   map[int64]int32 // by seq of the message that a user waits for: the user
	copies    map[int64]int   // by seq of such a message: number of copies whose work is not done
	tenants   loadgen.Names
	planned   loadgen.Planned
	half      int64 // microseconds from publisher to broker
	count     int   // number of planned messages; 0: not known
	sender    int32 // the user whose message was published last, or -1

	instant int64  // time at which a user last sent
	sent    int    // number of messages that users sent at that instant
	maxSent int    // a greater number shows that the loop never leaves the instant
	endless string // the sequence whose users let no time pass; empty: none
}

// A sequence is one publisher with its next message.
type sequence struct {
	spec   *scenarios.Sequence
	stream *loadgen.Stream
	next   loadgen.Planned
	more   bool
	sent   int64   // time at which next is sent
	window []int64 // ring: times of the confirms of the last MaxInFlight messages
	n      int     // number of messages sent
}

func newPlanSource(s *scenarios.Scenario, p *loadgen.Plan) *planSource {
	src := &planSource{
		users: p.Users(), waiting: map[int64]int32{}, copies: map[int64]int{},
		half: s.Network.RTT.Microseconds() / 2, count: max(p.Planned(), 0), sender: -1,
	}
	src.maxSent = 100_000 + 10*len(src.users)
	for i := range s.Load {
		for _, p := range s.Load[i].Phases {
			if p.Model == scenarios.Closed {
				src.maxSent += p.Count // all of them may be sent at once
			}
		}
		q := &sequence{spec: &s.Load[i], stream: p.Sequence(i)}
		if q.spec.Confirm && q.spec.MaxInFlight > 0 && src.half > 0 {
			q.window = make([]int64, q.spec.MaxInFlight)
		}
		q.advance()
		src.sequences = append(src.sequences, q)
	}
	for _, u := range src.users {
		heap.Push(&src.ready, userTime{u.Start, u.Index})
	}
	return src
}

// advance reads the sequence's next message. The message is sent when it is due and
// the window of unconfirmed messages has room.
func (q *sequence) advance() {
	if q.more = q.stream.Next(&q.next); !q.more {
		return
	}
	q.sent = q.next.At
	if n := len(q.window); n > 0 && q.n >= n {
		q.sent = max(q.sent, q.window[q.n%n])
	}
}

// first returns the time of the next message and its sequence, nil if a user sends
// it.
func (s *planSource) first() (q *sequence, at int64, ok bool) {
	for _, c := range s.sequences {
		if c.more && (q == nil || c.sent < q.sent) {
			q = c
		}
	}
	if len(s.ready) > 0 && (q == nil || s.ready[0].at < q.sent) {
		return nil, s.ready[0].at, true
	}
	if q == nil {
		return nil, 0, false
	}
	return q, q.sent, true
}

// Due implements [Source].
func (s *planSource) Due(int64) (int64, bool) {
	_, at, ok := s.first()
	return at + s.half, ok
}

// Len implements [Source].
func (s *planSource) Len() int { return s.count }

// Next implements [Source].
func (s *planSource) Next(m *Message) bool {
	q, at, _ := s.first()
	p := &s.planned
	s.sender = -1
	if q == nil {
		u := heap.Pop(&s.ready).(userTime).user
		if !s.users[u].Next(at, p) {
			return false
		}
		s.sender = u
		q = s.sequences[p.Sequence]
		if !s.timePasses(at) {
			s.endless = q.spec.Name
			return false
		}
	} else {
		*p = q.next
		defer q.advance()
	}
	m.Intended, m.Sent, m.Confirmed = p.At, at, run.None
	if q.spec.Confirm {
		m.Confirmed = at + 2*s.half
		if n := len(q.window); n > 0 && s.sender < 0 {
			q.window[q.n%n] = m.Confirmed
		}
	}
	q.n++
	m.Service, m.Cost, m.Expiration = p.Service, p.Cost, p.Expiration
	m.Class, m.Sequence, m.Tenant = p.Class, p.Sequence, s.tenants.Index(p.Tenant)
	m.Exchange, m.RoutingKey, m.Headers = p.Exchange, p.RoutingKey, p.Headers
	m.Size, m.Priority, m.Persistent, m.Mandatory = p.Size, p.Priority, p.Persistent, p.Mandatory
	return true
}

// timePasses counts a message that a user sends at an instant. It returns false if
// there are so many that the loop will never leave the instant.
func (s *planSource) timePasses(at int64) bool {
	if at != s.instant {
		s.instant, s.sent = at, 0
	}
	s.sent++
	return s.sent <= s.maxSent
}

// Published implements [Feedback]. A user who awaits the work waits for all copies
// of the message; a user who awaits the confirm begins to think when it arrives.
func (s *planSource) Published(seq int64, copies int, at int64) {
	if s.sender < 0 {
		return
	}
	u := s.users[s.sender]
	if u.Await == scenarios.AwaitDone && copies > 0 {
		s.waiting[seq], s.copies[seq] = s.sender, copies
		return
	}
	s.think(u, at+s.half)
}

// Finished implements [Feedback].
func (s *planSource) Finished(seq, at int64) {
	u, ok := s.waiting[seq]
	if !ok {
		return
	}
	if s.copies[seq]--; s.copies[seq] > 0 {
		return
	}
	delete(s.waiting, seq)
	delete(s.copies, seq)
	s.think(s.users[u], at)
}

func (s *planSource) think(u *loadgen.User, at int64) {
	heap.Push(&s.ready, userTime{at + u.Think(), u.Index})
}

// userTime is a user and the time at which it sends next.
type userTime struct {
	at   int64
	user int32
}

type userHeap []userTime

func (h userHeap) Len() int      { return len(h) }
func (h userHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *userHeap) Push(x any)   { *h = append(*h, x.(userTime)) }

func (h userHeap) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(h[i].at, h[j].at), cmp.Compare(h[i].user, h[j].user)) < 0
}

func (h *userHeap) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}
