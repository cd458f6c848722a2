// Command peers measures our topic matchers and those of other brokers side by side in
// one run. It prints every time, the bars that the default has to clear, and targets
// beyond them.
//
//	go run . [-repeat 10] [-sample 50ms] [-o bench.txt] [-chart match.svg]
//
// Bars are ratios of processor times within the run, since on a shared machine the times
// themselves mean little. The exit code is 1 if a bar is missed, and 0 if only targets
// are missed. The command is a module of its own so that harelab does not depend on the
// peers.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"time"

	"harelab/bench/matchlab"
	"harelab/engine/topic"
)

func main() {
	repeat := flag.Int("repeat", 10, "samples of each matcher on each workload")
	sample := flag.Duration("sample", 50*time.Millisecond, "length of a sample")
	out := flag.String("o", "", "also write the samples to this file, in Go benchmark format")
	chart := flag.String("chart", "", "also draw the times, relative to the best peer's, to this SVG file")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	switch err := run(ctx, *repeat, *sample, *out, *chart); {
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "peers: interrupted")
		os.Exit(130)
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// draw writes the chart of a run.
func draw(name string, ms []matchlab.Measurement, ours []string) error {
	var peers []string
	for _, c := range peerContenders() {
		if !c.Limit {
			peers = append(peers, c.Name)
		}
	}
	chart := matchlab.PeerChart(ms, ours, peers)
	if chart == nil {
		return errors.New("peers: no peer can express all of a workload: there is nothing to draw")
	}
	return os.WriteFile(name, chart.SVG(), 0o666)
}

func peerContenders() []matchlab.Contender {
	return []matchlab.Contender{
		natsGSL(), natsSublist("nats-nocache", false), natsSublist("nats-cache", true), mochi(), mapLimit(),
	}
}

// peerVersions returns the versions of the peers, each after a comma.
func peerVersions() (versions string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == "github.com/nats-io/nats-server/v2" || m.Path == "github.com/mochi-mqtt/server/v2" {
			versions += fmt.Sprintf(", %s %s", strings.TrimPrefix(m.Path, "github.com/"), m.Version)
		}
	}
	return versions
}

var errMissed = errors.New("peers: a bar was missed")

func run(ctx context.Context, repeat int, sample time.Duration, out, chart string) error {
	o := matchlab.Options{
		Strategies: []string{topic.Default, cached, "trie"},
		Repeat:     repeat,
		Sample:     sample,
		Others:     peerContenders(),
	}
	part := ""
	ms, err := matchlab.Compare(ctx, o, func(p matchlab.Progress) {
		if p.Part != part {
			part = p.Part
			fmt.Fprintf(os.Stderr, "%3.0f%% %s\n", 100*p.Share, part)
		}
	})
	if err != nil {
		return err
	}
	if out != "" {
		if err := matchlab.WriteBenchFile(out, ms); err != nil {
			return err
		}
	}
	if chart != "" {
		if err := draw(chart, ms, o.Strategies); err != nil {
			return err
		}
	}
	limits := make(map[string]bool)
	for _, c := range o.Others {
		limits[c.Name] = c.Limit
	}
	fmt.Println(matchlab.Host() + peerVersions())
	printMatrix(os.Stdout, ms, limits)
	v, err := judge(ctx, ms, o)
	if err != nil {
		return err
	}
	if !v.print(os.Stdout) {
		return errMissed
	}
	return nil
}
