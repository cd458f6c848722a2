package broker

import (
	"fmt"
	"strings"

	"harelab/engine/queue"
	"harelab/engine/wire"
)

// A queueArgument is one argument of queue.declare.
type queueArgument struct {
	name string

	// read takes the value over into s and names. It returns what is wrong with
	// it, as RabbitMQ prints it, or nothing.
	read func(s *settings, names *strategyNames, v any, args wire.Table) (problem string)
}

// queueArguments are the arguments that have a meaning here, in the order in which
// they are checked (rabbit_amqqueue, declare_args/0). Others are kept and ignored.
var queueArguments = []queueArgument{
	{name: "x-expires", read: integer(func(s *settings, n int64) string {
		if n == 0 {
			return "{value_zero,0}"
		}
		s.expires = n * 1000
		return tooBig(n)
	})},
	{name: "x-message-ttl", read: integer(func(s *settings, n int64) string {
		s.limits.MessageTTL = n * 1000
		return tooBig(n)
	})},
	{name: "x-dead-letter-exchange", read: text(func(s *settings, v string) string {
		s.deadLetterTo = &v
		return ""
	})},
	{name: "x-dead-letter-routing-key", read: readDeadLetterKey},
	{name: "x-max-length", read: integer(func(s *settings, n int64) string {
		s.limits.MaxLength = n
		return ""
	})},
	{name: "x-max-length-bytes", read: integer(func(s *settings, n int64) string {
		s.limits.MaxBytes = n
		return ""
	})},
	{name: "x-max-priority", read: integer(func(s *settings, n int64) string {
		if n > 255 {
			return fmt.Sprintf("{max_value_exceeded,%d}", n)
		}
		s.dispatch.MaxPriority = uint8(n)
		return ""
	})},
	{name: "x-overflow", read: text(readOverflow)},
	{name: "x-queue-mode", read: text(func(_ *settings, v string) string {
		if v != "default" && v != "lazy" {
			return fmt.Sprintf(`"unsupported queue mode '%s'"`, v)
		}
		return ""
	})},
	{name: "x-single-active-consumer", read: boolean(func(s *settings, v bool) { s.singleActive = v })},
	{name: "x-queue-type", read: text(readQueueType)},
	{name: "x-delivery-limit", read: integer(func(s *settings, n int64) string {
		s.limits.DeliveryLimit = n
		return ""
	})},
	// RabbitMQ does not know those that follow, and takes them.
	{name: "x-dispatch", read: strategy(func(n *strategyNames, v string) { n.selector = v })},
	{name: "x-order", read: strategy(func(n *strategyNames, v string) { n.order = v })},
	{name: "x-dispatch-seed", read: number(func(s *settings, n int64) { s.dispatch.Seed = uint64(n) })},
	{name: "x-aging-us", read: positive(func(s *settings, n int64) { s.dispatch.AgingUS = n })},
	{name: "x-drr-quantum", read: positive(func(s *settings, n int64) { s.dispatch.Quantum = n })},
	{name: "x-drr-cost", read: text(readDRRCost)},
	{name: "x-drr-weights", read: readWeights},
	{name: "x-fair-key", read: text(readFairKey)},
}

// maxTimer is the longest time RabbitMQ takes, in milliseconds: ten years.
const maxTimer = 10 * 365 * 24 * 60 * 60 * 1000

func tooBig(ms int64) string {
	if ms > maxTimer {
		return fmt.Sprintf("{value_too_large,%d}", ms)
	}
	return ""
}

// toInt returns the value of an integer of any size.
func toInt(v any) (n int64, ok bool) {
	switch v := v.(type) {
	case int8:
		return int64(v), true
	case uint8:
		return int64(v), true
	case int16:
		return int64(v), true
	case uint16:
		return int64(v), true
	case int32:
		return int64(v), true
	case uint32:
		return int64(v), true
	case int64:
		return v, true
	}
	return 0, false
}

func expectedInteger(v any) string {
	return fmt.Sprintf(`"expected integer, got %s"`, wire.TypeName(v))
}

