package lab

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"harelab/reports/arms"
	"harelab/reports/compare"
	"harelab/reports/page"
)

// starving is a peak of work on one queue for quick and slow tasks. Its variant split
// gives the slow tasks a queue and workers of their own.
const starving = `schema: harelab/v1
name: starving
params: {slowkey: celery, slowworkers: 0, workers: 3}
topology: {queues: [{name: celery}, {name: slow}]}
classes:
  - {name: quick, publish: {exchange: "", key: celery}, service: 80ms}
  - {name: slow, publish: {exchange: "", key: =slowkey}, service: 30s}
load:
  - sequence: app
    phases:
      - {mix: {weights: {quick: 95, slow: 5}}, model: open, arrival: poisson, rate: 5/s, duration: 120s}
      - {mix: {weights: {quick: 95, slow: 5}}, model: open, arrival: poisson, rate: 40/s, duration: 30s}
      - {mix: {weights: {quick: 95, slow: 5}}, model: open, arrival: poisson, rate: 5/s, duration: 120s}
workers:
  - {name: worker, count: =workers, threads: 8, consume: [{queue: celery}], prefetch: 32, ack: on-start}
  - {name: slowworker, count: =slowworkers, threads: 8, consume: [{queue: slow}], prefetch: 32, ack: on-start}
stop: {when: drained, timeout: 900s}
variants: {split: {title: Slow tasks have a queue of their own, set: {slowkey: slow, slowworkers: 2, workers: 1}}}
`

// measured runs a request in virtual time.
func measured(t *testing.T, q Request) []*arms.Run {
	t.Helper()
	q.Targets, q.Repeat = []Target{{Kind: Sim}}, 1
	asked, err := Expand(q)
	if err != nil {
		t.Fatal(err)
	}
	runs, err := Measure(context.Background(), asked, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	return runs
}

// TestTheQuestionDecidesTheSentence: whether the scenario says by a headline, by an
// expectation or not at all that it is about quick tasks, the split is called better for
// them, with what slow tasks pay; from the split to one queue it is called worse.
func TestTheQuestionDecidesTheSentence(t *testing.T) {
	for name, end := range map[string]string{
		"headline":    "report: {headline: 'wait.p99{class=quick}'}\n",
		"expectation": "expect: {that: ['wait.p99{class=quick} < 1s']}\n",
		"counts":      "expect: {that: ['lost == 0']}\n",
		"nothing":     "",
	} {
		path := filepath.Join(t.TempDir(), "starving.yaml")
		if err := os.WriteFile(path, []byte(starving+end), 0o666); err != nil {
			t.Fatal(err)
		}
		runs := measured(t, Request{Scenarios: []string{path}})
		there := page.Tell(arms.NewSet(runs)).Headline
		slices.Reverse(runs)
		back := page.Tell(arms.NewSet(runs)).Headline
		if want := "Better with split: 99 % of quick start within 1.73 ms instead of 49 s; the price: 99 % of slow start within 67.2 s instead of 51.4 s."; there != want {
			t.Errorf("%s: %q, want %q", name, there, want)
		}
		if want := "Worse with starving: 99 % of quick start within 49 s instead of 1.73 ms; in return 99 % of slow start within 51.4 s instead of 67.2 s."; back != want {
			t.Errorf("%s: %q, want %q", name, back, want)
		}
	}
}

// TestAComparisonIsAboutTheHeadline: the tenants that the scenario asks for decide, and
// have a row, in either direction.
func TestAComparisonIsAboutTheHeadline(t *testing.T) {
	for axis, want := range map[string]string{
		"order=fifo,drr": "Better with order=drr: 99 % of messages of tenants other than noisy start within 0.365 s instead of 53.3 s; the price: 99 % of messages of tenant noisy start within",
		"order=drr,fifo": "Worse with order=fifo: 99 % of messages of tenants other than noisy start within 53.3 s instead of 0.365 s; in return 99 % of messages of tenant noisy start within",
	} {
		v := varyOf(t, VaryRequest{Scenario: "noisy-neighbour", Target: Target{Kind: Sim}}, axis)
		varied, err := v.Run(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		c, err := varied.Compare(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Sheet(nil).Story.Headline; !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", axis, got, want)
		}
		if got := page.Tell(arms.NewSet(varied.Runs)).Headline; !strings.HasPrefix(got, want) {
			t.Errorf("%s, page: %q, want %q", axis, got, want)
		}
		if !slices.ContainsFunc(c.Rows, func(r compare.Row) bool { return r.Key.Metric == "wait.p99{tenant!=noisy}" }) {
			t.Errorf("%s: no row for the headline", axis)
		}
	}
}
