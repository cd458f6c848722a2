package page

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"harelab/loadgen/run"
	"harelab/reports/internal/specimen"
	"harelab/scenarios/metric"
)

// with changes a result.
func with(r *run.Result, change func(*run.Result)) *run.Result {
	change(r)
	return r
}

// later delays the work of a class by some microseconds.
func later(r *run.Result, class string, by int64) *run.Result {
	for i := range r.Messages {
		if m := &r.Messages[i]; r.Classes[m.Class] == class {
			m.Started, m.Done = m.Started+by, m.Done+by
		}
	}
	return r
}

// longer is a result in which a long job is done a second later. Nothing waits longer.
func longer(r *run.Result) *run.Result {
	last := 0
	for i, m := range r.Messages {
		if r.Classes[m.Class] == "fit_neural_net" {
			last = i
		}
	}
	r.Messages[last].Done += 1_000_000
	return r
}

// named gives a result another variant.
func named(r *run.Result, variant string) *run.Result {
	r.Variant = variant
	return r
}

// repeat is a result as a further repeat of its arm.
func repeat(r *run.Result, n int) *run.Result {
	r.Repeat = n
	return r
}

// asked is a result with another question: a headline, or else expectations below 1.
func asked(r *run.Result, headline string, expect ...string) *run.Result {
	r.Headline, r.Expect = headline, nil
	for _, e := range expect {
		r.Expect = append(r.Expect, run.Expectation{Text: e + " < 1", Of: metric.Must(e), Op: "<", Value: 1})
	}
	return r
}

func initial() *run.Result  { return specimen.CeleryInitial() }
func sameLoad() *run.Result { return specimen.CeleryOptimized("same-load", 40, 4, false) }
func fair() *run.Result     { return specimen.CeleryOptimized("same-load-fair", 40, 1, true) }

// unheld is sameLoad with nothing in prefetch windows.
func unheld() *run.Result {
	r := sameLoad()
	for i := range r.Messages {
		r.Messages[i].Received = r.Messages[i].Started
	}
	return r
}

// quick is one message at a time, each of which starts soon.
func quick() *run.Result {
	r := specimen.CeleryOptimized("", 1, 4, false)
	r.Messages = r.Messages[4:]
	r.Ledger.Published, r.Ledger.Finished = 1, 1
	r.Classes[0] = ""
	return asked(r, "")
}

// scenarios are unlike runs, each with an expectation.
func unlike(expect ...string) []*run.Result {
	out := []*run.Result{initial(), fair(), specimen.Tenants(500), with(initial(), func(r *run.Result) { r.Scenario, r.Messages = "few", r.Messages[:10] })}
	for i, r := range out {
		asked(r, "", expect[min(i, len(expect)-1)])
	}
	return out
}

