package lab

import (
	"fmt"
	"math"

	"harelab/reports/stat"
	"harelab/scenarios/metric"
)

// Ask returns one figure of a run: seconds for times, a fraction for shares. An unknown
// metric is a usage error, and so is one without a value in this run, because it has no
// data or is not visible on the run's target.
func Ask(s *stat.Summary, name string) (float64, error) {
	q, err := metric.Parse(name)
	if err != nil {
		return 0, &UsageError{err.Error()}
	}
	v, err := s.Ask(q)
	switch {
	case err != nil:
		return 0, &UsageError{err.Error()}
	case math.IsNaN(v) && s.Hides(q):
		return 0, &UsageError{fmt.Sprintf("%s is not visible on %s", name, s.Target.Name())}
	case math.IsNaN(v):
		return 0, &UsageError{fmt.Sprintf("%s has no value in the run of %s on %s", name, s.Arm, s.Target.Name())}
	}
	return v, nil
}
