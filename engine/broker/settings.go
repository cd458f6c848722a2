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
	if err := s.read(args, resource, &names); err != nil {
		return settings{}, err
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

// read reads the arguments that the queue's type has and refuses those that only
// other types have (rabbit_amqqueue, check_declare_arguments/2).
func (s *settings) read(args wire.Table, resource string, names *strategyNames) error {
	check := func(a *queueArgument) error {
		v, ok := args.Get(a.name)
		if !ok || a.read == nil {
			return nil
		}
		if problem := a.read(s, names, v, args); problem != "" {
			return invalidArgument(a.name, resource, problem)
		}
		return nil
	}
	if err := check(argumentNamed(queueTypeArgument)); err != nil {
		return err
	}
	queueType, typeName := s.queueType()
	for i := range queueArguments {
		if a := &queueArguments[i]; a.on&queueType != 0 {
			if err := check(a); err != nil {
				return err
			}
		}
	}
	for _, f := range args {
		if a := argumentNamed(f.Key); a != nil && a.on&queueType == 0 {
			return wire.Errorf(wire.PreconditionFailed, "invalid arg '%s' for %s of queue type %s", f.Key, resource, typeName)
		}
	}
	return nil
}

// argumentNamed returns what is known of an argument, or nil.
func argumentNamed(name string) *queueArgument {
	for i := range queueArguments {
		if queueArguments[i].name == name {
			return &queueArguments[i]
		}
	}
	return nil
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
