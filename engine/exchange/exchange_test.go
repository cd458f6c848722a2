package exchange_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"harelab/engine/exchange"
	"harelab/engine/exchange/exchangetest"
	"harelab/engine/topic"
	"harelab/engine/wire"
)

// samples has a sample for each type.
var samples = map[string]exchangetest.Sample{
	"direct": {Bindings: []exchangetest.Binding{{Key: "k"}}, RoutingKey: "k"},
	"fanout": {Bindings: []exchangetest.Binding{{Key: "a"}, {Key: "b"}}, RoutingKey: "whatever"},
	"topic":  {Bindings: []exchangetest.Binding{{Key: "*.b"}, {Key: "a.#"}, {Key: "a.b"}}, RoutingKey: "a.b"},
	"headers": {
		Bindings: []exchangetest.Binding{
			{Args: wire.Table{{Key: "x-match", Value: "all"}, {Key: "a", Value: int32(1)}}},
			{Args: wire.Table{{Key: "x-match", Value: "any"}, {Key: "a", Value: int32(1)}, {Key: "b", Value: "c"}}},
			{Key: "differs", Args: wire.Table{{Key: "a", Value: nil}}},
		},
		Headers: wire.Table{{Key: "first", Value: true}, {Key: "a", Value: int64(1)}},
	},
	"x-consistent-hash": {Bindings: []exchangetest.Binding{{Key: "1"}, {Key: "2"}}, Picks: true},
	"x-modulus-hash":    {Bindings: []exchangetest.Binding{{Key: "a"}, {Key: "b"}}, Picks: true},
	"x-random":          {Bindings: []exchangetest.Binding{{Key: "a"}, {Key: "b"}}, Picks: true},
	"x-recent-history":  {Bindings: []exchangetest.Binding{{Key: "a"}, {Key: "b"}}, RoutingKey: "whatever"},
	"x-delayed-message": {
		Arguments: wire.Table{{Key: "x-delayed-type", Value: "topic"}},
		Bindings:  []exchangetest.Binding{{Key: "*.b"}, {Key: "a.#"}}, RoutingKey: "a.b",
	},
}

// TestConformance runs the suite on all types that are registered.
func TestConformance(t *testing.T) {
	for _, typ := range exchange.Types() {
		t.Run("type="+typ.Name, func(t *testing.T) {
			sample, ok := samples[typ.Name]
			if !ok {
				t.Fatalf("no sample of type %q for the suite: add one to samples", typ.Name)
			}
			exchangetest.Run(t, typ, sample)
		})
	}
}

// TestOneFileEach: a type is named in one file, so that adding one touches one file.
func TestOneFileEach(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range exchange.Types() {
		var in []string
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(source, []byte(strconv.Quote(typ.Name))) {
				in = append(in, file)
			}
		}
		if len(in) != 1 {
			t.Errorf("type %s is named in %v, want one file", typ.Name, in)
		}
	}
}

func TestLookupNamesTheTypes(t *testing.T) {
	_, err := exchange.Lookup("fnaout")
	const want = `exchange: unknown type "fnaout" (have direct, fanout, headers, topic, x-consistent-hash, x-delayed-message, x-modulus-hash, x-random, x-recent-history); did you mean "fanout"?`
	if err == nil || err.Error() != want {
		t.Errorf("Lookup = %v, want %s", err, want)
	}
}

