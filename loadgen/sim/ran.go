package sim

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"harelab/engine/dispatch"
	"harelab/engine/settings"
	"harelab/engine/topic"
	"harelab/loadgen/run"
	"harelab/scenarios"
)

// Ran sets in the result of s the strategies that ran: those that topic exchanges
// and queues chose by argument, and for the others the scenario's choice or the
// broker's default. Several of a kind are joined by "+" in the order of the
// scenario. Call it for results of harelab's broker only: those of other brokers
// name no strategies. The error names the exchange or queue whose arguments the
// broker would refuse.
func Ran(r *run.Result, s *scenarios.Scenario) error {
	d := settings.Defaults{Selector: cmp.Or(s.Engine.Dispatch, dispatch.DefaultSelector), Order: s.Engine.Order}
	var err error
	if d.Matcher, err = topic.Lookup(cmp.Or(s.Engine.Matcher, topic.Default)); err != nil {
		return err
	}
	var matchers, selectors, orders []string
	add := func(names *[]string, name string) {
		if !slices.Contains(*names, name) {
			*names = append(*names, name)
		}
	}
	for _, x := range s.Exchanges {
		args, err := table(x.Arguments)
		if err != nil || x.Type != "topic" {
			continue
		}
		e, err := settings.ForExchange(x.Type, args, nil, d, settings.Resource{Kind: "exchange", Name: x.Name})
		if err != nil {
			return scenarios.Refused(x.Line, fmt.Errorf("exchange %q: %w", x.Name, err))
		}
		add(&matchers, e.Matcher.Name)
	}
	for _, q := range s.Queues {
		args, err := table(q.Arguments)
		if err != nil {
			return scenarios.Refused(q.Line, fmt.Errorf("queue %q: %w", q.Name, err))
		}
		of, err := settings.ForQueue(args, nil, d, settings.Resource{Kind: "queue", Name: q.Name})
		if err != nil {
			return scenarios.Refused(q.Line, fmt.Errorf("queue %q: %w", q.Name, err))
		}
		add(&selectors, of.Selector.Name)
		add(&orders, of.Order.Name)
	}
	if matchers == nil { // without topic exchanges, name the matcher that one would have used
		matchers = []string{d.Matcher.Name}
	}
	r.Matcher, r.Dispatch, r.Order = strings.Join(matchers, "+"), strings.Join(selectors, "+"), strings.Join(orders, "+")
	return nil
}
