package folder

import (
	"bufio"
	"cmp"
	"io"
	"slices"
	"strconv"
	"strings"

	"harelab/loadgen/run"
)

// seriesColumns is the header of series.csv: the end of the interval, then counts
// from the start of the run on, then gauges. An empty field is not visible.
var seriesColumns = strings.Split("at_us,offered,sent,confirmed,delivered,acked,ready,unacked,held", ",")

func gauges(s *run.Sample) [8]*int64 {
	return [...]*int64{&s.Offered, &s.Sent, &s.Confirmed, &s.Delivered, &s.Acked, &s.Ready, &s.Unacked, &s.Held}
}

// WriteSeries writes series.csv.
func WriteSeries(out io.Writer, series []run.Sample) error {
	w := bufio.NewWriter(out)
	w.WriteString(strings.Join(seriesColumns, ",") + "\n")
	var b []byte
	for i := range series {
		b = strconv.AppendInt(b[:0], series[i].At, 10)
		for _, g := range gauges(&series[i]) {
			b = append(b, ',')
			if *g >= 0 {
				b = strconv.AppendInt(b, *g, 10)
			}
		}
		w.Write(append(b, '\n'))
	}
	return w.Flush()
}

// ReadSeries reads series.csv.
func ReadSeries(in io.Reader) ([]run.Sample, error) {
	t, err := newTable(in, seriesColumns)
	if err != nil {
		return nil, err
	}
	var series []run.Sample
	for t.next() {
		s := run.Sample{At: t.int64("at_us", 0)}
		for i, g := range gauges(&s) {
			*g = t.int64(seriesColumns[1+i], -1)
		}
		series = append(series, s)
	}
	return series, t.err
}

// spansFollow reports whether the spans of r can be made from the rows of
// messages.csv. How late their work ended is not kept: what that spoils is in the
// summary.
func spansFollow(r *run.Result) bool {
	again := &run.Result{Messages: r.Messages, Workers: r.Workers}
	spansOf(again)
	byStart := slices.Clone(r.Spans)
	for i := range byStart {
		byStart[i].Late = 0
	}
	sortSpans(byStart)
	return slices.Equal(byStart, again.Spans)
}

// spansOf makes the spans of r from its messages: one for the last attempt of each.
func spansOf(r *run.Result) {
	r.Spans = nil
	for i := range r.Messages {
		m := &r.Messages[i]
		if m.Worker >= 0 && m.Slot >= 0 && m.Started != run.None && m.Done != run.None {
			r.Spans = append(r.Spans, run.Span{Worker: m.Worker, Slot: m.Slot, Class: m.Class, Seq: m.Seq, Start: m.Started, End: m.Done})
		}
	}
	sortSpans(r.Spans)
}

func sortSpans(spans []run.Span) {
	slices.SortStableFunc(spans, func(a, b run.Span) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Seq, b.Seq))
	})
}

var spanColumns = strings.Split("worker,slot,class,seq,start_us,end_us,cut", ",")

func writeSpans(out io.Writer, r *run.Result) error {
	w := bufio.NewWriter(out)
	w.WriteString(strings.Join(spanColumns, ",") + "\n")
	classes, workers := quoteAll(r.Classes), quoteAll(workerNames(r))
	for _, s := range r.Spans {
		w.WriteString(strings.Join([]string{
			name(workers, s.Worker), strconv.Itoa(int(s.Slot)), name(classes, s.Class), strconv.FormatInt(s.Seq, 10),
			strconv.FormatInt(s.Start, 10), strconv.FormatInt(s.End, 10), strconv.FormatBool(s.Cut),
		}, ",") + "\n")
	}
	return w.Flush()
}

func readSpans(in io.Reader, r *run.Result) error {
	t, err := newTable(in, spanColumns)
	if err != nil {
		return err
	}
	classes, workers := indexOf(r.Classes), indexOf(workerNames(r))
	r.Spans = nil
	for t.next() {
		s := run.Span{
			Worker: workers.add(t.text("worker")), Slot: t.int32("slot", 0), Class: classes.add(t.text("class")),
			Seq: t.int64("seq", 0), Start: t.int64("start_us", 0), End: t.int64("end_us", 0), Cut: t.bool("cut"),
		}
		if int(s.Worker) >= len(r.Workers) || int(s.Class) >= len(r.Classes) {
			t.fail("worker", "not a worker of the run, or the row's class is not one of its classes")
			break
		}
		r.Spans = append(r.Spans, s)
	}
	return t.err
}

var tenantColumns = []string{"seq", "tenant"}

func writeTenants(out io.Writer, r *run.Result) error {
	w := bufio.NewWriter(out)
	w.WriteString(strings.Join(tenantColumns, ",") + "\n")
	tenants := quoteAll(r.Tenants)
	for i := range r.Messages {
		if m := &r.Messages[i]; m.Tenant >= 0 {
			w.WriteString(strconv.FormatInt(m.Seq, 10) + "," + name(tenants, m.Tenant) + "\n")
		}
	}
	return w.Flush()
}

func readTenants(in io.Reader, r *run.Result) error {
	t, err := newTable(in, tenantColumns)
	if err != nil {
		return err
	}
	tenants := indexOf(r.Tenants)
	of := make(map[int64]int32)
	for t.next() {
		of[t.int64("seq", 0)] = tenants.add(t.text("tenant"))
	}
	for i := range r.Messages {
		if tenant, ok := of[r.Messages[i].Seq]; ok {
			r.Messages[i].Tenant = tenant
		}
	}
	r.Tenants = tenants.names
	return t.err
}
