package main

import (
	"slices"
	"strings"
	"text/template"
	"time"

	"harelab/engine/nearest"
	"harelab/scenarios"
)

// A perfLoad has the flags of PerfTest that the lab supports.
type perfLoad struct {
	Producers, Consumers int
	Rate                 float64
	InStep               bool
	Size                 int
	Prefetch             int
	AutoAck              bool
	Confirm              int
	Persistent           bool
	Seconds              int
	Latency              time.Duration
	Exchange, Kind       string
	Queue, Key           string
}

// perfScenario is the scenario of a perfLoad. Without a rate, each producer keeps a
// fixed number of messages in flight: the load is as fast as the broker, and no backlog
// grows without bound.
var perfScenario = template.Must(template.New("perf").Parse(`schema: harelab/v1
name: perf
title: Load without a scenario file
topology:
{{- if .Exchange}}
  exchanges: [{name: "{{.Exchange}}", type: {{.Kind}}}]
  bindings: [{exchange: "{{.Exchange}}", queue: "{{.Queue}}", key: "{{.Key}}"}]
{{- end}}
  queues: [{name: "{{.Queue}}"{{if .Persistent}}, durable: true{{end}}}]
classes:
  - {name: message, publish: {exchange: "{{.Exchange}}", key: "{{.Key}}"{{if .Persistent}}, persistent: true{{end}}}, size: {{.Size}}B, service: {dist: fixed, value: {{.Latency}}}}
load:
{{- range .Sequences}}
  - sequence: producer-{{.}}
{{- if $.Confirm}}
    confirm: {max_in_flight: {{$.Confirm}}}
{{- end}}
{{- if $.Rate}}
{{- if $.InStep}}
    in_step: true
{{- end}}
    phases: [{class: message, model: open, arrival: constant, rate: {{$.Rate}}/s, duration: {{$.Seconds}}s}]
{{- else}}
    phases: [{class: message, model: closed, users: {{$.Users}}, think: 0s, await: {{$.Await}}, duration: {{$.Seconds}}s}]
{{- end}}
{{- end}}
workers:
  - {name: consumer, count: {{.Consumers}}, threads: 1, consume: [{queue: "{{.Queue}}"}], prefetch: {count: {{.Prefetch}}}, ack: {{if .AutoAck}}none{{else}}on-done{{end}}}
stop: {when: drained, timeout: {{.Timeout}}s}
measure: {interval: 1s, warmup: {{.Warmup}}}
expect:
  that: [lost == 0, duplicated == 0]
report: {headline: throughput}
`))

func (p perfLoad) Sequences() []int {
	out := make([]int, p.Producers)
	for i := range out {
		out[i] = i + 1
	}
	return out
}

// Users is the number of messages that a producer without a rate keeps in flight.
func (p perfLoad) Users() int {
	if p.Confirm > 0 {
		return p.Confirm
	}
	return 100
}

func (p perfLoad) Await() string {
	if p.Confirm > 0 {
		return "confirm"
	}
	return "done"
}

func (p perfLoad) Timeout() int { return p.Seconds + 60 }

// Warmup is how long the run goes before statistics begin: a second, but at most a
// fifth of the time.
func (p perfLoad) Warmup() time.Duration {
	return min(time.Second, time.Duration(p.Seconds)*time.Second/5)
}

// check refuses values that no load can have.
func (p perfLoad) check() error {
	for _, n := range []struct {
		flag      string
		got       int
		low, high int
	}{
		{"producers", p.Producers, 1, 10_000}, {"consumers", p.Consumers, 1, 10_000}, {"time", p.Seconds, 1, 1_000_000},
		{"size", p.Size, 0, 128 << 20}, {"qos", p.Prefetch, 0, 65535}, {"confirm", p.Confirm, 0, 1 << 20},
	} {
		if n.got < n.low || n.got > n.high {
			return usage("--%s %d: give %d to %d", n.flag, n.got, n.low, n.high)
		}
	}
	switch {
	case !(p.Rate >= 0 && p.Rate <= 1e9):
		return usage("--rate %v: give 0 to 1e9 messages a second", p.Rate)
	case p.Rate*float64(p.Producers)*float64(p.Seconds) > scenarios.MaxMessages:
		return usage("--producers %d, --rate %v and --time %d make %.0f messages, and a run keeps at most %d: lower one of the three",
			p.Producers, p.Rate, p.Seconds, p.Rate*float64(p.Producers)*float64(p.Seconds), scenarios.MaxMessages)
	case p.Latency < 0:
		return usage("--consumer-latency %v: give 0 or more", p.Latency)
	}
	for _, n := range [][2]string{{"exchange", p.Exchange}, {"queue", p.Queue}, {"routing-key", p.Key}} {
		if strings.ContainsAny(n[1], `"\\{}`) {
			return usage("--%s %q: give a name without quotes, backslashes or braces (a scenario file can have such a name)", n[0], n[1])
		}
	}
	if have := []string{"direct", "fanout", "topic", "headers"}; !slices.Contains(have, p.Kind) {
		return usage("--type %q%s", p.Kind, nearest.Choices(p.Kind, have))
	}
	return nil
}

// endless reports whether the load never ends if publishing takes no time.
func (p perfLoad) endless() bool { return p.Rate == 0 && (p.Latency == 0 || p.Confirm > 0) }

// scenario returns the text of the scenario.
func (p perfLoad) scenario() (string, error) {
	if err := p.check(); err != nil {
		return "", err
	}
	if p.Exchange == "" {
		p.Key = p.Queue
	}
	var text strings.Builder
	err := perfScenario.Execute(&text, p)
	return text.String(), err
}
