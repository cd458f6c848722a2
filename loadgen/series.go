package loadgen

import (
	"fmt"
	"time"

	"harelab/loadgen/run"
)

// MaxSamples is the greatest number of samples of a series, besides the one at the end
// of the run. A run that is longer than MaxSamples intervals has longer intervals.
const MaxSamples = 10_000

// A Series is the series of a run. Its length is not known before the run ends, so the
// interval doubles, and every other sample is dropped, when there are MaxSamples of
// them. A series thus costs the same however long the run is. The zero value is a series
// without samples at intervals.
type Series struct {
	step int64 // microseconds between samples
	list []run.Sample
}

// NewSeries returns a series whose first samples are interval microseconds apart.
func NewSeries(interval int64) *Series { return &Series{step: interval} }

// Next returns the run time in microseconds of the first sample that is due after a run
// time, or false if the series has none at intervals.
func (s *Series) Next(after int64) (int64, bool) {
	if s.step <= 0 {
		return 0, false
	}
	return (max(after, 0)/s.step + 1) * s.step, true
}

// Add adds a sample, at a time from [Series.Next].
func (s *Series) Add(sample run.Sample) {
	s.list = append(s.list, sample)
	if len(s.list) < MaxSamples {
		return
	}
	s.step *= 2
	kept := s.list[:0]
	for _, sample := range s.list {
		if sample.At%s.step == 0 {
			kept = append(kept, sample)
		}
	}
	s.list = kept
}

// Fill adds copies of a sample, at every time from [Series.Next] before a run time: the
// state does not change until then.
func (s *Series) Fill(sample run.Sample, after, before int64) {
	for at, ok := s.Next(after); ok && at < before; at, ok = s.Next(at) {
		sample.At = at
		s.Add(sample)
	}
}

// Samples returns the samples, followed by one at the end of the run.
func (s *Series) Samples(last ...run.Sample) []run.Sample { return append(s.list, last...) }

// Interval returns the microseconds between samples.
func (s *Series) Interval() int64 { return s.step }

// CheckInterval sets the interval of a result's series to that between its samples, and
// adds a finding if that is not the scenario's.
func CheckInterval(r *run.Result, interval int64) {
	if interval > r.Interval {
		us := func(t int64) time.Duration { return time.Duration(t) * time.Microsecond }
		r.Findings = append(r.Findings, run.Finding{Code: "interval", Text: fmt.Sprintf(
			"The series has a sample every %v instead of every %v: the run is long, and a series has at most %d samples.",
			us(interval), us(r.Interval), MaxSamples)})
	}
	r.Interval = interval
}
