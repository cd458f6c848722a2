package selftest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAnswersKeepTheirPromise(t *testing.T) {
	var out strings.Builder
	n, err := RunAnswers(bytes.NewReader(readFile(t, "testdata/answers.json")), &out)
	if err != nil {
		t.Fatal(err)
	}
	if n != 0 {
		t.Errorf("%d mismatches:\n%s", n, out.String())
	}
}

func TestSharedAnswers(t *testing.T) {
	sharedAnswers(t)
	var out strings.Builder
	n, err := RunAnswers(bytes.NewReader(readFile(t, sharedPath)), &out)
	if err != nil {
		t.Fatal(err)
	}
	if n != 0 {
		t.Errorf("%d mismatches:\n%s", n, out.String())
	}
	t.Log(out.String())
}

// A file that is no file of known answers is refused with what is wrong and what
// would have been right.
func TestMalformedAnswers(t *testing.T) {
	const head = `{"format": 1, "time_unit": "microseconds", "cases": {"c": {"result": {}, "scenario": `
	for _, c := range []struct{ name, file, want string }{
		{"not JSON", "{\n\n  oops", `answers: line 3: invalid character 'o' looking for beginning of object key string`},
		{"empty", "", `answers: line 1: unexpected end of JSON input`},
		{"other format", `{"format": 2}`, `answers: format 2, want 1`},
		{"other unit", `{"format": 1, "time_unit": "s"}`, `answers: time_unit "s", want "microseconds"`},
		{"no cases", `{"format": 1, "time_unit": "microseconds"}`, `answers: no cases`},
		{"wrong type", `{"format": "1"}`, `answers: line 1: json: cannot unmarshal string into Go struct field answersFile.format of type int`},
		{"unknown key", head + `{"queue": []}}}}`, `answers: case "c": scenario: unknown key "queue"`},
		{"nil case", `{"format": 1, "time_unit": "microseconds", "cases": {"c": null}}`, `case "c": no result`},
		{"unknown key of a list's element", head + `{"queues": [{"name": "p"}, {"name": "q", "prefetch": 1}]}}}}`, `case "c": queues[1]: unknown key "prefetch"`},
		{"unknown key of a subscription", head + `{"workers": [{"name": "w", "subscribe": [{"queue": "q", "limit": 1}]}]}}}}`, `case "c": workers[0]: unknown key "limit"`},
		{"unknown key of a template", head + `{"publish": [{"count": 1, "of": [{"queue": "q"}, {"prio": 1}]}]}}}}`, `case "c": publish[0]: of[1]: unknown key "prio"`},
		{"unknown key of a generator", head + `{"publish": [{"gen": {"n": 1, "arrival": {"rate": 1}}}]}}}}`, `case "c": publish[0]: unknown key "rate"`},
		{"text for a number", head + `{"workers": [{"name": "w", "subscribe": [{"prefetch": "1"}]}]}}}}`,
			`case "c": workers[0]: subscribe.prefetch: a JSON string, want int`},
		{"scenario of another kind", head + `[]}}}`, `case "c": scenario: `},
		{"no slots", head + `{"workers": [{"name": "w", "concurrency": 0}]}}}}`, `worker "w": concurrency 0, want 1 to 1048576`},
		{"no speed", head + `{"workers": [{"name": "w", "slow": 0}]}}}}`, `worker "w": slow 0, want a factor above 0`},
		{"no quantum", head + `{"queues": [{"name": "q", "quantum": 0}]}}}}`, `queue "q": quantum 0, want at least 1`},
		{"no weight", head + `{"queues": [{"name": "q", "weights": {"a": 0}}]}}}}`, `queue "q": weight 0 of tenant "a", want 1 to 1048576`},
		{"gen and at", head + `{"publish": [{"at": 5, "gen": {"n": 1}}]}}}}`, `publish[0]: both gen and at, every, count or of, want one of them`},
		{"mean of fixed", head + `{"publish": [{"gen": {"arrival": {"kind": "fixed", "mean": 5}}}]}}}}`, `gen: arrival: mean 5, want none with fixed`},
		{"every of exp", head + `{"publish": [{"gen": {"arrival": {"kind": "exp", "every": 5}}}]}}}}`, `gen: arrival: every 5, want none with exp`},
		{"us of exp", head + `{"publish": [{"gen": {"arrival": {"kind": "exp"}, "service": {"kind": "exp", "us": 5}}}]}}}}`, `gen: service: us, total or items, want none of them with exp`},
		{"mean of const", head + `{"publish": [{"gen": {"arrival": {"kind": "exp"}, "service": {"kind": "const", "mean": 5}}}]}}}}`, `gen: service: mean, total or items, want none of them with const`},
		{"mean of choice", head + `{"publish": [{"gen": {"arrival": {"kind": "exp"}, "service": {"kind": "choice", "mean": 5}}}]}}}}`, `gen: service: mean or us, want none of them with choice`},
		{"unknown strategy", head + `{"queues": [{"name": "q", "dispatch": "rrr"}]}}}}`,
			`case "c": queue "q": unknown dispatch "rrr" (have [rr rr-eager jsq lwl po2 random])`},
		{"queue twice", head + `{"queues": [{"name": "q"}, {"name": "q"}]}}}}`, `case "c": queues[1]: name "q" is empty or taken`},
		{"aging of nothing", head + `{"queues": [{"name": "q", "order": "aging"}]}}}}`, `queue "q": aging_us 0, want at least 1`},
		{"unknown queue", head + `{"queues": [{"name": "q"}], "workers": [{"name": "w", "subscribe": [{"queue": "p"}]}]}}}}`,
			`worker "w": subscribe[0]: unknown queue "p"`},
		{"too many slots", head + `{"workers": [{"name": "w", "concurrency": 9999999}]}}}}`, `worker "w": concurrency 9999999, want 1 to 1048576`},
		{"no count", head + `{"publish": [{"of": []}]}}}}`, `publish[0]: neither gen nor count with of`},
		{"message to nowhere", head + `{"publish": [{"count": 1, "of": {"queue": "x"}}]}}}}`, `publish[0]: of[0]: unknown queue "x"`},
		{"too many", head + `{"queues": [{"name": "q"}], "publish": [{"count": 99999999999, "of": {"queue": "q"}}]}}}}`,
			`publish[0]: count 99999999999, want 0 to 20000000`},
		{"beyond time", head + `{"queues": [{"name": "q"}], "publish": [{"count": 3, "every": 4503599627370496, "of": {"queue": "q"}}]}}}}`,
			`publish[0]: every 4503599627370496, want at least 0 and all messages before 4503599627370496`},
		{"weights", head + `{"queues": [{"name": "q"}], "publish": [{"gen": {"n": 1, "queue": "q", "arrival": {"kind": "exp", "mean": 1},
			"service": {"kind": "choice", "total": 2, "items": [{"weight": 1}]}}}]}}}}`, `weights sum to 1, want total, 2`},
		{"unknown kind", head + `{"publish": [{"gen": {"n": 1, "arrival": {"kind": "poisson"}}}]}}}}`,
			`publish[0]: gen: arrival: unknown kind "poisson" (have exp, fixed)`},
		{"empty result", `{"format": 1, "time_unit": "microseconds", "cases": {"a": {"scenario": {}, "result": {}}}}`, `case "a": no result`},
		{"family elsewhere", `{"format": 1, "time_unit": "microseconds", "crashes": {"a": {"scenario": {}, "result": {"done": 1}}}}`,
			`"crashes" holds cases, which belong in cases or long_runs`},
		{"control of nobody", head + `{"control": [{"at": 1, "crash": "w"}]}}}}`,
			`control[0]: want either crash or join of a worker, got crash "w", join ""`},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, err := RunAnswers(strings.NewReader(c.file), new(strings.Builder))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
			if n != 0 {
				t.Errorf("%d mismatches of a file that cannot be read", n)
			}
		})
	}
}

