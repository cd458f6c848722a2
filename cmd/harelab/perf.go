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

// perfFlags are the flags of `perf`.
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
		Short: "run a load without a scenario file, like RabbitMQ's PerfTest",
		Long: `Publish and consume without a scenario file. The short flags mean what they mean in
RabbitMQ's PerfTest. Latencies count from the time at which a message was due.

With --rate the load is open loop: producers do not wait for the broker, and publish
evenly spread within the period, or in step with --in-step. Without --rate,
every producer keeps 100 messages in flight, or as many as --confirm says.

--print prints the scenario of these flags, which you can save and edit.`,
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
	f.Float64VarP(&p.load.Rate, "rate", "r", 0, "messages per second of each producer; 0: as fast as the broker takes them")
	f.BoolVar(&p.load.InStep, "in-step", false, "with --rate, all producers publish at the same instants, not evenly spread")
	f.IntVarP(&p.load.Size, "size", "s", 100, "body size in bytes, at least 24")
	f.IntVarP(&p.load.Prefetch, "qos", "q", 0, "prefetch count of each consumer; 0: no limit")
	f.BoolVarP(&p.load.AutoAck, "autoack", "a", false, "consume without acks")
	f.IntVarP(&p.load.Confirm, "confirm", "c", 0, "use confirms, with at most `N` outstanding")
	f.StringArrayVarP(&p.flags, "flag", "f", nil, "persistent: publish persistent messages to a durable queue")
	f.IntVarP(&p.load.Seconds, "time", "z", 10, "run time in seconds")
	f.DurationVarP(&p.load.Latency, "consumer-latency", "L", 0, "work per message, for example 5ms")
	f.StringVarP(&p.load.Exchange, "exchange", "e", "", "publish to this exchange; empty is the default exchange")
	f.StringVarP(&p.load.Kind, "type", "t", "direct", "type of the exchange")
	f.StringVarP(&p.load.Queue, "queue", "u", "perf", "name of the queue")
	f.StringVarP(&p.load.Key, "routing-key", "k", "perf", "routing key and binding key, with --exchange")
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
		return usage("on sim, publishing takes no time, so a load without a rate never ends: give --rate, or --consumer-latency without --confirm")
	}
	return runText(cmd, text, t, p.out, p.quiet)
}

// runText runs a scenario that is in no file.
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
