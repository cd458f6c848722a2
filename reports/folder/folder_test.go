package folder

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/perf/benchfmt"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/internal/specimen"
	"harelab/reports/stat"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; look at it, then run: go test ./reports/folder -update\n%s", path, cmp.Diff(string(want), string(got)))
	}
}

func write(t *testing.T, f *Folder) string {
	t.Helper()
	dir := t.TempDir()
	if err := f.Write(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestSingleRunWritesAtTheTop(t *testing.T) {
	got := specimen.Files(t, write(t, New(arms.Summarize(specimen.CeleryInitial()), Manifest{Go: "go1.26"})))
	for _, name := range []string{
		"manifest.json", "summary.json", "bench.txt", "scenario.resolved.yaml", "messages.csv", "series.csv",
		"wait-run_user_query.hlog", "held-run_user_query.hlog", "queued-fit_neural_net.hlog", "schedule_lag-fit_neural_net.hlog",
	} {
		if got[name] == "" {
			t.Errorf("no %s", name)
		}
	}
	if got["spans.csv"] != "" {
		t.Error("spans.csv is written though messages.csv has all spans")
	}
	golden(t, "messages.csv", []byte(got["messages.csv"]))
	golden(t, "summary.json", []byte(got["summary.json"]))
	golden(t, "manifest.json", []byte(got["manifest.json"]))
	golden(t, "bench.txt", []byte(got["bench.txt"]))
}

func TestSameRunsGiveSameBytes(t *testing.T) {
	m := NewManifest([]string{"harelab", "run"})
	a := specimen.Files(t, write(t, New(arms.Summarize(specimen.Arms()...), m)))
	b := specimen.Files(t, write(t, New(arms.Summarize(specimen.Arms()...), m)))
	if d := cmp.Diff(a, b); d != "" {
		t.Errorf("two writes differ:\n%s", d)
	}
	if a["arms/celery-optimized.same-load-fair.sim/messages.csv"] == "" {
		t.Error("an arm has no folder of its own")
	}
}

func TestFolderReadsBack(t *testing.T) {
	crash := specimen.CeleryInitial()
	crash.Scenario = "worker-crash"
	crash.Messages[0].Attempts, crash.Messages[0].Redelivered = 2, true
	crash.Spans = append([]run.Span{{Worker: 0, Slot: 3, Class: 0, Seq: 0, Start: -5, End: -1, Cut: true}}, crash.Spans...)
	crash.Workers[0].Away = []run.Absence{{From: 5, To: 7}, {From: 9, To: math.MaxInt64}}
	odd := specimen.CeleryInitial()
	odd.Scenario = "odd names"
	odd.Classes = []string{"a,b", `say "hi"`}
	odd.Findings = []run.Finding{{Code: "lateness", Text: "The generator was late.", Invalid: true}}
	results := []*run.Result{specimen.Measured(specimen.CeleryInitial()), specimen.Foreign(specimen.CeleryInitial()), specimen.Tenants(300), crash, odd}
	f := New(arms.Summarize(results...), NewManifest([]string{"harelab", "run"}))
	got, err := Read(write(t, f))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(f.Manifest, got.Manifest); d != "" {
		t.Errorf("manifest:\n%s", d)
	}
	for i, r := range got.Runs {
		want := *f.Runs[i].Result
		want.Expect = nil // their verdicts are in the summary
		for j := range want.Messages {
			if m := &want.Messages[j]; m.Done != run.None {
				m.Service = m.Done - m.Started
			}
		}
		for j := range want.Spans {
			want.Spans[j].Late = 0 // what it spoils is in the summary
		}
		sortSpans(want.Spans)
		if d := cmp.Diff(&want, r.Result); d != "" {
			t.Errorf("%s:\n%s", r.Dir, d)
		}
		if d := cmp.Diff(f.Runs[i].Summary, r.Summary, cmpopts.IgnoreUnexported(stat.Summary{})); d != "" {
			t.Errorf("%s: summary:\n%s", r.Dir, d)
		}
	}
}

func TestMessagesErrorsNameLineAndColumn(t *testing.T) {
	header := strings.Join(messageColumns, ",") + "\n"
	tests := []struct{ name, in, want string }{
		{"empty", "", "the file is empty: it needs a header line seq,class,"},
		{"no such column", "seq,class\n", `line 1: there is no column "queue" (columns are seq,class,queue,`},
		{"not a number", header + "x,a,q,w,0,1,false,0,,,,,,,,,done\n", `line 2: seq "x" is not a whole number`},
		{"unknown state", header + "0,a,q,w,0,1,false,0,,,,,,,,,vanished\n", `line 2: state "vanished" is not a state of a message`},
		{"not a flag", header + "0,a,q,w,0,1,perhaps,0,,,,,,,,,done\n", `line 2: redelivered "perhaps" is neither true nor false`},
		{"too many slots", header + "0,a,q,w,99999,1,false,0,,,,,,,,,done\n", `line 2: slot "99999" is out of range`},
		{"short row", header + "0,a,q\n", "wrong number of fields"},
	}
	for _, tt := range tests {
		if _, err := ReadMessages(strings.NewReader(tt.in)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.want)
		}
	}
}

func TestReadSaysWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), "is not a results folder: it has no manifest.json") {
		t.Errorf("an empty folder: %v", err)
	}
	dir = write(t, New(arms.Summarize(specimen.CeleryInitial()), Manifest{}))
	b, _ := os.ReadFile(filepath.Join(dir, "manifest.json"))
	b = bytes.Replace(b, []byte(`"dir": "."`), []byte(`"dir": "../x"`), 1)
	os.WriteFile(filepath.Join(dir, "manifest.json"), b, 0o666)
	if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), `arm folder "../x" is outside of`) {
		t.Errorf("an arm outside the folder: %v", err)
	}
}

