package exchange_test

import (
	"fmt"
	"math"
	"testing"

	"harelab/engine/exchange"
	"harelab/engine/topic"
	"harelab/engine/wire"
)

// open returns an exchange of a type.
func open(t *testing.T, name string, args wire.Table) exchange.Exchange {
	t.Helper()
	typ, err := exchange.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	if typ.CheckDeclare != nil {
		if refusal := typ.CheckDeclare(args); refusal != "" {
			t.Fatal(refusal)
		}
	}
	return typ.New(exchange.Config{Arguments: args, Seed: 7})
}

// one returns the one destination of a message.
func one(t *testing.T, x exchange.Exchange, m *exchange.Message) topic.Dest {
	t.Helper()
	dests := x.Route(nil, m)
	if len(dests) != 1 {
		t.Fatalf("routed to %v, want one destination", dests)
	}
	return dests[0]
}

func keyed(n int) *exchange.Message {
	return &exchange.Message{RoutingKey: fmt.Appendf(nil, "key-%d", n)}
}

// TestChoiceIsEven: of many messages each destination gets its share, within five standard
// deviations.
func TestChoiceIsEven(t *testing.T) {
	const messages = 100_000
	for name, weights := range map[string][]int{
		"x-consistent-hash": {1, 1, 2, 10, 6}, "x-modulus-hash": {1, 1, 1, 1, 1}, "x-random": {1, 1, 1, 1, 1},
	} {
		x := open(t, name, nil)
		total := 0
		for d, w := range weights {
			x.Bind(fmt.Sprint(w), nil, topic.Dest(d))
			total += w
		}
		got := make([]int, len(weights))
		for n := range messages {
			got[one(t, x, keyed(n))]++
		}
		for d, w := range weights {
			share := float64(w) / float64(total)
			want, deviation := share*messages, math.Sqrt(share*(1-share)*messages)
			if math.Abs(float64(got[d])-want) > 5*deviation {
				t.Errorf("%s: destination %d of weight %d got %d of %d messages, want %.0f +- %.0f", name, d, w, got[d], messages, want, 5*deviation)
			}
		}
	}
}

// TestConsistentHashMovesLittle: a new destination takes messages from the others and moves
// none between them, and when it goes they return.
func TestConsistentHashMovesLittle(t *testing.T) {
	const messages = 20_000
	x := open(t, "x-consistent-hash", nil)
	for d := range topic.Dest(4) {
		x.Bind("5", nil, d)
	}
	before := make([]topic.Dest, messages)
	for n := range before {
		before[n] = one(t, x, keyed(n))
	}
	x.Bind("5", nil, 4)
	x.Bind("9", nil, 4) // the weight of a destination is that of its oldest binding
	moved := 0
	for n := range before {
		switch d := one(t, x, keyed(n)); {
		case d == 4:
			moved++
		case d != before[n]:
			t.Fatalf("message %d moved from %d to %d", n, before[n], d)
		}
	}
	if moved < messages/5*9/10 || moved > messages/5*11/10 {
		t.Errorf("%d of %d messages moved to the fifth destination of the same weight", moved, messages)
	}
	x.Unbind("5", nil, 4)
	x.Unbind("9", nil, 4)
	for n := range before {
		if d := one(t, x, keyed(n)); d != before[n] {
			t.Fatalf("message %d is at %d, was at %d before a destination came and went", n, d, before[n])
		}
	}
}