// The cases beside a refused one are run, and unknown remarks are named; but an unknown
// field of a result is a mismatch.
func TestWhatIsNotKnownIsNamed(t *testing.T) {
	const file = `{"format": 1, "time_unit": "microseconds", "host": "x", "cases": {
		"bad":  {"scenario": {"queue": []}, "result": {}},
		"good": {"scenario": {}, "result": {"done": 0}, "author": "y"},
		"more": {"scenario": {}, "result": {"done": 0, "idle_us": 7}},
		"p95":  {"scenario": {}, "result": {"wait_us": {"all": {"n": 0, "p95": 7}}}}}}`
	var out strings.Builder
	n, err := RunAnswers(strings.NewReader(file), &out)
	if err == nil || err.Error() != `answers: case "bad": scenario: unknown key "queue"` {
		t.Errorf("error %v, want one that names case and key", err)
	}
	const want = `unknown key host was ignored
good: unknown key author was ignored
more: result.idle_us: want a value, got none: the field is unknown
p95: run: want a result, got result: wait_us: unknown key "p95"
3 cases, 2 mismatches
`
	if n != 2 || out.String() != want {
		t.Errorf("%d mismatches,\n%swant 2,\n%s", n, out.String(), want)
	}
}

// One changed number is found, and the mismatch says where.
func TestMismatchesAreNamed(t *testing.T) {
	file := string(readFile(t, "testdata/answers.json"))
	for _, c := range []struct{ name, old, new, want string }{
		{"count", `"redelivered":2,`, `"redelivered":3,`, "crash: redelivered: want 3, got 2\n"},
		{"worker", `[4,"all","q",9200,9200,9200,10200,1,0,1,0,"done"]`, `[4,"all","q",9200,9200,9200,10200,0,0,1,0,"done"]`,
			"ring: message 4: worker: want 0, got 1\n"},
		{"decimal", `"jain_busy":0.662162`, `"jain_busy":0.662165`, "crash: jain_busy: want 0.662165, got 0.662162\n"},
		{"summary", "", "", "21 cases, 0 mismatches\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(file, c.old) {
				t.Fatalf("testdata has no %s", c.old)
			}
			var out strings.Builder
			n, err := RunAnswers(strings.NewReader(strings.Replace(file, c.old, c.new, 1)), &out)
			if err != nil || n == 0 == (c.old != "") || !strings.Contains(out.String(), c.want) {
				t.Errorf("%d mismatches, error %v, output\n%swant %s", n, err, out.String(), c.want)
			}
		})
	}
}

