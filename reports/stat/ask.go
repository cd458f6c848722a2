package stat

import (
	"errors"
	"math"
	"slices"

	"harelab/loadgen/run"
	"harelab/scenarios/metric"
)

// Ask answers a query; NaN is no data, or not visible (see [Summary.Hides]). What
// the summary keeps answers at once: every metric of the whole run and of one
// class, tenant, queue or worker, with the usual statistics. Other questions are
// answered from the run's messages, which a summary that was read from a folder
// reads when it is first asked one. The error says what the query gets wrong, or
// why messages cannot be read.
func (s *Summary) Ask(q metric.Query) (float64, error) {
	if err := errors.Join(q.Check(), s.Scope().Check(q)); err != nil {
		return 0, err
	}
	if v, ok := s.kept(q); ok {
		return v, nil
	}
	if s.source == nil {
		return 0, errors.New(q.String() + " is not among the figures that " + s.Arm + " keeps, and its messages are not there")
	}
	b, err := s.source()
	if err != nil {
		return 0, err
	}
	return b.measure(q), nil
}

// From lets the summary answer from the messages of a run that read returns. It is
// called once, when a question first needs it.
func (s *Summary) From(read func() (*run.Result, error)) {
	var b *book
	s.source = func() (*book, error) {
		if b == nil {
			r, err := read()
			if err != nil {
				return nil, err
			}
			b = newBook(r)
		}
		return b, nil
	}
}

// kept looks a query up in the figures, and reports whether they would have it.
func (s *Summary) kept(q metric.Query) (float64, bool) {
	figures, stats := s.Metrics, wholeStats
	labels := q.Selecting()
	switch before, _ := q.Before(); {
	case before >= 0 || len(labels) > 1 || !keeps(q.Def(), len(labels) == 0):
		return 0, false
	case len(labels) == 1:
		figures, stats = s.By[labels[0].String()], groupStats
	}
	if figures == nil || q.Stat != "" && !slices.Contains(stats, q.Stat) {
		return 0, false
	}
	v, ok := figures[figureName(q.Def(), q.Stat)]
	if !ok {
		return math.NaN(), true
	}
	return v, true
}

// Hides reports whether a query without an answer is one that the target does not
// show, rather than one for which the run has no data.
func (s *Summary) Hides(q metric.Query) bool {
	m := q.Def()
	return m != nil && m.Inside && !s.Target.Visible()
}

// Scope is what labels may name: what the run has.
func (s *Summary) Scope() metric.Scope {
	scope := metric.Scope{Classes: []string{}, Tenants: s.Tenants, Queues: s.Queues, Workers: []string{}}
	for _, c := range s.Classes {
		scope.Classes = append(scope.Classes, c.Name)
	}
	for _, w := range s.Workers {
		scope.Workers = append(scope.Workers, w.Name)
	}
	return scope
}
