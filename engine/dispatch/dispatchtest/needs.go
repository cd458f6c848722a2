package dispatchtest

import (
	"math/rand/v2"
	"strings"
	"testing"

	"harelab/engine/dispatch"
	"harelab/engine/queue"
)

const everything = ^dispatch.Needs(0)

// RunNeeds runs a pair of strategies through random histories twice: with all inputs,
// and with only the inputs that they declare in Needs. The decisions must be the same,
// because a broker provides no other inputs.
func RunNeeds(t *testing.T, sel dispatch.SelectorStrategy, ord dispatch.OrderStrategy) {
	t.Helper()
	greedy, greedyOrder := sel, ord
	greedy.Needs, greedyOrder.Needs = everything, everything // else the queue itself would omit inputs
	for seed := uint64(1); seed <= uint64(*countFlag); seed++ {
		with := script(t, seed, greedy, greedyOrder, everything)
		without := script(t, seed, withoutTime(sel), withoutTimeOrder(ord), sel.Needs|ord.Needs)
		if with == without {
			continue
		}
		a, b := strings.SplitAfter(with, "\n"), strings.SplitAfter(without, "\n")
		n := 0
		for n < min(len(a), len(b))-1 && a[n] == b[n] {
			n++
		}
		t.Fatalf("seed %d: %s and %s decide otherwise without the inputs that their Needs omit; after\n%swith these inputs\n%swithout them\n%s",
			seed, sel.Name, ord.Name, strings.Join(a[max(n-20, 0):n], ""), a[n], b[n])
	}
}

// script runs a history and returns its events and decisions as text.
func script(t *testing.T, seed uint64, sel dispatch.SelectorStrategy, ord dispatch.OrderStrategy, needs dispatch.Needs) string {
	t.Helper()
	h := newHistory(&randomSource{rand.New(rand.NewPCG(seed, 0)), steps}, sel, ord)
	h.model, h.rec, h.needs, h.fixed = nil, nil, needs, true
	if err := h.run(); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	return h.log.String()
}

// withhold returns the event without the inputs that are not in needs.
func withhold(e queue.Event, needs dispatch.Needs) queue.Event {
	if needs&dispatch.NeedCost == 0 {
		e.Msg.Cost, e.Msg.Task = 0, ""
	}
	if needs&dispatch.NeedTenant == 0 {
		e.Msg.Tenant = ""
	}
	if needs&dispatch.NeedPriority == 0 {
		e.Msg.Priority = 0
	}
	if needs&dispatch.NeedSlots == 0 {
		e.Slots = 0
	}
	if needs&dispatch.NeedProbe == 0 {
		e.Probe = nil
	}
	return e
}

// withoutTime returns a selector that gets 0 for all times, unless it needs times.
func withoutTime(s dispatch.SelectorStrategy) dispatch.SelectorStrategy {
	if s.Needs&dispatch.NeedTime == 0 {
		make := s.New
		s.New = func(cfg dispatch.Config, t *dispatch.Consumers) dispatch.Selector {
			return timelessSelector{make(cfg, t)}
		}
	}
	return s
}

// withoutTimeOrder returns an order that gets 0 for all times, unless it needs times.
func withoutTimeOrder(o dispatch.OrderStrategy) dispatch.OrderStrategy {
	if o.Needs&dispatch.NeedTime == 0 {
		make := o.New
		o.New = func(cfg dispatch.Config, t *dispatch.Messages) dispatch.Order {
			return timelessOrder{make(cfg, t)}
		}
	}
	return o
}

type timelessSelector struct{ dispatch.Selector }

func (s timelessSelector) Pick(int64) dispatch.ConsumerID         { return s.Selector.Pick(0) }
func (s timelessSelector) Changed(c dispatch.ConsumerID, _ int64) { s.Selector.Changed(c, 0) }

type timelessOrder struct{ dispatch.Order }

func (o timelessOrder) Pop(int64) dispatch.Ref  { return o.Order.Pop(0) }
func (o timelessOrder) Peek(int64) dispatch.Ref { return o.Order.Peek(0) }
