package settings

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"harelab/engine/dispatch"
	"harelab/engine/queue"
	"harelab/engine/wire"
)

// An argumentRule says which values of an argument are accepted, what they mean, and how
// RabbitMQ words the refusal of others.
type argumentRule struct {
	name    string
	kind    valueKind
	on      queueTypes
	with    wire.Table // other arguments that it needs
	accepts []accepted
	refuses []refused
}

type accepted struct {
	value any
	get   func(*Queue) any
	want  any
}

type refused struct {
	value   any
	problem string
}

// A valueKind is the type of an argument's values. wrong holds a value of each other
// type, with RabbitMQ's words for it.
type valueKind struct{ wrong []refused }

var (
	anyKind     = valueKind{}
	integerKind = valueKind{[]refused{
		{"1", `"expected integer, got longstr"`}, {true, `"expected integer, got bool"`}, {1.0, `"expected integer, got double"`},
		{wire.Timestamp(1), `"expected integer, got timestamp"`}, {nil, `"expected integer, got void"`},
	}}
	textKind = valueKind{[]refused{
		{int32(1), "{unacceptable_type,signedint}"}, {[]byte("x"), "{unacceptable_type,binary}"},
		{true, "{unacceptable_type,bool}"}, {nil, "{unacceptable_type,void}"},
	}}
	booleanKind = valueKind{[]refused{{"true", "{unacceptable_type,longstr}"}, {int8(1), "{unacceptable_type,byte}"}}}
	tableKind   = valueKind{[]refused{{"a", "{unacceptable_type,longstr}"}, {[]any{}, "{unacceptable_type,array}"}}}
)

// notNegative and aboveZero are common bounds of integers.
var (
	notNegative = []refused{{int32(-1), "{value_negative,-1}"}, {int64(math.MinInt64), "{value_negative,-9223372036854775808}"}}
	aboveZero   = slices.Concat(notNegative, []refused{{int32(0), "{value_zero,0}"}})
	tenYears    = refused{int64(315_360_000_001), "{value_too_large,315360000001}"}
)

func values(get func(*Queue) any, valuesAndWants ...any) (all []accepted) {
	for i := 0; i < len(valuesAndWants); i += 2 {
		all = append(all, accepted{valuesAndWants[i], get, valuesAndWants[i+1]})
	}
	return all
}

// ignored accepts values that change no setting.
func ignored(all ...any) (accepts []accepted) {
	for _, v := range all {
		accepts = append(accepts, accepted{value: v})
	}
	return accepts
}