// stories are one example of each sentence.
func stories() []struct {
	name string
	rs   []*run.Result
} {
	invalid := func() *run.Result {
		return with(initial(), func(r *run.Result) {
			r.Findings = []run.Finding{{Code: "late-generator", Text: "Late.", Invalid: true}}
		})
	}
	costly := func() *run.Result { return later(fair(), "fit_neural_net", 5_000_000) }
	return []struct {
		name string
		rs   []*run.Result
	}{
		{"the only run is invalid", []*run.Result{invalid()}},
		{"one of two runs is invalid", []*run.Result{invalid(), fair()}},
		{"cut short", []*run.Result{with(initial(), func(r *run.Result) { r.Partial = true })}},
		{"many scenarios, all met", unlike("lost")},
		{"many scenarios, some not met", unlike("lost", "wait.max{class=run_user_query}")},
		{"many scenarios, none met", unlike("makespan")},
		{"many scenarios, one loses", append(unlike("redelivered"), with(asked(initial(), ""), func(r *run.Result) { r.Scenario, r.Ledger.Lost = "lossy", 3 }))},
		{"a loss", []*run.Result{with(initial(), func(r *run.Result) { r.Ledger.Lost = 3 })}},
		{"a loss in one of two", []*run.Result{with(initial(), func(r *run.Result) { r.Ledger.Lost = 3 }), fair()}},
		{"a loss in one of three, and in one the broker does not show what is lost", []*run.Result{
			with(initial(), func(r *run.Result) { r.Ledger.Lost = 3 }), with(fair(), func(r *run.Result) { r.Ledger.Gone = 2 }), sameLoad()}},
		{"a loss beside messages that may be lost", []*run.Result{with(initial(), func(r *run.Result) { r.Ledger.Lost, r.Ledger.Gone = 3, 2 })}},
		{"targets agree", []*run.Result{initial(), specimen.Measured(initial()), specimen.Foreign(initial())}},
		{"targets differ", []*run.Result{specimen.Measured(initial()), later(specimen.Foreign(initial()), "run_user_query", 3_000_000)}},
		{"targets differ in what is not the goal", []*run.Result{initial(), specimen.Measured(initial()), longer(specimen.Foreign(initial()))}},
		{"targets agree on what was not predicted", []*run.Result{initial(), longer(specimen.Measured(initial())), longer(specimen.Foreign(initial()))}},
		{"two arms on two targets", []*run.Result{specimen.Measured(sameLoad()), specimen.Measured(fair()), specimen.Foreign(sameLoad()), specimen.Foreign(later(fair(), "run_user_query", 9_000_000))}},
		{"the talk's four arms", specimen.Arms()},
		{"two halves with a price", []*run.Result{initial(), sameLoad(), costly()}},
		{"nothing is held, so prefetch is not the other half", []*run.Result{initial(), unheld(), fair()}},
		{"the window does not halve the worst", []*run.Result{initial(), sameLoad(), with(fair(), func(r *run.Result) { r.Messages[43].Started, r.Messages[43].Done = 8_000_000, 8_100_000 })}},
		{"a smaller window", []*run.Result{sameLoad(), fair()}},
		{"a larger window", []*run.Result{fair(), sameLoad()}},
		{"a smaller window with a price", []*run.Result{sameLoad(), costly()}},
		{"a larger window with a return", []*run.Result{costly(), sameLoad()}},
		{"the same", []*run.Result{fair(), named(fair(), "again")}},
		{"nearly the same", []*run.Result{named(initial(), "a"), later(named(initial(), "b"), "run_user_query", 100_000)}},
		{"another class pays", []*run.Result{fair(), named(costly(), "costly")}},
		{"the headline's class", []*run.Result{asked(sameLoad(), "wait.p99{class!=fit_neural_net}"), asked(fair(), "wait.p99{class!=fit_neural_net}")}},
		{"no headline but expectations", []*run.Result{asked(sameLoad(), "", "wait.p99{class=run_user_query}", "lost"), asked(fair(), "", "wait.p99{class=run_user_query}", "lost")}},
		{"neither headline nor expectations", []*run.Result{asked(sameLoad(), ""), asked(fair(), "")}},
		{"repeats", []*run.Result{sameLoad(), repeat(later(sameLoad(), "run_user_query", 500_000), 1), repeat(sameLoad(), 2), fair(), repeat(later(fair(), "run_user_query", 200_000), 1), repeat(fair(), 2)}},
		{"the best of three", []*run.Result{sameLoad(), fair(), named(later(fair(), "run_user_query", 4_000_000), "half-fair")}},
		{"two are best", []*run.Result{sameLoad(), fair(), named(later(fair(), "run_user_query", 200_000), "nearly")}},
		{"three alike", []*run.Result{fair(), named(fair(), "again"), named(fair(), "once more")}},
		{"the best of three pays", []*run.Result{sameLoad(), costly(), named(later(sameLoad(), "run_user_query", -500_000), "quicker")}},
		{"other loads", []*run.Result{initial(), specimen.CeleryOptimized("", 200, 4, false)}},
		{"two of three have one load", []*run.Result{specimen.CeleryOptimized("", 200, 4, false), sameLoad(), fair()}},
		{"a class starves", []*run.Result{initial()}},
		{"most of the wait is held", []*run.Result{with(specimen.Tenants(2000), func(r *run.Result) {
			for i := range r.Messages {
				r.Messages[i].Received = r.Messages[i].Intended
			}
		})}},
		{"the question is the throughput", []*run.Result{asked(initial(), "throughput")}},
		{"the question is the throughput, with confirms", []*run.Result{with(asked(initial(), "throughput"), func(r *run.Result) {
			for i := range r.Messages {
				r.Messages[i].Sent, r.Messages[i].Confirmed = int64(i)*1000, int64(i)*1000+int64(i)*100
			}
		})}},
		{"nothing waits", []*run.Result{quick()}},
		{"a busy pool", []*run.Result{specimen.Tenants(2000)}},
		{"nothing of one class was finished", []*run.Result{with(initial(), func(r *run.Result) {
			for i := range r.Messages {
				if m := &r.Messages[i]; r.Classes[m.Class] == "run_user_query" {
					m.Received, m.Started, m.Done, m.Acked, m.State = run.None, run.None, run.None, run.None, run.Left
				}
			}
		})}},
		{"nothing was finished", []*run.Result{with(initial(), func(r *run.Result) {
			for i := range r.Messages {
				m := &r.Messages[i]
				m.Received, m.Started, m.Done, m.Acked, m.State = run.None, run.None, run.None, run.None, run.Left
			}
			r.Spans = nil
		})}},
	}
}

