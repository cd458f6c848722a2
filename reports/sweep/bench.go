package sweep

import (
	"io"

	"harelab/reports/folder"
	"harelab/scenarios/metric"
)

// benchKeys are the axes that have a key in benchmark names, with that key. The values
// of other axes are appended to the scenario's name.
var benchKeys = map[string]string{"matcher": "matcher", "dispatch": "dispatch", "order": "order", "prefetch": "prefetch", "workers": "consumers", "consumers": "consumers", "bindings": "bindings"}

// benchMetrics are the metrics of a benchmark line, in order.
var benchMetrics = []string{
	"held.max", "idle_while_waiting", "jain.busy{by=worker}", "slowdown.mean", "throughput", "wait.max", "wait.mean", "wait.p99",
}

// WriteBench writes the runs in Go's benchmark format, a line for each.
func (s *Sweep) WriteBench(out io.Writer) error {
	var lines []folder.BenchLine
	for _, c := range s.Cells {
		scenario, keys := []string{s.Scenario}, ""
		for i, v := range c.Values {
			if k, ok := benchKeys[s.Axes[i].Name]; ok {
				keys += "/" + k + "=" + folder.KeyValue(v)
			} else {
				scenario = append(scenario, s.Axes[i].Name+":"+v)
			}
		}
		line := folder.BenchLine{Name: "Sweep/scenario=" + folder.KeyParts(scenario...) + "/target=" + folder.KeyValue(s.Target) + keys, N: 1}
		for _, m := range benchMetrics {
			if v, ok := c.Metrics[m]; ok {
				line.Figures = append(line.Figures, folder.Figure{Value: v, Unit: metric.Must(m).BenchUnit()})
			}
		}
		lines = append(lines, line)
	}
	return folder.WriteBenchLines(out, nil, s.Virtual, lines)
}