// argumentRules are all arguments, in the order in which RabbitMQ checks them.
var argumentRules = []argumentRule{
	{"x-expires", integerKind, classic | quorum, nil,
		values(func(s *Queue) any { return s.Expires }, int8(1), int64(1_000), int64(MaxTimer), int64(MaxTimer*1_000)), slices.Concat(aboveZero, []refused{tenYears})},
	{"x-message-ttl", integerKind, classic | quorum, nil,
		values(func(s *Queue) any { return s.Limits.MessageTTL }, uint8(0), int64(0), int64(MaxTimer), int64(MaxTimer*1_000)), slices.Concat(notNegative, []refused{tenYears})},
	{"x-dead-letter-exchange", textKind, classic | quorum, nil,
		values(func(s *Queue) any { return *s.DeadLetterTo }, "dlx", "dlx", "", ""), nil},
	{"x-dead-letter-routing-key", textKind, classic | quorum, args("x-dead-letter-exchange", "dlx"),
		values(func(s *Queue) any { return *s.DeadLetterAs }, "k", "k", "", "", strings.Repeat("k", 255), strings.Repeat("k", 255)),
		[]refused{{strings.Repeat("k", 256), "{max_length_exceeded,255}"}}},
	{"x-dead-letter-strategy", textKind, quorum, nil, ignored("at-most-once", "at-least-once"), []refused{{"once", "invalid_dlx_strategy"}}},
	{"x-max-length", integerKind, classic | quorum, nil,
		values(func(s *Queue) any { return s.Limits.MaxLength }, int16(0), int64(0), uint32(7), int64(7), int64(math.MaxInt64), int64(math.MaxInt64)), notNegative},
	{"x-max-length-bytes", integerKind, classic | quorum | stream, nil,
		values(func(s *Queue) any { return s.Limits.MaxBytes }, uint16(0), int64(0), int64(1<<40), int64(1<<40)), notNegative},
	{"x-max-in-memory-length", integerKind, quorum, nil, ignored(int32(0), int32(5)), notNegative},
	{"x-max-in-memory-bytes", integerKind, quorum, nil, ignored(int32(0), int32(5)), notNegative},
	{"x-max-priority", integerKind, classic, nil,
		values(func(s *Queue) any { return s.Dispatch.MaxPriority }, int32(0), uint8(0), int32(255), uint8(255)),
		slices.Concat(notNegative, []refused{{int32(256), "{max_value_exceeded,256}"}})},
	{"x-overflow", textKind, classic | quorum, nil,
		values(func(s *Queue) any { return s.Limits.Overflow }, "drop-head", queue.DropHead, "reject-publish", queue.RejectPublish),
		[]refused{{"drop-tail", "invalid_overflow"}}},
	{"x-queue-mode", textKind, classic, nil, ignored("default", "lazy"), []refused{{"eager", `"unsupported queue mode 'eager'"`}}},
	{"x-queue-version", integerKind, classic, nil, ignored(int32(1), int32(2)),
		slices.Concat(notNegative, []refused{{int32(3), `"unsupported queue version '3'"`}, {int32(0), `"unsupported queue version '0'"`}})},
	{"x-single-active-consumer", booleanKind, classic | quorum, nil,
		values(func(s *Queue) any { return s.SingleActive }, true, true, false, false), nil},
	{"x-queue-type", textKind, classic | quorum | stream, nil,
		values(func(s *Queue) any { return s.Quorum }, "classic", false, "quorum", true),
		[]refused{{"stream", `"unsupported queue type 'stream'"`}, {"Quorum", `"unsupported queue type 'Quorum'"`}}},
	{"x-quorum-initial-group-size", integerKind, quorum, nil, ignored(int32(1)), aboveZero},
	{"x-queue-leader-locator", textKind, quorum | stream, nil, ignored("client-local", "balanced", "random", "least-leaders"),
		[]refused{{"nearest", "invalid_queue_locator_arg"}}},
	{"x-queue-master-locator", anyKind, classic, nil, ignored("min-masters", int32(1), nil), nil},
	{"x-delivery-limit", anyKind, quorum, nil,
		values(func(s *Queue) any { return s.Limits.DeliveryLimit }, int32(0), int64(0), int32(3), int64(3), int32(-1), int64(-1), "3", int64(-1), nil, int64(-1)), nil},
	{"x-max-age", anyKind, stream, nil, nil, nil},
	{"x-stream-max-segment-size-bytes", anyKind, stream, nil, nil, nil},
	{"x-initial-cluster-size", anyKind, stream, nil, nil, nil},
	{"x-consumer-timeout", integerKind, classic | quorum, nil,
		values(func(s *Queue) any { return s.ConsumerTimeout }, int32(5), int64(5_000)), slices.Concat(aboveZero, []refused{tenYears})},
	{"x-dispatch", textKind, classic | quorum, nil, values(func(s *Queue) any { return s.Selector.Name }, "fair", "fair"), nil},
	{"x-order", textKind, classic | quorum, nil, values(func(s *Queue) any { return s.Order.Name }, "sjf", "sjf"), nil},
	{"x-dispatch-seed", integerKind, classic | quorum, nil,
		values(func(s *Queue) any { return s.Dispatch.Seed }, int32(7), uint64(7), int64(-1), uint64(math.MaxUint64)), nil},
	{"x-aging-us", integerKind, classic | quorum, nil, values(func(s *Queue) any { return s.Dispatch.AgingUS }, int32(5), int64(5)), aboveZero},
	{"x-drr-quantum", integerKind, classic | quorum, nil, values(func(s *Queue) any { return s.Dispatch.Quantum }, int32(5), int64(5)), aboveZero},
	{"x-drr-cost", textKind, classic | quorum, nil,
		values(func(s *Queue) any { return s.Dispatch.CostByService }, "one", false, "service", true),
		[]refused{{"two", `unknown cost "two" (have one, service)`}}},
	{"x-drr-weights", tableKind, classic | quorum, nil,
		values(func(s *Queue) any { return s.Dispatch.Weights }, args("a", int8(2), "b", int64(3)), map[string]int64{"a": 2, "b": 3},
			args(), map[string]int64{}),
		[]refused{{args("a", int32(0)), `weight of "a": {value_not_positive,0}`}, {args("a", int32(-1)), `weight of "a": {value_not_positive,-1}`},
			{args("a", "2"), `weight of "a": "expected integer, got longstr"`}}},
	{"x-fair-key", textKind, classic | quorum, nil,
		values(func(s *Queue) any { return s.FairKey }, "header:customer", FairKey{Header: "customer"}, "routing-key", FairKey{RoutingKey: true}),
		[]refused{{"header:", `unknown key "header:" (have header:NAME, routing-key)`}, {"customer", `unknown key "customer" (have header:NAME, routing-key)`}}},
}

