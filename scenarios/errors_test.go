package scenarios

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sound is a small scenario that loads; each case below spoils one line.
const sound = `schema: harelab/v1
name: t
topology:
  exchanges: [{name: x, type: topic}]
  queues: [{name: q}, {name: r}]
  bindings: [{exchange: x, queue: q, key: "a.#"}]
classes:
  - {name: job, publish: {exchange: x, key: a.b}, service: 10ms}
params: {n: 3, mode: fast}
load:
  - {sequence: s, phases: [{class: job, model: burst, count: =n}]}
workers:
  - {name: w, consume: [{queue: q}], prefetch: {count: 1}}
faults: []
stop: {when: drained, timeout: 1m}
expect: {that: [lost == 0]}
`

func TestSoundScenarioLoads(t *testing.T) {
	if _, err := Parse("t.yaml", []byte(sound)); err != nil {
		t.Fatal(err)
	}
}

func TestMistakesNameTheirLine(t *testing.T) {
	for _, c := range []struct{ name, old, bad, want string }{
		{"unknown field", "stop:", "stpo:", `t.yaml:15: scenario: unknown field "stpo": did you mean "stop"? (have classes,`},
		{"unknown field inside", "queue: q, key", "que: q, key", `t.yaml:6: binding: unknown field "que": did you mean "queue"? (have arguments, exchange, key, queue, to_exchange)`},
		{"missing field", "name: w, ", "", `t.yaml:13: worker: field "name" is missing`},
		{"field twice", "name: w,", "name: w, name: v,", `t.yaml:13: worker: field "name" is given twice`},
		{"schema", "harelab/v1", "harelab/v2", `t.yaml:1: unknown value "harelab/v2": did you mean "harelab/v1"? (have harelab/v1)`},
		{"bad unit", "service: 10ms", "service: 10msec", `t.yaml:8: unknown unit "msec" in "10msec" (have ns us ms s m h,`},
		{"no unit", "service: 10ms", "service: 10", `t.yaml:8: 10 has no unit: give a time such as 100ms`},
		{"size for a time", "service: 10ms", "service: 10KiB", `t.yaml:8: give a time such as 100ms, not a size`},
		{"undeclared queue in binding", "queue: q, key", "queue: qq, key", `t.yaml:6: queue: queue "qq" is not declared: did you mean "q"? (have q, r)`},
		{"undeclared exchange in class", "exchange: x, key: a.b", "exchange: y, key: a.b", `t.yaml:8: exchange: exchange "y" is not declared`},
		{"undeclared queue of default exchange", "exchange: x, key: a.b", `exchange: "", key: a.b`, `t.yaml:8: key: queue "a.b" is not declared (have q, r)`},
		{"undeclared queue consumed", "consume: [{queue: q}]", "consume: [{queue: z}]", `t.yaml:13: queue: queue "z" is not declared`},
		{"queue consumed twice", "consume: [{queue: q}]", "consume: [{queue: q}, {queue: q}]", `t.yaml:13: consume: queue "q" is listed twice`},
		{"binding to the default exchange", "exchange: x, queue: q", `exchange: "", queue: q`, `t.yaml:6: exchange: the default exchange "" cannot be bound or named here`},
		{"duplicate queue", "{name: r}", "{name: q}", `t.yaml:5: queue "q" is declared twice, first in line 5`},
		{"duplicate worker", "  - {name: w, consume: [{queue: q}], prefetch: {count: 1}}", "  - {name: w, consume: [{queue: q}]}\n  - {name: w, consume: [{queue: r}]}", `t.yaml:14: worker "w" is declared twice, first in line 13`},
		{"exclusive queue", "{name: r}", "{name: r, exclusive: true}", `t.yaml:5: queue "r": an exclusive queue can only be used by the connection that declares it`},
		{"undeclared dependency", "prefetch: {count: 1}", "calls: api", `t.yaml:13: calls: dependency "api" is not declared`},
		{"dependency without capacity", "faults: []", "dependencies: [{name: api, capacity: 0}]", `t.yaml:14: 0 is out of range: give 1 to 1000000`},
		{"dependency twice", "faults: []", "dependencies:\n  - {name: api, capacity: 1}\n  - {name: api, capacity: 2}", `t.yaml:16: dependency "api" is declared twice, first in line 15`},
		{"fail that never fails", "prefetch: {count: 1}", "fail: {retry: immediate}", `t.yaml:13: fail: give p, the share of attempts that fail, first, the number of first attempts of each message that fail, or timeout, after which an attempt fails`},
		{"negative prefetch", "prefetch: {count: 1}", "prefetch: {count: -1}", `t.yaml:13: -1 is out of range: give 0 to 65535`},
		{"bare on", "{name: r}", "{name: r, durable: on}", `t.yaml:5: bare on is a boolean to some readers of YAML: write true or false, or quote it`},
		{"bare no as a name", "{name: r}", "{name: no}", `t.yaml:5: bare no is a boolean to some readers of YAML`},
		{"flag that is text", "{name: r}", "{name: r, durable: perhaps}", `t.yaml:5: give true or false, not the text "perhaps"`},
		{"ack mode", "prefetch: {count: 1}", "ack: on-finish", `t.yaml:13: unknown value "on-finish"`},
		{"exchange type", "type: topic", "type: tpoic", `t.yaml:4: unknown value "tpoic": did you mean "topic"? (have direct, fanout, topic, headers)`},
		{"misspelt param", "count: =n", "count: =nn", `t.yaml:11: unknown param "nn": did you mean "n"? (have mode, n)`},
		{"misspelt param in arithmetic", "count: =n", "count: =nn*2", `t.yaml:11: * on "nn", which is neither a number nor a param: did you mean "n"? (have mode, n)`},
		{"expression of the wrong kind", "count: =n", "count: =n*1s", `t.yaml:11: give a whole number, not a time`},
		{"expression cut short", "count: =n", "count: =n*", `t.yaml:11: "n*" ends too early`},
		{"no whole number", "count: =n", "count: =n/2", `t.yaml:11: =n/2 is 1.5: give a whole number`},
		{"division by zero", "count: =n", "count: =n/(n-3)", `t.yaml:11: division by zero in "n/(n-3)"`},
		{"misspelt param in when", "{name: r}", "{name: r, when: mod == fast}", `t.yaml:5: unknown param "mod" in "mod == fast": did you mean "mode"? (have mode, n)`},
		{"unknown class", "class: job", "class: jobb", `t.yaml:11: unknown class "jobb": did you mean "job"? (have job)`},
		{"unknown model", "model: burst", "model: bursts", `t.yaml:11: unknown value "bursts": did you mean "burst"? (have burst, open, closed, trace)`},
		{"field of another model", "count: =n", "count: =n, rate: 3/s", `t.yaml:11: phase burst: unknown field "rate"`},
		{"open without rate", "model: burst, count: =n", "model: open, duration: 1s", `t.yaml:11: phase open: give a rate above 0/s, or a shape`},
		{"unfilled placeholder", "key: a.b", `key: "a.{tenant}"`, `t.yaml:8: {tenant}: class "job" has no key "tenant" (have class)`},
		{"placeholder in a name", "{name: r}", `{name: "r{x}"}`, `t.yaml:5: {x} has no meaning here`},
		{"fault without a worker", "faults: []", "faults: [{at: 1s, do: kill, worker: v}]", `t.yaml:14: worker: worker "v" is not declared (have w)`},
		{"dead-letter exchange", "{name: r}", "{name: r, arguments: {x-dead-letter-exchange: dlx}}", `t.yaml:5: x-dead-letter-exchange: exchange "dlx" is not declared`},
		{"distribution", "service: 10ms", "service: {dist: exponental, mean: 1ms}", `t.yaml:8: unknown value "exponental": did you mean "exponential"?`},
		{"distribution's parameter", "service: 10ms", "service: {dist: lognormal, median: 9ms, p99: 1ms}", `t.yaml:8: distribution lognormal: needs 0 < median <= p99`},
		{"modes", "service: 10ms", "service: {dist: bimodal, modes: [{p: 0.5, value: 1ms}]}", `t.yaml:8: modes: the shares p add up to 0.5, not to 1`},
		{"metric", "lost == 0", "losst == 0", `t.yaml:16: unknown metric "losst": did you mean "lost"? (have acked,`},
		{"statistic", "lost == 0", "wait < 1s", `t.yaml:16: metric "wait": give a statistic, as wait.p99`},
		{"unit of a metric", "lost == 0", "wait.p99 < 1", `t.yaml:16: "wait.p99 < 1": wait is a time: give a value such as 100ms`},
		{"label", "lost == 0", `"wait.p99{clas=job} < 1s"`, `t.yaml:16: metric "wait.p99": unknown label "clas": did you mean "class"?`},
		{"metric that nothing computes", "lost == 0", "recovery < 1s", `t.yaml:16: unknown metric "recovery" (have acked,`},
		{"statistic of one number", "lost == 0", "lost.max == 0", `t.yaml:16: metric "lost.max": lost is one number and takes no statistic`},
		{"index over nothing", "lost == 0", "jain.busy > 0.9", `t.yaml:16: metric "jain.busy": jain.busy needs the label by: write jain.busy{by=worker}`},
		{"class of a label", "lost == 0", `"wait.p99{class=jobb} < 1s"`, `t.yaml:16: metric "wait.p99{class=jobb}": there is no class "jobb": did you mean "job"? (have job)`},
		{"class of a label with not", "lost == 0", `"wait.p99{class!=jobb} < 1s"`, `t.yaml:16: metric "wait.p99{class!=jobb}": there is no class "jobb"`},
		{"queue of a label", "lost == 0", `"lost{queue=qq} == 0"`, `t.yaml:16: metric "lost{queue=qq}": there is no queue "qq": did you mean "q"? (have q, r)`},
		{"tenant of a label", "lost == 0", `"lost{tenant=x} == 0"`, `t.yaml:16: metric "lost{tenant=x}": there is no tenant "x" (have none)`},
		{"worker of a label", "lost == 0", `"lost{worker!=w-1} == 0"`, `t.yaml:16: metric "lost{worker!=w-1}": there is no worker "w-1" (have w)`},
		{"headline", "faults: []", "report: {headline: wait.p99x}", `t.yaml:14: headline: metric "wait.p99x": unknown statistic "p99x": give one, as wait.p99`},
		{"class of the headline", "faults: []", `report: {headline: "wait.p99{class=jobb}"}`, `t.yaml:14: headline: metric "wait.p99{class=jobb}": there is no class "jobb": did you mean "job"?`},
		{"a metric that is no number on the right", "lost == 0", "lost == wait", `t.yaml:16: "lost == wait": "wait" is neither a value nor a metric (have acked,`},
		{"alias", "{name: r}", "&a {name: r}, *a", `t.yaml:5: queue: give a mapping`},
		{"merge", "{name: r}", "{<<: {durable: true}, name: r}", `t.yaml:5: queue: a field name must be a plain word`},
		{"empty value", "timeout: 1m", "timeout: ~", `t.yaml:15: the value is missing`},
		{"not YAML", "faults: []", "faults: [", `not YAML:`},
		{"second document", "faults: []", "faults: []\n---\na: b", `a second document`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(sound, c.old) {
				t.Fatalf("%q is not in the scenario", c.old)
			}
			_, err := Parse("t.yaml", []byte(strings.Replace(sound, c.old, c.bad, 1)))
			if err == nil {
				t.Fatal("the scenario loads")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %v", err, c.want)
			}
			var e *Error
			if !errors.As(err, &e) {
				t.Errorf("error of type %T, want *Error", err)
			}
		})
	}
}

