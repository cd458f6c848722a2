package scenarios

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"harelab/scenarios/metric"
)

var params = env{params: map[string]value{
	"n": {num: 4}, "rho": {num: 0.7}, "rtt": {num: 0.002, time: 1}, "size": {num: 1024, bytes: 1},
	"mode": textValue("drop"), "retry": textValue("backoff-jitter"), "deep": {kind: truth, truth: true},
}}

func TestExpressions(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"1+2*3", "7"},
		{"(1+2)*3", "9"},
		{"10-3-2", "5"},
		{"2*3%4", "2"},
		{"-n+1", "-3"},
		{"rho*n/5ms", "560/s"},
		{"rtt*2", "0.004s"},
		{"1m30s", "90s"},
		{"10s - 500ms", "9.5s"},
		{"size*2", "2048B"},
		{"2KiB/size", "2"},
		{"300/s*2s", "600"},
		{"15%", "0.15"},
		{"1_000 + 1e3", "2000"},
		{"n == 4", "true"},
		{"n != 4 || n > 3", "true"},
		{"n >= 4 && rtt < 1ms", "false"},
		{"!deep", "false"},
		{"mode == drop", "true"},
		{"mode != mandatory", "true"},
		{"retry == backoff-jitter", "true"},
		{`mode == "drop"`, "true"},
		{"mode == drop ? 10s : 20s", "10s"},
		{"n > 9 ? a : n > 3 ? b : c", "b"},
		{"max(n, 7, 2)", "7"},
		{"min(rtt, 1s)", "0.002s"},
		{"round(rho)", "1"},
		{"ceil(n/3)", "2"},
		{"on-done", "on-done"},
		{"n - 1", "3"},
		{"n-1", "3"},
	} {
		v, err := params.eval(c.src)
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		if v.String() != c.want {
			t.Errorf("%s = %s, want %s", c.src, v, c.want)
		}
	}
}

func TestExpressionMistakes(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"", "ends too early"},
		{"1 +", "ends too early"},
		{"(1", `give ")"`},
		{"1 2", `unexpected "2"`},
		{"1s + 1", "a time + a plain number"},
		{"1s < 3", "a time compared with a plain number"},
		{"mode * 2", `* on "drop"`},
		{"nn * 2", `did you mean "n"`},
		{"mod == drop", `unknown param "mod"`},
		{"nn == 4", `unknown param "nn"`},
		{"mode < drop", "give == or !="},
		{"n && deep", "give conditions"},
		{"n ? 1 : 2", "give a condition"},
		{"1/0", "division by zero"},
		{"sqrt(2)", `unknown function "sqrt"`},
		{`"open`, "without its closing"},
		{"10 sek", `unexpected "sek"`},
		{"10sek", `unknown unit "sek"`},
		{"n $ 2", `unexpected "$"`},
		{strings.Repeat("(", 999) + "1", "ends too early"},
		{strings.Repeat("1", 2000), "longer than 1000"},
	} {
		v, err := params.eval(c.src)
		if err == nil {
			t.Errorf("%.40s = %s, want an error", c.src, v)
			continue
		}
		if !strings.Contains(err.Error(), c.want) && !(len(c.src) == 1000 && err != nil) {
			t.Errorf("%.40s: %v, want %s", c.src, err, c.want)
		}
	}
}

func TestExpectations(t *testing.T) {
	for _, c := range []struct {
		src  string
		want metric.Expectation
		skip bool
	}{
		{src: "makespan == 11s", want: metric.Expectation{Of: metric.Must("makespan"), Op: "==", Value: 11, Unit: "s", Grain: 1}},
		{src: "wait.mean{class=run_user_query} == 10.45s", want: metric.Expectation{Of: metric.Must("wait.mean{class=run_user_query}"), Op: "==", Value: 10.45, Unit: "s", Grain: 0.01}},
		{src: "utilisation{worker=worker-1} == 100%", want: metric.Expectation{Of: metric.Must("utilisation{worker=worker-1}"), Op: "==", Value: 1, Unit: "%", Grain: 0.01}},
		{src: "jain.busy{by=worker} == 0.599", want: metric.Expectation{Of: metric.Must("jain.busy{by=worker}"), Op: "==", Value: 0.599, Grain: 0.001}},
		{src: "wait.p99.9{tenant!=noisy, class=job} < 1s", want: metric.Expectation{Of: metric.Must("wait.p99.9{tenant!=noisy, class=job}"), Op: "<", Value: 1, Unit: "s", Grain: 1}},
		{src: "delivered == published * n", want: metric.Expectation{Of: metric.Must("delivered"), Op: "==", Value: 4, Times: "published"}},
		{src: "returned == unroutable when mode == mandatory", want: metric.Expectation{Of: metric.Must("returned"), Op: "==", Value: 1, Times: "unroutable"}, skip: true},
		{src: "lost == unroutable when mode == drop", want: metric.Expectation{Of: metric.Must("lost"), Op: "==", Value: 1, Times: "unroutable"}},
		{src: "held.max <= rtt*3", want: metric.Expectation{Of: metric.Must("held.max"), Op: "<=", Value: 0.006, Unit: "s"}},
	} {
		got, holds, err := params.expectation(c.src)
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		if holds == c.skip {
			t.Errorf("%s: holds = %v", c.src, holds)
		}
		c.want.Text, _, _ = strings.Cut(c.src, " when ")
		near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-12 })
		if d := cmp.Diff(c.want, got, near); d != "" {
			t.Errorf("%s: %s", c.src, d)
		}
	}
}

func TestParseExpectation(t *testing.T) {
	x, err := ParseExpectation("wait.p99{class=job} < 2*25ms")
	if err != nil || x.Of.String() != "wait.p99{class=job}" || x.Op != "<" || x.Value != 0.05 || x.Unit != "s" {
		t.Errorf("%+v, %v, want wait.p99 of jobs below 0.05 s", x, err)
	}
	for text, want := range map[string]string{
		"wait.p99 < n":              "neither a value nor a metric",
		"wait.p99":                  "give one of",
		"lost == 0 when 1 == 2":     "the condition does not hold",
		"wiat.p99 < 1s":             `did you mean "wait"`,
		"wait.p99 < 1s and no more": "",
	} {
		if _, err := ParseExpectation(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
