package broker

import (
	"harelab/engine/dispatch"
	"harelab/engine/queue"
	"harelab/engine/wire"
)

// settings is what a queue's arguments say, with the broker's defaults.
type settings struct {
	limits       queue.Limits
	expires      int64 // microseconds without use until the queue is deleted, -1 never
	deadLetterTo *string
	deadLetterAs *string // routing key, nil: the message's own
	singleActive bool
	quorum       bool

	selector dispatch.SelectorStrategy
	order    dispatch.OrderStrategy
	dispatch dispatch.Config
	needs    dispatch.Needs
	fairKey  fairKey
}

// newSettings reads the arguments of a queue, which were not checked. Its errors are
// RabbitMQ's, for the queue that is called resource in texts.
func (b *Broker) newSettings(args wire.Table, resource string) (settings, error) {
	s := settings{limits: queue.Unlimited, expires: -1, fairKey: fairKey{header: "tenant"}}
	names := strategyNames{selector: b.defaults.selector, order: b.defaults.order}
	for i := range queueArguments {
		a := &queueArguments[i]
		v, ok := args.Get(a.name)
		if !ok {
			continue
		}
		if problem := a.read(&s, &names, v, args); problem != "" {
			return settings{}, invalidArgument(a.name, resource, problem)
		}
	}
	if names.order == "" {
		names.order = "fifo"
		if s.dispatch.MaxPriority > 0 {
			names.order = "priority"
		}
	}
	var err error
	if s.selector, err = dispatch.LookupSelector(names.selector); err != nil {
		return settings{}, invalidArgument("x-dispatch", resource, err.Error())
	}
	if s.order, err = dispatch.LookupOrder(names.order); err != nil {
		return settings{}, invalidArgument("x-order", resource, err.Error())
	}
	s.limits.DeadLetter = s.deadLetterTo != nil
	// Priority is always at hand; cost and tenant have to be looked for.
	s.needs = (s.selector.Needs | s.order.Needs) & (dispatch.NeedCost | dispatch.NeedTenant)
	return s, nil
}

func invalidArgument(name, resource, problem string) error {
	return wire.Errorf(wire.PreconditionFailed, "invalid arg '%s' for %s: %s", name, resource, problem)
}

type strategyNames struct{ selector, order string }

// timed reports whether the queue's decisions depend on the time even if no message
// expires. Strategies that are not listed may read it.
func (s *settings) timed() bool {
	switch s.selector.Name {
	case "rr", "rr-eager", "random", "po2", "jsq", "jiq", "fair":
	default:
		return true
	}
	return s.limits.MessageTTL >= 0 || s.order.Name != "fifo" && s.order.Name != "priority"
}

// newMachine returns the state machine of a queue with these settings.
func (s *settings) newMachine() *queue.Queue {
	return queue.New(queue.Config{
		Selector:     s.selector,
		Order:        s.order,
		Dispatch:     s.dispatch,
		SingleActive: s.singleActive,
		Limits:       s.limits,
	})
}
