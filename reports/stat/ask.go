package stat

import (
	"errors"
	"math"
	"slices"

	"harelab/loadgen/run"
	"harelab/scenarios/metric"
)

// Ask returns the value of a query in the metric's unit; NaN means that there is
// no data, or that the target does not show it (see [Summary.Hides]). The summary
// keeps every metric of the whole run, and of one class, tenant, queue or worker,
// with the usual statistics. It computes other queries from the run's messages; a
// summary from a folder reads them at the first such query. The error says what
// is wrong with the query, or why the messages cannot be read.
func (s *Summary) Ask(q metric.Query) (float64, error) {
	if err := errors.Join(q.Check(), s.Scope().Check(q)); err != nil {
		return 0, err
	}
	if v, ok := s.kept(q); ok {
		return v, nil
	}
	if s.source == nil {
		return 0, errors.New(q.String() + " needs the messages of " + s.Arm + ", which were not kept")
	}
	ds, err := s.source()
	if err != nil {
		return 0, err
	}
	return ds.measure(q), nil
}

// From sets where the summary gets the run's messages. Ask calls read at the first
// query that needs them, and keeps its result.
func (s *Summary) From(read func() (*run.Result, error)) {
	var ds *dataset
	s.source = func() (*dataset, error) {
		if ds == nil {
			r, err := read()
			if err != nil {
				return nil, err
			}
			ds = newDataset(r)
		}
		return ds, nil
	}
}

// kept looks a query up in the figures. It reports whether queries of this kind are
// kept at all; the value is NaN if the run has none.
func (s *Summary) kept(q metric.Query) (float64, bool) {
	figures, stats := s.Metrics, wholeStats
	labels := q.Selecting()
	before, _ := q.Before()
	phase, _ := q.Phase()
	switch {
	case before >= 0 || phase >= 0 || len(labels) > 1 || !keeps(q.Def(), len(labels) == 0):
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

// Hides reports whether a query has no value because the target does not show the
// metric, and not because the run has no data.
func (s *Summary) Hides(q metric.Query) bool {
	m := q.Def()
	return m != nil && (m.Inside && !s.Target.Visible() || m.Fate && s.Ledger.Gone > 0)
}

// Scope returns the names that labels may have: the run's classes, tenants, queues
// and workers.
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
