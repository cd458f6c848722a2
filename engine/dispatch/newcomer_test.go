package dispatch_test

import (
	"strings"
	"testing"

	"harelab/engine/dispatch"
)

// This file shows that a strategy is one file: with it, Selectors and Orders have one
// more entry each, and the conformance suite tests them.

func init() {
	dispatch.RegisterSelector(dispatch.SelectorStrategy{
		Name: "newcomer",
		Doc:  "to the eligible consumer that subscribed first",
		New:  func(_ dispatch.Config, t *dispatch.Consumers) dispatch.Selector { return &newcomer{t} },
	})
	dispatch.RegisterOrder(dispatch.OrderStrategy{
		Name: "newcomer",
		Doc:  "in order of age, by searching",
		New:  func(_ dispatch.Config, t *dispatch.Messages) dispatch.Order { return &searched{t: t} },
	})
}

type newcomer struct{ t *dispatch.Consumers }

func (s *newcomer) Join(dispatch.ConsumerID)           {}
func (s *newcomer) Leave(dispatch.ConsumerID)          {}
func (s *newcomer) Return(dispatch.ConsumerID)         {}
func (s *newcomer) Changed(dispatch.ConsumerID, int64) {}

func (s *newcomer) Pick(int64) dispatch.ConsumerID {
	c := s.t.First()
	for c != dispatch.NoConsumer && !s.t.Take(c) {
		c = s.t.After(c)
	}
	return c
}

type searched struct {
	t     *dispatch.Messages
	ready []dispatch.Ref
}

func (o *searched) Push(r dispatch.Ref) { o.ready = append(o.ready, r) }
func (o *searched) Len() int            { return len(o.ready) }

func (o *searched) Peek(int64) dispatch.Ref { return o.ready[o.oldest()] }

func (o *searched) Pop(int64) dispatch.Ref {
	i := o.oldest()
	r := o.ready[i]
	o.ready[i] = o.ready[len(o.ready)-1]
	o.ready = o.ready[:len(o.ready)-1]
	return r
}

func (o *searched) oldest() int {
	best := 0
	for i, r := range o.ready {
		if o.t.At(r).ID < o.t.At(o.ready[best]).ID {
			best = i
		}
	}
	return best
}

func TestLookupNamesWhatThereIs(t *testing.T) {
	var selectors, orders []string
	for _, s := range dispatch.Selectors() {
		selectors = append(selectors, s.Name)
	}
	for _, o := range dispatch.Orders() {
		orders = append(orders, o.Name)
	}
	_, err := dispatch.LookupSelector("rrr")
	want := `dispatch: unknown strategy "rrr" (have ` + strings.Join(selectors, ", ") + `); did you mean "rr"?`
	if err == nil || err.Error() != want {
		t.Errorf("LookupSelector: %v, want %s", err, want)
	}
	_, err = dispatch.LookupOrder("lifo")
	want = `dispatch: unknown order "lifo" (have ` + strings.Join(orders, ", ") + `); did you mean "fifo"?`
	if err == nil || err.Error() != want {
		t.Errorf("LookupOrder: %v, want %s", err, want)
	}
}
