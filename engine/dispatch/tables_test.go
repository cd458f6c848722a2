package dispatch

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRosterFindsTheNth compares a roster with a list, while consumers join, leave, and
// go in and out of play, so that the roster grows and is compacted.
func TestRosterFindsTheNth(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 0))
		table := NewConsumers()
		s := &roster{t: table}
		var list, out []ConsumerID // all consumers in subscription order; those out of play
		for op := range 3000 {
			grow := 4 // in every other phase more consumers leave than join
			if op/500%2 == 1 {
				grow = 1
			}
			switch k := r.IntN(10); {
			case k < grow:
				c := table.Add(Consumer{})
				s.join(c)
				list = append(list, c)
			case k < 5 && len(list) > 0:
				i := r.IntN(len(list))
				c := list[i]
				s.leave(c)
				table.Remove(c)
				list = slices.Delete(list, i, i+1)
				out = slices.DeleteFunc(out, func(o ConsumerID) bool { return o == c })
			case len(list) > 0:
				c := list[r.IntN(len(list))]
				if slices.Contains(out, c) {
					s.enter(c)
					out = slices.DeleteFunc(out, func(o ConsumerID) bool { return o == c })
				} else {
					s.exit(c)
					out = append(out, c)
				}
			}
			var got, want []ConsumerID
			for _, c := range list {
				if !slices.Contains(out, c) {
					want = append(want, c)
				}
			}
			if l := s.best(); l != nil {
				for n := range l.n {
					got = append(got, l.nth(n))
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d, op %d: in play %v, want %v", seed, op, got, want)
			}
		}
	}
}

// TestRosterDropsThoseWhoLeft keeps one consumer while others join and leave.
func TestRosterDropsThoseWhoLeft(t *testing.T) {
	table := NewConsumers()
	s := newRoster(table)
	s.join(table.Add(Consumer{}))
	for range 1000 {
		c := table.Add(Consumer{})
		s.join(c)
		s.leave(c)
		table.Remove(c)
	}
	if n := len(s.levels[0].entries); n > 32 {
		t.Errorf("%d entries for one consumer", n)
	}
}

func TestConsumerIDIsKeptWhileMessagesAreOut(t *testing.T) {
	table := NewConsumers()
	a := table.Add(Consumer{})
	table.Given(a, 5, 0)
	table.Remove(a)
	if b := table.Add(Consumer{}); b == a {
		t.Fatalf("consumer %d is a new one, and one message is still with the old one", b)
	}
	table.Settled(a, 5, 0)
	if c := table.Add(Consumer{}); c != a {
		t.Errorf("new consumer is %d, want %d to be used again", c, a)
	}
}

func TestPeersAreTheConsumersOfAChannel(t *testing.T) {
	table := NewConsumers()
	l, other := NewLimiter(1), NewLimiter(1)
	var ids []ConsumerID
	for i := range 6 {
		ids = append(ids, table.Add(Consumer{Limiter: []*Limiter{l, other}[i%2]}))
	}
	peers := func() (got []ConsumerID) {
		for c := table.Peer(l); c != NoConsumer; c = table.PeerAfter(c) {
			got = append(got, c)
		}
		slices.Sort(got)
		return got
	}
	for _, c := range []ConsumerID{ids[2], ids[4], ids[0]} { // the middle, the head and the tail of the list
		table.Remove(c)
		var want []ConsumerID
		for _, id := range ids {
			if table.Valid(id) && table.At(id).Limiter == l {
				want = append(want, id)
			}
		}
		if got := peers(); !slices.Equal(got, want) {
			t.Errorf("after %d left: %v, want %v", c, got, want)
		}
	}
	if n := len(table.channels.of); n != 1 {
		t.Errorf("%d channels are known, want 1", n)
	}
}

// TestPrioritiesAreForgotten joins and removes consumers of many priorities. Strangers
// choose the priorities, so a selector must keep nothing of those that no consumer has.
func TestPrioritiesAreForgotten(t *testing.T) {
	kept := map[string]func(Selector) int{
		"rr":       func(s Selector) int { return len(s.(*roundRobin).ring.levels) },
		"rr-eager": func(s Selector) int { return len(s.(*eagerRing).ring.levels) },
		"fair":     func(s Selector) int { return len(s.(*fair).ring.levels) },
		"adaptive": func(s Selector) int { return len(s.(*adaptive).ring.levels) },
		"jsq":      func(s Selector) int { return len(s.(*leastLoaded).lanes) },
		"lwl":      func(s Selector) int { return len(s.(*leastLoaded).lanes) },
		"random":   func(s Selector) int { return len(s.(*random).levels) },
		"po2":      func(s Selector) int { return len(s.(*po2).levels) },
		"jiq":      func(s Selector) int { return len(s.(*jiq).levels) + len(s.(*jiq).idle.levels) },
	}
	for _, strategy := range Selectors() {
		if kept[strategy.Name] == nil {
			continue
		}
		table := NewConsumers()
		s := strategy.New(Config{}, table)
		for round := range 2 {
			var ids []ConsumerID
			for i := range 100 {
				c := table.Add(Consumer{Priority: int32(i % 50)})
				s.Join(c)
				ids = append(ids, c)
			}
			if c := s.Pick(0); c == NoConsumer || table.At(c).Priority != 49 {
				t.Errorf("%s, round %d: picked %d, want one of priority 49", strategy.Name, round, c)
			}
			for i, c := range ids {
				s.Leave(c)
				table.Remove(c)
				if i < 50 && kept[strategy.Name](s) < 50 {
					t.Errorf("%s, round %d: forgot a priority that a consumer has", strategy.Name, round)
				}
			}
			if n := kept[strategy.Name](s); n != 0 {
				t.Errorf("%s, round %d: %d priorities are kept, want 0", strategy.Name, round, n)
			}
		}
	}
}

