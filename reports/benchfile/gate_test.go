package benchfile

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"harelab/reports/compare"
)

func TestParseRule(t *testing.T) {
	for _, tt := range []struct {
		in, unit string
		up       bool
		rel, abs float64
		labels   string
	}{
		{"ns/op +5%", "sec/op", true, 0.05, 0, ""},
		{"cpu-ns/op{strategy=nfa, workload!=iot} +50", "cpu-sec/op", true, 0, 50e-9, "strategy=nfa workload!=iot"},
		{"cpu-ns/op +50ns", "cpu-sec/op", true, 0, 50e-9, ""},
		{"MB/s -3%", "B/s", false, 0.03, 0, ""},
		{"allocs/op +0", "allocs/op", true, 0, 0, ""},
		{"wait.p99 +5%", "wait-p99-sec", true, 0.05, 0, "workload=all"},
		{"wait.p99{class=q} +50ms", "wait-p99-sec", true, 0, 0.05, "workload=q"},
		{"throughput -3%", "msgs/s", false, 0.03, 0, "workload=all"},
	} {
		r, err := ParseRule(tt.in)
		var labels []string
		for _, l := range r.Labels {
			labels = append(labels, l.String())
		}
		if err != nil || r.Unit != tt.unit || r.Up != tt.up || fmt.Sprintf("%.3g %.3g", r.Rel, r.Abs) != fmt.Sprintf("%.3g %.3g", tt.rel, tt.abs) || strings.Join(labels, " ") != tt.labels {
			t.Errorf("ParseRule(%q) = %+v, %v", tt.in, r, err)
		}
	}
	for in, want := range map[string]string{
		"ns/op": "give a unit and the change", "": "give a unit", "ns/op 5%": "give a unit", "ns/op +x%": "is not an amount", "B/op +5ns": "is not an amount", "ns/op +NaN": "is not an amount",
		"ns/op{strategy} +5%": "write key=value", "ns/op{a=b +5%": "no closing brace", "wait.p99{tenant=x} +5%": "give the results folders",
	} {
		if _, err := ParseRule(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseRule(%q): error %v, want one with %q", in, err, want)
		}
	}
}

func FuzzParseRule(f *testing.F) {
	f.Add("ns/op{a=b} +5%")
	f.Add("wait.p99{class=a} -5ms")
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := ParseRule(s); err == nil && !(r.Rel >= 0 && r.Abs >= 0) {
			t.Errorf("ParseRule(%q) = %+v", s, r)
		}
	})
}

func TestGate(t *testing.T) {
	x := func(n int, v float64) string { return bench("X/strategy=nfa", n, v, "ns/op") }
	for _, tt := range []struct {
		name, old, new, rule string
		want                 compare.GateOutcome
	}{
		{"worse", x(6, 100), x(6, 200), "ns/op +5%", compare.GateWorse},
		{"mirrored", x(6, 200), x(6, 100), "ns/op +5%", compare.GateOK},
		{"a fall that is not allowed", x(6, 200), x(6, 100), "ns/op -5%", compare.GateWorse},
		{"within", x(6, 100), x(6, 101), "ns/op +5%", compare.GateOK},
		{"other labels", x(6, 100) + bench("Y", 6, 100, "ns/op"), x(6, 200) + bench("Y", 6, 100, "ns/op"), "ns/op{strategy!=nfa} +5%", compare.GateOK},
		{"too few", x(3, 100), x(3, 200), "ns/op +5%", compare.GateInconclusive},
		{"too few to see that it is the same", x(1, 100), x(1, 100), "ns/op +5%", compare.GateInconclusive},
		{"missing in the new file", x(6, 100) + bench("Y", 6, 100, "ns/op"), x(6, 100), "ns/op +5%", compare.GateInconclusive},
		{"missing in the base", x(6, 100), x(6, 100) + bench("Y", 6, 100, "ns/op"), "ns/op +5%", compare.GateInconclusive},
		{"equal counts, none more allowed", bench("X", 6, 0, "allocs/op"), bench("X", 6, 0, "allocs/op"), "allocs/op +0", compare.GateOK},
		{"exact", "Unit a assume=exact\nBenchmarkX 1 1 a\n", "Unit a assume=exact\nBenchmarkX 1 2 a\n", "a +50%", compare.GateWorse},
	} {
		r, err := ParseRule(tt.rule)
		if err != nil {
			t.Fatal(err)
		}
		gs, err := read(t, "", tt.old, tt.new).Gate([]Rule{r})
		if err != nil {
			t.Fatal(err)
		}
		if got := Worst(gs); got != tt.want {
			t.Errorf("%s: %v (%+v), want %v", tt.name, got, gs[0].Verdicts, tt.want)
		}
	}
}

func TestGateRefusesWhatNoRowHas(t *testing.T) {
	s := read(t, "", "BenchmarkX 1 1 ns/op\n", "BenchmarkX 1 1 ns/op\n")
	for rule, want := range map[string]string{"B/op +5%": "no benchmark has the unit B/op (have sec/op)", "ns/op{strategy=x} +5%": "has these labels, for example X"} {
		r, err := ParseRule(rule)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Gate([]Rule{r}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", rule, err, want)
		}
	}
}

// TestGateCanFail: the gate finds a planted regression, or says that the rule cannot fail.
func TestGateCanFail(t *testing.T) {
	r, err := ParseRule("ns/op +5%")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := read(t, "", bench("X", 6, 100, "ns/op")).SelfCheck(r); n != 1 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
	if _, err := read(t, "", bench("X", 3, 100, "ns/op")).SelfCheck(r); err == nil || !strings.Contains(err.Error(), "cannot fail") {
		t.Errorf("a gate of three samples: %v", err)
	}
}

func TestWriteGate(t *testing.T) {
	r, err := ParseRule("cpu-ns/op +5%")
	if err != nil {
		t.Fatal(err)
	}
	gs, err := openSet(t, old, doubled).Gate([]Rule{r})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := WriteGate(&b, gs); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/gate.golden", b.Bytes())
}