// TestConsistentHashLooksAt: what two messages must have in common to stay together.
func TestConsistentHashLooksAt(t *testing.T) {
	message := func(n int, headers wire.Table, p wire.Properties) *exchange.Message {
		encoded, err := wire.EncodeProperties(nil, &p)
		if err != nil {
			t.Fatal(err)
		}
		return &exchange.Message{RoutingKey: fmt.Append(nil, n), Headers: wire.AppendTable(nil, headers), Properties: encoded}
	}
	for _, tt := range []struct {
		argument, value string
		same, vary      func(n int) *exchange.Message
	}{
		{"hash-header", "tenant", func(n int) *exchange.Message {
			return message(n, wire.Table{{Key: "n", Value: int64(n)}, {Key: "tenant", Value: "a"}}, wire.Properties{})
		}, func(n int) *exchange.Message {
			return message(0, wire.Table{{Key: "tenant", Value: fmt.Sprint(n)}}, wire.Properties{})
		}},
		{"hash-header", "number", func(n int) *exchange.Message {
			return message(n, wire.Table{{Key: "number", Value: []any{int64(5), int8(5), int32(5)}[n%3]}}, wire.Properties{})
		}, func(n int) *exchange.Message {
			return message(0, wire.Table{{Key: "number", Value: int64(n)}}, wire.Properties{})
		}},
		{"hash-header", "missing", func(n int) *exchange.Message { return message(n, nil, wire.Properties{}) }, nil},
		{"hash-property", "message_id", func(n int) *exchange.Message {
			return message(n, nil, wire.Properties{MessageID: "m"})
		}, func(n int) *exchange.Message { return message(0, nil, wire.Properties{MessageID: fmt.Sprint(n)}) }},
		{"hash-property", "correlation_id", func(n int) *exchange.Message {
			return message(n, nil, wire.Properties{CorrelationID: "c"})
		}, func(n int) *exchange.Message { return message(0, nil, wire.Properties{CorrelationID: fmt.Sprint(n)}) }},
		{"hash-property", "timestamp", func(n int) *exchange.Message {
			return message(n, nil, wire.Properties{Timestamp: 9})
		}, func(n int) *exchange.Message { return message(0, nil, wire.Properties{Timestamp: uint64(n)}) }},
	} {
		x := open(t, "x-consistent-hash", wire.Table{{Key: tt.argument, Value: tt.value}})
		for d := range topic.Dest(5) {
			x.Bind("10", nil, d)
		}
		reached := map[topic.Dest]bool{}
		for n := range 200 {
			if d := one(t, x, tt.same(n)); d != one(t, x, tt.same(0)) {
				t.Errorf("%s %s: messages with the same value part", tt.argument, tt.value)
				break
			}
			if tt.vary != nil {
				reached[one(t, x, tt.vary(n))] = true
			}
		}
		if tt.vary != nil && len(reached) != 5 {
			t.Errorf("%s %s: 200 values reach %d of 5 destinations", tt.argument, tt.value, len(reached))
		}
	}
}

// TestArgumentsAreRefused has the texts of RabbitMQ's plugins.
func TestArgumentsAreRefused(t *testing.T) {
	field := func(key string, v any) wire.Field { return wire.Field{Key: key, Value: v} }
	for _, tt := range []struct {
		typ  string
		args wire.Table
		want string
	}{
		{"x-consistent-hash", nil, ""},
		{"x-consistent-hash", wire.Table{field("hash-header", "h")}, ""},
		{"x-consistent-hash", wire.Table{field("hash-header", "h"), field("hash-property", "message_id")}, "hash-header and hash-property are mutually exclusive"},
		{"x-consistent-hash", wire.Table{field("hash-property", "app_id")}, "Unsupported property: app_id"},
		{"x-recent-history", wire.Table{field("x-recent-history-length", int32(5))}, ""},
		{"x-recent-history", wire.Table{field("x-recent-history-length", int32(0))}, "Invalid argument 0, 'x-recent-history-length' must be a positive integer"},
		{"x-recent-history", wire.Table{field("x-recent-history-length", "x")}, `Invalid argument <<"x">>, 'x-recent-history-length' must be a positive integer`},
		{"x-delayed-message", nil, "Invalid argument, 'x-delayed-type' must be an existing exchange type"},
		{"x-delayed-message", wire.Table{field("x-delayed-type", "x-delayed-message")}, "Invalid argument, 'x-delayed-type' must be an existing exchange type"},
		{"x-delayed-message", wire.Table{field("x-delayed-type", "direct")}, ""},
	} {
		typ, err := exchange.Lookup(tt.typ)
		if err != nil {
			t.Fatal(err)
		}
		if got := typ.CheckDeclare(tt.args); got != tt.want {
			t.Errorf("%s %v: %q, want %q", tt.typ, tt.args, got, tt.want)
		}
	}
	typ, _ := exchange.Lookup("x-consistent-hash")
	for key, want := range map[string]string{"1": "", "0": "The binding key must be greater than 0",
		"-3": "The binding key must be greater than 0", "a": `The binding key must be an integer: <<"a">>`} {
		if got := typ.Check(key, nil); got != want {
			t.Errorf("binding key %q: %q, want %q", key, got, want)
		}
	}
}

// TestDelay: which headers hold a message back, and how long.
func TestDelay(t *testing.T) {
	for _, tt := range []struct {
		headers wire.Table
		want    int64
	}{
		{nil, 0}, {wire.Table{{Key: "x-delay", Value: int32(5)}}, 5}, {wire.Table{{Key: "x-delay", Value: int64(-5)}}, 0},
		{wire.Table{{Key: "x-delay", Value: "5"}}, 0},
	} {
		if got := exchange.Delay(wire.AppendTable(nil, tt.headers)); got != tt.want {
			t.Errorf("%v: %d ms, want %d", tt.headers, got, tt.want)
		}
	}
	headers := wire.Table{{Key: "x-delay", Value: int32(5)}, {Key: "b", Value: "c"}}
	exchange.Delayed(&headers)
	if v, _ := headers.Get("x-delay"); v != int64(-5) || len(headers) != 2 {
		t.Errorf("headers %v after the delay, want x-delay -5", headers)
	}
}