// The comparison notices a change of any value of a result.
func TestEveryChangeIsFound(t *testing.T) {
	a, err := readAnswers(bytes.NewReader(readFile(t, "testdata/answers.json")))
	if err != nil {
		t.Fatal(err)
	}
	changes := 0
	for _, c := range a.cases {
		o := simulateReference(&c.Scenario)
		for field, raw := range c.Result {
			var v any
			if err := json.Unmarshal(raw, &v); err != nil {
				t.Fatal(err)
			}
			eachChange(v, func(where string, changed func() any) {
				b, err := json.Marshal(changed())
				if err != nil {
					t.Fatal(err)
				}
				spec := *c
				spec.Result = maps.Clone(c.Result)
				spec.Result[field] = b
				check := checker{w: io.Discard, name: c.name, limit: 1}
				if err := check.compare(&spec, o); err == nil && check.mismatches == 0 {
					t.Errorf("%s: %s%s changed to %.80s, and nobody noticed", c.name, field, where, b)
				}
				changes++
			})
		}
	}
	t.Logf("%d changes", changes)
}

// eachChange calls f for each number and string in a decoded JSON value, with a
// function that returns the whole with that one changed, or gone.
func eachChange(v any, f func(where string, changed func() any)) {
	switch v := v.(type) {
	case float64:
		f("", func() any { return v + 1 + v/1000 })
		if v != 0 {
			f("", func() any { return nil })
		}
	case string:
		f("", func() any { return v + "x" })
		f("", func() any { return nil })
	case []any:
		for i, e := range v {
			eachChange(e, func(where string, changed func() any) {
				f(fmt.Sprintf("[%d]%s", i, where), func() any {
					c := slices.Clone(v)
					c[i] = changed()
					return c
				})
			})
		}
	case map[string]any:
		for k, e := range v {
			eachChange(e, func(where string, changed func() any) {
				f("."+k+where, func() any {
					c := maps.Clone(v)
					c[k] = changed()
					return c
				})
			})
		}
	}
}

func FuzzReadAnswers(f *testing.F) {
	f.Add([]byte(`{"format": 1, "time_unit": "microseconds", "cases": {"c": {"result": {"rows": [[0]], "columns": ["seq"]}}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := readAnswers(bytes.NewReader(b))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "answers: ") {
				t.Errorf("error without its place: %v", err)
			}
			return
		}
		for _, c := range a.cases {
			if !small(&c.Scenario) {
				continue
			}
			o, err := simulate(context.Background(), &c.Scenario)
			if err != nil {
				t.Fatal(err)
			}
			check := &checker{w: io.Discard, name: c.name, limit: 10}
			_ = check.compare(c, o) // a result of any kind must not make it panic
		}
	})
}

// small reports whether a scenario is over soon.
func small(s *scenario) bool {
	work := int64(0)
	for _, p := range s.Publish {
		if p.Gen != nil {
			work += p.Gen.N
			continue
		}
		for _, t := range p.Of {
			work += *p.Count * int64(1+t.Fail)
		}
	}
	for _, w := range s.Workers {
		work += int64(w.Concurrency)
	}
	return work < 1000
}

func TestAnswersMayBeginWithAByteOrderMark(t *testing.T) {
	answers := readFile(t, "testdata/answers.json")
	a, err := readAnswers(io.MultiReader(strings.NewReader("\xef\xbb\xbf"), bytes.NewReader(answers)))
	if err != nil || len(a.cases) == 0 {
		t.Errorf("%v", err)
	}
	if _, err := readAnswers(strings.NewReader("\xff\xfe{\x00}\x00")); err == nil || err.Error() != "answers: the text is in UTF-16: save it as UTF-8" {
		t.Errorf("UTF-16: error %v", err)
	}
}
