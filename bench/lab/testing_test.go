package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"harelab/reports/stat"
)

// A fakeTB keeps the texts of failures. Its Fatalf panics.
type fakeTB struct {
	ctx    context.Context
	errors []string
	fatal  string
}

func (f *fakeTB) Helper()                  {}
func (f *fakeTB) Context() context.Context { return f.ctx }
func (f *fakeTB) Errorf(format string, args ...any) {
	f.errors = append(f.errors, fmt.Sprintf(format, args...))
}
func (f *fakeTB) Fatalf(format string, args ...any) {
	f.fatal = fmt.Sprintf(format, args...)
	panic(f)
}

// runIn calls Run with a fakeTB and returns it.
func runIn(t *testing.T, scenario string, changes ...func(*Request)) (f *fakeTB) {
	t.Helper()
	f = &fakeTB{ctx: t.Context()}
	defer func() {
		if r := recover(); r != nil && r != any(f) {
			panic(r)
		}
	}()
	Run(f, scenario, changes...)
	return f
}

var _ TB = testing.TB(nil)

const quick = `schema: harelab/v1
name: quick
params: {n: 4, ack: on-done}
topology: {queues: [{name: q}]}
classes: [{name: job, publish: {exchange: "", key: q}, service: 10ms}]
load: [{sequence: s, phases: [{class: job, model: burst, count: =n}]}]
workers: [{name: w, threads: 1, consume: [{queue: q}], prefetch: {count: 1}, ack: =ack}]
expect: {that: ["wait.max < 35ms", lost == 0]}
variants:
  more: {set: {n: 8}}
`

func TestRunInATest(t *testing.T) {
	file := filepath.Join(t.TempDir(), "quick.yaml")
	if err := os.WriteFile(file, []byte(quick), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		rule    string
		changes []func(*Request)
		errors  []string
		fatal   string
	}{
		{"expectations are met", nil, nil, ""},
		{"one is not met", []func(*Request){Set("n", 5)}, []string{`quick on sim, seed 1: wait.max < 35ms is not met: measured 40 ms`}, ""},
		{"of a variant", []func(*Request){Variant("more")}, []string{`quick/more on sim, seed 1: wait.max < 35ms is not met: measured 70 ms`}, ""},
		{"with another seed", []func(*Request){Set("n", 5), Seed(9)}, []string{`quick on sim, seed 9: wait.max < 35ms is not met: measured 40 ms`}, ""},
		{"with the scenario's repeats, each is judged", []func(*Request){Set("n", 5), func(q *Request) { q.Repeat = 2 }},
			[]string{"quick on sim, seed 1: ", "quick on sim, seed 2: "}, ""},
		{"an unknown param", []func(*Request){Set("m", 5)}, nil, `no param "m"`},
		{"an unknown strategy", []func(*Request){Strategies("", "fiar", "")}, nil, `dispatch: unknown strategy "fiar"`},
		{"an unknown variant", []func(*Request){Variant("mroe")}, nil, `unknown variant "mroe": did you mean "more"?`},
		{"a broker that does not listen", []func(*Request){On(Target{Kind: AMQP, URL: "amqp://guest:guest@127.0.0.1:1/"})}, nil,
			"quick on amqp://127.0.0.1:1/: no broker answers at 127.0.0.1:1"},
	} {
		f := runIn(t, file, tt.changes...)
		ok := len(f.errors) == len(tt.errors) && strings.Contains(f.fatal, tt.fatal) && (f.fatal == "") == (tt.fatal == "")
		for i := range min(len(f.errors), len(tt.errors)) {
			ok = ok && strings.HasPrefix(f.errors[i], tt.errors[i])
		}
		if !ok {
			t.Errorf("%s: failures %q, ended by %q, want %q, %q", tt.rule, f.errors, f.fatal, tt.errors, tt.fatal)
		}
	}
}

func TestInvalidRunFailsTheTest(t *testing.T) {
	f := &fakeTB{}
	complain(f, &stat.Summary{Arm: "quick", Target: stat.Target{Kind: "embedded", Product: "harelab"}, Seed: 3, Findings: []stat.Finding{
		{Text: "The machine was busy."}, {Text: "The generator was late.", Invalid: true}}})
	if want := []string{"quick on embedded, seed 3: invalid: The generator was late."}; !slices.Equal(f.errors, want) {
		t.Errorf("told %q, want %q", f.errors, want)
	}
}

func TestRunOnTheEmbeddedBroker(t *testing.T) {
	var f *fakeTB
	for begin := time.Now(); time.Since(begin) < patience; {
		f = &fakeTB{ctx: t.Context()}
		r := Run(f, "testdata/apart.yaml", Set("prefetch", 1), On(Target{Kind: Embedded}))
		if got := r.Summary.Target.Kind; got != "embedded" {
			t.Errorf("run on %s, want embedded", got)
		}
		// A machine that is too late for waits of 0.1 s proves nothing.
		if len(f.errors) != 1 || !strings.Contains(f.errors[0], "The load generator was late") {
			break
		}
	}
	if len(f.errors) > 0 {
		t.Errorf("failures %q", f.errors)
	}
}

func TestFigure(t *testing.T) {
	r := Run(t, "celery-initial")
	if got := Figure(t, r, "wait.mean{class=run_user_query}"); got < 10.4 || got > 10.5 {
		t.Errorf("quick queries wait %v s on average, want 10.45 s", got)
	}
	for _, name := range []string{"wiat.mean", "wait.mean{class=nobody}"} {
		if _, err := Ask(r.Summary, name); !IsUsage(err) {
			t.Errorf("%s: %v, want a usage error", name, err)
		}
	}
}
