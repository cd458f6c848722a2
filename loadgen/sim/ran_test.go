package sim

import (
	"testing"

	"harelab/loadgen/run"
	"harelab/scenarios"
)

// TestRan: a result names the strategies that ran, defaults included.
func TestRan(t *testing.T) {
	queue := func(arguments ...scenarios.Argument) scenarios.Queue {
		return scenarios.Queue{Name: "q", Arguments: arguments}
	}
	fair := scenarios.Argument{Name: "x-dispatch", Value: "fair"}
	priority := scenarios.Argument{Name: "x-max-priority", Value: int64(9)}
	trie := scenarios.Exchange{Name: "t", Type: "topic", Arguments: []scenarios.Argument{{Name: "x-matcher", Value: "trie"}}}
	for _, tt := range []struct {
		name                     string
		engine                   scenarios.Engine
		exchanges                []scenarios.Exchange
		queues                   []scenarios.Queue
		matcher, dispatch, order string
	}{
		{"defaults", scenarios.Engine{}, nil, []scenarios.Queue{queue()}, "nfa", "rr", "fifo"},
		{"the scenario's choice", scenarios.Engine{Matcher: "trie", Dispatch: "jsq", Order: "sjf"}, nil, []scenarios.Queue{queue()}, "trie", "jsq", "sjf"},
		{"a priority queue", scenarios.Engine{}, nil, []scenarios.Queue{queue(priority)}, "nfa", "rr", "priority"},
		{"a queue's choice", scenarios.Engine{Dispatch: "jsq"}, nil, []scenarios.Queue{queue(fair)}, "nfa", "fair", "fifo"},
		{"queues differ", scenarios.Engine{}, nil, []scenarios.Queue{queue(), queue(fair), queue(priority)}, "nfa", "rr+fair", "fifo+priority"},
		{"an exchange's choice", scenarios.Engine{}, []scenarios.Exchange{trie, {Name: "d", Type: "direct"}}, []scenarios.Queue{queue()}, "trie", "rr", "fifo"},
		{"exchanges differ", scenarios.Engine{}, []scenarios.Exchange{{Name: "a", Type: "topic"}, trie}, []scenarios.Queue{queue()}, "nfa+trie", "rr", "fifo"},
	} {
		r := new(run.Result)
		if err := Ran(r, &scenarios.Scenario{Engine: tt.engine, Exchanges: tt.exchanges, Queues: tt.queues}); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if r.Matcher != tt.matcher || r.Dispatch != tt.dispatch || r.Order != tt.order {
			t.Errorf("%s: %s, %s, %s, want %s, %s, %s", tt.name, r.Matcher, r.Dispatch, r.Order, tt.matcher, tt.dispatch, tt.order)
		}
	}
}
