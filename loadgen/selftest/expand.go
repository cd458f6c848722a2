package selftest

import (
	"slices"

	"harelab/loadgen/sim"
)

// A message is one message of a scenario, in publish order (R1): its index is its
// seq.
type message struct {
	at       int64
	service  int64
	queue    int32 // index into scenario.Queues
	class    int32 // index into expansion.classes
	tenant   int32 // index into expansion.tenants
	fail     int32
	priority uint8
}

// An expansion is a scenario's messages, sorted, with the names they refer to.
type expansion struct {
	messages []message
	classes  names
	tenants  names
}

// names numbers names in order of first use.
type names struct {
	list  []string
	index map[string]int32
}

func (n *names) number(name string) int32 {
	if i, ok := n.index[name]; ok {
		return i
	}
	if n.index == nil {
		n.index = map[string]int32{}
	}
	i := int32(len(n.list))
	n.list = append(n.list, name)
	n.index[name] = i
	return i
}

// expand lists a scenario's messages by rules R1 and R18.
func (s *scenario) expand() *expansion {
	x := new(expansion)
	queues := map[string]int32{}
	for i, q := range s.Queues {
		queues[q.Name] = int32(i)
	}
	for i := range s.Publish {
		if p := &s.Publish[i]; p.Gen != nil {
			x.generate(p.Gen, queues)
		} else {
			x.repeat(p, queues)
		}
	}
	slices.SortStableFunc(x.messages, func(a, b message) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		}
		return 0
	})
	return x
}

func (x *expansion) repeat(p *publishSpec, queues map[string]int32) {
	for i := range *p.Count {
		t := &p.Of[i%int64(len(p.Of))]
		x.messages = append(x.messages, message{
			at:       p.At + i*p.Every,
			service:  t.Service,
			queue:    queues[t.Queue],
			class:    x.classes.number(t.Class),
			tenant:   x.tenants.number(t.Tenant),
			fail:     int32(t.Fail),
			priority: uint8(t.Priority),
		})
	}
}

// generate adds the messages of a generator. It draws arrivals, service times and
// routes from three random generators, so that draws of one do not shift another.
func (x *expansion) generate(g *genSpec, queues map[string]int32) {
	arrivals, services := sim.NewRand(g.Arrival.Seed), sim.NewRand(g.Service.Seed)
	var routes *sim.Rand
	if g.Route != nil {
		routes = sim.NewRand(g.Route.Seed)
	}
	at := int64(0)
	for range g.N {
		if g.Arrival.Kind == "exp" {
			at += arrivals.Exp(g.Arrival.Mean)
		} else {
			at += g.Arrival.Every
		}
		t := g.draw(services)
		if routes != nil {
			to := g.Route.Queues[routes.Below(len(g.Route.Queues))]
			if t.Queue == "" {
				t.Queue = to
			}
		} else if t.Queue == "" {
			t.Queue = g.Queue
		}
		x.messages = append(x.messages, message{
			at:       at,
			service:  t.Service,
			queue:    queues[t.Queue],
			class:    x.classes.number(t.Class),
			tenant:   x.tenants.number(t.Class),
			priority: uint8(t.Priority),
		})
	}
}

// draw draws a message's service time. The kind choice also draws its class and
// priority, and its queue if the items have queues.
func (g *genSpec) draw(r *sim.Rand) template {
	t := template{Class: g.Class, Priority: g.Priority}
	switch s := &g.Service; s.Kind {
	case "exp":
		t.Service = r.Exp(s.Mean)
	case "const":
		t.Service = s.US
	case "choice":
		n := int64(r.Below(int(s.Total)))
		for i := range s.Items {
			it := &s.Items[i]
			if n -= it.Weight; n < 0 {
				t.Class, t.Service, t.Priority, t.Queue = it.Class, it.Service, *it.Priority, it.Queue
				break
			}
		}
	}
	return t
}
