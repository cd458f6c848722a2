package loadgen

import (
	"testing"

	"harelab/loadgen/run"
)

// TestSeriesIsBounded adds samples for a year, every 100 ms by the scenario.
func TestSeriesIsBounded(t *testing.T) {
	const second, year = int64(1e6), 365 * 86400 * int64(1e6)
	s := NewSeries(second / 10)
	s.Fill(run.Sample{Ready: 1}, 0, year/2)
	s.Fill(run.Sample{Ready: 2}, year/2-1, year)
	samples := s.Samples(run.Sample{At: year, Ready: 3})
	if n := len(samples); n < MaxSamples/2 || n > MaxSamples+1 {
		t.Errorf("%d samples, want %d to %d", n, MaxSamples/2, MaxSamples+1)
	}
	for i, x := range samples[:len(samples)-1] {
		ready := int64(1)
		if x.At >= year/2 {
			ready = 2
		}
		if want := int64(i+1) * s.Interval(); x.At != want || x.Ready != ready {
			t.Fatalf("sample %d is at %d with %d ready, want %d with %d", i, x.At, x.Ready, want, ready)
		}
	}
	if x := samples[len(samples)-1]; x.At != year || x.Ready != 3 {
		t.Errorf("the last sample is %+v", x)
	}
}

func TestShortSeriesKeepsItsInterval(t *testing.T) {
	s := NewSeries(100)
	s.Fill(run.Sample{}, 0, 1001)
	if n, step := len(s.Samples()), s.Interval(); n != 10 || step != 100 {
		t.Errorf("%d samples, %d us apart; want 10, 100 us apart", n, step)
	}
	r := &run.Result{Interval: 100}
	if CheckInterval(r, 100); len(r.Findings) > 0 {
		t.Errorf("findings %+v", r.Findings)
	}
	if CheckInterval(r, 400); len(r.Findings) != 1 || r.Interval != 400 {
		t.Errorf("interval %d, findings %+v", r.Interval, r.Findings)
	}
}

func TestSeriesWithoutInterval(t *testing.T) {
	s := NewSeries(0)
	s.Fill(run.Sample{}, 0, 1000)
	if n := len(s.Samples()); n != 0 {
		t.Errorf("%d samples, want none", n)
	}
}
