package metric

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestListIsSortedAndComplete(t *testing.T) {
	if !slices.IsSorted(Names()) {
		t.Errorf("names %q are out of order, so that some cannot be looked up", Names())
	}
	for i, m := range All() {
		if Lookup(m.Name) != m {
			t.Errorf("%s cannot be looked up", m.Name)
		}
		if i > 0 && All()[i-1].Name == m.Name {
			t.Errorf("%s is listed twice", m.Name)
		}
		if m.Doc == "" || strings.HasSuffix(m.Doc, ".") || strings.ContainsAny(m.Name, "{}=!<> ") {
			t.Errorf("%s: doc %q", m.Name, m.Doc)
		}
		if !slices.Contains([]string{"", "s", "%", "/s", "x"}, m.Unit) || (m.Kind == Interval || m.Kind == Span) != (m.Unit == "s") {
			t.Errorf("%s has the unit %q", m.Name, m.Unit)
		}
		if m.By != "" && !slices.Contains(selectors, m.By) {
			t.Errorf("%s is taken over %q", m.Name, m.By)
		}
	}
	if Lookup("speed") != nil || Lookup("") != nil || IsNumber("wait") || IsNumber("jain.busy") || !IsNumber("lost") {
		t.Error("Lookup or IsNumber knows what there is not")
	}
}

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want Query
	}{
		{"makespan", Query{Metric: "makespan"}},
		{" wait.p99.9 ", Query{Metric: "wait", Stat: "p99.9"}},
		{"offered_slots{phase=120s}", Query{Metric: "offered_slots", Labels: []Label{{"phase", "120s", false}}}},
		{"wait.n", Query{Metric: "wait", Stat: "n"}},
		{"order.inversions{class=a}", Query{Metric: "order.inversions", Labels: []Label{{"class", "a", false}}}},
		{"jain.busy{by=worker}", Query{Metric: "jain.busy", Labels: []Label{{"by", "worker", false}}}},
		{"wait.max{class=q, tenant!=noisy,tenant!=loud}", Query{"wait", "max", []Label{{"class", "q", false}, {"tenant", "noisy", true}, {"tenant", "loud", true}}}},
		{"delivered{worker=worker-2,before=20s}", Query{Metric: "delivered", Labels: []Label{{"worker", "worker-2", false}, {"before", "20s", false}}}},
		{`lost{class="a,b} \"c\"", queue= q }`, Query{Metric: "lost", Labels: []Label{{"class", `a,b} "c"`, false}, {"queue", "q", false}}}},
		{"lost{tenant=a=b}", Query{Metric: "lost", Labels: []Label{{"tenant", "a=b", false}}}},
	} {
		got, err := Parse(tt.in)
		if err != nil {
			t.Errorf("Parse(%q): %v", tt.in, err)
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("Parse(%q):\n%s", tt.in, d)
		}
	}
	for in, want := range map[string]string{
		"":                           `unknown metric ""`,
		"speed":                      `unknown metric "speed" (have acked,`,
		"wiat.p99":                   `unknown metric "wiat.p99": did you mean "wait"?`,
		"wait":                       `metric "wait": give a statistic, as wait.p99 (have max, mean, min, n, sd, p1 to p100)`,
		"wait.":                      "give a statistic",
		"wait.avg":                   `unknown statistic "avg"`,
		"wait.count":                 `unknown statistic "count"`,
		"wait.p0":                    `unknown statistic "p0"`,
		"wait.p101":                  `unknown statistic "p101"`,
		"wait.p1e1":                  `unknown statistic "p1e1"`,
		"wait.p+5":                   `unknown statistic "p+5"`,
		"lost.max":                   "lost is one number and takes no statistic",
		"lost.":                      "lost is one number and takes no statistic",
		"wait.max{class=q":           "the labels lack their closing }",
		"wait.max{}":                 `label "": give key=value`,
		"wait.max{q}":                `label "q": give key=value`,
		"wait.max{class=}":           `label "class=": give key=value`,
		"wait.max{class=a,}":         `label "": give key=value`,
		"wait.max{clas=a}":           `unknown label "clas": did you mean "class"?`,
		"wait.max{class=a,class=b}":  `label "class" is given twice`,
		"wait.max{class=a,class!=b}": `label "class" is given twice`,
		"wait.max{by=worker}":        `wait has no label "by"`,
		"wait.max{before=2s}":        `wait has no label "before"`,
		"delivered{before=soon}":     "give before=20s",
		"delivered{before!=2s}":      "give before=20s",
		"offered_slots{phase=soon}":  "give phase=20s",
		"wait.max{phase=20s}":        `wait has no label "phase" (have class, queue, tenant, worker)`,
		"jain.busy":                  "write jain.busy{by=worker}",
		"jain.busy{by=tenant}":       "label by=tenant: give by=worker",
		"jain.busy{by!=worker}":      "label by!=worker: give by=worker",
		`lost{class="a"b}`:           "give a comma or } after it",
		"lost{class=a} b":            `nothing may follow the metric, got "b"`,
		"lost == 0":                  `nothing may follow the metric, got "== 0"`,
	} {
		if _, err := Parse(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q): error %v, want one with %q", in, err, want)
		}
	}
}

