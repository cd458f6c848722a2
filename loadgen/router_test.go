package loadgen

import (
	"slices"
	"testing"

	"harelab/scenarios"
)

func TestRouter(t *testing.T) {
	s := &scenarios.Scenario{
		Queues: []scenarios.Queue{{Name: "q0"}, {Name: "q1"}, {Name: "q2"}, {Name: "q3"}},
		Exchanges: []scenarios.Exchange{
			{Name: "d", Type: "direct"}, {Name: "f", Type: "fanout"}, {Name: "h", Type: "headers"},
			{Name: "t", Type: "topic", Arguments: []scenarios.Argument{{Name: "alternate-exchange", Value: "f"}}},
			{Name: "e", Type: "fanout"},
		},
		Bindings: []scenarios.Binding{
			{Exchange: "d", Queue: "q0", Key: "k"}, {Exchange: "d", Queue: "q1", Key: "k"},
			{Exchange: "f", Queue: "q3"},
			{Exchange: "t", Queue: "q0", Key: "a.*"}, {Exchange: "t", Queue: "q0", Key: "a.#"},
			{Exchange: "t", Queue: "q1", Key: "#.z"}, {Exchange: "t", Queue: "q2", Key: "*.#.z.#"},
			{Exchange: "h", Queue: "q0", Arguments: []scenarios.Argument{{Name: "a", Value: int64(1)}, {Name: "b", Value: "x"}}},
			{Exchange: "h", Queue: "q1", Arguments: []scenarios.Argument{{Name: "x-match", Value: "any"}, {Name: "a", Value: int64(1)}, {Name: "b", Value: "x"}}},
			{Exchange: "e", ToExchange: "d", Key: ""}, {Exchange: "e", ToExchange: "e", Key: ""},
		},
	}
	one := []scenarios.Argument{{Name: "a", Value: int64(1)}}
	both := append(slices.Clone(one), scenarios.Argument{Name: "b", Value: "x"})
	for _, c := range []struct {
		name, exchange, key string
		headers             []scenarios.Argument
		want                []int32
	}{
		{"the default exchange knows queues by name", "", "q2", nil, []int32{2}},
		{"no queue of that name", "", "q9", nil, nil},
		{"direct, each queue once", "d", "k", nil, []int32{0, 1}},
		{"fanout", "f", "whatever", nil, []int32{3}},
		{"star is one word, a queue twice is one copy", "t", "a.b", nil, []int32{0}},
		{"hash is no word", "t", "a", nil, []int32{0}},
		{"hash before", "t", "z", nil, []int32{1}},
		{"hash on both sides", "t", "y.z.y", nil, []int32{2}},
		{"several at once", "t", "a.z", nil, []int32{0, 1, 2}},
		{"the alternate exchange takes the rest", "t", "b", nil, []int32{3}},
		{"headers all and any", "h", "", both, []int32{0, 1}},
		{"headers any", "h", "", one, []int32{1}},
		{"headers none", "h", "", nil, nil},
		{"exchange to exchange, on a cycle", "e", "k", nil, []int32{0, 1}},
	} {
		r := NewRouter(s)
		for range 2 { // the second answer is remembered
			if got := r.Route(c.exchange, c.key, c.headers); !slices.Equal(got, c.want) {
				t.Errorf("%s: Route(%q, %q) = %v, want %v", c.name, c.exchange, c.key, got, c.want)
			}
		}
	}
}