var typeNames = map[queueTypes]string{classic: "rabbit_classic_queue", quorum: "rabbit_quorum_queue"}

// TestRejectPublishDLX: quorum queues take the value and do not know what it means.
func TestRejectPublishDLX(t *testing.T) {
	for of, want := range map[queueTypes]queue.Overflow{classic: queue.RejectPublishDLX, quorum: queue.DropHead} {
		s, err := ForQueue(ofType(of, args("x-overflow", "reject-publish-dlx")), nil, defaults(t), resource)
		if err != nil || s.Limits.Overflow != want {
			t.Errorf("%s: overflow %d, %v, want %d", typeNames[of], s.Limits.Overflow, err, want)
		}
	}
}

// ofType returns arguments of a queue of a type.
func ofType(of queueTypes, all wire.Table) wire.Table {
	if of == quorum {
		all = append(slices.Clone(all), wire.Field{Key: "x-queue-type", Value: "quorum"})
	}
	return all
}

// TestEachArgument declares queues with each argument on each type of queue.
func TestEachArgument(t *testing.T) {
	for _, rule := range argumentRules {
		for of, typeName := range typeNames {
			if rule.name == queueTypeArgument && of == quorum {
				continue // the argument itself chooses the type
			}
			t.Run(rule.name+"/"+typeName, func(t *testing.T) { testArgument(t, rule, of) })
		}
	}
	for i, a := range queueArguments {
		if i >= len(argumentRules) || argumentRules[i].name != a.name {
			t.Errorf("argument %d is %s, which has no rule there", i, a.name)
		}
	}
}

func testArgument(t *testing.T, rule argumentRule, of queueTypes) {
	declare := func(value any) (*Queue, error) {
		return ForQueue(ofType(of, append(slices.Clone(rule.with), wire.Field{Key: rule.name, Value: value})), nil, defaults(t), resource)
	}
	if rule.on&of == 0 {
		for _, value := range []any{int32(1), "x", nil} {
			_, err := declare(value)
			wantError(t, err, "invalid arg '"+rule.name+"' for "+resource.String()+" of queue type "+typeNames[of])
		}
		return
	}
	for _, a := range rule.accepts {
		s, err := declare(a.value)
		if err != nil {
			t.Errorf("%s=%v: %v", rule.name, a.value, err)
			continue
		}
		if a.get == nil { // the settings are those without the argument
			a.get, a.want = func(s *Queue) any { return s.Limits }, queue.Unlimited
		}
		if diff := cmp.Diff(a.want, a.get(s)); diff != "" {
			t.Errorf("%s=%v (- want, + got)\n%s", rule.name, a.value, diff)
		}
	}
	for _, r := range slices.Concat(rule.refuses, rule.kind.wrong) {
		s, err := declare(r.value)
		wantError(t, err, "invalid arg '"+rule.name+"' for "+resource.String()+": "+r.problem)
		if s != nil {
			t.Errorf("%s=%v: settings with an error", rule.name, r.value)
		}
	}
}

