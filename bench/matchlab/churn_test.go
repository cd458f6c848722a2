package matchlab

import (
	"context"
	"testing"
	"time"

	"harelab/bench/workload"
	"harelab/engine/topic"
)

func TestMeasureChurn(t *testing.T) {
	const repeat = 2
	c, err := MeasureChurn(context.Background(), topic.Default, "celery", Options{Repeat: repeat, Sample: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range map[string][]float64{"quiet": c.Quiet, "changing": c.Changing, "alone": c.Alone, "beside": c.Beside} {
		if len(values) != repeat || Median(values) <= 0 {
			t.Errorf("%s: %v, want %d times", name, values, repeat)
		}
	}
	for _, name := range []struct{ strategy, workload string }{{"tire", "celery"}, {topic.Default, "tire"}} {
		if _, err := MeasureChurn(context.Background(), name.strategy, name.workload, Options{}); err == nil {
			t.Errorf("no error for strategy %s on workload %s", name.strategy, name.workload)
		}
	}
}

// TestChurnCountsMatches checks that a measurement whose changes were not undone is an
// error.
func TestChurnCountsMatches(t *testing.T) {
	w := &churning{n: 100, w: &workload.Workload{Keys: [][]byte{nil}}, truth: &truth{upTo: []int{0, 10}}}
	for _, tt := range []struct {
		matches int
		changes bool
		ok      bool
	}{
		{1000, false, true}, {999, false, false}, {1001, true, false}, {950, true, true}, {899, true, false},
	} {
		if _, err := w.finish(w.n, []reading{{matches: tt.matches, took: 1}}, tt.changes); (err == nil) != tt.ok {
			t.Errorf("%d of 1000 matches, changes %t: error %v", tt.matches, tt.changes, err)
		}
	}
}

// blocking is a matcher whose second match blocks until the test ends it.
type blocking struct {
	topic.Matcher
	matches int
	begun   chan struct{}
	end     chan struct{}
}

func (b *blocking) Match(dst []topic.Dest, _ []byte) []topic.Dest {
	if b.matches++; b.matches == 2 {
		close(b.begun)
		<-b.end
	}
	return dst
}

// TestPublishSeesAPause stops a publisher for a while.
func TestPublishSeesAPause(t *testing.T) {
	b := &blocking{begun: make(chan struct{}), end: make(chan struct{})}
	stop := Publish(b, [][]byte{nil})
	<-b.begun
	start := time.Now()
	time.Sleep(5 * time.Millisecond)
	blocked := time.Since(start)
	close(b.end)
	// Time in which the thread waited for a processor does not count.
	if got := stop(); got < blocked/2 {
		t.Errorf("longest pause %v, but a match was held up for %v", got, blocked)
	}
}
