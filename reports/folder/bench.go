package folder

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"harelab/reports/arms"
	"harelab/reports/stat"
	"harelab/scenarios/metric"
)

// benchMetrics are the metrics of bench.txt, in the order of its Unit lines. The
// first perClass are of every class and of the whole run, the rest of the whole run.
var benchMetrics = queries(
	"wait.mean", "wait.p50", "wait.p95", "wait.p99", "wait.max", "queued.mean", "held.mean", "held.max", "service.mean",
	"slowdown.mean", "slowdown.max", "starvation", "finish", "stuck",
	"makespan", "idle_while_waiting", "utilisation", "throughput", "lost", "duplicated", "redelivered", "jain.busy{by=worker}",
)

func queries(names ...string) []metric.Query {
	var qs []metric.Query
	for _, name := range names {
		qs = append(qs, metric.Must(name))
	}
	return qs
}

// A BenchLine is one line of bench.txt.
type BenchLine struct {
	Name    string // with its keys, without the word Benchmark
	N       int    // iterations
	Figures []Figure
}

// A Figure is a value with its unit in bench.txt.
type Figure struct {
	Value float64
	Unit  string
}

// WriteBench writes the figures in Go's benchmark format. Each run has a line for
// every class (workload=CLASS) and one for the whole run (workload=all). The number
// of iterations is the number of finished messages.
func WriteBench(out io.Writer, f *Folder) error {
	virtual := true
	var lines []BenchLine
	set := f.Set()
	for _, r := range f.Runs {
		virtual = virtual && r.Summary.Virtual
		for _, c := range r.Summary.Classes {
			if c.N > 0 {
				lines = append(lines, benchLine(f, set, r.Summary, c, benchFigures(r.Summary, benchMetrics[:perClass], metric.Label{Key: "class", Value: c.Name})))
			}
		}
		if r.Summary.All.N > 0 {
			lines = append(lines, benchLine(f, set, r.Summary, r.Summary.All, benchFigures(r.Summary, benchMetrics)))
		}
	}
	return WriteBenchLines(out, f.Manifest.Host, virtual, lines)
}

// WriteBenchLines writes lines in Go's benchmark format, after Unit lines that say
// which direction is better. In virtual time it marks a unit as exact, for which
// benchstat needs only one run, unless lines of one name differ in it: those are
// repeats with different seeds, and so samples. It leaves out lines without
// figures. host may be nil: then the file does not say where the lines come from.
func WriteBenchLines(out io.Writer, host *Host, virtual bool, lines []BenchLine) error {
	w := bufio.NewWriter(out)
	if host != nil {
		fmt.Fprintf(w, "goos: %s\ngoarch: %s\n", host.OS, host.Arch)
		if host.CPU != "" {
			fmt.Fprintf(w, "cpu: %s\n", host.CPU)
		}
	}
	fmt.Fprintf(w, "pkg: harelab/scenarios\n")
	varies := varying(lines)
	for _, q := range benchMetrics {
		settings, unit := "", q.BenchUnit()
		switch q.Better() {
		case metric.Lower:
			settings += " better=lower"
		case metric.Higher:
			settings += " better=higher"
		}
		if virtual && !varies[unit] {
			settings += " assume=exact"
		}
		if settings != "" {
			fmt.Fprintf(w, "Unit %s%s\n", unit, settings)
		}
	}
	for _, l := range lines {
		if len(l.Figures) == 0 {
			continue
		}
		fmt.Fprintf(w, "Benchmark%s %d", l.Name, l.N)
		for _, m := range l.Figures {
			fmt.Fprintf(w, " %s %s", strconv.FormatFloat(m.Value, 'g', -1, 64), m.Unit)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

// varying returns the units in which lines of the same name differ.
func varying(lines []BenchLine) map[string]bool {
	varies, first := make(map[string]bool), make(map[[2]string]float64)
	for _, l := range lines {
		for _, m := range l.Figures {
			k := [2]string{l.Name, m.Unit}
			if v, ok := first[k]; ok && v != m.Value {
				varies[m.Unit] = true
			} else {
				first[k] = m.Value
			}
		}
	}
	return varies
}

// perClass is the number of benchMetrics that each class has.
const perClass = 14

// benchFigures returns the metrics of a run, or of the messages that labels select.
// It leaves out metrics without a value.
func benchFigures(s *stat.Summary, qs []metric.Query, labels ...metric.Label) []Figure {
	var out []Figure
	for _, q := range qs {
		q.Labels = append(slices.Clone(q.Labels), labels...)
		if v, err := s.Ask(q); err == nil && !math.IsNaN(v) {
			out = append(out, Figure{v, q.BenchUnit()})
		}
	}
	return out
}

func benchLine(f *Folder, set *arms.Set, s *stat.Summary, c *stat.Class, figures []Figure) BenchLine {
	scenario := KeyParts(s.Scenario)
	if s.Variant != "" {
		scenario = KeyParts(s.Scenario, s.Variant)
	}
	target := targetKey.Replace(strings.TrimRight(set.TargetName(s.Target), "/"))
	keys := []string{"scenario=" + scenario}
	for _, k := range [][2]string{{"matcher", s.Matcher}, {"dispatch", s.Dispatch}, {"order", s.Order}} {
		if k[1] != "" { // empty for a foreign broker
			keys = append(keys, k[0]+"="+KeyValue(k[1]))
		}
	}
	keys = append(keys, "target="+KeyValue(target), "workload="+workload(c.Name, c == s.All), "consumers="+strconv.Itoa(len(s.Workers)))
	if p, same := samePrefetch(s); same {
		keys = append(keys, "prefetch="+strconv.Itoa(p))
	}
	if h := f.Manifest.Host; h != nil && !s.Virtual {
		keys = append(keys, "procs="+strconv.Itoa(h.Procs))
	}
	return BenchLine{Name: "Run/" + strings.Join(keys, "/"), N: c.N, Figures: figures}
}

// targetKey turns a target's name into the value of a key, as "RabbitMQ-3.10.8", with the
// address, "RabbitMQ-3.10.8@127.0.0.1:5672", where a folder has two such brokers.
var targetKey = strings.NewReplacer(" amqp://", "@", " amqps://", "@", " ", "-")

func samePrefetch(s *stat.Summary) (int, bool) {
	for _, w := range s.Workers {
		if w.Prefetch != s.Workers[0].Prefetch {
			return 0, false
		}
	}
	if len(s.Workers) == 0 {
		return 0, false
	}
	return s.Workers[0].Prefetch, true
}
