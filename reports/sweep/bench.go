package sweep

import (
	"io"

	"harelab/reports/folder"
)

// benchKeys are the axes that are keys of benchmark names of their own; other
// settings join the scenario's name.
var benchKeys = map[string]string{"matcher": "matcher", "dispatch": "dispatch", "order": "order", "prefetch": "prefetch", "workers": "consumers", "consumers": "consumers", "bindings": "bindings"}

// benchUnits are the metrics of benchmark lines, in their order, with their units.
var benchUnits = []struct{ metric, unit string }{
	{"held.max", "held-max-sec"}, {"idle_while_waiting", "idle-while-waiting-sec"}, {"jain.busy{by=worker}", "jain-busy"},
	{"slowdown.mean", "slowdown-mean"}, {"throughput", "msgs/s"},
	{"wait.max", "wait-max-sec"}, {"wait.mean", "wait-mean-sec"}, {"wait.p99", "wait-p99-sec"},
}

// WriteBench writes the cells in Go's benchmark format, a line for each run.
func (s *Sweep) WriteBench(out io.Writer) error {
	var lines []folder.BenchLine
	for _, c := range s.Cells {
		scenario, keys := s.Scenario, ""
		for i, v := range c.Values {
			if k, ok := benchKeys[s.Axes[i].Name]; ok {
				keys += "/" + k + "=" + folder.KeyValue(v)
			} else {
				scenario += "+" + s.Axes[i].Name + ":" + v
			}
		}
		line := folder.BenchLine{Name: "Sweep/scenario=" + folder.KeyValue(scenario) + "/target=" + folder.KeyValue(s.Target) + keys, N: 1}
		for _, u := range benchUnits {
			if v, ok := c.Metrics[u.metric]; ok {
				line.Figures = append(line.Figures, folder.Figure{Value: v, Unit: u.unit})
			}
		}
		lines = append(lines, line)
	}
	return folder.WriteBenchLines(out, nil, s.Virtual, lines)
}
