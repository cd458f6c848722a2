package matchlab

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"

	"harelab/bench/workload"
)

// units are the units of bench.txt, with what its Unit lines say of them. The number of
// matches is no figure but proves that the work was done.
var units = []struct{ name, says string }{
	{"ns/op", "better=lower"},
	{"cpu-ns/op", "better=lower"},
	{"allocs/op", "better=lower"},
	{"B/binding", "better=lower"},
	{"matches/op", "assume=exact"},
	{"steps/op", "better=lower"},
	{"hits/op", "better=higher"},
}

// WriteBench writes measurements in the Go benchmark format, one line for each sample,
// for benchstat.
func WriteBench(w io.Writer, ms []Measurement) error {
	var points []Point
	for _, m := range ms {
		points = append(points, Point{Measurement: m, HitRate: -1})
	}
	return writePoints(w, points)
}

// writePoints writes measurements with what a sweep counts.
func writePoints(w io.Writer, points []Point) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "goos: %s\ngoarch: %s\npkg: harelab/bench\n", runtime.GOOS, runtime.GOARCH)
	for _, u := range units {
		fmt.Fprintf(b, "Unit %s %s\n", u.name, u.says)
	}
	for i := range points {
		m := &points[i]
		name := fmt.Sprintf("strategy=%s/workload=%s/bindings=%d", m.Contender, m.Workload, m.Bindings)
		for j := range m.CPU {
			fmt.Fprintf(b, "BenchmarkMatch/%s 1 %s ns/op %s cpu-ns/op %d allocs/op", name, plain(m.Wall[j]), plain(m.CPU[j]), int(m.Allocs[j]))
			if j == 0 {
				m.writeCounts(b)
			}
			fmt.Fprintln(b)
		}
		for j, ns := range m.BindCPU {
			fmt.Fprintf(b, "BenchmarkBind/%s 1 %s cpu-ns/op", name, plain(ns))
			if j == 0 {
				fmt.Fprintf(b, " %s B/binding", plain(m.Heap))
			}
			fmt.Fprintln(b)
		}
		for _, ns := range m.UnbindCPU {
			fmt.Fprintf(b, "BenchmarkUnbind/%s 1 %s cpu-ns/op\n", name, plain(ns))
		}
	}
	return b.Flush()
}

// writeCounts writes what was measured once and not in every sample, so that a reader does
// not take it for several samples.
func (p *Point) writeCounts(w io.Writer) {
	fmt.Fprintf(w, " %s matches/op", plain(p.Matches))
	if p.Steps > 0 {
		fmt.Fprintf(w, " %s steps/op", plain(p.Steps))
	}
	if p.HitRate >= 0 {
		fmt.Fprintf(w, " %s hits/op", plain(p.HitRate))
	}
}

// plain writes all digits of a value, so that a page drawn from the file is the same.
func plain(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// WriteBenchFile writes measurements to a file in the format of [WriteBench].
func WriteBenchFile(name string, ms []Measurement) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(WriteBench(f, ms), f.Close())
}

// writeBenchFile writes the results to a file. Partial results say so in the first line.
func (r *Results) writeBenchFile(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if r.Partial != "" {
		fmt.Fprintf(f, "partial: %s\n", r.Partial)
	}
	return errors.Join(writePoints(f, r.samples()), f.Close())
}

// readBench reads the measurements of [Results.writeBenchFile] into r.
func (r *Results) readBench(name string, in io.Reader) error {
	var points []Point
	at := make(map[[2]string]int)
	b := benchfmt.NewReader(in, name)
	for b.Scan() {
		rec, ok := b.Result().(*benchfmt.Result)
		if !ok {
			if err, bad := b.Result().(*benchfmt.SyntaxError); bad {
				return err
			}
			continue
		}
		m := Point{HitRate: -1}
		base, parts := rec.Name.Parts()
		for _, part := range parts {
			switch key, value, _ := strings.Cut(string(part), "="); key {
			case "/strategy":
				m.Contender = value
			case "/workload":
				m.Workload = value
			case "/bindings":
				m.Bindings, _ = strconv.Atoi(value)
			}
		}
		k := [2]string{m.Contender, m.Workload}
		i, ok := at[k]
		if !ok {
			i = len(points)
			at[k] = i
			points = append(points, m)
		}
		points[i].add(string(base), rec.Values)
	}
	if err := b.Err(); err != nil {
		return err
	}
	for _, p := range points {
		if _, err := workload.Lookup(p.Workload); err == nil {
			r.Matches = append(r.Matches, p.Measurement)
			continue
		}
		cut := strings.LastIndexByte(p.Workload, '-')
		x, err := strconv.ParseFloat(p.Workload[cut+1:], 64)
		if cut < 0 || err != nil {
			return fmt.Errorf("%s: unknown workload %q", name, p.Workload)
		}
		p.X = x
		if sweep := p.Workload[:cut]; len(r.Sweeps) == 0 || r.Sweeps[len(r.Sweeps)-1].Name != sweep {
			r.Sweeps = append(r.Sweeps, Sweep{Name: sweep, Axis: axes[sweep]})
		}
		last := &r.Sweeps[len(r.Sweeps)-1]
		last.Points = append(last.Points, p)
	}
	if len(r.Matches) == 0 {
		return fmt.Errorf("%s has no workload that was measured", name)
	}
	return nil
}

// add adds the values of one line.
func (p *Point) add(base string, values []benchfmt.Value) {
	for _, v := range values {
		value, unit := v.Value, v.Unit
		if v.OrigUnit != "" {
			value, unit = v.OrigValue, v.OrigUnit
		}
		switch base + " " + unit {
		case "Match ns/op":
			p.Wall = append(p.Wall, value)
		case "Match cpu-ns/op":
			p.CPU = append(p.CPU, value)
		case "Match matches/op":
			p.Matches = value
		case "Match allocs/op":
			p.Allocs = append(p.Allocs, value)
		case "Match steps/op":
			p.Steps = value
		case "Match hits/op":
			p.HitRate = value
		case "Bind cpu-ns/op":
			p.BindCPU = append(p.BindCPU, value)
		case "Bind B/binding":
			p.Heap = value
		case "Unbind cpu-ns/op":
			p.UnbindCPU = append(p.UnbindCPU, value)
		}
	}
}
