package selftest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"
)

var update = flag.Bool("update", false, "let the reference rewrite the results in testdata/answers.json")

// testdata/answers.json holds scenarios and what the reference makes of them.
func TestGoldenAnswersAreTheReference(t *testing.T) {
	const name = "testdata/answers.json"
	file := readFile(t, name)
	var f struct {
		Cases map[string]struct {
			Doc      string          `json:"doc"`
			Scenario json.RawMessage `json:"scenario"`
		} `json:"cases"`
	}
	if err := json.Unmarshal(file, &f); err != nil {
		t.Fatal(err)
	}
	var names []string
	for n := range f.Cases {
		names = append(names, n)
	}
	slices.Sort(names)
	var b bytes.Buffer
	b.WriteString("{\"format\": 1, \"time_unit\": \"microseconds\", \"cases\": {\n")
	for i, n := range names {
		c := f.Cases[n]
		spec := testCase{}
		if err := json.Unmarshal(c.Scenario, &spec.Scenario); err != nil {
			t.Fatal(err)
		}
		if err := spec.check(); err != nil {
			t.Fatalf("%s: %v", n, err)
		}
		result, err := json.Marshal(resultOf(simulateReference(&spec.Scenario)))
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, "%q: {\"doc\": %q,\n\"scenario\": %s,\n\"result\": %s}", n, c.Doc, c.Scenario, result)
	}
	b.WriteString("\n}}\n")
	if *update {
		if err := os.WriteFile(name, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(file, b.Bytes()) {
		t.Errorf("%s is not what the reference makes of it; look why, then run: go test ./loadgen/selftest -update", name)
	}
}

// resultOf writes an outcome as a known-answers file does.
func resultOf(o *outcome) map[string]any {
	a := analyse(o)
	figures := func(by map[string]summary) map[string]any {
		m := map[string]any{}
		for class, s := range by {
			m[class] = map[string]any{"n": s.n, "sum": s.sum, "mean": round6(s.mean), "p50": s.p50, "p99": s.p99, "max": s.max}
		}
		return m
	}
	slow := map[string]any{}
	for class, s := range a.slowdown {
		slow[class] = map[string]any{"mean": round6(s.mean), "max": round6(s.max)}
	}
	columns := slices.DeleteFunc(slices.Clone(columnNames), func(c string) bool { return c == "service" })
	var rows [][]any
	for seq := range o.rows {
		var r []any
		for _, c := range columns {
			v, _ := o.column(seq, c)
			r = append(r, plain(v))
		}
		rows = append(rows, r)
	}
	return map[string]any{
		"done": a.done, "lost": a.lost, "unserved": a.unserved, "redelivered": a.redelivered,
		"makespan_us": a.makespan, "wait_us": figures(a.wait), "response_us": figures(a.response),
		"served_per_worker": o.served, "busy_us_per_worker": o.busy, "slowdown": slow,
		"jain_busy": round6(a.jain), "trace_sha256": a.trace, "deliveries_sha256": o.deliveries,
		"columns": columns, "rows": rows,
	}
}
