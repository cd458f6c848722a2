package settings

import (
	"fmt"
	"slices"
	"strings"

	"harelab/engine/queue"
	"harelab/engine/wire"
)

// A queueArgument is one argument of queue.declare.
type queueArgument struct {
	name string
	on   queueTypes // the types of queue that accept it; on others it is refused

	// policy says which value counts if a policy has the setting too, whose name is the
	// argument's without "x-". onQuorum says it for quorum queues, if not the same.
	policy, onQuorum policyRule

	// read checks the value v and stores it in s or names. It returns the problem with
	// the value, as RabbitMQ prints it, or "". nil accepts every value.
	read func(s *Queue, names *strategyNames, v any, args wire.Table) (problem string)
}

// queueTypes is a set of types of queue.
type queueTypes uint8

const (
	classic queueTypes = 1 << iota
	quorum
	stream // not offered; the broker knows its arguments in order to refuse them
	both   = classic | quorum
)

// A policyRule says which value of a setting counts: the argument's or the policy's.
type policyRule uint8

const (
	notByPolicy  policyRule = iota // policies do not have the setting
	argumentWins                   // the argument's
	smallerWins                    // the smaller one
	policyWins                     // the policy's
)

func (a *queueArgument) rule(t queueTypes) policyRule {
	if t == quorum && a.onQuorum != notByPolicy {
		return a.onQuorum
	}
	return a.policy
}

// wins reports whether a policy's value counts and not an argument's.
func (r policyRule) wins(policy, argument any) bool {
	return r == policyWins || r == smallerWins && smaller(policy, argument)
}

// queueTypeArgument is read before all others, since it decides which ones are accepted.
const queueTypeArgument = "x-queue-type"

// queueType returns the queue's type and RabbitMQ's name for it in error texts.
func (s *Queue) queueType() (t queueTypes, name string) {
	if s.Quorum {
		return quorum, "rabbit_quorum_queue"
	}
	return classic, "rabbit_classic_queue"
}

