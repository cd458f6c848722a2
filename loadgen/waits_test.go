package loadgen

import (
	"testing"
	"time"
)

func TestWaitsMerge(t *testing.T) {
	all, a, b := NewWaits(2), NewWaits(2), NewWaits(2)
	for i := range int64(100) {
		a.Record(0, 1000*(i+1))
		b.Record(1, 5000)
	}
	b.Record(0, 1<<62)
	b.Record(7, 1) // a body of someone else
	all.Merge(a)
	all.Merge(b)
	near := func(got, want time.Duration) bool { return got >= want*98/100 && got <= want*102/100 }
	for _, c := range []struct {
		class   int32
		percent float64
		want    time.Duration
	}{{0, 50, 51 * time.Millisecond}, {1, 99, 5 * time.Millisecond}, {0, 100, time.Hour}} {
		if got, ok := all.Quantile(c.class, c.percent); !ok || !near(got, c.want) {
			t.Errorf("class %d at %v %%: %v, want %v", c.class, c.percent, got, c.want)
		}
	}
	if _, ok := NewWaits(1).Quantile(0, 50); ok {
		t.Error("a quantile of nothing")
	}
}
