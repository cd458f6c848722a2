package settings

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"harelab/engine/queue"
	"harelab/engine/topic"
	"harelab/engine/wire"
)

var resource = Resource{"queue", "q", "/"}

func defaults(t *testing.T) Defaults {
	t.Helper()
	matcher, err := topic.Lookup(topic.Default)
	if err != nil {
		t.Fatal(err)
	}
	return Defaults{Matcher: matcher, Selector: "rr"}
}

func args(keysAndValues ...any) wire.Table {
	var t wire.Table
	for i := 0; i < len(keysAndValues); i += 2 {
		t = append(t, wire.Field{Key: keysAndValues[i].(string), Value: keysAndValues[i+1]})
	}
	return t
}

// wantError compares the text of an error with want, which is empty for no error.
func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if got := errorText(err); got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestQueueLimits: times are milliseconds in arguments and microseconds in settings.
func TestQueueLimits(t *testing.T) {
	s, err := ForQueue(args("x-message-ttl", int32(60), "x-expires", int64(5), "x-max-length", uint8(7), "x-max-length-bytes", int16(100),
		"x-overflow", "reject-publish", "x-dead-letter-exchange", "dlx", "x-dead-letter-routing-key", "dead", "x-max-priority", int8(9)), nil, defaults(t), resource)
	if err != nil {
		t.Fatal(err)
	}
	want := queue.Unlimited
	want.MessageTTL, want.MaxLength, want.MaxBytes, want.Overflow, want.DeadLetter = 60_000, 7, 100, queue.RejectPublish, true
	if diff := cmp.Diff(want, s.Limits); diff != "" {
		t.Errorf("limits (- want, + got)\n%s", diff)
	}
	if s.Expires != 5_000 || *s.DeadLetterTo != "dlx" || *s.DeadLetterAs != "dead" || s.Order.Name != "priority" || s.Config().Dispatch.MaxPriority != 9 {
		t.Errorf("settings %+v", s)
	}
	plain, err := ForQueue(nil, nil, defaults(t), resource)
	if err != nil {
		t.Fatal(err)
	}
	if plain.Limits != queue.Unlimited || plain.Expires != -1 || plain.DeadLetterTo != nil || plain.Order.Name != "fifo" || plain.FairKey.Header != "tenant" {
		t.Errorf("settings without arguments %+v", plain)
	}
}

// TestQueueProblems: arguments that are refused, with RabbitMQ's texts.
func TestQueueProblems(t *testing.T) {
	invalid := func(name, problem string) string {
		return "invalid arg '" + name + "' for " + resource.String() + ": " + problem
	}
	for _, tt := range []struct {
		name, want string
		args       wire.Table
	}{
		{"an integer below zero", invalid("x-max-length", "{value_negative,-1}"), args("x-max-length", int32(-1))},
		{"a text for an integer", invalid("x-max-length", `"expected integer, got longstr"`), args("x-max-length", "1")},
		{"more than ten years", invalid("x-message-ttl", "{value_too_large,315360000001}"), args("x-message-ttl", int64(MaxTimer+1))},
		{"an expiry of zero", invalid("x-expires", "{value_zero,0}"), args("x-expires", int32(0))},
		{"a priority above 255", invalid("x-max-priority", "{max_value_exceeded,256}"), args("x-max-priority", int32(256))},
		{"a key without an exchange", invalid("x-dead-letter-routing-key", "routing_key_but_no_dlx_defined"), args("x-dead-letter-routing-key", "k")},
		{"a key that fits no frame", invalid("x-dead-letter-routing-key", "{max_length_exceeded,255}"),
			args("x-dead-letter-exchange", "x", "x-dead-letter-routing-key", strings.Repeat("k", 256))},
		{"an unknown type", invalid("x-queue-type", `"unsupported queue type 'stream'"`), args("x-queue-type", "stream")},
		{"the first of two in RabbitMQ's order", invalid("x-expires", "{value_zero,0}"), args("x-max-length", int32(-1), "x-expires", int32(0))},
		{"an argument of another type", "invalid arg 'x-delivery-limit' for " + resource.String() + " of queue type rabbit_classic_queue", args("x-delivery-limit", int32(1))},
		{"an argument of another type, for a quorum queue", "invalid arg 'x-max-priority' for " + resource.String() + " of queue type rabbit_quorum_queue",
			args("x-max-priority", int32(1), "x-queue-type", "quorum")},
		{"a weight of zero", invalid("x-drr-weights", `weight of "blue": {value_not_positive,0}`), args("x-drr-weights", args("blue", int32(0)))},
		{"an unknown argument is ignored", "", args("x-unknown", int32(-1))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ForQueue(tt.args, nil, defaults(t), resource)
			wantError(t, err, tt.want)
		})
	}
	for _, name := range []string{"x-dispatch", "x-order"} {
		if _, err := ForQueue(args(name, "soon"), nil, defaults(t), resource); err == nil || !strings.Contains(err.Error(), `"soon" (have `) {
			t.Errorf("%s=soon: error %v, want one that lists the strategies", name, err)
		}
	}
}