// waits is the log of the waits of a result's queries.
func waits(t *testing.T, r *run.Result) []byte {
	t.Helper()
	for _, h := range histograms(r) {
		if h.name == "wait-run_user_query.hlog" {
			var buf bytes.Buffer
			if err := h.write(&buf); err != nil {
				t.Fatal(err)
			}
			return buf.Bytes()
		}
	}
	t.Fatal("no histogram of the queries' wait")
	return nil
}

// readLog returns the records of a log that begin from one instant to another, in
// seconds since 1970.
func readLog(t *testing.T, log []byte, from, to float64) []*hdrhistogram.Histogram {
	t.Helper()
	r := hdrhistogram.NewHistogramLogReader(bytes.NewReader(log))
	var all []*hdrhistogram.Histogram
	for {
		h, err := r.NextIntervalHistogramWithRange(from, to, true)
		if err != nil {
			t.Fatal(err)
		}
		if h == nil {
			return all
		}
		all = append(all, h)
	}
}

func TestHistogramsHoldTheValues(t *testing.T) {
	r := specimen.Measured(specimen.CeleryInitial())
	whole := hdrhistogram.New(1, 1e12, 3)
	for _, h := range readLog(t, waits(t, r), 0, math.MaxFloat64) {
		whole.Merge(h)
		if h.Tag() != "run_user_query.wait" {
			t.Errorf("tag %q", h.Tag())
		}
	}
	s := stat.Summarize(r).Class("run_user_query")
	if n, p50 := whole.TotalCount(), float64(whole.ValueAtQuantile(50))/1e9; n != 40 || p50 < s.Wait.P50*0.999 || p50 > s.Wait.P50*1.001 {
		t.Errorf("the records have n=%d, p50 %v s, want 40 and %v s", n, p50, s.Wait.P50)
	}
}

