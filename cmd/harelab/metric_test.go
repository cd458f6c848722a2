package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"harelab/reports/folder"
	"harelab/scenarios/metric"
)

// askEverything is a small scenario with two classes, tenants, queues and workers. Its
// messages are confirmed, wait, and are partly refused. %s stands for its expectations.
const askEverything = `schema: harelab/v1
name: everything
topology: {queues: [{name: p}, {name: q}]}
classes:
  - {name: a, publish: {exchange: "", key: p}, keys: {tenant: {dist: uniform, values: [x, y]}}, service: {dist: exponential, mean: 300ms}}
  - {name: b, publish: {exchange: "", key: q}, keys: {tenant: {dist: uniform, values: [x, y]}}, service: 100ms}
load:
  - sequence: s
    confirm: all
    phases: [{mix: {weights: {a: 50, b: 50}}, model: burst, count: 120}]
workers:
  - {name: w, count: 2, threads: 1, consume: [{queue: p}, {queue: q}], prefetch: {count: 3}, ack: on-done}
expect:
  that:
%s`

// TestEveryMetricInExpect runs a scenario that expects every metric, with each statistic
// and label, and checks that each is computed: in virtual time, and from the folder.
func TestEveryMetricInExpect(t *testing.T) {
	t.Parallel()
	var lines strings.Builder
	asked := 0
	for _, m := range metric.All() {
		stats := []string{""}
		if m.Distribution() {
			stats = append(metric.Stats(), "p99", "p99.9")
		}
		for _, stat := range stats {
			for _, labels := range []string{"", "class=a", "class!=a", "tenant=x", "tenant!=x", "queue=p", "queue!=p", "worker=w-1", "worker!=w-1", "class=a,tenant!=x,worker=w-2"} {
				if m.Name == "jain.share" && strings.Contains(labels, "tenant") {
					continue // a tenant's share of itself means nothing
				}
				q := strings.TrimSuffix(m.Name+"."+stat, ".")
				if m.By != "" {
					labels = strings.TrimSuffix("by="+m.By+","+labels, ",")
				}
				if labels != "" {
					q += "{" + labels + "}"
				}
				fmt.Fprintf(&lines, "    - \"%s >= 0\"\n", q)
				asked++
			}
		}
	}
	dir := t.TempDir()
	file, out := filepath.Join(dir, "everything.yaml"), filepath.Join(dir, "out")
	if err := os.WriteFile(file, fmt.Appendf(nil, askEverything, lines.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command("harelab", "run", file, "--target", "sim", "--quiet", "--out", out).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	ss, err := folder.ReadSummaries(out)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(ss[0].Verdicts); n != asked {
		t.Fatalf("%d verdicts on %d expectations", n, asked)
	}
	for _, v := range ss[0].Verdicts {
		if v.Measured == nil {
			t.Errorf("%s: %s %s", v.Text, v.Outcome, v.Error)
			continue
		}
		q, _, err := metric.Cut(v.Text)
		if err != nil {
			t.Fatal(err)
		}
		// The folder gives the same figures, from summary.json or from messages.csv.
		if got, err := ss[0].Ask(q); err != nil || got != *v.Measured {
			t.Errorf("%s: %v when it ran, %v (%v) from its folder", v.Text, *v.Measured, got, err)
		}
	}
}
