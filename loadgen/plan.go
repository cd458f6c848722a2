package loadgen

import "harelab/scenarios"

// A Planned is one message to publish.
type Planned struct {
	Seq        int64 // publish order over the whole run; -1 in a plan with closed loops, where the runner counts
	At         int64 // intended time, microseconds of run time
	Sequence   int32 // index into Scenario.Load
	Class      int32 // index into Scenario.Classes
	User       int32 // closed loop: who sends it, else -1
	Exchange   string
	RoutingKey string
	Headers    []scenarios.Argument // shared: do not change
	Tenant     string               // empty: none
	Priority   uint8
	Persistent bool
	Mandatory  bool
	Expiration int64 // microseconds, 0 is none
	Size       int   // body bytes, at least scenarios.MinSize
	Service    int64 // microseconds of work
	Cost       int64 // hint for the header x-cost, microseconds, 0 is none
}

// A Plan is the load of one run: which message is published when, and what
// each of them is like. Every random purpose draws from its own stream of the
// seed, so that adding a worker, a class or a sequence does not shift what the
// others draw. A Plan may be used by any number of goroutines; the [Stream] and
// [User] values it hands out belong to one goroutine each.
type Plan struct {
	s     *scenarios.Scenario
	users []*User
}

// NewPlan prepares the load of s.
func NewPlan(s *scenarios.Scenario) (*Plan, error) { return &Plan{s: s}, nil }

// Static reports whether every message is known beforehand, that is, whether
// the plan has no closed loops. Only then do messages carry a Seq.
func (p *Plan) Static() bool { return len(p.users) == 0 }

// Planned returns how many messages the plan has, or -1 when closed loops
// leave that to the run.
func (p *Plan) Planned() int { return -1 }

// All returns the messages of all sequences that do not depend on the run,
// merged in order of time, then of sequence. Each call starts anew.
func (p *Plan) All() *Stream { return new(Stream) }

// Sequence returns the messages of one sequence, numbered as in [Plan.All].
func (p *Plan) Sequence(i int) *Stream { return new(Stream) }

// Users returns the users of all closed loops, in order of sequence and phase.
// Each call starts anew.
func (p *Plan) Users() []*User { return nil }

// A Stream yields messages in order of their intended time.
type Stream struct{}

// Next fills m with the next message and reports whether there was one. What m
// refers to stays valid and must not be changed.
func (st *Stream) Next(m *Planned) bool { return false }

// A User is one user of a closed loop: sends a message, waits until it is done
// with (as Await says), thinks, sends the next.
type User struct {
	Index    int32 // in Users
	Sequence int32
	Start    int64 // microseconds: when it sends its first message
	End      int64 // sends nothing from then on; math.MaxInt64 where a count ends it
	Await    scenarios.Await
}

// Next fills m with the user's next message, sent at time at, and reports
// whether there is one: false when the phase is over.
func (u *User) Next(at int64, m *Planned) bool { return false }

// Think draws the time until the user's next message, in microseconds.
func (u *User) Think() int64 { return 0 }
