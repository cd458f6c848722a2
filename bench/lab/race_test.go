package lab

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"harelab/reports/folder"
	"harelab/reports/stat"
	"harelab/scenarios"
)

// raceIn tries a scenario, given by name or text, in other orders.
func raceIn(t *testing.T, scenario, variant string, changes ...string) *stat.Race {
	t.Helper()
	f, err := scenarios.Parse("race.yaml", []byte(strings.NewReplacer(changes...).Replace(scenario)))
	if !strings.Contains(scenario, "schema:") {
		f, err = scenarios.Load(scenario)
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := resolve(f, scenarios.Options{Variant: variant})
	if err != nil {
		t.Fatal(err)
	}
	found, err := race(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// split is a load like the talk's with split queues: slow tasks of 3 s and quick ones.
const split = `
schema: harelab/v1
name: split
topology: {queues: [{name: slow}, {name: quick}]}
classes:
  - {name: net, publish: {exchange: "", key: slow}, service: 3s}
  - {name: query, publish: {exchange: "", key: quick}, service: 100ms}
load:
  - sequence: app
    phases:
      - {class: net, model: burst, count: 4}
      - {class: query, model: burst, count: 40}
workers:
  - {name: one, threads: 1, consume: [{queue: quick}], prefetch: {count: 4, scope: channel}, ack: on-start}
  - {name: three, threads: 3, consume: [{queue: slow}, {queue: quick}], prefetch: {count: 12, scope: channel}, ack: on-start}
stop: {when: drained, timeout: 60s}
expect: {that: ["wait.mean{class=query} < 9s", "starvation{class=query} < 9s", lost == 0]}
`

// TestAnAnswerThatHangsOnARaceIsFound: the split queues of the talk are such, one queue is
// not, and neither are queues without a common worker and
// plans that cannot be known in advance.
func TestAnAnswerThatHangsOnARaceIsFound(t *testing.T) {
	for _, c := range []struct {
		name, scenario, variant string
		changes                 []string
		tried                   bool
		figure                  string // that moves; empty: none
	}{
		{"one queue", "celery-initial", "", nil, false, ""},
		{"the talk's split queues", "celery-optimized", "same-load", nil, true, "wait.mean{class=run_user_query}"},
		{"and the fix", "celery-optimized", "same-load-fair", nil, true, "wait.mean{class=run_user_query}"},
		{"scaled", split, "", nil, true, "starvation{class=query}"},
		{"no common worker", split, "", []string{"{queue: slow}, {queue: quick}", "{queue: slow}"}, false, ""},
		{"one of the queues gets nothing", split, "", []string{`key: slow`, `key: quick`}, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := raceIn(t, c.scenario, c.variant, c.changes...)
			if (found != nil) != c.tried {
				t.Fatalf("tried: %v, want %v", found != nil, c.tried)
			}
			if found == nil {
				return
			}
			if found.Tries != mostTries {
				t.Errorf("%d tries, want %d", found.Tries, mostTries)
			}
			if c.figure == "" && len(found.Moved) > 0 || c.figure != "" && found.Of(c.figure) == nil {
				t.Errorf("moved %v, want %q", found.Moved, c.figure)
			}
		})
	}
}

// TestRaceCoversWhatRealCeleryDid: real Celery workers on a real RabbitMQ made the queries
// of the scaled load wait 1.39 to 1.95 s on average, and starve for up to 2.3 s.
func TestRaceCoversWhatRealCeleryDid(t *testing.T) {
	found := raceIn(t, split, "")
	for figure, real := range map[string][2]float64{"wait.mean{class=query}": {1.42, 1.88}, "starvation{class=query}": {0.2, 2.1}} {
		m := found.Of(figure)
		if m == nil || m.Least > real[0] || m.Greatest < real[1] {
			t.Errorf("%s: %+v, want a range from %v s to %v s", figure, m, real[0], real[1])
		}
	}
}

// TestTooManyMessagesAreNotTried, and the finding says so.
func TestTooManyMessagesAreNotTried(t *testing.T) {
	found := raceIn(t, split, "", "count: 40", "count: 60000")
	if found == nil || found.Tries != 0 || found.Messages != 60004 {
		t.Fatalf("%+v, want 60,004 messages and no tries", found)
	}
	s := &stat.Summary{}
	s.AddRace(found)
	if len(s.Findings) != 1 || !strings.Contains(s.Findings[0].Text, "too many to try") || !s.Valid() {
		t.Errorf("findings %v", s.Findings)
	}
}

// TestClosedLoopsAreNotTried, and the finding says so.
func TestClosedLoopsAreNotTried(t *testing.T) {
	s := &stat.Summary{}
	f, err := scenarios.Parse("closed.yaml", []byte(closedOnTwoQueues))
	if err != nil {
		t.Fatal(err)
	}
	sc, err := f.Resolve(scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	found, err := race(t.Context(), sc)
	if err != nil || found == nil || found.Tries != 0 {
		t.Fatalf("%+v, %v", found, err)
	}
	s.AddRace(found)
	if len(s.Findings) != 1 || !strings.Contains(s.Findings[0].Text, "was not tried") || !s.Valid() {
		t.Errorf("findings %v", s.Findings)
	}
}

const closedOnTwoQueues = `schema: harelab/v1
name: closed
title: Closed loops on two queues
topology: {queues: [{name: a}, {name: b}]}
classes:
  - {name: quick, publish: {exchange: "", key: a}, service: 5ms}
  - {name: slow, publish: {exchange: "", key: b}, service: 50ms}
load:
  - {sequence: users, phases: [{mix: {weights: {quick: 1, slow: 1}}, model: closed, users: 4, think: 10ms, await: done, duration: 1s}]}
workers:
  - {name: w, threads: 2, consume: [{queue: a}, {queue: b}], prefetch: {count: 1}, ack: on-done}
stop: {when: drained, timeout: 60s}
`

// TestComparisonsAreTried: a comparison of values says so if an answer hangs on a race.
func TestComparisonsAreTried(t *testing.T) {
	axis, err := ParseAxis("variant=same-load,same-load-fair")
	if err != nil {
		t.Fatal(err)
	}
	v, err := NewVary(VaryRequest{Scenario: "celery-optimized", Axis: axis, Target: Target{Kind: Sim}})
	if err != nil {
		t.Fatal(err)
	}
	o := Output{Dir: t.TempDir(), Text: io.Discard}
	if err := o.Vary(t.Context(), v, nil); err != nil {
		t.Fatal(err)
	}
	ss, err := folder.ReadSummaries(o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(ss, func(s *stat.Summary) bool { return s.Race != nil && len(s.Race.Moved) > 0 }) {
		t.Error("no run of the comparison says that its answer hangs on a race")
	}
}

// TestRunSaysThatItsAnswerHangsOnARace in text, page and summary.json, beside the exact
// figures, and only where it does.
func TestRunSaysThatItsAnswerHangsOnARace(t *testing.T) {
	for scenario, hangs := range map[string]bool{"celery-initial": false, "celery-optimized": true} {
		q := Request{Scenarios: []string{scenario}, Targets: []Target{{Kind: Sim}}, Repeat: 1}
		if hangs {
			q.Variants = []string{"same-load", "same-load-fair"} // one load, so that the page has cards
		}
		asked, err := Expand(q)
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		dir := t.TempDir()
		if _, err := (Output{Dir: dir, Text: &text}).Measure(t.Context(), asked, 1, nil); err != nil {
			t.Fatal(err)
		}
		said := map[string]string{"the text": text.String()}
		for _, name := range []string{"report.html", "report.md", "summary.json"} {
			b, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			said[name] = string(b)
		}
		for where, s := range said {
			if strings.Contains(strings.Join(strings.Fields(s), " "), "hangs on a race") != hangs {
				t.Errorf("%s: %s says that the answer hangs on a race: %v, want %v", scenario, where, !hangs, hangs)
			}
		}
		if card := "3.5 s to 3.9 s where RabbitMQ&#39;s queues race"; strings.Contains(said["report.html"], card) != hangs {
			t.Errorf("%s: the page has %q beside the exact figure: %v, want %v", scenario, card, !hangs, hangs)
		}
	}
}
