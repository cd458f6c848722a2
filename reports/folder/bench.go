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

// WriteBench writes the figures in Go's benchmark format. Each run is a line
// per class (workload=CLASS) and one for the whole (workload=all); the number
// of iterations is the number of messages whose work was finished. When all
// of it is virtual time the units are marked exact, so that one run suffices
// benchstat.
func WriteBench(out io.Writer, f *Folder) error {
	w := bufio.NewWriter(out)
	exact := true
	for _, r := range f.Runs {
		exact = exact && r.Summary.Virtual
	}
	if h := f.Manifest.Host; h != nil {
		fmt.Fprintf(w, "goos: %s\ngoarch: %s\n", h.OS, h.Arch)
		if h.CPU != "" {
			fmt.Fprintf(w, "cpu: %s\n", h.CPU)
		}
	}
	fmt.Fprintf(w, "pkg: harelab/scenarios\n")
	for _, u := range benchUnits {
		settings := ""
		if u.better != "" {
			settings += " better=" + u.better
		}
		if exact {
			settings += " assume=exact"
		}
		if settings != "" {
			fmt.Fprintf(w, "Unit %s%s\n", u.name, settings)
		}
	}
	for _, r := range f.Runs {
		for _, c := range r.Summary.Classes {
			if c.N > 0 {
				benchLine(w, f, r.Summary, c, classFigures(c))
			}
		}
		if r.Summary.All.N > 0 {
			benchLine(w, f, r.Summary, r.Summary.All, append(classFigures(r.Summary.All), runFigures(r.Summary)...))
		}
	}
	return w.Flush()
}

type measurement struct {
	value float64
	unit  string
}

func classFigures(c *stat.Class) []measurement {
	if c.Wait == nil || c.Service == nil {
		return nil
	}
	ms := []measurement{
		{c.Wait.Mean, "wait-mean-sec"}, {c.Wait.P50, "wait-p50-sec"}, {c.Wait.P95, "wait-p95-sec"},
		{c.Wait.P99, "wait-p99-sec"}, {c.Wait.Max, "wait-max-sec"},
	}
	if c.Queued != nil {
		ms = append(ms, measurement{c.Queued.Mean, "queued-mean-sec"})
	}
	if c.Held != nil {
		ms = append(ms, measurement{c.Held.Mean, "held-mean-sec"}, measurement{c.Held.Max, "held-max-sec"})
	}
	ms = append(ms, measurement{c.Service.Mean, "service-mean-sec"})
	if c.Slowdown != nil {
		ms = append(ms, measurement{c.Slowdown.Mean, "slowdown-mean"}, measurement{c.Slowdown.Max, "slowdown-max"})
	}
	return append(ms, measurement{c.Starvation, "starvation-sec"}, measurement{c.Finish, "finish-sec"}, measurement{float64(c.Stuck), "stuck"})
}

func runFigures(s *stat.Summary) []measurement {
	ms := []measurement{
		{s.Makespan, "makespan-sec"}, {s.IdleWhileWaiting, "idle-while-waiting-sec"}, {s.Utilisation, "utilisation"},
		{s.Throughput, "msgs/s"}, {float64(s.Ledger.Lost), "lost"}, {float64(s.Ledger.Duplicated), "duplicated"},
		{float64(s.Ledger.Redelivered), "redelivered"},
	}
	if s.JainBusyByWorker != nil {
		ms = append(ms, measurement{*s.JainBusyByWorker, "jain-busy"})
	}
	return ms
}

func benchLine(w io.Writer, f *Folder, s *stat.Summary, c *stat.Class, ms []measurement) {
	scenario := s.Scenario
	if s.Variant != "" {
		scenario += "+" + s.Variant
	}
	target := s.Target.Kind
	if target == "amqp" {
		target = s.Target.Product + "-" + s.Target.Version
	}
	if len(ms) == 0 {
		return
	}
	keys := []string{
		"scenario=" + keyValue(scenario), "strategy=" + keyValue(s.Matcher), "dispatch=" + keyValue(s.Dispatch),
		"target=" + keyValue(target), "workload=" + keyValue(c.Name), "consumers=" + strconv.Itoa(len(s.Workers)),
	}
	if p, same := samePrefetch(s); same {
		keys = append(keys, "prefetch="+strconv.Itoa(p))
	}
	if h := f.Manifest.Host; h != nil && !s.Virtual {
		keys = append(keys, "procs="+strconv.Itoa(h.Procs))
	}
	fmt.Fprintf(w, "BenchmarkRun/%s %d", strings.Join(keys, "/"), c.N)
	for _, m := range ms {
		fmt.Fprintf(w, " %s %s", strconv.FormatFloat(m.value, 'g', -1, 64), m.unit)
	}
	fmt.Fprintln(w)
}

// keyValue makes s fit for a benchmark name, where slashes and spaces part
// keys, and a final dash with digits is taken for a number of processors.
func keyValue(s string) string {
	s = strings.Map(func(c rune) rune {
		if c == '/' || c == '=' || c <= ' ' {
			return '_'
		}
		return c
	}, s)
	if s == "" {
		return "none"
	}
	return s
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
