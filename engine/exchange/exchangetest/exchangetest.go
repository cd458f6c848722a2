// Package exchangetest is the suite that every type of exchange passes. What a type
// routes where is for its own tests: here is what all have in common.
package exchangetest

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"

	"harelab/engine/exchange"
	"harelab/engine/internal/race"
	"harelab/engine/topic"
	"harelab/engine/wire"
)

// A Binding is one that the suite makes.
type Binding struct {
	Key  string
	Args wire.Table
}

// A Sample is what the suite knows of a type: bindings that all match one message.
type Sample struct {
	Arguments  wire.Table // of the exchange
	Bindings   []Binding  // as different as the type allows
	RoutingKey string
	Headers    wire.Table

	// Picks says that a message goes to one of the destinations that match. The suite
	// then takes the destinations of many messages with other routing keys together.
	Picks bool
}

// Run tests a type.
func Run(t *testing.T, typ exchange.Type, s Sample) {
	config := exchange.Config{Matcher: matcher(t), Arguments: s.Arguments}
	open := func() exchange.Exchange { return typ.New(config) }
	for _, test := range []struct {
		name string
		run  func(*testing.T, func() exchange.Exchange, Sample)
	}{
		{"nothing is bound at first", testEmpty},
		{"a destination is named once however often it is bound", testOnce},
		{"unbinding one leaves the other", testUnbind},
		{"random bindings match a count", testRandom},
		{"routing does not allocate", testAllocs},
		{"routing goes on while bindings change", testConcurrent},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open, s) })
	}
}

func matcher(t *testing.T) topic.Strategy {
	t.Helper()
	m, err := topic.Lookup(topic.Default)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// message returns the message with a number.
func (s Sample) message(n int) *exchange.Message {
	m := &exchange.Message{RoutingKey: []byte(s.RoutingKey), Headers: wire.AppendTable(nil, s.Headers)}
	if s.Picks {
		m.RoutingKey = strconv.AppendInt(m.RoutingKey, int64(n), 10)
	}
	return m
}

// picked is the number of messages after which each of a few destinations was picked.
const picked = 300

// route returns where messages go, sorted.
func (s Sample) route(x exchange.Exchange) []topic.Dest {
	if !s.Picks {
		dests := x.Route(nil, s.message(0))
		slices.Sort(dests)
		return dests
	}
	var dests []topic.Dest
	for n := range picked {
		dests = x.Route(dests, s.message(n))
	}
	if len(dests) != 0 && len(dests) != picked {
		return nil // not one each
	}
	slices.Sort(dests)
	return slices.Compact(dests)
}

// times returns how many destinations one message has if n match.
func (s Sample) times(n int) int {
	if s.Picks {
		return 1
	}
	return n
}

func (s Sample) bind(x exchange.Exchange, i int, d topic.Dest) {
	x.Bind(s.Bindings[i].Key, s.Bindings[i].Args, d)
}

func (s Sample) unbind(x exchange.Exchange, i int, d topic.Dest) {
	x.Unbind(s.Bindings[i].Key, s.Bindings[i].Args, d)
}

func want(t *testing.T, what string, got []topic.Dest, want ...topic.Dest) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: routed to %v, want %v", what, got, want)
	}
}

func testEmpty(t *testing.T, open func() exchange.Exchange, s Sample) {
	want(t, "no bindings", s.route(open()))
}

func testOnce(t *testing.T, open func() exchange.Exchange, s Sample) {
	x := open()
	for i := range s.Bindings {
		s.bind(x, i, 7)
	}
	s.bind(x, 0, 3)
	want(t, "all bindings", s.route(x), 3, 7)
	if got := x.Route([]topic.Dest{99}, s.message(0)); len(got) != 1+s.times(2) || got[0] != 99 {
		t.Errorf("Route after 99 = %v, want 99 and %d more", got, s.times(2))
	}
}

func testUnbind(t *testing.T, open func() exchange.Exchange, s Sample) {
	x := open()
	for i := range s.Bindings {
		s.bind(x, i, 7)
	}
	s.bind(x, 0, 3)
	for i := range s.Bindings {
		want(t, "some bindings left", s.route(x), 3, 7)
		s.unbind(x, i, 7)
	}
	want(t, "none left of one", s.route(x), 3)
	s.unbind(x, 0, 3)
	want(t, "nothing left", s.route(x))
	s.bind(x, len(s.Bindings)-1, 3)
	want(t, "bound again", s.route(x), 3)
}

// testRandom binds and unbinds at random and counts what should be there.
func testRandom(t *testing.T, open func() exchange.Exchange, s Sample) {
	const seed, dests = 5, 6
	rng := rand.New(rand.NewPCG(seed, 0))
	x := open()
	bound := make([][]bool, dests)
	for d := range bound {
		bound[d] = make([]bool, len(s.Bindings))
	}
	for op := range 2000 {
		d, i := rng.IntN(dests), rng.IntN(len(s.Bindings))
		if bound[d][i] {
			s.unbind(x, i, topic.Dest(d))
		} else {
			s.bind(x, i, topic.Dest(d))
		}
		bound[d][i] = !bound[d][i]
		var matched []topic.Dest
		for d := range bound {
			if slices.Contains(bound[d], true) {
				matched = append(matched, topic.Dest(d))
			}
		}
		if got := s.route(x); !slices.Equal(got, matched) {
			t.Fatalf("seed %d, op %d: routed to %v, want %v", seed, op, got, matched)
		}
	}
}

func testAllocs(t *testing.T, open func() exchange.Exchange, s Sample) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	x := open()
	for d := range 20 {
		s.bind(x, d%len(s.Bindings), topic.Dest(d))
	}
	m := s.message(0)
	dst := make([]topic.Dest, 0, 64)
	for range 100 {
		dst = x.Route(dst[:0], m)
	}
	if n := testing.AllocsPerRun(100, func() { dst = x.Route(dst[:0], m) }); n != 0 || len(dst) != s.times(20) {
		t.Errorf("%v allocations for %d destinations, want 0 for %d", n, len(dst), s.times(20))
	}
}

// testConcurrent routes while one destination comes and goes and another stays.
func testConcurrent(t *testing.T, open func() exchange.Exchange, s Sample) {
	x := open()
	s.bind(x, 0, 1)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				got := x.Route(nil, s.message(0))
				slices.Sort(got)
				if s.Picks && len(got) == 1 && got[0] == 2 {
					continue
				}
				if !slices.Equal(got, []topic.Dest{1}) && !slices.Equal(got, []topic.Dest{1, 2}) {
					t.Errorf("routed to %v, want 1, and perhaps 2", got)
					return
				}
			}
		})
	}
	for range 500 {
		for i := range s.Bindings {
			s.bind(x, i, 2)
		}
		for i := range s.Bindings {
			s.unbind(x, i, 2)
		}
	}
	close(done)
	readers.Wait()
}
