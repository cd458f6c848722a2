package folder

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"
	"time"

	"harelab/loadgen/run"
)

// A histogram is the content of one .hlog file: one metric of one class, with a record
// for each interval of the run in which a value came to be.
type histogram struct {
	name, tag string
	values    []logValue // in order of interval, then of value
	start     int64      // ms since 1970, 0 in virtual time
	interval  int64      // microseconds
	length    int64      // microseconds, of the run
}

// A logValue is a value with the number of the interval in which it came to be.
type logValue struct {
	interval int64
	ns       int64
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
// messages only, and leaves out the warm-up. A value comes to be at the later of its
// two instants.
func histograms(r *run.Result) []histogram {
	var out []histogram
	taken := make(fileNames)
	for c, class := range r.Classes {
		for _, l := range logged {
			always := l.name == "schedule_lag" || l.name == "confirm"
			h := histogram{tag: escape(class, "/=%,") + "." + l.name, interval: r.Interval, length: r.Length}
			if h.interval <= 0 {
				h.interval = max(1, r.Length)
			}
			if !r.Started.IsZero() {
				h.start = r.Started.UnixMilli()
			}
			for i := range r.Messages {
				m := &r.Messages[i]
				from, to := l.from(m), l.to(m)
				if int(m.Class) == c && m.Intended >= r.Warmup && from != run.None && to != run.None && (always || m.State == run.Done) {
					h.values = append(h.values, logValue{max(from, to, 0) / h.interval, 1000 * max(to-from, 0)})
				}
			}
			if len(h.values) > 0 {
				slices.SortFunc(h.values, func(a, b logValue) int {
					return cmp.Or(cmp.Compare(a.interval, b.interval), cmp.Compare(a.ns, b.ns))
				})
				h.name = taken.take(l.name+"-"+fileName(class), ".hlog")
				out = append(out, h)
			}
		}
	}
	return out
}

// write writes an HdrHistogram log, format 1.3 with V2 compressed payload. Values
// are in nanoseconds, as tools for such logs expect, with three significant digits.
// Times are relative to the start of the run.
func (h histogram) write(out io.Writer) error {
	w := bufio.NewWriter(out)
	start := fmt.Sprintf("%d.%03d (seconds since epoch)", h.start/1000, h.start%1000)
	fmt.Fprintf(w, "#[harelab, values in ns]\n#[Histogram log format version 1.3]\n#[BaseTime: %s]\n#[StartTime: %s, %s]\n",
		start, start, time.UnixMilli(h.start).UTC().Format(time.RFC3339Nano))
	fmt.Fprintf(w, "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n")
	var e encoder
	for i := 0; i < len(h.values); {
		at, first := h.values[i].interval, i
		for i < len(h.values) && h.values[i].interval == at {
			i++
		}
		values := h.values[first:i]
		from := at * h.interval
		to := max(from, min(from+h.interval, h.length))
		payload, err := e.encode(values)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "Tag=%s,%.3f,%.3f,%.6f,%s\n", h.tag, float64(from)/1e6, float64(to-from)/1e6, float64(values[len(values)-1].ns)/1e6, payload)
	}
	return w.Flush()
}

// An encoder encodes histograms as HdrHistogram does (AbstractHistogram.java,
// encodeIntoCompressedByteBuffer, version 2). The encoder of the Go library takes a
// hundred times as long for the few values of an interval, as it walks all counts.
type encoder struct {
	counts, whole bytes.Buffer
	zip           *zlib.Writer
}

// The head of a payload.
const (
	hdrCookie  = 0x1c849313 // version 2
	hdrZipped  = 0x1c849314 // the same, compressed
	hdrDigits  = 3
	hdrHalf    = 10 // log2 of half the number of sub-buckets that hdrDigits needs
	hdrSubMask = 1<<(hdrHalf+1) - 1
)

// encode returns the payload of a record. The values are in order.
func (e *encoder) encode(values []logValue) (string, error) {
	e.counts.Reset()
	var b []byte
	next := 0 // index after the last one with a count
	for i := 0; i < len(values); {
		at, n := hdrIndex(values[i].ns), int64(0)
		for ; i < len(values) && hdrIndex(values[i].ns) == at; i++ {
			n++
		}
		switch zeros := at - next; {
		case zeros == 1:
			b = binary.AppendVarint(b, 0)
		case zeros > 1:
			b = binary.AppendVarint(b, -int64(zeros))
		}
		b = binary.AppendVarint(b, n)
		next = at + 1
	}
	highest := max(2, values[len(values)-1].ns)
	head := binary.BigEndian.AppendUint32(nil, hdrCookie)
	head = binary.BigEndian.AppendUint32(head, uint32(len(b)))
	head = binary.BigEndian.AppendUint32(head, 0) // normalizing index offset
	head = binary.BigEndian.AppendUint32(head, hdrDigits)
	head = binary.BigEndian.AppendUint64(head, 1) // lowest value
	head = binary.BigEndian.AppendUint64(head, uint64(highest))
	head = binary.BigEndian.AppendUint64(head, math.Float64bits(1)) // ratio of real values
	if e.zip == nil {
		e.zip = zlib.NewWriter(&e.counts)
	}
	e.zip.Reset(&e.counts)
	e.zip.Write(head)
	e.zip.Write(b)
	if err := e.zip.Close(); err != nil {
		return "", err
	}
	e.whole.Reset()
	e.whole.Write(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, hdrZipped), uint32(e.counts.Len())))
	e.whole.Write(e.counts.Bytes())
	return base64.StdEncoding.EncodeToString(e.whole.Bytes()), nil
}

// hdrIndex returns the index of the count of a value.
func hdrIndex(v int64) int {
	bucket := bits.Len64(uint64(v)|hdrSubMask) - (hdrHalf + 1)
	return (bucket+1)<<hdrHalf + int(v>>bucket) - 1<<hdrHalf
}
