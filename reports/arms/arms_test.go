package arms

import (
	"slices"
	"strings"
	"testing"

	"harelab/reports/stat"
)

// of makes a run from "scenario/variant target dispatch"; a target is sim, embedded or
// product@version@address.
func of(t *testing.T, text string) *Run {
	t.Helper()
	f := strings.Fields(text)
	s := &stat.Summary{Arm: f[0], Virtual: f[1] == "sim", Target: stat.Target{Kind: f[1]}}
	s.Scenario, s.Variant, _ = strings.Cut(f[0], "/")
	if p := strings.Split(f[1], "@"); len(p) == 3 {
		s.Target = stat.Target{Kind: "amqp", Product: p[0], Version: p[1], URL: "amqp://" + p[2]}
	}
	if len(f) > 2 {
		s.Dispatch = f[2]
	}
	return &Run{Summary: s}
}

func runsOf(t *testing.T, texts []string) []*Run {
	var out []*Run
	for _, text := range texts {
		out = append(out, of(t, text))
	}
	return out
}

// TestNames: a name tells an arm from the others, and says no more than that takes.
func TestNames(t *testing.T) {
	for _, tt := range []struct {
		name   string
		runs   []string
		names  []string // of the plain groups
		labels []string // of the arms of a report
	}{
		{"repeats are one arm", []string{"a sim rr", "a sim rr"}, []string{"a on sim"}, []string{"a"}},
		{"a variant is an arm", []string{"a sim", "a/fair sim"}, []string{"a on sim", "a/fair on sim"}, []string{"a", "fair"}},
		{"a variant of two scenarios", []string{"a/fair sim", "b/fair sim", "b sim"},
			[]string{"a/fair on sim", "b/fair on sim", "b on sim"}, []string{"a/fair", "b/fair", "b"}},
		{"settings are an arm", []string{"a sim rr", "a sim fair"},
			[]string{"a (dispatch=rr) on sim", "a (dispatch=fair) on sim"}, []string{"a, dispatch=rr", "a, dispatch=fair"}},
		{"settings are named where they tell", []string{"a sim rr", "a/fair sim fair"}, []string{"a on sim", "a/fair on sim"}, []string{"a", "fair"}},
		{"a prediction is beside its measurement", []string{"a sim rr", "a embedded rr"}, []string{"a on sim", "a on embedded"}, []string{"a"}},
		{"a prediction alone is an arm", []string{"a sim", "b sim", "a embedded"}, []string{"a on sim", "b on sim", "a on embedded"}, []string{"b", "a"}},
		{"one scenario on two targets", []string{"a embedded", "a R@3@one"}, []string{"a on embedded", "a on amqp"}, []string{"embedded", "R 3"}},
		{"two products", []string{"a R@3@one", "a L@1@two"}, []string{"a on R 3", "a on L 1"}, []string{"R 3", "L 1"}},
		{"two scenarios on two targets", []string{"a embedded", "b embedded", "a R@3@one", "b R@3@one"},
			[]string{"a on embedded", "b on embedded", "a on amqp", "b on amqp"}, []string{"a, embedded", "b, embedded", "a, R 3", "b, R 3"}},
		{"targets that look alike", []string{"a R@3@one", "a R@3@two"},
			[]string{"a on R 3 amqp://one", "a on R 3 amqp://two"}, []string{"R 3 amqp://one", "R 3 amqp://two"}},
	} {
		var names, labels, letters []string
		for _, a := range Group(runsOf(t, tt.runs)) {
			names = append(names, a.Name)
		}
		set := NewSet(runsOf(t, tt.runs))
		for i, a := range set.Arms {
			labels, letters = append(labels, a.Label), append(letters, a.Letter)
			if a.Index != i || (a.Predicted != nil) != (set.Predicts() && !a.First().Summary.Virtual) {
				t.Errorf("%s: arm %d has index %d, prediction %v", tt.name, i, a.Index, a.Predicted)
			}
		}
		if !slices.Equal(names, tt.names) || !slices.Equal(labels, tt.labels) {
			t.Errorf("%s: names %q, want %q; labels %q, want %q", tt.name, names, tt.names, labels, tt.labels)
		}
		if want := []string{"A", "B", "C", "D"}[:len(letters)]; !slices.Equal(letters, want) {
			t.Errorf("%s: letters %q", tt.name, letters)
		}
	}
}

func TestBy(t *testing.T) {
	got := By([]string{"b1", "a1", "b2", "c1", "a2"}, func(s string) byte { return s[0] })
	want := [][]string{{"b1", "b2"}, {"a1", "a2"}, {"c1"}}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestMissing(t *testing.T) {
	named := func(name, kind string) *stat.Summary {
		return &stat.Summary{Arm: name, Target: stat.Target{Kind: kind}}
	}
	a, b, c := named("a", "sim"), named("b", "sim"), named("a", "embedded")
	for _, tc := range []struct {
		name       string
		base, news []*stat.Summary
		want       []string
	}{
		{"one on each side is a pair", []*stat.Summary{a}, []*stat.Summary{b}, nil},
		{"repeats are one arm", []*stat.Summary{a, a}, []*stat.Summary{b, b}, nil},
		{"an arm is gone", []*stat.Summary{a, b}, []*stat.Summary{a}, []string{"b on sim"}},
		{"another target is another arm", []*stat.Summary{a, b}, []*stat.Summary{c, b}, []string{"a on sim"}},
		{"more than before", []*stat.Summary{a}, []*stat.Summary{a, b}, nil},
	} {
		if got := Missing(tc.base, tc.news); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}