func TestCutLeavesWhatFollows(t *testing.T) {
	for in, want := range map[string]string{
		"lost == 0": " == 0", "lost<1": "<1", "wait.p99{class=a}<=1s": "<=1s", "lost!=0": "!=0", "lost{class!=a}!=0": "!=0",
	} {
		if _, rest, err := Cut(in); err != nil || rest != want {
			t.Errorf("Cut(%q) leaves %q (%v), want %q", in, rest, err, want)
		}
	}
}

func TestScope(t *testing.T) {
	s := Scope{Classes: []string{"quick", "slow"}, Queues: []string{}, Workers: []string{"w-1"}}
	for in, want := range map[string]string{
		"wait.max{class=quick,tenant=any}": "",
		"wait.max{class=quik}":             `metric "wait.max{class=quik}": there is no class "quik": did you mean "quick"? (have quick, slow)`,
		"wait.max{class!=fast}":            `there is no class "fast" (have quick, slow)`,
		"lost{queue=q}":                    `there is no queue "q" (have none)`,
		"jain.busy{by=worker,worker=w-2}":  `there is no worker "w-2": did you mean "w-1"?`,
		"delivered{before=2s}":             "",
	} {
		err := s.Check(Must(in))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: error %v, want %q", in, err, want)
		}
	}
	joined := s.Join(Scope{Classes: []string{"slow", "fast"}, Tenants: []string{"x"}, Queues: []string{"q"}})
	want := Scope{Classes: []string{"quick", "slow", "fast"}, Queues: []string{"q"}}
	if d := cmp.Diff(want, joined); d != "" {
		t.Error(d)
	}
}

func TestUnitAndDirection(t *testing.T) {
	for in, want := range map[string]struct {
		unit   string
		better Direction
	}{
		"wait.p99": {"s", Lower}, "wait.n": {"", Neither}, "throughput": {"/s", Higher}, "slowdown.sd": {"x", Lower}, "utilisation": {"%", Neither}, "lost": {"", Lower},
	} {
		if q := Must(in); q.Unit() != want.unit || q.Better() != want.better {
			t.Errorf("%s: unit %q, better %d, want %+v", in, q.Unit(), q.Better(), want)
		}
	}
}

// FuzzParse wants no panic on any text, and of a text that is a query the same
// query after writing it and reading it again.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"wait.p99{class=a,tenant!=b}", "jain.busy{by=worker}", "{", "wait.{=}", "makespan", `lost{class="a,b"}`, "delivered{before=1h}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q, err := Parse(s)
		if err != nil {
			return
		}
		again, err := Parse(q.String())
		if err != nil {
			t.Fatalf("%q is written as %q, which does not parse: %v", s, q, err)
		}
		if d := cmp.Diff(q, again); d != "" {
			t.Errorf("%q is written as %q:\n%s", s, q, d)
		}
		if q.Def() == nil {
			t.Errorf("%q parses to no metric of the list", s)
		}
	})
}