// TestArgumentsAreCheckedInOrder declares queues with wrong values for all arguments. The
// error names the first one, whatever the order in the table; without that argument it
// names the next one.
func TestArgumentsAreCheckedInOrder(t *testing.T) {
	for of, typeName := range typeNames {
		var all wire.Table
		var names []string
		for _, rule := range argumentRules {
			if rule.on&of != 0 && rule.name != queueTypeArgument && len(rule.kind.wrong) > 0 {
				all = append(all, wire.Field{Key: rule.name, Value: rule.kind.wrong[0].value})
				names = append(names, rule.name)
			}
		}
		slices.Reverse(all)
		for _, name := range names {
			_, err := ForQueue(ofType(of, all), nil, defaults(t), resource)
			if !strings.HasPrefix(errorText(err), "invalid arg '"+name+"' ") {
				t.Fatalf("%s: error %v, want one of %s", typeName, err, name)
			}
			all = all[:len(all)-1]
		}
		if _, err := ForQueue(ofType(of, all), nil, defaults(t), resource); err != nil {
			t.Errorf("%s: %v", typeName, err)
		}
	}
	_, err := ForQueue(args("x-expires", "soon", "x-queue-type", "fast"), nil, defaults(t), resource)
	wantError(t, err, "invalid arg 'x-queue-type' for "+resource.String()+`: "unsupported queue type 'fast'"`)
}

// TestOrderOfAQueue: an argument comes before the broker's default, and that before the
// order that x-max-priority asks for.
func TestOrderOfAQueue(t *testing.T) {
	for _, tt := range []struct {
		rule, byDefault string
		args            wire.Table
		want            string
	}{
		{"fifo without anything", "", nil, "fifo"},
		{"priority with a maximum priority", "", args("x-max-priority", int32(5)), "priority"},
		{"fifo with a maximum priority of zero", "", args("x-max-priority", int32(0)), "fifo"},
		{"the broker's default", "aging", args("x-max-priority", int32(5)), "aging"},
		{"the argument", "aging", args("x-max-priority", int32(5), "x-order", "sjf"), "sjf"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			d := defaults(t)
			d.Order = tt.byDefault
			s, err := ForQueue(tt.args, nil, d, resource)
			if err != nil || s.Order.Name != tt.want {
				t.Errorf("%+v, error %v, want order %s", s, err, tt.want)
			}
		})
	}
}

// TestNeedsOfAQueue: a queue asks the broker for the inputs that its strategies need.
func TestNeedsOfAQueue(t *testing.T) {
	for _, tt := range []struct {
		args          wire.Table
		needs         dispatch.Needs
		timed, probed bool
	}{
		{nil, 0, false, false},
		{args("x-message-ttl", int32(0)), 0, true, false},
		{args("x-order", "sjf"), dispatch.NeedCost, true, false},
		{args("x-order", "drr"), dispatch.NeedCost | dispatch.NeedTenant, true, false},
		{args("x-order", "aging"), 0, true, false},
		{args("x-dispatch", "jsq"), 0, false, true},
		{args("x-dispatch", "lwl"), dispatch.NeedCost, true, true},
	} {
		s, err := ForQueue(tt.args, nil, defaults(t), resource)
		if err != nil {
			t.Fatal(err)
		}
		if s.Needs != tt.needs || s.Timed() != tt.timed || s.Probed() != tt.probed {
			t.Errorf("%v: needs %b, timed %t, probed %t, want %b, %t, %t", tt.args, s.Needs, s.Timed(), s.Probed(), tt.needs, tt.timed, tt.probed)
		}
	}
}
