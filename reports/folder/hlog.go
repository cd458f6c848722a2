package folder

import (
	"io"

	"github.com/HdrHistogram/hdrhistogram-go"

	"harelab/loadgen/run"
)

// A histogram is the content of one .hlog file: one metric of one class over the
// whole run.
type histogram struct {
	name, tag string
	values    []int64 // ns
	start     int64   // ms since 1970, 0 in virtual time
	length    int64   // ms, of the run
}

// logged are the metrics that have histograms. Each is the time between two
// instants of a message.
var logged = []struct {
	name     string
	from, to func(*run.Message) int64
}{
	{"schedule_lag", func(m *run.Message) int64 { return m.Intended }, func(m *run.Message) int64 { return m.Sent }},
	{"confirm", func(m *run.Message) int64 { return m.Intended }, func(m *run.Message) int64 { return m.Confirmed }},
	{"queued", func(m *run.Message) int64 { return m.Enqueued }, func(m *run.Message) int64 { return m.Dispatched }},
	{"held", func(m *run.Message) int64 { return m.Received }, func(m *run.Message) int64 { return m.Started }},
	{"wait", func(m *run.Message) int64 { return m.Intended }, func(m *run.Message) int64 { return m.Started }},
	{"service", func(m *run.Message) int64 { return m.Started }, func(m *run.Message) int64 { return m.Done }},
	{"sojourn", func(m *run.Message) int64 { return m.Intended }, func(m *run.Message) int64 { return m.Done }},
}

// histograms returns the histograms of r that have values. As the figures do, it
// counts schedule_lag and confirm of all messages and the other metrics of finished
// messages only, and leaves out the warm-up.
func histograms(r *run.Result) []histogram {
	var out []histogram
	for c, class := range r.Classes {
		for _, l := range logged {
			always := l.name == "schedule_lag" || l.name == "confirm"
			h := histogram{
				name: l.name + "-" + fileName(class) + ".hlog", tag: fileName(class) + "." + l.name, length: r.Length / 1000,
			}
			if !r.Started.IsZero() {
				h.start = r.Started.UnixMilli()
			}
			for i := range r.Messages {
				m := &r.Messages[i]
				from, to := l.from(m), l.to(m)
				if int(m.Class) == c && m.Intended >= r.Warmup && from != run.None && to != run.None && (always || m.State == run.Done) {
					h.values = append(h.values, 1000*max(to-from, 0))
				}
			}
			if len(h.values) > 0 {
				out = append(out, h)
			}
		}
	}
	return out
}

// write writes an HdrHistogram log, format 1.3 with V2 compressed payload. Values
// are in nanoseconds, as tools for such logs expect, with three significant digits.
func (h histogram) write(out io.Writer) error {
	highest := int64(2)
	for _, v := range h.values {
		highest = max(highest, v)
	}
	hist := hdrhistogram.New(1, highest, 3)
	for _, v := range h.values {
		if err := hist.RecordValue(v); err != nil {
			return err
		}
	}
	hist.SetTag(h.tag)
	hist.SetStartTimeMs(h.start)
	hist.SetEndTimeMs(h.start + h.length)
	w := hdrhistogram.NewHistogramLogWriter(out)
	w.SetBaseTime(h.start)
	for _, step := range []func() error{
		func() error { return w.OutputComment("[harelab, values in ns]") },
		w.OutputLogFormatVersion,
		func() error { return w.OutputBaseTime(h.start) },
		func() error { return w.OutputStartTime(h.start) },
		w.OutputLegend,
		func() error { return w.OutputIntervalHistogram(hist) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
