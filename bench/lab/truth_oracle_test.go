package lab

import (
	"bytes"
	"encoding/csv"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/folder"
)

// A csvRun is what messages.csv says of a run, read without the code that reports use,
// and the slots of its workers. It recomputes figures slowly and plainly.
type csvRun struct {
	rows    []csvRow
	slots   int
	slotsOf map[string]int // of the workers that consume a queue
	workers []run.Worker
	ackOf   map[string]string // of each worker
	samples []float64         // s, the instants of series.csv
}

// A csvRow is one line of messages.csv. Times are in seconds; a missing one is NaN.
type csvRow struct {
	class, queue, worker, tenant, state string
	attempts                            int
	intended, sent, enqueued            float64
	dispatched, received, started       float64
	done, acked                         float64
}

func newCSVRun(t *testing.T, r *arms.Run) *csvRun {
	t.Helper()
	var buf bytes.Buffer
	if err := folder.WriteMessages(&buf, r.Result); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&buf).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := func(name string) int {
		i := slices.Index(lines[0], name)
		if i < 0 {
			t.Fatalf("messages.csv has no column %s", name)
		}
		return i
	}
	out := &csvRun{slotsOf: make(map[string]int), ackOf: make(map[string]string), workers: r.Result.Workers}
	for _, s := range r.Result.Series {
		out.samples = append(out.samples, float64(s.At)/1e6)
	}
	for _, w := range r.Result.Workers {
		out.slots += w.Slots
		out.ackOf[w.Name] = w.Ack
		for _, q := range w.Queues {
			out.slotsOf[q] += w.Slots
		}
	}
	for i, line := range lines[1:] {
		text := func(name string) string { return line[column(name)] }
		at := func(name string) float64 {
			us, err := strconv.ParseInt(text(name), 10, 64)
			if err != nil {
				return math.NaN()
			}
			return float64(us) / 1e6
		}
		row := csvRow{class: text("class"), queue: text("queue"), worker: text("worker"), state: text("state"),
			intended: at("intended_us"), sent: at("sent_us"), enqueued: at("enqueued_us"), dispatched: at("dispatched_us"), received: at("received_us"),
			started: at("started_us"), done: at("done_us"), acked: at("acked_us")}
		row.attempts, _ = strconv.Atoi(text("attempts"))
		if k := r.Result.Messages[i].Tenant; k >= 0 {
			row.tenant = r.Result.Tenants[k]
		}
		out.rows = append(out.rows, row)
	}
	return out
}

// of returns the run with only the messages that words name: "messages", "quick",
// "quick of tenant t1", "messages of tenants other than t0". It returns nil for words
// that it does not know.
func (c *csvRun) of(who string) *csvRun {
	who, done := strings.CutPrefix(who, "finished ")
	first, rest, _ := strings.Cut(who, " ")
	keep := func(csvRow) bool { return true }
	if rest != "" {
		tenant, not := strings.CutPrefix(rest, "of tenants other than ")
		if !not {
			var ok bool
			if tenant, ok = strings.CutPrefix(rest, "of tenant "); !ok {
				return nil
			}
		}
		keep = func(r csvRow) bool { return (r.tenant == tenant) != not }
	}
	out := &csvRun{slots: c.slots, slotsOf: c.slotsOf, workers: c.workers, ackOf: c.ackOf, samples: c.samples}
	for _, r := range c.rows {
		if (first == "messages" || first == "message" || r.class == first) && keep(r) && !(done && math.IsNaN(r.done)) {
			out.rows = append(out.rows, r)
		}
	}
	return out
}

// finished returns the rows whose work was done.
func (c *csvRun) finished() []csvRow {
	return slices.DeleteFunc(slices.Clone(c.rows), func(r csvRow) bool { return math.IsNaN(r.done) })
}

// times returns a time of each message; one that was not finished has taken for ever.
func (c *csvRun) times(metric string) []float64 {
	var out []float64
	for _, r := range c.rows {
		v := math.Inf(1)
		if !math.IsNaN(r.done) {
			switch metric {
			case "wait":
				v = r.started - r.intended
			case "held":
				v = r.started - r.received
			case "sojourn":
				v = r.done - r.intended
			case "service":
				v = r.done - r.started
			case "slowdown":
				v = (r.done - r.intended) / (r.done - r.started)
			}
		}
		out = append(out, v)
	}
	slices.Sort(out)
	return out
}

// finite returns the values of messages that were finished.
func finite(vs []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(vs), func(v float64) bool { return math.IsInf(v, 1) })
}

// nearestRank is the smallest value that is no less than p percent of all.
func nearestRank(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	for i, v := range sorted {
		if float64(i+1)*100 >= p*float64(len(sorted))-1e-9 {
			return v
		}
	}
	return sorted[len(sorted)-1]
}

func average(vs []float64) float64 {
	sum := 0.0
	for _, v := range vs {
		sum += v
	}
	return sum / float64(len(vs))
}

// throughput is the number of finished messages a second, from the first intended
// instant to the last end.
func (c *csvRun) throughput() float64 {
	first, last, n := math.Inf(1), math.Inf(-1), 0.0
	for _, r := range c.rows {
		first = min(first, r.intended)
		if !math.IsNaN(r.done) {
			last = max(last, r.done)
			n++
		}
	}
	return n / (last - first)
}

// starvation is the longest span in which one of the messages waits and none starts.
func (c *csvRun) starvation() float64 {
	var edges []float64
	for _, r := range c.rows {
		edges = append(edges, r.intended)
		if !math.IsNaN(r.started) {
			edges = append(edges, r.started)
		}
	}
	slices.Sort(edges)
	waits := func(from, to float64) bool { // some message waits all the time between two neighbours
		return slices.ContainsFunc(c.rows, func(r csvRow) bool {
			return r.intended <= from && (r.started >= to || r.state == "left" && math.IsNaN(r.started))
		})
	}
	starts := func(at float64) bool {
		return slices.ContainsFunc(c.rows, func(r csvRow) bool { return r.started == at })
	}
	longest, since := 0.0, math.NaN()
	for i := 1; i < len(edges); i++ {
		from, to := edges[i-1], edges[i]
		if from == to {
			continue
		}
		if math.IsNaN(since) || starts(from) {
			since = from
		}
		if !waits(from, to) {
			since = math.NaN()
			continue
		}
		longest = max(longest, to-since)
	}
	return longest
}

// jainBusy is Jain's index of the time that each worker was busy: 1 if all were equally
// busy.
func (c *csvRun) jainBusy() float64 {
	sum, squares := 0.0, 0.0
	for _, w := range c.workers {
		busy := 0.0
		for _, r := range c.finished() {
			if r.worker == w.Name {
				busy += r.done - r.started
			}
		}
		sum += busy
		squares += busy * busy
	}
	return sum * sum / (float64(len(c.workers)) * squares)
}

// redelivered reports whether a message was delivered more than once, or came back from a
// worker that may have begun with it and was then lost, dropped or expired. Rows do not tell of all times at which such a message
// started.
func (c *csvRun) redelivered() bool {
	return slices.ContainsFunc(c.rows, func(r csvRow) bool { return r.attempts > 1 || r.state == "lost" || r.attempts > 0 && r.state != "done" })
}

// count returns the number of messages in a state.
func (c *csvRun) count(states ...string) float64 {
	n := 0
	for _, r := range c.rows {
		if slices.Contains(states, r.state) {
			n++
		}
	}
	return float64(n)
}