// TestStories: an example of each sentence is as in testdata/stories.txt.
func TestStories(t *testing.T) {
	var b strings.Builder
	for _, tt := range stories() {
		s := storyOf(tt.rs...)
		fmt.Fprintf(&b, "# %s\n%s\n", tt.name, s.Headline)
		if s.Text != "" {
			fmt.Fprintf(&b, "    %s\n", s.Text)
		}
		fmt.Fprintln(&b)
	}
	path := filepath.Join("testdata", "stories.txt")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("%s differs; look at it, then run: go test ./reports/page -update\n%s", path, d)
	}
}

// TestStoriesMirror: if two arms change places, better and worse do too, with the same
// figures in the other order; three arms are ranked alike in any order.
func TestStoriesMirror(t *testing.T) {
	for _, tt := range stories() {
		f := gather(folderOf(tt.rs...).Set())
		if len(f.same) < 2 || len(f.same) != len(f.in.Arms) {
			continue
		}
		there := storyOf(tt.rs...).Headline
		var turned []*run.Result
		for _, a := range slices.Backward(f.in.Arms) {
			for _, r := range a.Runs {
				turned = append(turned, r.Result)
			}
		}
		back := storyOf(turned...).Headline
		first := func(s string) string { word, _, _ := strings.Cut(s, " "); return word }
		want := map[string]string{"Better": "Worse", "Worse": "Better"}[first(there)]
		switch {
		case want != "":
			if first(back) != want || reversed(there) != reversed(swapped(back)) {
				t.Errorf("%s:\n%s\n%s", tt.name, there, back)
			}
		case first(there) == "Best":
			if there != back {
				t.Errorf("%s:\n%s\n%s", tt.name, there, back)
			}
		}
	}
}

// swapped exchanges the two values of each "X instead of Y".
func swapped(s string) string {
	parts := strings.Split(s, " instead of ")
	for i := 1; i < len(parts); i++ {
		left, right := lastValue(parts[i-1]), firstValue(parts[i])
		parts[i-1] = strings.TrimSuffix(parts[i-1], left) + right
		parts[i] = left + strings.TrimPrefix(parts[i], right)
	}
	return strings.Join(parts, " instead of ")
}

// lastValue is the value at the end of s, as "3.9 s"; firstValue the one at its start.
func lastValue(s string) string {
	f := strings.Fields(s)
	return strings.Join(f[len(f)-2:], " ")
}

func firstValue(s string) string {
	f := strings.Fields(s)
	return f[0] + " " + strings.TrimRight(f[1], ".;")
}

// reversed is a comparison without the names of the arms and of the exchange.
func reversed(s string) string {
	_, s, _ = strings.Cut(s, ": ")
	s = strings.NewReplacer("; the price: ", "; ", "; in return ", "; ").Replace(s)
	s, _, _ = strings.Cut(s, " with both ")
	return s
}

