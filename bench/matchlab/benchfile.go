package matchlab

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime"
)

// WriteBench writes measurements in the Go benchmark format, one line for each sample,
// for benchstat.
func WriteBench(w io.Writer, ms []Measurement) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "goos: %s\ngoarch: %s\npkg: harelab/bench\n", runtime.GOOS, runtime.GOARCH)
	for i := range ms {
		m := &ms[i]
		name := fmt.Sprintf("strategy=%s/workload=%s/bindings=%d", m.Contender, m.Workload, m.Bindings)
		for j := range m.CPU {
			fmt.Fprintf(b, "BenchmarkMatch/%s 1 %.4g ns/op %.4g cpu-ns/op %.4g matches/op %d allocs/op\n",
				name, m.Wall[j], m.CPU[j], m.Matches, int(m.Allocs))
		}
		for _, ns := range m.BindCPU {
			fmt.Fprintf(b, "BenchmarkBind/%s 1 %.4g cpu-ns/op %.4g B/binding\n", name, ns, m.Heap)
		}
		for _, ns := range m.UnbindCPU {
			fmt.Fprintf(b, "BenchmarkUnbind/%s 1 %.4g cpu-ns/op\n", name, ns)
		}
	}
	return b.Flush()
}

// WriteBenchFile writes measurements to a file in the format of [WriteBench].
func WriteBenchFile(name string, ms []Measurement) error { return writeBenchFile(name, ms, "") }

// writeBenchFile writes measurements to a file. If partial is not empty, it becomes the
// first line.
func writeBenchFile(name string, ms []Measurement, partial string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if partial != "" {
		fmt.Fprintf(f, "partial: %s\n", partial)
	}
	if err := WriteBench(f, ms); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
