package settings

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"harelab/engine/dispatch"
	"harelab/engine/queue"
	"harelab/engine/topic"
	"harelab/engine/wire"
)

// Defaults are the strategies of exchanges and queues that name none.
type Defaults struct {
	Matcher  topic.Strategy
	Selector string
	Order    string // empty: fifo, or priority for queues with x-max-priority
}

// Queue holds the settings of a queue. It is immutable.
type Queue struct {
	Limits       queue.Limits
	Expires      int64   // microseconds without use until the queue is deleted, -1 never
	DeadLetterTo *string // exchange; nil: none
	DeadLetterAs *string // routing key; nil: the message's own
	SingleActive bool
	Quorum       bool

	// ConsumerTimeout is the time in microseconds after which the channel of a consumer that
	// has not settled a message is closed; -1: never.
	ConsumerTimeout int64

	Selector dispatch.SelectorStrategy
	Order    dispatch.OrderStrategy
	Dispatch dispatch.Config
	Needs    dispatch.Needs // NeedCost and NeedTenant: the inputs that the broker must read from headers
	FairKey  FairKey

	Policies *Applied // the policies that these settings are made of; nil: none
}

// FairKey is the part of a message that names its tenant: a header, or the routing key.
type FairKey struct {
	Header     string
	RoutingKey bool
}

// ForQueue checks the arguments of a queue and returns its settings, with those of its
// policies, which may be nil. Its errors are RabbitMQ's texts about the arguments, which
// call the queue resource.
func ForQueue(args wire.Table, policies *Applied, d Defaults, resource Resource) (*Queue, error) {
	s := &Queue{Limits: queue.Unlimited, Expires: -1, ConsumerTimeout: -1, FairKey: FairKey{Header: "tenant"}, Policies: policies}
	names := strategyNames{selector: d.Selector, order: d.Order}
	if err := s.read(args, resource, &names); err != nil {
		return nil, err
	}
	s.readPolicies(args, policies.Settings(), &names)
	if names.order == "" {
		names.order = dispatch.DefaultOrder
		if s.Dispatch.MaxPriority > 0 {
			names.order = dispatch.PriorityOrder
		}
	}
	if name, problem := s.lookUp(names); problem != "" {
		return nil, invalidArgument(name, resource, problem)
	}
	if s.Quorum && s.Limits.Overflow == queue.RejectPublishDLX { // rabbit_quorum_queue, overflow/3
		s.Limits.Overflow = queue.DropHead
	}
	s.Limits.DeadLetter = s.DeadLetterTo != nil
	// The broker always knows the priority; it must look for cost and tenant.
	s.Needs = (s.Selector.Needs | s.Order.Needs) & (dispatch.NeedCost | dispatch.NeedTenant)
	return s, nil
}

type strategyNames struct{ selector, order string }

// lookUp sets the strategies. It returns the argument that names an unknown one and the
// problem with it, or "".
func (s *Queue) lookUp(names strategyNames) (argument, problem string) {
	var err error
	if s.Selector, err = dispatch.LookupSelector(names.selector); err != nil {
		return "x-dispatch", err.Error()
	}
	if s.Order, err = dispatch.LookupOrder(names.order); err != nil {
		return "x-order", err.Error()
	}
	return "", ""
}

// readPolicies reads the settings of the policies that count beside the arguments. What
// makes no sense for the queue, such as a routing key for dead letters without an
// exchange for them, has no effect.
func (s *Queue) readPolicies(args, definition wire.Table, names *strategyNames) {
	if len(definition) == 0 {
		return
	}
	queueType, _ := s.queueType()
	for i := range queueArguments {
		a := &queueArguments[i]
		if a.policy == notByPolicy || a.on&queueType == 0 {
			continue
		}
		v, ok := definition.Get(strings.TrimPrefix(a.name, "x-"))
		if !ok {
			continue
		}
		own, hasOwn := args.Get(a.name)
		if !hasOwn || a.rule(queueType).wins(v, own) {
			a.read(s, names, bounded(a.name, v), args)
		}
	}
}