// TestExpectationsDecideAsWellAsAHeadline: a scenario that says by its expectation what
// it is about gets the sentence that a headline would give it.
func TestExpectationsDecideAsWellAsAHeadline(t *testing.T) {
	const goal = "wait.p99{class=run_user_query}"
	by := func(headline string, expect ...string) string {
		return storyOf(asked(sameLoad(), headline, expect...), asked(fair(), headline, expect...)).Headline
	}
	want := by(goal)
	if got := by("", goal); got != want || !strings.HasPrefix(got, "Better with same-load-fair") {
		t.Errorf("by the expectation %q, by the headline %q", got, want)
	}
	if got := by(""); got != want {
		t.Errorf("by nothing %q, by the headline %q", got, want)
	}
}

// TestCardsAndHeadlineUseOneFigure: cards, table and headline show the median of the
// repeats, and cards its range.
func TestCardsAndHeadlineUseOneFigure(t *testing.T) {
	in := folderOf(fair(), repeat(later(fair(), "run_user_query", 2_000_000), 1), repeat(later(fair(), "run_user_query", 3_000_000), 2)).Set()
	big, _ := bigNumbers(in)
	if len(big) == 0 || big[0].Value != "5.9 s" || big[0].Range != "3.9 s to 6.9 s in 3 runs" {
		t.Errorf("cards %+v", big)
	}
	if s := Tell(in); !strings.Contains(s.Text, "5.9 s (3.9 s to 6.9 s in 3 runs)") {
		t.Errorf("story %q", s)
	}
	if s := storyOf(sameLoad(), fair(), repeat(later(fair(), "run_user_query", 2_000_000), 1), repeat(later(fair(), "run_user_query", 3_000_000), 2)).Headline; !strings.Contains(s, "is 5.9 s instead of 10.5 s") {
		t.Errorf("headline %q", s)
	}
	for _, row := range figureRows(in) {
		if row[1].Text == "run_user_query" && (row[7].Text != "5.9 s" || row[6].Text != "5.9 s") {
			t.Errorf("table %v, %v", row[6], row[7])
		}
	}
	if v := newView(folderOf(fair(), repeat(fair(), 1))); v.Repeats != "Each figure is the median of 2 runs." {
		t.Errorf("note %q", v.Repeats)
	}
}

// TestCaptionsUseTheMedian: what stands below a chart is the median of the repeats, and
// a chart of single events says that it shows one of them.
func TestCaptionsUseTheMedian(t *testing.T) {
	v := newView(folderOf(fair(), repeat(later(fair(), "run_user_query", 2_000_000), 1), repeat(later(fair(), "run_user_query", 3_000_000), 2)))
	alt, note := make(map[string]string), make(map[string]string)
	for _, c := range v.Charts {
		alt[c.Name], note[c.Name] = strings.ReplaceAll(c.Alt, "\u00a0", " "), c.Note
	}
	for name, want := range map[string]string{
		"finished": "after 6 s", "percentiles": "3.9 s and 5.9 s", "breakdown": "held by a worker, not started (2 s of 4.05 s)",
	} {
		if !strings.Contains(alt[name], want) || strings.Contains(note[name], "the first is drawn") {
			t.Errorf("%s: %q, note %q", name, alt[name], note[name])
		}
	}
	if !strings.Contains(note["lanes"], "the first is drawn") {
		t.Errorf("lanes: note %q", note["lanes"])
	}
}

// TestCardsKeepAUnitInOnePiece: the words of a unit are apart from the number of a card,
// which is in large letters.
func TestCardsKeepAUnitInOnePiece(t *testing.T) {
	for value, want := range map[string][2]string{
		"10,000 a second": {"10,000", "a second"}, "10.9 s": {"10.9 s", ""}, "12 times": {"12 times", ""}, "never": {"never", ""},
	} {
		b := bigNumber{Value: value}
		if got := [2]string{b.Number(), b.Unit()}; got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
}

// TestCardsShowEachArmOnce: a page of one arm names it on one card only.
func TestCardsShowEachArmOnce(t *testing.T) {
	big, _ := bigNumbers(folderOf(initial()).Set())
	named := 0
	for _, b := range big {
		if b.Letter != "" {
			named++
		}
	}
	if len(big) != 3 || named != 1 {
		t.Errorf("%d cards, %d of them name the arm", len(big), named)
	}
	if big, _ := bigNumbers(folderOf(unlike("lost")...).Set()); big != nil {
		t.Errorf("cards of unlike scenarios: %v", big)
	}
}