// TestSameStrategies: what a change of the settings means for a queue in use.
func TestSameStrategies(t *testing.T) {
	base := args("x-order", "drr", "x-dispatch", "fair", "x-drr-weights", args("a", int32(2)), "x-drr-quantum", int32(3))
	with := func(name string, value any) wire.Table {
		changed := slices.Clone(base)
		changed.Set(name, value)
		return changed
	}
	for _, tt := range []struct {
		name        string
		next        wire.Table
		same, reads bool
	}{
		{"nothing changes", base, true, false},
		{"limits", with("x-max-length", int32(5)), true, false},
		{"an order that reads less", with("x-order", "fifo"), false, false},
		{"an order that reads other parts", with("x-dispatch", "lwl"), false, false}, // drr reads costs too
		{"weights", with("x-drr-weights", args("a", int32(3))), false, false},
		{"a quantum", with("x-drr-quantum", int32(4)), false, false},
		{"a fair key", with("x-fair-key", "routing-key"), false, true},
	} {
		first, err1 := ForQueue(base, nil, defaults(t), resource)
		next, err2 := ForQueue(tt.next, nil, defaults(t), resource)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if same, reads := next.SameStrategies(first), next.ReadsMore(first); same != tt.same || reads != tt.reads {
			t.Errorf("%s: same %t, reads more %t, want %t, %t", tt.name, same, reads, tt.same, tt.reads)
		}
	}
	fifo, _ := ForQueue(args("x-fair-key", "routing-key"), nil, defaults(t), resource)
	plain, _ := ForQueue(nil, nil, defaults(t), resource)
	drr, _ := ForQueue(args("x-order", "drr"), nil, defaults(t), resource)
	if !fifo.SameStrategies(plain) || !drr.ReadsMore(plain) || plain.ReadsMore(drr) {
		t.Error("a queue without tenants reads none")
	}
}

// TestExchange: the arguments of exchange.declare.
func TestExchange(t *testing.T) {
	resource := Resource{"exchange", "x", "/"}
	for _, tt := range []struct {
		name, kind               string
		args                     wire.Table
		matcher, alternate, want string
	}{
		{"a topic exchange has the default matcher", "topic", nil, topic.Default, "", ""},
		{"or the one that it names", "topic", args("x-matcher", "trie", "alternate-exchange", "a"), "trie", "a", ""},
		{"other types have no matcher", "direct", args("x-matcher", "soon"), "", "", ""},
		{"a matcher is text", "topic", args("x-matcher", int32(1)), "", "", "invalid arg 'x-matcher' for " + resource.String() + ": {unacceptable_type,signedint}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x, err := ForExchange(tt.kind, tt.args, nil, defaults(t), resource)
			wantError(t, err, tt.want)
			if err == nil && (x.Matcher.Name != tt.matcher || x.Alternate != tt.alternate) {
				t.Errorf("matcher %q, alternate %q, want %q, %q", x.Matcher.Name, x.Alternate, tt.matcher, tt.alternate)
			}
		})
	}
	if _, err := ForExchange("topic", args("x-matcher", "soon"), nil, defaults(t), resource); err == nil || !strings.Contains(err.Error(), `"soon" (have `) {
		t.Errorf("x-matcher=soon: error %v, want one that lists the strategies", err)
	}
}

// TestConsumer: the arguments of basic.consume, and those that a queue's type refuses.
func TestConsumer(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		quorum     bool
		args       wire.Table
		consumer   Consumer
	}{
		{"priority and slots", "", false, args("x-priority", int64(1)<<40, "x-slots", int8(4)), Consumer{Priority: 1<<31 - 1, Slots: 4}},
		{"the least priority", "", false, args("x-priority", int64(-1)<<40), Consumer{Priority: -1 << 31}},
		{"the most slots", "", false, args("x-slots", int64(1)<<40), Consumer{Slots: 1 << 31}},
		{"neither is needed", "", true, args("x-unknown", "1"), Consumer{}},
		{"slots are an integer", "invalid arg 'x-slots' for " + resource.String() + `: "expected integer, got longstr"`, false, args("x-slots", "4"), Consumer{}},
		{"the priority is checked first", "invalid arg 'x-priority' for " + resource.String() + `: "expected integer, got void"`, false, args("x-slots", "4", "x-priority", nil), Consumer{}},
		{"an argument of streams, on a quorum queue", "invalid arg 'x-stream-offset' for " + resource.String() + " of queue type rabbit_quorum_queue", true, args("x-stream-offset", int32(1)), Consumer{}},
		{"a priority is an integer", "invalid arg 'x-priority' for " + resource.String() + `: "expected integer, got bool"`, false, args("x-priority", true), Consumer{}},
		{"slots are not negative", "invalid arg 'x-slots' for " + resource.String() + ": {value_negative,-1}", false, args("x-slots", int32(-1)), Consumer{}},
		{"an argument of streams", "invalid arg 'x-stream-offset' for " + resource.String() + " of queue type rabbit_classic_queue", false, args("x-stream-offset", "first"), Consumer{}},
		{"an argument of mirrored queues is accepted", "", false, args("x-cancel-on-ha-failover", true), Consumer{}},
		{"if it is a boolean", "invalid arg 'x-cancel-on-ha-failover' for " + resource.String() + ": {unacceptable_type,longstr}", false, args("x-cancel-on-ha-failover", "yes"), Consumer{}},
		{"but not by quorum queues", "invalid arg 'x-cancel-on-ha-failover' for " + resource.String() + " of queue type rabbit_quorum_queue", true, args("x-cancel-on-ha-failover", true), Consumer{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := ForConsumer(tt.args, &Queue{Quorum: tt.quorum}, resource)
			wantError(t, err, tt.want)
			if c != tt.consumer {
				t.Errorf("%+v, want %+v", c, tt.consumer)
			}
		})
	}
}
