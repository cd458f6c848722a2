package settings

import (
	"slices"
	"testing"

	"harelab/engine/wire"
)

func differs(name, received, current string) string {
	return "inequivalent arg '" + name + "' for " + resource.String() + ": received " + received + " but current is " + current
}

// TestCheckAgain compares the arguments of a declaration with those of the queue.
func TestCheckAgain(t *testing.T) {
	const name = "x-max-length"
	for _, tt := range []struct {
		rule, want        string
		current, received wire.Table
	}{
		{"no arguments", "", nil, nil},
		{"one value in two sizes", "", args(name, int32(5)), args(name, int64(5))},
		{"a time is its number", "", args(name, wire.Timestamp(5)), args(name, uint8(5))},
		{"one float in two sizes", "", args(name, float32(0.5)), args(name, 0.5)},
		{"text is its octets", "", args(name, "five"), args(name, []byte("five"))},
		{"two voids", "", args(name, nil), args(name, nil)},
		{"one table", "", args(name, args("a", int32(1))), args(name, args("a", int32(1)))},
		{"the order of arguments does not count", "", args("x-expires", int32(1), name, int32(2)), args(name, int32(2), "x-expires", int32(1))},
		{"the first of two with one name counts", "", args(name, int32(5), name, int32(6)), args(name, int32(5))},
		{"unknown arguments do not count", "", args("x-unknown", "1"), args("x-unknown", "2", "x-other", true)},
		{"arguments of another type of queue do not count", "", args("x-delivery-limit", int32(1)), nil},

		{"another number", differs(name, "'6'", "'5'"), args(name, int32(5)), args(name, int32(6))},
		{"another text", differs(name, "'six'", "'five'"), args(name, "five"), args(name, []byte("six"))},
		{"a number and its text", differs(name, "'5'", "'5'"), args(name, int32(5)), args(name, "5")},
		{"an integer and a float of one value", differs(name, "'5.0'", "'5'"), args(name, int32(5)), args(name, 5.0)},
		{"values in tables keep their types", differs(name, `'[{<<"a">>,long,1}]'`, `'[{<<"a">>,signedint,1}]'`),
			args(name, args("a", int32(1))), args(name, args("a", int64(1)))},
		{"a void for a number", differs(name, "none", "'5'"), args(name, int32(5)), args(name, nil)},
		{"missing", differs(name, "none", "the value '5' of type 'signedint'"), args(name, int32(5)), nil},
		{"added", differs(name, "the value '5' of type 'byte'", "none"), nil, args(name, int8(5))},
		{"an added text", differs(name, "the value 'five' of type 'longstr'", "none"), nil, args(name, "five")},
		{"an added void", differs(name, "the value 'undefined' of type 'void'", "none"), nil, args(name, nil)},

		{"classic is the type of a queue without one", "", args("x-queue-type", "classic"), nil},
		{"and the other way round", "", nil, args("x-queue-type", "classic")},
		{"quorum is not", differs("x-queue-type", "the value 'quorum' of type 'longstr'", "none"), nil, args("x-queue-type", "quorum")},
		{"nor is it classic", differs("x-queue-type", "'quorum'", "'classic'"), args("x-queue-type", "classic"), args("x-queue-type", "quorum")},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			wantError(t, new(Queue).CheckAgain(tt.current, tt.received, resource), tt.want)
		})
	}
}

// TestArgumentsAreComparedInOrder: of several arguments that differ, the error names the
// first one in RabbitMQ's order, which depends on the type of the queue.
func TestArgumentsAreComparedInOrder(t *testing.T) {
	ours := []string{"x-consumer-timeout", "x-dispatch", "x-order", "x-dispatch-seed", "x-aging-us", "x-drr-quantum", "x-drr-cost", "x-drr-weights", "x-fair-key"}
	for _, tt := range []struct {
		queue Queue
		order []string
	}{
		{Queue{}, append([]string{"x-expires", "x-message-ttl", "x-dead-letter-exchange", "x-dead-letter-routing-key", "x-max-length",
			"x-max-length-bytes", "x-max-priority", "x-overflow", "x-queue-mode", "x-queue-version", "x-single-active-consumer", "x-queue-type",
			"x-queue-master-locator"}, ours...)},
		{Queue{Quorum: true}, append([]string{"x-dead-letter-exchange", "x-dead-letter-routing-key", "x-dead-letter-strategy", "x-expires",
			"x-max-length", "x-max-length-bytes", "x-max-in-memory-length", "x-max-in-memory-bytes", "x-overflow", "x-single-active-consumer",
			"x-queue-type", "x-quorum-initial-group-size", "x-delivery-limit", "x-message-ttl", "x-queue-leader-locator"}, ours...)},
	} {
		var received wire.Table
		for i := range queueArguments { // in another order
			received = append(received, wire.Field{Key: queueArguments[len(queueArguments)-1-i].name, Value: "x"})
		}
		for _, name := range tt.order {
			wantError(t, tt.queue.CheckAgain(nil, received, resource), differs(name, "the value 'x' of type 'longstr'", "none"))
			received = slices.DeleteFunc(received, func(f wire.Field) bool { return f.Key == name })
		}
		wantError(t, tt.queue.CheckAgain(nil, received, resource), "")
	}
}

// TestCheckExchangeAgain compares the arguments that the broker uses, in order.
func TestCheckExchangeAgain(t *testing.T) {
	both := args("x-matcher", "trie", "alternate-exchange", "a")
	for _, tt := range []struct {
		rule, want        string
		current, received wire.Table
	}{
		{"the same", "", both, args("alternate-exchange", "a", "x-matcher", "trie")},
		{"another matcher", differs("x-matcher", "'nfa'", "'trie'"), both, args("x-matcher", "nfa", "alternate-exchange", "a")},
		{"the alternate exchange is first", differs("alternate-exchange", "none", "the value 'a' of type 'longstr'"), both, nil},
		{"other arguments do not count", "", nil, args("x-max-length", int32(1))},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			wantError(t, CheckExchangeAgain(tt.current, tt.received, resource), tt.want)
		})
	}
}

// TestInequivalent: properties other than arguments are compared by the broker.
func TestInequivalent(t *testing.T) {
	wantError(t, Inequivalent("durable", resource, true, false), differs("durable", "'true'", "'false'"))
	wantError(t, Inequivalent("type", resource, "topic", "direct"), differs("type", "'topic'", "'direct'"))
	wantError(t, Inequivalent("exclusive_owner", resource, nil, "pid"), differs("exclusive_owner", "none", "'pid'"))
}
