package loadgen

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Waits keeps the distribution of waits of each class during a run, in one
// HdrHistogram per class, so that percentiles count every message. Any number of
// goroutines may use it.
type Waits struct {
	mu      sync.Mutex
	classes []*hdrhistogram.Histogram // made when first needed
}

// longestWait is the greatest wait of the histograms in microseconds; longer waits
// count as this one.
const longestWait = int64(3600 * 1e6)

// digits is the number of significant digits of live figures: two take 27 KB a class.
const digits = 2

// NewWaits returns empty distributions for a number of classes.
func NewWaits(classes int) *Waits {
	return &Waits{classes: make([]*hdrhistogram.Histogram, classes)}
}

// Record adds one wait in microseconds.
func (w *Waits) Record(class int32, us int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if class < 0 || int(class) >= len(w.classes) {
		return
	}
	_ = w.at(class).RecordValue(min(max(us, 0), longestWait)) // within the bounds: cannot fail
}

func (w *Waits) at(class int32) *hdrhistogram.Histogram {
	if w.classes[class] == nil {
		w.classes[class] = hdrhistogram.New(1, longestWait, digits)
	}
	return w.classes[class]
}

// Merge adds the waits of from.
func (w *Waits) Merge(from *Waits) {
	from.mu.Lock()
	defer from.mu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	for class, h := range from.classes {
		if h != nil {
			w.at(int32(class)).Merge(h)
		}
	}
}

// Quantile returns the wait of a class at a percentile from 0 to 100. It returns
// false if the class has no waits.
func (w *Waits) Quantile(class int32, percent float64) (time.Duration, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.classes[class]
	if h == nil || h.TotalCount() == 0 {
		return 0, false
	}
	return time.Duration(h.ValueAtPercentile(percent)) * time.Microsecond, true
}
