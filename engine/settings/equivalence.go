package settings

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"slices"

	"harelab/engine/wire"
)

// argumentNames returns the arguments that must be the same when a queue of this type is
// declared again, in the order in which RabbitMQ compares them.
func (s *Queue) argumentNames() []string {
	var names []string
	queueType, _ := s.queueType()
	for i := range queueArguments {
		if a := &queueArguments[i]; a.on&queueType != 0 {
			names = append(names, a.name)
		}
	}
	if queueType == quorum {
		slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(quorumRank(a), quorumRank(b)) })
	}
	return names
}

// quorumOrder are the arguments in the order of rabbit_quorum_queue, capabilities/0.
var quorumOrder = []string{
	"x-dead-letter-exchange", "x-dead-letter-routing-key", "x-dead-letter-strategy", "x-expires",
	"x-max-length", "x-max-length-bytes", "x-max-in-memory-length", "x-max-in-memory-bytes", "x-overflow",
	"x-single-active-consumer", queueTypeArgument, "x-quorum-initial-group-size", "x-delivery-limit",
	"x-message-ttl", "x-queue-leader-locator",
}

// quorumRank returns the index of an argument in quorumOrder, or its length for others.
func quorumRank(name string) int {
	if i := slices.Index(quorumOrder, name); i >= 0 {
		return i
	}
	return len(quorumOrder)
}

// CheckAgain compares the received arguments of another declaration with the queue's
// current ones. Its errors are RabbitMQ's texts, which call the queue resource.
func (s *Queue) CheckAgain(current, received wire.Table, resource Resource) error {
	return checkArguments(current, received, resource, s.argumentNames())
}

// CheckExchangeAgain is [Queue.CheckAgain] for an exchange.
func CheckExchangeAgain(current, received wire.Table, resource Resource) error {
	return checkArguments(current, received, resource, []string{alternateArgument, matcherArgument})
}

// checkArguments compares the named arguments of a declaration with the current ones
// (rabbit_misc, assert_args_equivalence/4).
func checkArguments(current, received wire.Table, resource Resource, names []string) error {
	for _, name := range names {
		cur, hasCur := current.Get(name)
		got, hasGot := received.Get(name)
		switch {
		case !hasCur && !hasGot:
		case hasCur && hasGot:
			if !sameValue(cur, got) {
				return Inequivalent(name, resource, got, cur)
			}
		case name == queueTypeArgument && (cur == "classic" || got == "classic"):
			// A missing type is classic.
		default:
			return inequivalent(name, resource, typed(got, hasGot), typed(cur, hasCur))
		}
	}
	return nil
}

// Inequivalent returns the error for a declaration that differs from the current queue
// or exchange in a property or an argument.
func Inequivalent(name string, resource Resource, received, current any) error {
	return inequivalent(name, resource, quoted(received), quoted(current))
}

func inequivalent(name string, resource Resource, received, current string) error {
	return fmt.Errorf("inequivalent arg '%s' for %s: received %s but current is %s", name, resource, received, current)
}

// sameValue compares table values as Erlang terms: integers and times of all sizes by
// value, text and binary by octets.
func sameValue(a, b any) bool { return reflect.DeepEqual(plain(a), plain(b)) }

// plain returns a value in the one Go type for its kind: int64, float64 or string.
func plain(v any) any {
	if n, ok := wire.Integer(v); ok {
		return n
	}
	switch v := v.(type) {
	case wire.Timestamp:
		if v <= math.MaxInt64 {
			return int64(v)
		}
	case float32:
		return float64(v)
	case []byte:
		return string(v)
	}
	return v
}

func quoted(v any) string {
	if v == nil { // Erlang's undefined stands for a void and for a missing value
		return "none"
	}
	return "'" + printed(v) + "'"
}

// typed formats a value with its type, or none if ok is false.
func typed(v any, ok bool) string {
	if !ok {
		return "none"
	}
	return fmt.Sprintf("the value '%s' of type '%s'", printed(v), wire.TypeName(v))
}

// printed formats a value as RabbitMQ prints it in texts about arguments: text as it is,
// other values as terms.
func printed(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return wire.Term(v)
}
