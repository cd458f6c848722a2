package folder

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"harelab/reports/stat"
	"harelab/scenarios/metric"
)

// benchMetrics are the metrics of bench.txt, in the order in which it says what
// their units mean.
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
	Name    string // with its keys, without "Benchmark"
	N       int    // iterations
	Figures []Figure
}

// A Figure is a value with one of bench.txt's units.
type Figure struct {
	Value float64
	Unit  string
}

// WriteBench writes the figures in Go's benchmark format. Each run is a line
// per class (workload=CLASS) and one for the whole (workload=all); the number
// of iterations is the number of messages whose work was finished.
func WriteBench(out io.Writer, f *Folder) error {
	virtual := true
	var lines []BenchLine
	for _, r := range f.Runs {
		virtual = virtual && r.Summary.Virtual
		for _, c := range r.Summary.Classes {
			if c.N > 0 {
				lines = append(lines, benchLine(f, r.Summary, c, benchFigures(r.Summary, benchMetrics[:perClass], metric.Label{Key: "class", Value: c.Name})))
			}
		}
		if r.Summary.All.N > 0 {
			lines = append(lines, benchLine(f, r.Summary, r.Summary.All, benchFigures(r.Summary, benchMetrics)))
		}
	}
	return WriteBenchLines(out, f.Manifest.Host, virtual, lines)
}

// WriteBenchLines writes lines in Go's benchmark format, with what their units
// mean. In virtual time a unit is marked exact, so that one run suffices
// benchstat, unless repeats with seeds of their own differ in it: those are
// samples like any other. Lines without figures are left out; host is nil where
// it does not matter.
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

// varying tells the units in which lines of one name differ.
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

// perClass is how many of the bench metrics each class has; the rest are of the
// whole run.
const perClass = 14

// benchFigures returns the metrics of a run, or of one of its classes; those
// without a value are left out.
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

func benchLine(f *Folder, s *stat.Summary, c *stat.Class, figures []Figure) BenchLine {
	scenario := s.Scenario
	if s.Variant != "" {
		scenario += "+" + s.Variant
	}
	target := s.Target.Kind
	if target == "amqp" {
		target = strings.ReplaceAll(s.Target.Name(), " ", "-")
	}
	keys := []string{"scenario=" + KeyValue(scenario)}
	for _, k := range [][2]string{{"matcher", s.Matcher}, {"dispatch", s.Dispatch}, {"order", s.Order}} {
		if k[1] != "" { // a broker that is not ours has its own
			keys = append(keys, k[0]+"="+KeyValue(k[1]))
		}
	}
	keys = append(keys, "target="+KeyValue(target), "workload="+KeyValue(c.Name), "consumers="+strconv.Itoa(len(s.Workers)))
	if p, same := samePrefetch(s); same {
		keys = append(keys, "prefetch="+strconv.Itoa(p))
	}
	if h := f.Manifest.Host; h != nil && !s.Virtual {
		keys = append(keys, "procs="+strconv.Itoa(h.Procs))
	}
	return BenchLine{Name: "Run/" + strings.Join(keys, "/"), N: c.N, Figures: figures}
}

// KeyValue makes s fit to be the value of a key in a benchmark's name, which
// slashes part and a space ends.
func KeyValue(s string) string {
	return strings.Map(func(c rune) rune {
		if c == '/' || c == '=' || c <= ' ' {
			return '_'
		}
		return c
	}, s)
}

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