func TestAllMistakesAreReported(t *testing.T) {
	bad := strings.NewReplacer("timeout: 1m", "timeout: 1x", "service: 10ms", "service: 10", "count: 1", "count: -1").Replace(sound)
	_, err := Parse("t.yaml", []byte(bad))
	var list Errors
	if !errors.As(err, &list) || len(list) != 3 {
		t.Fatalf("%v: want three mistakes", err)
	}
	for i, line := range []int{8, 13, 15} {
		if list[i].Line != line {
			t.Errorf("mistake %d in line %d, want %d", i, list[i].Line, line)
		}
	}
}

// TestMistakesOfMetricsAreReportedTogether: an unknown metric does not hide an
// unknown label, but a class that could not be read is not missed twice.
func TestMistakesOfMetricsAreReportedTogether(t *testing.T) {
	two := strings.Replace(sound, "lost == 0", `losst == 0, "lost{class=jobb} == 0"`, 1)
	for text, want := range map[string]int{two: 2, strings.Replace(two, "service: 10ms", "service: 10", 1): 2} {
		_, err := Parse("t.yaml", []byte(text))
		var list Errors
		if !errors.As(err, &list) || len(list) != want {
			t.Errorf("%v: want %d mistakes", err, want)
		}
	}
}

func TestRefuse(t *testing.T) {
	f, err := Parse("t.yaml", []byte(strings.Replace(sound, "faults: []", "faults: [{at: 1s, do: stall, worker: w}]", 1)))
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Resolve(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Refuse("sim", FeatureStall); err != nil {
		t.Errorf("refused what is supported: %v", err)
	}
	want := "t.yaml:14: faults stall: sim does not carry this out"
	if err := s.Refuse("sim", FeatureKill); err == nil || err.Error() != want {
		t.Errorf("Refuse = %v, want %s", err, want)
	}
}

// TestOneMistakeIsReportedOnce: a rate that cannot be read is not reported as missing
// as well.
func TestOneMistakeIsReportedOnce(t *testing.T) {
	_, err := Parse("t.yaml", []byte(strings.Replace(sound, "model: burst, count: =n", "model: open, rate: =n, duration: 1s", 1)))
	if want := "t.yaml:11: =n has no unit: give a rate such as 300/s"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestMistakesOfTracesNameTheirLine(t *testing.T) {
	const header = "at,class,exchange,routing_key,size,service\n"
	for _, c := range []struct{ trace, want string }{
		{"time,job\n0s,job\n", `trace.csv:1: the header is "time,job": give at,class,exchange,routing_key,size,service, as in 1.5s,job,,work,512,20ms (at and class are needed), or the messages.csv of a run`},
		{"", `trace.csv:1: the header is "": give at,class,exchange,routing_key,size,service, as in 1.5s,job,,work,512,20ms (at and class are needed), or the messages.csv of a run`},
		{"at,size\n0s,12\n", `trace.csv:1: the header is "at,size": give at,class,exchange,routing_key,size,service, as in 1.5s,job,,work,512,20ms (at and class are needed), or the messages.csv of a run`},
		{"at,class,class\n0s,job,job\n", `trace.csv:1: the header is "at,class,class": give at,class,exchange,routing_key,size,service, as in 1.5s,job,,work,512,20ms (at and class are needed), or the messages.csv of a run`},
		{header, "trace.csv: there are no rows below the header"},
		{header + "0s,job,,,,\n1s,job,x\n", "trace.csv:3: the row has 3 columns, and the header 6: at,class,exchange,routing_key,size,service"},
		{header + "0s,job,,,,\n1700000000,job,,,,\n", "trace.csv:3: the time is in seconds since 1970, and that of row 1 from the start: give one kind"},
		{header + "1e300,job,,,,\n", `trace.csv:2: at: "1e300" is out of range`},
		{"seq,class,intended_us\n0,job,soon\n", `trace.csv:2: intended_us "soon": give a time in microseconds`},
		{header + "0s,jobb,,,,\n", `trace.csv:2: unknown class "jobb": did you mean "job"? (have job)`},
		{header + "soon,job,,,,\n", `trace.csv:2: at: "soon": give a time such as 1.5s`},
	} {
		dir := t.TempDir()
		text := strings.Replace(sound, "class: job, model: burst, count: =n", "model: trace, file: trace.csv", 1)
		for name, data := range map[string]string{"t.yaml": text, "trace.csv": c.trace} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		_, err := Load(filepath.Join(dir, "t.yaml"))
		if want := "t.yaml:11: " + c.want; err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}
