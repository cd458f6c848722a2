package loadgen

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestAlarmWakesEachAtItsTime wants no sleeper to wake early, and all to wake.
func TestAlarmWakesEachAtItsTime(t *testing.T) {
	a := NewAlarm()
	defer a.Close()
	start := time.Now()
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			s := a.Sleeper()
			for j := range 5 {
				due := start.Add(time.Duration((i*7)%50+10*j) * time.Millisecond)
				if !s.Until(due, nil) || time.Now().Before(due) {
					t.Errorf("sleeper %d woke %v early", i, time.Until(due))
				}
			}
		})
	}
	wg.Wait()
}

func TestAlarmCancel(t *testing.T) {
	a := NewAlarm()
	defer a.Close()
	cancel := make(chan struct{})
	s := a.Sleeper()
	time.AfterFunc(time.Millisecond, func() { close(cancel) })
	if s.Until(time.Now().Add(time.Hour), cancel) {
		t.Error("slept an hour")
	}
	if !s.Until(time.Now().Add(time.Millisecond), nil) {
		t.Error("the place cannot be used again")
	}
}

func TestCoarseAlarmUnderAFakeClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, late := range []time.Duration{0, time.Second} {
			a := Coarse(late)
			defer a.Close()
			start := time.Now()
			if a.Sleeper().Until(start.Add(time.Hour), nil); time.Since(start) != time.Hour+late {
				t.Errorf("slept %v, want %v", time.Since(start), time.Hour+late)
			}
		}
	})
}

// BenchmarkAlarm reports how late a sleeper wakes.
func BenchmarkAlarm(b *testing.B) {
	for _, kind := range []struct {
		name string
		make func() *Alarm
	}{{"kernel", NewAlarm}, {"go", func() *Alarm { return Coarse(0) }}} {
		b.Run("timer="+kind.name, func(b *testing.B) {
			a := kind.make()
			defer a.Close()
			s := a.Sleeper()
			late := time.Duration(0)
			for b.Loop() {
				due := time.Now().Add(700 * time.Microsecond)
				s.Until(due, nil)
				late += time.Since(due)
			}
			b.ReportMetric(float64(late.Nanoseconds())/float64(b.N), "late-ns/op")
		})
	}
}
