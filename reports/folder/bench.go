package folder

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"harelab/reports/stat"
)

// benchUnits are the units of bench.txt. Lower is better but where it says
// otherwise; a neutral one is neither.
var benchUnits = []struct{ name, better string }{
	{"wait-mean-sec", "lower"}, {"wait-p50-sec", "lower"}, {"wait-p95-sec", "lower"}, {"wait-p99-sec", "lower"}, {"wait-max-sec", "lower"},
	{"queued-mean-sec", "lower"}, {"held-mean-sec", "lower"}, {"held-max-sec", "lower"}, {"service-mean-sec", ""},
	{"slowdown-mean", "lower"}, {"slowdown-max", "lower"}, {"starvation-sec", "lower"}, {"finish-sec", "lower"}, {"stuck", "lower"},
	{"makespan-sec", "lower"}, {"idle-while-waiting-sec", "lower"}, {"utilisation", ""}, {"jain-busy", "higher"}, {"msgs/s", "higher"},
	{"lost", "lower"}, {"duplicated", "lower"}, {"redelivered", "lower"},
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
				lines = append(lines, benchLine(f, r.Summary, c, classFigures(c)))
			}
		}
		if r.Summary.All.N > 0 {
			lines = append(lines, benchLine(f, r.Summary, r.Summary.All, append(classFigures(r.Summary.All), runFigures(r.Summary)...)))
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
	for _, u := range benchUnits {
		settings := ""
		if u.better != "" {
			settings += " better=" + u.better
		}
		if virtual && !varies[u.name] {
			settings += " assume=exact"
		}
		if settings != "" {
			fmt.Fprintf(w, "Unit %s%s\n", u.name, settings)
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

func classFigures(c *stat.Class) []Figure {
	if c.Wait == nil || c.Service == nil {
		return nil
	}
	ms := []Figure{
		{c.Wait.Mean, "wait-mean-sec"}, {c.Wait.P50, "wait-p50-sec"}, {c.Wait.P95, "wait-p95-sec"},
		{c.Wait.P99, "wait-p99-sec"}, {c.Wait.Max, "wait-max-sec"},
	}
	if c.Queued != nil {
		ms = append(ms, Figure{c.Queued.Mean, "queued-mean-sec"})
	}
	if c.Held != nil {
		ms = append(ms, Figure{c.Held.Mean, "held-mean-sec"}, Figure{c.Held.Max, "held-max-sec"})
	}
	ms = append(ms, Figure{c.Service.Mean, "service-mean-sec"})
	if c.Slowdown != nil {
		ms = append(ms, Figure{c.Slowdown.Mean, "slowdown-mean"}, Figure{c.Slowdown.Max, "slowdown-max"})
	}
	return append(ms, Figure{c.Starvation, "starvation-sec"}, Figure{c.Finish, "finish-sec"}, Figure{float64(c.Stuck), "stuck"})
}

func runFigures(s *stat.Summary) []Figure {
	ms := []Figure{
		{s.Makespan, "makespan-sec"}, {s.IdleWhileWaiting, "idle-while-waiting-sec"}, {s.Utilisation, "utilisation"},
		{s.Throughput, "msgs/s"}, {float64(s.Ledger.Lost), "lost"}, {float64(s.Ledger.Duplicated), "duplicated"},
		{float64(s.Ledger.Redelivered), "redelivered"},
	}
	if s.JainBusyByWorker != nil {
		ms = append(ms, Figure{*s.JainBusyByWorker, "jain-busy"})
	}
	return ms
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
