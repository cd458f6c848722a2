package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/spf13/cobra"

	"harelab/bench/lab"
	"harelab/engine/nearest"
)

func init() { commands = append(commands, newPerf) }

// A perfLoad is PerfTest's command line, as far as the lab has the same.
type perfLoad struct {
	Producers, Consumers int
	Rate                 float64
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

// perfScenario is the scenario that a perfLoad stands for. Without a rate each
// producer keeps a fixed number of messages in flight, so that the load follows
// what the broker takes and nothing piles up without bound.
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
`))

func (p perfLoad) Sequences() []int {
	out := make([]int, p.Producers)
	for i := range out {
		out[i] = i + 1
	}
	return out
}

// Users is how many messages a producer keeps in flight without a rate.
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

// Warmup is what is left out of statistics: a second, but at most a fifth of the
// time.
func (p perfLoad) Warmup() time.Duration {
	return min(time.Second, time.Duration(p.Seconds)*time.Second/5)
}

// check complains of what no load has.
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
			return usage("--%s %d: want %d to %d", n.flag, n.got, n.low, n.high)
		}
	}
	switch {
	case !(p.Rate >= 0 && p.Rate <= 1e9):
		return usage("--rate %v: want 0 to 1e9 messages a second", p.Rate)
	case p.Latency < 0:
		return usage("--consumer-latency %v: want 0 or more", p.Latency)
	}
	for _, n := range [][2]string{{"exchange", p.Exchange}, {"queue", p.Queue}, {"routing-key", p.Key}} {
		if strings.ContainsAny(n[1], `"\\{}`) {
			return usage("--%s %q: want no quotes, backslashes or braces (write a scenario file for such a name)", n[0], n[1])
		}
	}
	if have := []string{"direct", "fanout", "topic", "headers"}; !slices.Contains(have, p.Kind) {
		return usage("--type %q%s", p.Kind, nearest.Choices(p.Kind, have))
	}
	return nil
}

func newPerf() *cobra.Command {
	var (
		p      perfLoad
		target string
		out    string
		flags  []string
		show   bool
		quiet  bool
	)
	cmd := &cobra.Command{
		Use:   "perf",
		Short: "load without a scenario file, in the manner of PerfTest",
		Long: `Publish and consume without a scenario file; the short flags are those of RabbitMQ's
PerfTest where both have the same. Latencies are measured from the intended time.

With --rate the load is open loop: it does not wait for the broker. Without, every
producer keeps 100 messages in flight (or --confirm of them, with confirms).

--print shows the scenario that the flags stand for, to be saved and refined.`,
		Example: `  harelab perf -x 1 -y 2 -r 1000 -z 10
  harelab perf -x 2 -y 4 -q 100 -c 256 -f persistent --target amqp://guest:guest@127.0.0.1:5672/
  harelab perf -y 4 -r 200 -L 5ms -q 1 --print > mine.yaml`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, f := range flags {
				if f != "persistent" {
					return usage("--flag %q%s", f, nearest.Choices(f, []string{"persistent"}))
				}
				p.Persistent = true
			}
			if err := p.check(); err != nil {
				return err
			}
			if p.Exchange == "" {
				p.Key = p.Queue
			}
			var text strings.Builder
			if err := perfScenario.Execute(&text, p); err != nil {
				return err
			}
			if show {
				_, err := fmt.Fprint(cmd.OutOrStdout(), text.String())
				return err
			}
			t, err := lab.ParseTarget(target)
			if err != nil {
				return err
			}
			if t.Kind == lab.Sim && p.Rate == 0 && (p.Latency == 0 || p.Confirm > 0) {
				return usage("on sim, publishing takes no time, so that as many as are taken never ends: want --rate, or --consumer-latency without --confirm")
			}
			return runText(cmd, text.String(), t, out, quiet)
		},
	}
	f := cmd.Flags()
	f.IntVarP(&p.Producers, "producers", "x", 1, "producers")
	f.IntVarP(&p.Consumers, "consumers", "y", 1, "consumers")
	f.Float64VarP(&p.Rate, "rate", "r", 0, "messages a second of each producer; 0: as many as are taken")
	f.IntVarP(&p.Size, "size", "s", 100, "body size in bytes, at least 24")
	f.IntVarP(&p.Prefetch, "qos", "q", 0, "prefetch count of each consumer; 0: no limit")
	f.BoolVarP(&p.AutoAck, "autoack", "a", false, "no acks")
	f.IntVarP(&p.Confirm, "confirm", "c", 0, "use confirms, with at most this many outstanding")
	f.StringArrayVarP(&flags, "flag", "f", nil, "persistent: persistent messages in a durable queue")
	f.IntVarP(&p.Seconds, "time", "z", 10, "run time in seconds")
	f.DurationVarP(&p.Latency, "consumer-latency", "L", 0, "work per message, as 5ms")
	f.StringVarP(&p.Exchange, "exchange", "e", "", "publish to this exchange; empty is the default exchange")
	f.StringVarP(&p.Kind, "type", "t", "direct", "type of the exchange")
	f.StringVarP(&p.Queue, "queue", "u", "perf", "queue")
	f.StringVarP(&p.Key, "routing-key", "k", "perf", "routing and binding key, where there is an exchange")
	f.StringVar(&target, "target", "embedded", "sim, embedded or amqp://user:password@host:port/vhost")
	f.StringVar(&out, "out", "", "results folder (default runs/TIME)")
	f.BoolVar(&show, "print", false, "print the scenario and stop")
	f.BoolVar(&quiet, "quiet", false, "no progress")
	return cmd
}

// runText runs a scenario that is not a file of the user's.
func runText(cmd *cobra.Command, text string, t lab.Target, out string, quiet bool) error {
	f, err := os.CreateTemp("", "perf-*.yaml")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return runArms(cmd, lab.Request{Scenarios: []string{f.Name()}, Targets: []lab.Target{t}, Repeat: 1}, 1, out, quiet)
}
