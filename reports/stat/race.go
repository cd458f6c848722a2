package stat

import (
	"fmt"
	"math"
	"slices"

	"harelab/loadgen/run"
	"harelab/scenarios/metric"
)

// RaceShare is the share of a figure by which it must move for its answer to hang on a
// race.
const RaceShare = 0.1

// A Race says how the figures that a run is asked for move when publications to different
// queues change places. Virtual time keeps the order of publication. On RabbitMQ each
// queue is a process, and what is published to two of them within Window is dispatched in
// either order.
type Race struct {
	Window   float64     `json:"window"`             // seconds
	Tries    int         `json:"tries"`              // number of other orders that were tried, in virtual time
	Messages int         `json:"messages,omitempty"` // of a plan that has too many to try it: their number
	Closed   bool        `json:"closed,omitempty"`   // of a plan with closed loops, which is not tried
	Moved    []RaceRange `json:"moved,omitempty"`    // the figures that move by more than [RaceShare] and by more than Window
}

// A RaceRange is the range of a figure over all orders, the exact one included.
type RaceRange struct {
	Figure   string  `json:"figure"` // as in a query
	Unit     string  `json:"unit,omitempty"`
	Exact    float64 `json:"exact"` // in order of publication
	Least    float64 `json:"least"`
	Greatest float64 `json:"greatest"`
}

// NewRace compares the exact result of a plan with those of other orders, in the figures
// of its headline and of its expectations, counts left out.
func NewRace(window float64, exact *run.Result, others []*run.Result) *Race {
	race := &Race{Window: window, Tries: len(others)}
	qs := raceable(exact)
	ranges := make([]RaceRange, len(qs))
	ds := newDataset(exact)
	for i, q := range qs {
		v := ds.measure(q)
		ranges[i] = RaceRange{q.String(), q.Unit(), v, v, v}
	}
	for _, r := range others {
		ds := newDataset(r)
		for i, q := range qs {
			if v := ds.measure(q); !math.IsNaN(v) {
				ranges[i].Least, ranges[i].Greatest = min(ranges[i].Least, v), max(ranges[i].Greatest, v)
			}
		}
	}
	for _, r := range ranges {
		moved := max(r.Exact-r.Least, r.Greatest-r.Exact)
		more := func(bound float64) bool { return moved > bound*(1+1e-9) } // not by rounding
		if more(RaceShare*math.Abs(r.Exact)) && (r.Unit != "s" || more(window)) {
			race.Moved = append(race.Moved, r)
		}
	}
	return race
}

// raceable returns the figures that a result is asked for and that are no counts, each
// once.
func raceable(r *run.Result) []metric.Query {
	var qs []metric.Query
	add := func(q metric.Query) {
		d := q.Def()
		if d != nil && d.Kind != metric.Count && d.Kind != metric.Gauge && q.Check() == nil &&
			!slices.ContainsFunc(qs, func(o metric.Query) bool { return o.String() == q.String() }) {
			qs = append(qs, q)
		}
	}
	if q, err := metric.Parse(r.Headline); err == nil {
		add(q)
	}
	for _, e := range r.Expect {
		add(e.Of)
	}
	if len(qs) == 0 {
		for _, c := range r.Classes {
			add(metric.Query{Metric: "wait", Stat: "p99", Labels: []metric.Label{{Key: "class", Value: c}}})
		}
	}
	return qs
}

// AddRace sets the summary's race, with a finding if a figure moves or the plan was not
// tried.
func (s *Summary) AddRace(race *Race) {
	s.Race = race
	if text := race.words(); text != "" {
		s.Findings = append(s.Findings, Finding{Code: "race", Text: text})
	}
}

func (r *Race) words() string {
	switch {
	case r.Closed:
		return "Workers take messages from several queues, and the load has closed loops: whether the answer hangs on the order between queues was not tried."
	case r.Messages > 0:
		return fmt.Sprintf("Workers take messages from several queues, and the plan has %s messages: too many to try whether the answer hangs on the order between queues.", Count(r.Messages))
	case len(r.Moved) == 0:
		return ""
	}
	var parts []string
	for _, m := range r.Moved {
		parts = append(parts, fmt.Sprintf("%s is %s to %s (%s in order of publication)", m.Figure, quantity(m.Least, m.Unit), quantity(m.Greatest, m.Unit), quantity(m.Exact, m.Unit)))
	}
	return fmt.Sprintf("On RabbitMQ the answer hangs on a race: each queue is a process, and what is published to two queues within %s is dispatched in either order. In %d such orders %s.",
		Brief(r.Window), r.Tries, List(parts, "and"))
}

// Range says in which range a figure is, beside its exact value: "1.9 s to 3.9 s where
// RabbitMQ's queues race".
func (m *RaceRange) Range() string {
	return fmt.Sprintf("%s to %s where RabbitMQ's queues race", quantity(m.Least, m.Unit), quantity(m.Greatest, m.Unit))
}

// Of returns the range of a figure, nil if it does not move.
func (r *Race) Of(figure string) *RaceRange {
	if r == nil {
		return nil
	}
	for i := range r.Moved {
		if r.Moved[i].Figure == figure {
			return &r.Moved[i]
		}
	}
	return nil
}

func quantity(v float64, unit string) string {
	if unit == "s" {
		return Brief(v)
	}
	return Quantity(v, unit)
}