func unacceptable(v any) string { return fmt.Sprintf("{unacceptable_type,%s}", wire.TypeName(v)) }

// The type of queueArgument.read.
type reader = func(*settings, *strategyNames, any, wire.Table) string

// number reads any integer.
func number(set func(*settings, int64)) reader {
	return func(s *settings, _ *strategyNames, v any, _ wire.Table) string {
		n, ok := toInt(v)
		if !ok {
			return expectedInteger(v)
		}
		set(s, n)
		return ""
	}
}

// integer reads an integer that is not negative.
func integer(set func(*settings, int64) string) reader {
	return func(s *settings, _ *strategyNames, v any, _ wire.Table) string {
		n, ok := toInt(v)
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
func positive(set func(*settings, int64)) reader {
	return integer(func(s *settings, n int64) string {
		if n == 0 {
			return "{value_zero,0}"
		}
		set(s, n)
		return ""
	})
}

func text(set func(*settings, string) string) reader {
	return func(s *settings, _ *strategyNames, v any, _ wire.Table) string {
		str, ok := v.(string)
		if !ok {
			return unacceptable(v)
		}
		return set(s, str)
	}
}

func strategy(set func(*strategyNames, string)) reader {
	return func(_ *settings, n *strategyNames, v any, _ wire.Table) string {
		str, ok := v.(string)
		if !ok {
			return unacceptable(v)
		}
		set(n, str)
		return ""
	}
}

func boolean(set func(*settings, bool)) reader {
	return func(s *settings, _ *strategyNames, v any, _ wire.Table) string {
		b, ok := v.(bool)
		if !ok {
			return unacceptable(v)
		}
		set(s, b)
		return ""
	}
}

func readDeadLetterKey(s *settings, _ *strategyNames, v any, _ wire.Table) string {
	str, ok := v.(string)
	switch {
	case !ok:
		return unacceptable(v)
	case s.deadLetterTo == nil:
		return "routing_key_but_no_dlx_defined"
	case len(str) > wire.MaxShortString:
		return fmt.Sprintf("{max_length_exceeded,%d}", wire.MaxShortString)
	}
	s.deadLetterAs = &str
	return ""
}

func readOverflow(s *settings, v string) string {
	switch v {
	case "drop-head":
		s.limits.Overflow = queue.DropHead
	case "reject-publish":
		s.limits.Overflow = queue.RejectPublish
	case "reject-publish-dlx":
		s.limits.Overflow = queue.RejectPublishDLX
	default:
		return "invalid_overflow"
	}
	return ""
}

func readQueueType(s *settings, v string) string {
	switch v {
	case "classic":
	case "quorum":
		s.quorum = true
	default:
		return fmt.Sprintf(`"unsupported queue type '%s'"`, v)
	}
	return ""
}

func readDRRCost(s *settings, v string) string {
	switch v {
	case "one":
	case "service":
		s.dispatch.CostByService = true
	default:
		return fmt.Sprintf("unknown cost %q (have one, service)", v)
	}
	return ""
}

func readWeights(s *settings, _ *strategyNames, v any, _ wire.Table) string {
	table, ok := v.(wire.Table)
	if !ok {
		return unacceptable(v)
	}
	s.dispatch.Weights = make(map[string]int64, len(table))
	for _, f := range table {
		n, ok := toInt(f.Value)
		switch {
		case !ok:
			return fmt.Sprintf("weight of %q: %s", f.Key, expectedInteger(f.Value))
		case n <= 0:
			return fmt.Sprintf("weight of %q: {value_not_positive,%d}", f.Key, n)
		}
		s.dispatch.Weights[f.Key] = n
	}
	return ""
}

func readFairKey(s *settings, v string) string {
	header, ok := strings.CutPrefix(v, "header:")
	switch {
	case ok && header != "":
		s.fairKey = fairKey{header: header}
	case v == "routing-key":
		s.fairKey = fairKey{routingKey: true}
	default:
		return fmt.Sprintf("unknown key %q (have header:NAME, routing-key)", v)
	}
	return ""
}