// queueArguments are the arguments that RabbitMQ or this broker uses, in the order in
// which they are checked (rabbit_amqqueue, declare_args/0). Others are kept and ignored.
var queueArguments = []queueArgument{
	{name: "x-expires", on: both, policy: smallerWins, onQuorum: policyWins, read: integer(func(s *Queue, n int64) string {
		if n == 0 {
			return "{value_zero,0}"
		}
		s.Expires = n * 1000
		return tooBig(n)
	})},
	{name: "x-message-ttl", on: both, policy: smallerWins, read: integer(func(s *Queue, n int64) string {
		s.Limits.MessageTTL = n * 1000
		return tooBig(n)
	})},
	{name: "x-dead-letter-exchange", on: both, policy: argumentWins, read: text(func(s *Queue, v string) string {
		s.DeadLetterTo = &v
		return ""
	})},
	{name: "x-dead-letter-routing-key", on: both, policy: argumentWins, read: readDeadLetterKey},
	{name: "x-dead-letter-strategy", on: quorum, policy: argumentWins, read: oneOf("invalid_dlx_strategy", "at-most-once", "at-least-once")},
	{name: "x-max-length", on: both, policy: smallerWins, read: integer(func(s *Queue, n int64) string {
		s.Limits.MaxLength = n
		return ""
	})},
	{name: "x-max-length-bytes", on: both | stream, policy: smallerWins, read: integer(func(s *Queue, n int64) string {
		s.Limits.MaxBytes = n
		return ""
	})},
	{name: "x-max-in-memory-length", on: quorum, read: integer(nothing)},
	{name: "x-max-in-memory-bytes", on: quorum, read: integer(nothing)},
	{name: "x-max-priority", on: classic, read: integer(func(s *Queue, n int64) string {
		if n > 255 {
			return fmt.Sprintf("{max_value_exceeded,%d}", n)
		}
		s.Dispatch.MaxPriority = uint8(n)
		return ""
	})},
	{name: "x-overflow", on: both, policy: argumentWins, onQuorum: policyWins, read: text(readOverflow)},
	{name: "x-queue-mode", on: classic, read: text(func(_ *Queue, v string) string {
		if v != "default" && v != "lazy" {
			return fmt.Sprintf(`"unsupported queue mode '%s'"`, v)
		}
		return ""
	})},
	{name: "x-queue-version", on: classic, read: integer(func(_ *Queue, n int64) string {
		if n != 1 && n != 2 {
			return fmt.Sprintf(`"unsupported queue version '%d'"`, n)
		}
		return ""
	})},
	{name: "x-single-active-consumer", on: both, read: boolean(func(s *Queue, v bool) { s.SingleActive = v })},
	{name: queueTypeArgument, on: both | stream, read: text(readQueueType)},
	{name: "x-quorum-initial-group-size", on: quorum, read: positive(func(*Queue, int64) {})},
	{name: "x-queue-leader-locator", on: quorum | stream, read: oneOf("invalid_queue_locator_arg",
		"client-local", "balanced", "random", "least-leaders")},
	{name: "x-queue-master-locator", on: classic},
	{name: "x-delivery-limit", on: quorum, policy: smallerWins, read: deliveryLimit},
	{name: "x-max-age", on: stream},
	{name: "x-stream-max-segment-size-bytes", on: stream},
	{name: "x-initial-cluster-size", on: stream},
	// RabbitMQ does not know the arguments below, and accepts and ignores them.
	{name: "x-consumer-timeout", on: both, policy: smallerWins, read: integer(func(s *Queue, n int64) string {
		if n == 0 {
			return "{value_zero,0}"
		}
		s.ConsumerTimeout = n * 1000
		return tooBig(n)
	})},
	{name: "x-dispatch", on: both, policy: argumentWins, read: strategy(func(n *strategyNames, v string) { n.selector = v })},
	{name: "x-order", on: both, policy: argumentWins, read: strategy(func(n *strategyNames, v string) { n.order = v })},
	{name: "x-dispatch-seed", on: both, policy: argumentWins, read: number(func(s *Queue, n int64) { s.Dispatch.Seed = uint64(n) })},
	{name: "x-aging-us", on: both, policy: argumentWins, read: positive(func(s *Queue, n int64) { s.Dispatch.AgingUS = n })},
	{name: "x-drr-quantum", on: both, policy: argumentWins, read: positive(func(s *Queue, n int64) { s.Dispatch.Quantum = n })},
	{name: "x-drr-cost", on: both, policy: argumentWins, read: text(readDRRCost)},
	{name: "x-drr-weights", on: both, policy: argumentWins, read: readWeights},
	{name: "x-fair-key", on: both, policy: argumentWins, read: text(readFairKey)},
}

// MaxTimer is the longest time that RabbitMQ accepts, in milliseconds: ten years.
const MaxTimer = 10 * 365 * 24 * 60 * 60 * 1000

func tooBig(ms int64) string {
	if ms > MaxTimer {
		return fmt.Sprintf("{value_too_large,%d}", ms)
	}
	return ""
}

func expectedInteger(v any) string {
	return fmt.Sprintf(`"expected integer, got %s"`, wire.TypeName(v))
}

func unacceptable(v any) string { return fmt.Sprintf("{unacceptable_type,%s}", wire.TypeName(v)) }

// The type of queueArgument.read.
type reader = func(*Queue, *strategyNames, any, wire.Table) string

// number reads any integer.
func number(set func(*Queue, int64)) reader {
	return func(s *Queue, _ *strategyNames, v any, _ wire.Table) string {
		n, ok := wire.Integer(v)
		if !ok {
			return expectedInteger(v)
		}
		set(s, n)
		return ""
	}
}

// integer reads an integer that is not negative.
func integer(set func(*Queue, int64) string) reader {
	return func(s *Queue, _ *strategyNames, v any, _ wire.Table) string {
		n, ok := wire.Integer(v)
		switch {
		case !ok:
			return expectedInteger(v)
		case n < 0:
			return fmt.Sprintf("{value_negative,%d}", n)
		}
		return set(s, n)
	}
}

