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
		{"one scenario on two targets", []string{"a embedded", "a R@3@one"}, []string{"a on embedded", "a on R 3"}, []string{"embedded", "R 3"}},
		{"two products", []string{"a R@3@one", "a L@1@two"}, []string{"a on R 3", "a on L 1"}, []string{"R 3", "L 1"}},
		{"two scenarios on two targets", []string{"a embedded", "b embedded", "a R@3@one", "b R@3@one"},
			[]string{"a on embedded", "b on embedded", "a on R 3", "b on R 3"}, []string{"a, embedded", "b, embedded", "a, R 3", "b, R 3"}},
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

// TestAlign: arms of two sides are paired by what they are, whatever the number of arms.
func TestAlign(t *testing.T) {
	for _, tt := range []struct {
		name      string
		base, new []string
		want      string // the names of the pairs, the base's own, the new side's own
	}{
		{"one in both", []string{"a sim rr"}, []string{"a sim rr", "b sim rr"}, "a on sim;;b on sim"},
		{"both in one", []string{"a sim rr", "b sim rr"}, []string{"b sim rr"}, "b on sim;a on sim;"},
		{"one and one are a pair", []string{"a sim"}, []string{"b embedded"}, "b on embedded against a on sim;;"},
		{"one broker of two", []string{"a R@3@one"}, []string{"a R@3@one", "a R@3@two"}, "a on R 3 amqp://one;;a on R 3 amqp://two"},
		{"the very same broker goes first", []string{"a R@3@two", "a R@3@one"}, []string{"a R@3@one", "a R@3@two"},
			"a on R 3 amqp://one, a on R 3 amqp://two;;"},
		{"another version", []string{"a R@3@one", "a sim"}, []string{"a R@4@one", "a sim"}, "a on R 4 against a on R 3, a on sim;;"},
		{"another address", []string{"a R@3@one", "a sim"}, []string{"a R@3@two", "a sim"},
			"a on R 3 amqp://two against a on R 3 amqp://one, a on sim;;"},
		{"other settings", []string{"a sim rr", "b sim"}, []string{"a sim fair", "b sim"},
			"a (dispatch=fair) on sim against a (dispatch=rr) on sim, b on sim;;"},
		{"one setting of two", []string{"a sim fair"}, []string{"a sim rr", "a sim fair"},
			"a (dispatch=fair) on sim;;a (dispatch=rr) on sim"},
		{"nothing in common", []string{"a sim", "b sim"}, []string{"c sim"}, ";a on sim, b on sim;c on sim"},
		{"a prediction is no measurement", []string{"a sim", "b sim"}, []string{"a embedded", "b sim"}, "b on sim;a on sim;a on embedded"},
	} {
		base, news := Summaries(runsOf(t, tt.base)), Summaries(runsOf(t, tt.new))
		sides := Align(base, news)
		var both []string
		for _, a := range sides[1] {
			if slices.ContainsFunc(sides[0], func(b *Arm) bool { return b.Name == a.Name }) {
				both = append(both, a.Name)
			}
		}
		got := strings.Join([]string{strings.Join(both, ", "),
			strings.Join(Missing(base, news), ", "), strings.Join(Missing(news, base), ", ")}, ";")
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestAlignThreeSides: an arm that the base lacks has one name on the other sides.
func TestAlignThreeSides(t *testing.T) {
	var sides [][]*stat.Summary
	for _, texts := range [][]string{{"a sim"}, {"a sim", "b sim"}, {"b sim"}} {
		sides = append(sides, Summaries(runsOf(t, texts)))
	}
	var got []string
	for _, of := range Align(sides...) {
		for _, a := range of {
			got = append(got, a.Name)
		}
	}
	if want := []string{"a on sim", "a on sim", "b on sim", "b on sim"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