// bounded returns the value of a policy's setting that the reader of an argument accepts:
// policies may have times above [MaxTimer].
func bounded(argument string, v any) any {
	switch argument {
	case "x-expires", "x-message-ttl", "x-consumer-timeout":
		if n, ok := wire.Integer(v); ok {
			return min(n, MaxTimer)
		}
	}
	return v
}

// read reads the arguments that the queue's type accepts and refuses those that only
// other types accept (rabbit_amqqueue, check_declare_arguments/2).
func (s *Queue) read(args wire.Table, resource Resource, names *strategyNames) error {
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
	queueType, _ := s.queueType()
	for i := range queueArguments {
		if a := &queueArguments[i]; a.on&queueType != 0 {
			if err := check(a); err != nil {
				return err
			}
		}
	}
	for _, f := range args {
		if a := argumentNamed(f.Key); a != nil && a.on&queueType == 0 {
			return s.wrongType(f.Key, resource)
		}
	}
	return nil
}

// wrongType returns the error for an argument that only other types of queue accept.
func (s *Queue) wrongType(name string, resource Resource) error {
	_, typeName := s.queueType()
	return fmt.Errorf("invalid arg '%s' for %s of queue type %s", name, resource, typeName)
}

// argumentNamed returns the entry of queueArguments for a name, or nil.
func argumentNamed(name string) *queueArgument {
	for i := range queueArguments {
		if queueArguments[i].name == name {
			return &queueArguments[i]
		}
	}
	return nil
}

func invalidArgument(name string, resource Resource, problem string) error {
	return fmt.Errorf("invalid arg '%s' for %s: %s", name, resource, problem)
}

// SameStrategies reports whether the queue decides in the same way under both settings: by
// the same strategies, with the same configuration, reading the same parts of messages.
func (s *Queue) SameStrategies(o *Queue) bool {
	c, d := s.Dispatch, o.Dispatch
	weights := maps.Equal(c.Weights, d.Weights)
	c.Weights, d.Weights = nil, nil
	return s.Selector.Name == o.Selector.Name && s.Order.Name == o.Order.Name && weights && reflect.DeepEqual(c, d) && !s.ReadsMore(o)
}

// ReadsMore reports whether s needs parts of messages that o does not read, or reads
// another part as the tenant.
func (s *Queue) ReadsMore(o *Queue) bool {
	return s.Needs&^o.Needs != 0 || s.Needs&dispatch.NeedTenant != 0 && s.FairKey != o.FairKey
}

// Timed reports whether the queue's decisions depend on the time even if no message has
// an expiration. They do if a strategy needs costs, since the queue learns missing cost
// hints from service times.
func (s *Queue) Timed() bool {
	needs := s.Selector.Needs | s.Order.Needs
	return s.Limits.MessageTTL >= 0 || needs&(dispatch.NeedTime|dispatch.NeedCost) != 0
}

// Probed reports whether the queue's selector looks into workers.
func (s *Queue) Probed() bool { return s.Selector.Needs&dispatch.NeedProbe != 0 }

// Config returns the configuration of a state machine with these settings.
func (s *Queue) Config() queue.Config {
	return queue.Config{
		Selector:     s.Selector,
		Order:        s.Order,
		Dispatch:     s.Dispatch,
		SingleActive: s.SingleActive,
		Limits:       s.Limits,
	}
}

// QueueTypes are the types of queue that there are.
var QueueTypes = []string{"classic", "quorum"}

// WithType returns arguments that name the type of queue, if they named none before.
func WithType(args wire.Table, queueType string) wire.Table {
	if _, ok := args.Get(queueTypeArgument); ok {
		return args
	}
	args = slices.Clone(args)
	args.Set(queueTypeArgument, queueType)
	return args
}

// IsQuorum reports whether arguments ask for a quorum queue.
func IsQuorum(args wire.Table) bool {
	v, _ := args.Get(queueTypeArgument)
	return v == "quorum"
}