func TestTenantsAreForgotten(t *testing.T) {
	m := NewMessages()
	var refs []Ref
	for i := range 1000 {
		r := m.Alloc()
		m.At(r).Tenant = m.Intern(fmt.Sprint("tenant ", i%100))
		refs = append(refs, r)
	}
	if got := m.Tenant(m.At(refs[42]).Tenant); got != "tenant 42" {
		t.Errorf("Tenant = %q, want %q", got, "tenant 42")
	}
	for _, r := range refs {
		m.Release(r)
	}
	if n := len(m.tenants.ids); n != 0 {
		t.Errorf("%d tenants are remembered without a message", n)
	}
	for i := range 200 {
		m.Release(m.allocFor(fmt.Sprint("stranger ", i)))
	}
	if n := len(m.tenants.rows); n > 100 {
		t.Errorf("%d rows for one tenant at a time after 100 at once", n)
	}
}

func (t *Messages) allocFor(tenant string) Ref {
	r := t.Alloc()
	t.At(r).Tenant = t.Intern(tenant)
	return r
}

func TestRowsAreUsedAgain(t *testing.T) {
	m := NewMessages()
	for range 768 {
		m.Alloc()
	}
	m.Release(5)
	m.Release(700)
	if next := m.Next(); next != 700 {
		t.Errorf("Next = %d, want 700, the last released", next)
	}
	for _, want := range []Ref{700, 5, 768} {
		if r := m.Alloc(); r != want {
			t.Errorf("Alloc = %d, want %d", r, want)
		}
	}
}

func TestLevelsFindTheNextBelow(t *testing.T) {
	for _, p := range []int{0, 1, 63, 64, 127, 128, 200, 255} {
		m := NewMessages()
		s := newLevels(Config{}, m)
		r := m.Alloc()
		*m.At(r) = Message{ID: 1, Priority: uint8(p)}
		s.Push(r)
		for from := range 257 {
			want := -1
			if p < from {
				want = p
			}
			if got := s.below(from); got != want {
				t.Fatalf("only level %d is in use: below(%d) = %d, want %d", p, from, got, want)
			}
		}
	}
}

// TestPickAgainIfAnotherQueueWasFaster: another queue takes the channel's last credit
// between Eligible and Take. The log answers for the limiters.
func TestPickAgainIfAnotherQueueWasFaster(t *testing.T) {
	for _, name := range []string{"rr", "rr-eager", "fair", "adaptive", "jsq", "lwl", "random", "po2", "jiq"} {
		strategy, err := LookupSelector(name)
		if err != nil {
			t.Fatal(err)
		}
		table := NewConsumers()
		s := strategy.New(Config{}, table)
		for range 2 {
			s.Join(table.Add(Consumer{Limiter: NewLimiter(1)}))
		}
		// All answers are 0: no limiter is full, and no credit can be taken.
		table.Log = &AnswerLog{Replay: true, Answers: make([]int64, 50)}
		if c := s.Pick(0); c != NoConsumer {
			t.Errorf("%s: picked %d, whose credit could not be taken", name, c)
		}
		if table.Aside(0) == 0 || table.Aside(1) == 0 {
			t.Errorf("%s: a consumer without credit was not set aside", name)
		}
		table.Log = nil
		for c := range ConsumerID(2) {
			table.PutBack(c)
			s.Return(c)
		}
		if c := s.Pick(0); c == NoConsumer {
			t.Errorf("%s: no consumer is picked, though both were put back", name)
		}
		table.Log = &AnswerLog{Replay: true}
		s.Join(table.Add(Consumer{Limiter: NewLimiter(1), Probe: idle{}}))
		if c := s.Pick(0); c != NoConsumer {
			t.Errorf("%s: picked %d by its probe, whose credit could not be taken", name, c)
		}
	}
}

type idle struct{}

func (idle) Outstanding() int { return 0 }
func (idle) Work(int64) int64 { return 0 }

// TestFilledReturnsEachOnce: Filled returns consumers in order of subscription,
// whichever limiter filled up first, and none that left.
func TestFilledReturnsEachOnce(t *testing.T) {
	table := NewConsumers()
	table.WatchLimiters()
	l, other := NewLimiter(1), NewLimiter(1)
	var ids []ConsumerID
	for i := range 5 {
		ids = append(ids, table.Add(Consumer{Limiter: []*Limiter{l, other}[i%2]}))
	}
	want := func(when string, want ...ConsumerID) {
		t.Helper()
		if got := table.Filled(); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	want("at first")
	other.TryTake()
	l.TryTake()
	want("both are full", ids...)
	want("asked again")
	l.Put(1)
	want("one has credit again")
	table.Remove(ids[2])
	l.SetLimit(2)
	l.TryTake()
	l.SetLimit(1)
	want("a limit was lowered", ids[0], ids[4])
	l.Put(1)
	l.TryTake()
	table.Remove(ids[0])
	table.Remove(ids[4])
	want("all left")
	if n := len(*l.watchers.Load()); n != 0 {
		t.Errorf("%d tables still watch a limiter that no consumer has", n)
	}
}
