package stat

import (
	"math"
	"slices"

	"harelab/loadgen/run"
)

// A dataset is a run's result, indexed for questions.
type dataset struct {
	r *run.Result
	// retried holds the spans of messages that were worked on more than once, and of
	// work that was cut off. For other messages their own instants are enough.
	retried map[int64][]run.Span
	warms   bool  // some messages belong to the warm-up
	first   int64 // first intended instant after the warm-up
	sent    int64 // first publish after the warm-up
	last    int64 // last done, or the end of a run that was cut short
	worked  int64 // end of the last work, which may have failed, or last if that is later
}

func newDataset(r *run.Result) *dataset {
	ds := &dataset{r: r, first: math.MaxInt64, sent: math.MaxInt64, last: run.None}
	seen := make(map[int64]int32)
	for _, s := range r.Spans {
		seen[s.Seq]++
	}
	for _, s := range r.Spans {
		if seen[s.Seq] > 1 || s.Cut {
			if ds.retried == nil {
				ds.retried = make(map[int64][]run.Span)
			}
			ds.retried[s.Seq] = append(ds.retried[s.Seq], s)
		}
	}
	for i := range r.Messages {
		m := &r.Messages[i]
		if m.Intended < r.Warmup {
			ds.warms = true
			continue
		}
		ds.first = min(ds.first, m.Intended)
		if m.Sent != run.None {
			ds.sent = min(ds.sent, m.Sent)
		}
		if m.State == run.Done {
			ds.last = max(ds.last, m.Done)
		}
	}
	if r.Partial {
		ds.last = max(ds.last, r.Length)
	}
	ds.worked = ds.last
	for i := range r.Spans {
		ds.worked = max(ds.worked, r.Spans[i].End)
	}
	return ds
}

// A view is the messages after the warm-up that a filter admits.
type view struct {
	ds   *dataset
	rows []*run.Message
}

func (ds *dataset) view(keep func(*run.Message) bool) view {
	v := view{ds: ds, rows: make([]*run.Message, 0, len(ds.r.Messages))}
	for i := range ds.r.Messages {
		m := &ds.r.Messages[i]
		if m.Intended >= ds.r.Warmup && (keep == nil || keep(m)) {
			v.rows = append(v.rows, m)
		}
	}
	return v
}

// An interval metric is the time between two instants of a message.
var intervals = map[string]struct {
	from, to func(*run.Message) int64
	all      bool // counts every message, not only finished ones
}{
	"wait":         {intended, started, false},
	"queued":       {enqueued, dispatched, false},
	"held":         {received, started, false},
	"service":      {started, done, false},
	"sojourn":      {intended, done, false},
	"transit":      {sent, received, false},
	"confirm":      {intended, confirmed, true},
	"schedule_lag": {intended, sent, true},
}

func intended(m *run.Message) int64   { return m.Intended }
func sent(m *run.Message) int64       { return m.Sent }
func confirmed(m *run.Message) int64  { return m.Confirmed }
func enqueued(m *run.Message) int64   { return m.Enqueued }
func dispatched(m *run.Message) int64 { return m.Dispatched }
func received(m *run.Message) int64   { return m.Received }
func started(m *run.Message) int64    { return m.Started }
func done(m *run.Message) int64       { return m.Done }
func acked(m *run.Message) int64      { return m.Acked }

// between returns the sample of an interval metric. It leaves out messages that lack
// one of the two instants, and of the time in the queue those that were delivered
// several times: they spent a part of it with workers.
func (v view) between(metric string) sample {
	iv := intervals[metric]
	us := make([]int64, 0, len(v.rows))
	for _, m := range v.rows {
		from, to := iv.from(m), iv.to(m)
		if metric == "queued" && m.Attempts > 1 {
			continue
		}
		if from != run.None && to != run.None && (iv.all || m.State == run.Done) {
			us = append(us, to-from)
		}
	}
	return micros(us)
}

// slowdown returns the sample of sojourn over service.
func (v view) slowdown() sample {
	xs := make([]float64, 0, len(v.rows))
	for _, m := range v.rows {
		if m.State == run.Done && m.Done > m.Started {
			xs = append(xs, float64(m.Done-m.Intended)/float64(m.Done-m.Started))
		}
	}
	return ratios(xs)
}

// finished counts the messages whose work was done.
func (v view) finished() int {
	n := 0
	for _, m := range v.rows {
		if m.State == run.Done {
			n++
		}
	}
	return n
}

// finish is the time, in seconds of the run, when the last message was done; NaN if
// none was.
func (v view) finish() float64 {
	last := run.None
	for _, m := range v.rows {
		if m.State == run.Done {
			last = max(last, m.Done)
		}
	}
	if last == run.None {
		return math.NaN()
	}
	return seconds(last)
}

// starvation returns the length of the longest span in which some message of the
// view waits and none starts, and the instant at which it begins, in microseconds.
func (v view) starvation() (longest, from int64) {
	arrive, start := make([]int64, 0, len(v.rows)), make([]int64, 0, len(v.rows))
	for _, m := range v.rows {
		v.ds.waits(m, func(a, s int64) {
			arrive = append(arrive, a)
			if s != run.None {
				start = append(start, s)
			}
		})
	}
	byTime(arrive)
	byTime(start)
	waiting, since := 0, int64(0)
	end := func(at int64) {
		if waiting > 0 && at-since > longest {
			longest, from = at-since, since
		}
		since = at
	}
	for a, s := 0, 0; a < len(arrive) || s < len(start); {
		if a < len(arrive) && (s == len(start) || arrive[a] <= start[s]) {
			if waiting == 0 {
				since = arrive[a]
			}
			waiting++
			a++
			continue
		}
		end(start[s])
		waiting--
		s++
	}
	end(v.ds.r.Length)
	return longest, from
}

// waits calls f for each span in which m waited for a start; start is None if m
// waited to the end of the run. A message that left the queue in another way
// (returned, rejected, dead-lettered, lost) cannot starve.
func (ds *dataset) waits(m *run.Message, f func(arrive, start int64)) {
	spans := ds.retried[m.Seq]
	if len(spans) == 0 {
		if m.Started != run.None || m.State == run.Left {
			f(m.Intended, m.Started)
		}
		return
	}
	arrive := m.Intended
	for _, s := range spans {
		f(arrive, s.Start)
		arrive = s.End
	}
	if m.State == run.Left {
		f(arrive, run.None)
	}
}

// inversions counts the messages that were delivered after a message of the same
// queue and class that was published later. Only first deliveries count; a
// redelivered message is left out, since its first delivery is not known. count
// selects the messages to be counted among all.
func (v view) inversions(count func(*run.Message) bool) int {
	type stream struct{ queue, class int32 }
	earliest := make(map[stream]int64) // of the messages published later
	n := 0
	for _, m := range slices.Backward(v.rows) {
		at := m.Dispatched
		if at == run.None {
			at = m.Received
		}
		if at == run.None || m.Attempts > 1 {
			continue
		}
		k := stream{m.Queue, m.Class}
		e, ok := earliest[k]
		if ok && e < at && count(m) {
			n++
		}
		if !ok || at < e {
			earliest[k] = at
		}
	}
	return n
}