// positive reads an integer above zero.
func positive(set func(*Queue, int64)) reader {
	return integer(func(s *Queue, n int64) string {
		if n == 0 {
			return "{value_zero,0}"
		}
		set(s, n)
		return ""
	})
}

// nothing ignores an integer that is only checked.
func nothing(*Queue, int64) string { return "" }

// oneOf checks that a value is one of some texts, which the broker does not use.
func oneOf(problem string, texts ...string) reader {
	return text(func(_ *Queue, v string) string {
		if slices.Contains(texts, v) {
			return ""
		}
		return problem
	})
}

// deliveryLimit reads x-delivery-limit. RabbitMQ does not check it: a value that is not
// a number from 0 on means no limit.
func deliveryLimit(s *Queue, _ *strategyNames, v any, _ wire.Table) string {
	if n, ok := wire.Integer(v); ok && n >= 0 {
		s.Limits.DeliveryLimit = n
	}
	return ""
}

func text(set func(*Queue, string) string) reader {
	return func(s *Queue, _ *strategyNames, v any, _ wire.Table) string {
		str, ok := v.(string)
		if !ok {
			return unacceptable(v)
		}
		return set(s, str)
	}
}

func strategy(set func(*strategyNames, string)) reader {
	return func(_ *Queue, n *strategyNames, v any, _ wire.Table) string {
		str, ok := v.(string)
		if !ok {
			return unacceptable(v)
		}
		set(n, str)
		return ""
	}
}

func boolean(set func(*Queue, bool)) reader {
	return func(s *Queue, _ *strategyNames, v any, _ wire.Table) string {
		b, ok := v.(bool)
		if !ok {
			return unacceptable(v)
		}
		set(s, b)
		return ""
	}
}

func readDeadLetterKey(s *Queue, _ *strategyNames, v any, _ wire.Table) string {
	str, ok := v.(string)
	switch {
	case !ok:
		return unacceptable(v)
	case s.DeadLetterTo == nil:
		return "routing_key_but_no_dlx_defined"
	case len(str) > wire.MaxShortString: // RabbitMQ accepts it, and cannot deliver with it
		return fmt.Sprintf("{max_length_exceeded,%d}", wire.MaxShortString)
	}
	s.DeadLetterAs = &str
	return ""
}

func readOverflow(s *Queue, v string) string {
	switch v {
	case "drop-head":
		s.Limits.Overflow = queue.DropHead
	case "reject-publish":
		s.Limits.Overflow = queue.RejectPublish
	case "reject-publish-dlx":
		s.Limits.Overflow = queue.RejectPublishDLX
	default:
		return "invalid_overflow"
	}
	return ""
}

func readQueueType(s *Queue, v string) string {
	switch v {
	case "classic":
	case "quorum":
		s.Quorum = true
	default:
		return fmt.Sprintf(`"unsupported queue type '%s'"`, v)
	}
	return ""
}

func readDRRCost(s *Queue, v string) string {
	switch v {
	case "one":
	case "service":
		s.Dispatch.CostByService = true
	default:
		return fmt.Sprintf("unknown cost %q (have one, service)", v)
	}
	return ""
}

func readWeights(s *Queue, _ *strategyNames, v any, _ wire.Table) string {
	table, ok := v.(wire.Table)
	if !ok {
		return unacceptable(v)
	}
	s.Dispatch.Weights = make(map[string]int64, len(table))
	for _, f := range table {
		n, ok := wire.Integer(f.Value)
		switch {
		case !ok:
			return fmt.Sprintf("weight of %q: %s", f.Key, expectedInteger(f.Value))
		case n <= 0:
			return fmt.Sprintf("weight of %q: {value_not_positive,%d}", f.Key, n)
		}
		s.Dispatch.Weights[f.Key] = n
	}
	return ""
}

func readFairKey(s *Queue, v string) string {
	header, ok := strings.CutPrefix(v, "header:")
	switch {
	case ok && header != "":
		s.FairKey = FairKey{Header: header}
	case v == "routing-key":
		s.FairKey = FairKey{RoutingKey: true}
	default:
		return fmt.Sprintf("unknown key %q (have header:NAME, routing-key)", v)
	}
	return ""
}