// TestHeaders tells which arguments match which headers.
func TestHeaders(t *testing.T) {
	typ, err := exchange.Lookup("headers")
	if err != nil {
		t.Fatal(err)
	}
	match := func(mode string) wire.Field { return wire.Field{Key: "x-match", Value: mode} }
	a1, b2 := wire.Field{Key: "a", Value: int32(1)}, wire.Field{Key: "b", Value: "two"}
	for _, test := range []struct {
		name          string
		args, headers wire.Table
		want          bool
	}{
		{"all is the default", wire.Table{a1, b2}, wire.Table{a1}, false},
		{"all of them", wire.Table{a1, b2}, wire.Table{b2, a1}, true},
		{"more headers do not matter", wire.Table{match("all"), a1}, wire.Table{b2, a1}, true},
		{"any of them", wire.Table{match("any"), a1, b2}, wire.Table{b2}, true},
		{"any but none", wire.Table{match("any"), a1, b2}, wire.Table{{Key: "c", Value: "two"}}, false},
		{"no arguments want nothing", nil, nil, true},
		{"any of no arguments", wire.Table{match("any")}, wire.Table{a1}, false},
		{"integers of any size", wire.Table{a1}, wire.Table{{Key: "a", Value: uint8(1)}}, true},
		{"a float that is whole", wire.Table{a1}, wire.Table{{Key: "a", Value: float64(1)}}, true},
		{"a float that is not", wire.Table{a1}, wire.Table{{Key: "a", Value: 1.5}}, false},
		{"an integer that a float cannot hold", wire.Table{{Key: "a", Value: int64(1<<53 + 1)}}, wire.Table{{Key: "a", Value: float64(1 << 53)}}, false},
		{"a float beyond integers", wire.Table{{Key: "a", Value: float64(1 << 63)}}, wire.Table{{Key: "a", Value: int64(math.MaxInt64)}}, false},
		{"a time beyond integers", wire.Table{{Key: "a", Value: float64(1 << 63)}}, wire.Table{{Key: "a", Value: wire.Timestamp(1 << 63)}}, true},
		{"a time is its seconds", wire.Table{{Key: "a", Value: wire.Timestamp(1)}}, wire.Table{a1}, true},
		{"a time is no negative number", wire.Table{{Key: "a", Value: wire.Timestamp(math.MaxUint64)}}, wire.Table{{Key: "a", Value: int64(-1)}}, false},
		{"a number is no text", wire.Table{{Key: "a", Value: "1"}}, wire.Table{a1}, false},
		{"a bool is no number", wire.Table{a1}, wire.Table{{Key: "a", Value: true}}, false},
		{"bools", wire.Table{{Key: "a", Value: true}}, wire.Table{{Key: "a", Value: true}}, true},
		{"elements keep their types", wire.Table{{Key: "a", Value: []any{int32(1)}}}, wire.Table{{Key: "a", Value: []any{int64(1)}}}, false},
		{"an empty array is an empty table", wire.Table{{Key: "a", Value: []any{}}}, wire.Table{{Key: "a", Value: wire.Table{}}}, true},
		{"void is no value", wire.Table{a1}, wire.Table{{Key: "a", Value: nil}}, false},
		{"floats of any size", wire.Table{{Key: "a", Value: float32(0.5)}}, wire.Table{{Key: "a", Value: 0.5}}, true},
		{"binary is text", wire.Table{b2}, wire.Table{{Key: "b", Value: []byte("two")}}, true},
		{"void asks for presence", wire.Table{{Key: "a", Value: nil}}, wire.Table{{Key: "a", Value: "whatever"}}, true},
		{"void of what is not there", wire.Table{{Key: "a", Value: nil}}, wire.Table{b2}, false},
		{"x- arguments are not compared", wire.Table{{Key: "x-kind", Value: "new"}}, wire.Table{a1}, true},
		{"unless asked for", wire.Table{match("all-with-x"), {Key: "x-kind", Value: "new"}}, wire.Table{a1}, false},
		{"any of x- arguments", wire.Table{match("any-with-x"), {Key: "x-kind", Value: "new"}}, wire.Table{{Key: "x-kind", Value: "new"}}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := typ.New(exchange.Config{})
			x.Bind("", test.args, 1)
			got := x.Route(nil, &exchange.Message{Headers: wire.AppendTable(nil, test.headers)})
			if (len(got) == 1) != test.want {
				t.Errorf("arguments %v, headers %v: routed to %v, want a match: %t", test.args, test.headers, got, test.want)
			}
		})
	}
}

func TestHeadersRefusesXMatch(t *testing.T) {
	typ, _ := exchange.Lookup("headers")
	for _, v := range []any{"most", int32(1), nil} {
		refusal := typ.Check("", wire.Table{{Key: "x-match", Value: v}})
		if !strings.HasPrefix(refusal, "Invalid x-match field ") {
			t.Errorf("x-match %v: %q, want RabbitMQ's text", v, refusal)
		}
	}
	if refusal := typ.Check("", nil); refusal != "" {
		t.Error(refusal)
	}
}

// TestTopicIsSorted: routes come in order of numbers, whatever the matcher.
func TestTopicIsSorted(t *testing.T) {
	typ, _ := exchange.Lookup("topic")
	for _, m := range topic.Strategies() {
		x := typ.New(exchange.Config{Matcher: m})
		for d := topic.Dest(9); d > 0; d-- {
			x.Bind("#", nil, d)
		}
		dests := x.Route([]topic.Dest{100}, &exchange.Message{RoutingKey: []byte("a")})
		for i := 2; i < len(dests); i++ {
			if dests[i-1] >= dests[i] {
				t.Errorf("strategy %s: routed to %v, want rising numbers after 100", m.Name, dests)
				break
			}
		}
	}
}

// BenchmarkRoute measures one routing decision among 100 bindings of which one, or
// for fanout each, matches.
func BenchmarkRoute(b *testing.B) {
	matcher, err := topic.Lookup(topic.Default)
	if err != nil {
		b.Fatal(err)
	}
	for _, typ := range exchange.Types() {
		b.Run("type="+typ.Name, func(b *testing.B) {
			x := typ.New(exchange.Config{Matcher: matcher, Arguments: samples[typ.Name].Arguments})
			for d := range topic.Dest(100) {
				n := string(rune('a'+d/10)) + string(rune('a'+d%10))
				x.Bind(n, wire.Table{{Key: "n", Value: n}}, d)
			}
			headers := wire.AppendTable(nil, wire.Table{{Key: "n", Value: "cd"}})
			m := &exchange.Message{RoutingKey: []byte("cd"), Headers: headers}
			var dst []topic.Dest
			b.ReportAllocs()
			for b.Loop() {
				dst = x.Route(dst[:0], m)
			}
			b.ReportMetric(float64(len(dst)), "matches/op")
		})
	}
}
