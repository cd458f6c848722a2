package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"harelab/bench/lab"
	"harelab/engine/nearest"
)

func init() { commands = append(commands, newPerf) }

// A perfFlags is how `perf` was called.
type perfFlags struct {
	load   perfLoad
	flags  []string
	target string
	out    string
	show   bool
	quiet  bool
}

func newPerf() *cobra.Command {
	var p perfFlags
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
		RunE: func(cmd *cobra.Command, _ []string) error { return p.run(cmd) },
	}
	p.add(cmd.Flags())
	return cmd
}

func (p *perfFlags) add(f *pflag.FlagSet) {
	f.IntVarP(&p.load.Producers, "producers", "x", 1, "producers")
	f.IntVarP(&p.load.Consumers, "consumers", "y", 1, "consumers")
	f.Float64VarP(&p.load.Rate, "rate", "r", 0, "messages a second of each producer; 0: as many as are taken")
	f.IntVarP(&p.load.Size, "size", "s", 100, "body size in bytes, at least 24")
	f.IntVarP(&p.load.Prefetch, "qos", "q", 0, "prefetch count of each consumer; 0: no limit")
	f.BoolVarP(&p.load.AutoAck, "autoack", "a", false, "no acks")
	f.IntVarP(&p.load.Confirm, "confirm", "c", 0, "use confirms, with at most this many outstanding")
	f.StringArrayVarP(&p.flags, "flag", "f", nil, "persistent: persistent messages in a durable queue")
	f.IntVarP(&p.load.Seconds, "time", "z", 10, "run time in seconds")
	f.DurationVarP(&p.load.Latency, "consumer-latency", "L", 0, "work per message, as 5ms")
	f.StringVarP(&p.load.Exchange, "exchange", "e", "", "publish to this exchange; empty is the default exchange")
	f.StringVarP(&p.load.Kind, "type", "t", "direct", "type of the exchange")
	f.StringVarP(&p.load.Queue, "queue", "u", "perf", "queue")
	f.StringVarP(&p.load.Key, "routing-key", "k", "perf", "routing and binding key, where there is an exchange")
	f.StringVar(&p.target, "target", "embedded", "sim, embedded or amqp://user:password@host:port/vhost")
	f.StringVar(&p.out, "out", "", "results folder (default runs/TIME)")
	f.BoolVar(&p.show, "print", false, "print the scenario and stop")
	f.BoolVar(&p.quiet, "quiet", false, "no progress")
}

func (p *perfFlags) run(cmd *cobra.Command) error {
	for _, f := range p.flags {
		if f != "persistent" {
			return usage("--flag %q%s", f, nearest.Choices(f, []string{"persistent"}))
		}
		p.load.Persistent = true
	}
	text, err := p.load.scenario()
	if err != nil {
		return err
	}
	if p.show {
		_, err := fmt.Fprint(cmd.OutOrStdout(), text)
		return err
	}
	t, err := lab.ParseTarget(p.target)
	if err != nil {
		return err
	}
	if t.Kind == lab.Sim && p.load.endless() {
		return usage("on sim, publishing takes no time, so that as many as are taken never ends: want --rate, or --consumer-latency without --confirm")
	}
	return runText(cmd, text, t, p.out, p.quiet)
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