// TestHistogramsAreThoseOfTheLibrary compares the payload with what the Go library decodes,
// over values from the least to a year.
func TestHistogramsAreThoseOfTheLibrary(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var e encoder
	for n := range 200 {
		want := hdrhistogram.New(1, 1<<55, 3)
		values := make([]logValue, 1+rng.IntN(50))
		for i := range values {
			values[i].ns = int64(math.Exp(rng.Float64() * math.Log(3.2e16)))
			if n%10 == 0 {
				values[i].ns = int64(i)
			}
			want.RecordValue(values[i].ns)
		}
		slices.SortFunc(values, func(a, b logValue) int { return int(a.ns - b.ns) })
		payload, err := e.encode(values)
		if err != nil {
			t.Fatal(err)
		}
		got, err := hdrhistogram.Decode([]byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		if a, b := got.Distribution(), want.Distribution(); !slices.Equal(nonzero(a), nonzero(b)) {
			t.Fatalf("seed 1,2, round %d: counts\n%v, want\n%v", n, nonzero(a), nonzero(b))
		}
	}
}

func nonzero(bars []hdrhistogram.Bar) []hdrhistogram.Bar {
	return slices.DeleteFunc(bars, func(b hdrhistogram.Bar) bool { return b.Count == 0 })
}

// TestHistogramsHaveARecordForEachInterval wants the values between two instants of the
// run, and no others, in the records between them.
func TestHistogramsHaveARecordForEachInterval(t *testing.T) {
	for _, start := range []time.Time{{}, time.UnixMilli(1_700_000_000_250)} {
		r := specimen.CeleryInitial()
		r.Started = start
		base := 0.0
		if !start.IsZero() {
			base = float64(start.UnixMilli()) / 1000
		}
		log := waits(t, r)
		all := readLog(t, log, 0, math.MaxFloat64)
		if len(all) < 5 {
			t.Fatalf("%d records", len(all))
		}
		interval := r.Interval / 1000
		for _, h := range all {
			from := h.StartTimeMs() - int64(math.Round(base*1000))
			if from%interval != 0 || h.EndTimeMs()-h.StartTimeMs() > interval {
				t.Errorf("a record from %d ms on, %d ms long: want intervals of %d ms", from, h.EndTimeMs()-h.StartTimeMs(), interval)
			}
		}
		const from, to = 10.4, 10.8 // s of the run
		count, want := int64(0), int64(0)
		for _, h := range readLog(t, log, base+from-0.001, base+to-0.001) { // the reader adds floating-point numbers
			count += h.TotalCount()
		}
		for _, m := range r.Messages {
			if m.Class == 1 && m.State == run.Done && m.Started >= from*1e6 && m.Started < to*1e6 {
				want++
			}
		}
		if count != want || want == 0 || want == 40 {
			t.Errorf("%d waits ended from %g s to %g s by the records, %d by the messages", count, from, to, want)
		}
	}
}

// TestBenchIsReadByBenchfmt reads bench.txt with the reader that benchstat uses.
func TestBenchIsReadByBenchfmt(t *testing.T) {
	var buf bytes.Buffer
	f := New(arms.Summarize(specimen.CeleryInitial(), specimen.CeleryInitial()), Manifest{})
	if err := WriteBench(&buf, f); err != nil {
		t.Fatal(err)
	}
	r := benchfmt.NewReader(&buf, "bench.txt")
	lines := 0
	for r.Scan() {
		rec, ok := r.Result().(*benchfmt.Result)
		if !ok {
			if err, bad := r.Result().(*benchfmt.SyntaxError); bad {
				t.Fatal(err)
			}
			continue
		}
		lines++
		name := string(rec.Name)
		for _, key := range []string{"/scenario=celery-initial", "/matcher=nfa", "/dispatch=rr", "/order=fifo", "/target=sim", "/prefetch=16"} {
			if !strings.Contains(name, key) {
				t.Errorf("%s lacks %s", name, key)
			}
		}
		if v, ok := rec.Value("wait-mean-sec"); strings.Contains(name, "run_user_query") && (!ok || v != 10.45) {
			t.Errorf("%s: wait-mean-sec = %v, %v", name, v, ok)
		}
	}
	if lines != 6 {
		t.Errorf("%d lines, want one for each of two classes and all, twice", lines)
	}
	if m := r.Units().Get("wait-mean-sec", "assume"); m == nil || m.Value != "exact" {
		t.Errorf("virtual time is not marked exact: %v", m)
	}
}

// TestBenchNamesNoStrategiesOfOthers: the strategies of a foreign broker are not
// known, so names have no keys for them.
func TestBenchNamesNoStrategiesOfOthers(t *testing.T) {
	var buf bytes.Buffer
	if err := WriteBench(&buf, New(arms.Summarize(specimen.Foreign(specimen.CeleryInitial())), Manifest{})); err != nil {
		t.Fatal(err)
	}
	if want := "BenchmarkRun/scenario=celery-initial/target=RabbitMQ-3.10.8/workload=all/"; !strings.Contains(buf.String(), want) {
		t.Errorf("no line begins %s:\n%s", want, buf.String())
	}
}

// TestBenchTellsBrokersApart: two brokers of one product have keys of their own.
func TestBenchTellsBrokersApart(t *testing.T) {
	one, two := specimen.Foreign(specimen.CeleryInitial()), specimen.Foreign(specimen.CeleryInitial())
	one.Target.URL, two.Target.URL = "amqp://127.0.0.1:5701/", "amqp://127.0.0.1:5702/v"
	var buf bytes.Buffer
	if err := WriteBench(&buf, New(arms.Summarize(one, two, specimen.CeleryInitial()), Manifest{})); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"target=RabbitMQ-3.10.8@127.0.0.1:5701/", "target=RabbitMQ-3.10.8@127.0.0.1:5702%2Fv/", "target=sim/"} {
		if strings.Count(buf.String(), want) != 3 {
			t.Errorf("want 3 lines with %s:\n%s", want, buf.String())
		}
	}
}

func TestNoCredentialsAnywhere(t *testing.T) {
	r := specimen.Foreign(specimen.CeleryInitial())
	r.Target.URL = "amqp://guest:s3cr@t@10.0.0.1:5672/"
	r.Resolved = []byte("target: amqp://guest:s3cr@t@10.0.0.1:5672/\n")
	r.Findings = []run.Finding{{Code: "restarted", Text: "amqps://guest:s3cr@t@10.0.0.1/ went away."}}
	m := NewManifest([]string{"harelab", "run", "--target", "amqp://guest:s3cr@t@10.0.0.1:5672/"})
	for name, content := range specimen.Files(t, write(t, New(arms.Summarize(r), m))) {
		if strings.Contains(content, "s3cr") || strings.Contains(content, "guest") {
			t.Errorf("%s holds credentials", name)
		}
	}
}

func TestManifestOfVirtualTimeHasNoClockAndNoHost(t *testing.T) {
	f := New(arms.Summarize(specimen.Arms()...), NewManifest(nil))
	if f.Manifest.Host != nil || !f.Manifest.Started.IsZero() {
		t.Errorf("host %v, started %v", f.Manifest.Host, f.Manifest.Started)
	}
	f = New(arms.Summarize(specimen.Measured(specimen.CeleryInitial())), NewManifest(nil))
	if f.Manifest.Host == nil || f.Manifest.Started.Before(time.Unix(0, 0)) {
		t.Error("a real clock's manifest lacks host or start")
	}
}

func FuzzReadMessages(f *testing.F) {
	var buf bytes.Buffer
	if err := WriteMessages(&buf, specimen.CeleryInitial()); err != nil {
		f.Fatal(err)
	}
	f.Add(buf.String())
	header := strings.Join(messageColumns, ",") + "\n"
	f.Add(header + `0,"a,b",q,w,0,1,false,0,0,,,,0,5,9,,done` + "\n")
	f.Add(header + "0,,,,,0,true,0,,,,,,,,,unserved\n")
	f.Fuzz(func(t *testing.T, in string) {
		r, err := ReadMessages(strings.NewReader(in))
		if err != nil {
			return
		}
		spansOf(r)
		stat.Summarize(r)
		var out bytes.Buffer
		if err := WriteMessages(&out, r); err != nil {
			t.Fatal(err)
		}
		again, err := ReadMessages(&out)
		if err != nil {
			t.Fatalf("what was written is not read: %v", err)
		}
		again.Spans = r.Spans
		if d := cmp.Diff(r, again); d != "" {
			t.Fatalf("a round trip changed it:\n%s", d)
		}
	})
}

// TestStatesComeBack: what became of each message, and why, is the same after a round
// trip through a folder.
func TestStatesComeBack(t *testing.T) {
	r := specimen.CeleryInitial()
	for i := range r.Messages {
		m := &r.Messages[i]
		m.State = run.State(i % (int(run.Gone) + 1))
		switch m.State {
		case run.DeadLetter:
			m.Cause = run.Cause(1 + i/12)
		case run.Dropped:
			m.Cause = run.MaxOctets
		case run.Expired:
			m.Cause = run.TTL
		}
		m.From = 0
	}
	r.Workers[0].Unacked = 3
	f := New([]*arms.Run{{Result: r, Summary: stat.Summarize(r)}}, Manifest{})
	dir := t.TempDir()
	if err := f.Write(dir); err != nil {
		t.Fatal(err)
	}
	again, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range again.Runs[0].Result.Messages {
		if w := r.Messages[i]; m.State != w.State || m.Cause != w.Cause || m.From != w.From {
			t.Errorf("message %d: %v %v from %d, want %v %v from %d", i, m.State, m.Cause, m.From, w.State, w.Cause, w.From)
		}
	}
	if d := cmp.Diff(f.Summaries()[0].Ends, again.Runs[0].Result.Ends()); d != "" {
		t.Error(d)
	}
	if n := again.Runs[0].Result.Workers[0].Unacked; n != 3 {
		t.Errorf("%d unacked, want 3", n)
	}
}

// TestOlderFoldersKeepTheirMeaning: they called refused messages rejected, and messages
// that were left unserved.
func TestOlderFoldersKeepTheirMeaning(t *testing.T) {
	header := strings.Join(messageColumns, ",") + "\n"
	r, err := ReadMessages(strings.NewReader(header + "0,a,q,,,0,false,0,,,,,,,,,rejected\n1,a,q,,,0,false,0,,,,,,,,,unserved\n2,a,q,w,0,1,false,0,,,,,,,,,rejected\n"))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []run.State{run.Refused, run.Left, run.Rejected} {
		if got := r.Messages[i].State; got != want {
			t.Errorf("message %d: %v, want %v", i, got, want)
		}
	}
	var s stat.Summary
	old := `{"ledger": {"published": 9, "rejected": 2, "unserved": 3}, "metrics": {"rejected": 2, "unserved": 3}, "by": {"class=a": {"rejected": 1, "unserved": 1}}}`
	if err := json.Unmarshal([]byte(old), &s); err != nil {
		t.Fatal(err)
	}
	if l := s.Ledger; l.Published != 9 || l.Refused != 2 || l.Rejected != 0 || l.Left != 3 {
		t.Errorf("ledger %+v", l)
	}
	if m := s.Metrics; m["refused"] != 2 || m["left"] != 3 || s.By["class=a"]["refused"] != 1 {
		t.Errorf("metrics %v, by %v", m, s.By)
	}
}
