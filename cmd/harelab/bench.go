package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"harelab/bench/lab"
	"harelab/bench/matchlab"
	"harelab/reports/benchfile"
	"harelab/reports/terminal"
)

func init() { commands = append(commands, newBench) }

func newBench() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "benchmark strategies side by side, with charts",
		Long: `Benchmark strategies side by side and draw charts of the results. For the project's
plain Go benchmarks, whose output benchstat reads, run: go test -bench . ./bench/...`,
		Example: `  harelab bench match --quick   topic matchers, with short sweeps`,
		Args:    commandOnly,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newBenchMatch())
	return cmd
}

func newBenchMatch() *cobra.Command {
	var (
		o     matchlab.Options
		quiet bool
	)
	cmd := &cobra.Command{
		Use:   "match",
		Short: "compare topic matchers on fixed workloads",
		Long: `Measure every topic-matching strategy on every workload. Samples of the strategies
alternate, processor time is measured, and the number of matches is checked for every
figure. Then sweep the number of bindings, the number of # and the skew of keys.

Write bench.txt (every sample, for benchstat and for harelab compare and gate),
table.txt, plots, and report.html, which says which strategy to choose when; harelab
report draws them again, and harelab rerun measures the same again. An interrupted
comparison writes what it has, marked partial. The module bench/peers measures other
brokers' matchers beside ours: cd bench/peers && go run .`,
		Example: `  harelab bench match                             everything (about two minutes)
  harelab bench match --workload celery --quick   one workload, short sweeps
  harelab bench match --strategy nfa,trie,'cached(nfa)' --workload rabbit2011,iot --repeat 20`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Repeat < 1 || o.Sample <= 0 {
				return usage("--repeat %d, --sample %v: both must be above 0", o.Repeat, o.Sample)
			}
			for _, name := range o.Strategies {
				if err := lab.CheckStrategies(name, "", ""); err != nil {
					return err
				}
			}
			if err := o.Validate(); err != nil {
				return usage("%w", err)
			}
			_, err := benchMatch(cmd, o, quiet)
			return err
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.Strategies, "strategy", nil, "only these strategies (see harelab list matchers; default all, and cached(nfa))")
	f.StringSliceVar(&o.Workloads, "workload", nil, "only these workloads (default all)")
	f.IntVar(&o.Repeat, "repeat", 10, "samples of each strategy on each workload")
	f.DurationVar(&o.Sample, "sample", 50*time.Millisecond, "length of a sample")
	f.Uint64Var(&o.Seed, "seed", 1, "seed of the order in which strategies are sampled")
	f.BoolVar(&o.Quick, "quick", false, "shorter sweeps")
	f.StringVar(&o.Out, "out", "", "results folder (default runs/TIME)")
	f.BoolVarP(&quiet, "quiet", "q", false, "no progress")
	return cmd
}

// benchMatch compares matchers, prints the table and the advice, and returns the results
// folder.
func benchMatch(cmd *cobra.Command, o matchlab.Options, quiet bool) (dir string, err error) {
	if o.Out, err = newFolder(o.Out); err != nil {
		return "", err
	}
	defer dropFolder(o.Out)
	ctx, stop := interruptible()
	defer stop()
	show, clear := benchProgress(os.Stderr, interactive(os.Stderr), quiet)
	r, err := matchlab.Run(ctx, o, show)
	clear()
	switch {
	case r == nil && errors.Is(err, context.Canceled):
		return "", &exit{exitInterrupted, errors.New("interrupted before anything was measured")}
	case r == nil:
		return "", err
	case errors.Is(err, context.Canceled):
		err = &exit{exitInterrupted, errors.New("interrupted: what was measured is written, marked partial")}
		return "", errors.Join(printBench(cmd.OutOrStdout(), r), err)
	case err != nil:
		return "", err
	}
	return o.Out, printBench(cmd.OutOrStdout(), r)
}

// rerunMatch measures matchers again as in a folder of bench match, and prints how the
// figures compare with that folder's.
func rerunMatch(cmd *cobra.Command, dir, out string, quiet bool) error {
	past, err := matchlab.Read(dir)
	if err != nil {
		return err
	}
	o := past.Options
	o.Out = out
	if err := o.Validate(); err != nil {
		return err
	}
	again, err := benchMatch(cmd, o, quiet)
	if err != nil {
		return err
	}
	set, err := lab.OpenBench([]string{dir, again}, "")
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "\nagainst %s\n", dir)
	return benchfile.WriteText(cmd.OutOrStdout(), set.Compare(), false)
}

// printBench prints the table and the advice of a comparison, and where its report is.
func printBench(w io.Writer, r *matchlab.Results) error {
	if err := r.WriteTable(w); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for _, sentence := range r.Advice() {
		if err := terminal.WriteText(w, terminal.Neutral, "", "", sentence); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\nwrote %s\n", filepath.Join(r.Options.Out, "report.html"))
	return err
}

// benchProgress returns a function that shows the part of a comparison that is being
// measured and the share that is done, and one that clears the line which the former
// leaves on a terminal.
func benchProgress(w io.Writer, terminal, quiet bool) (show func(matchlab.Progress), clear func()) {
	started := time.Now()
	var next time.Time
	show = func(p matchlab.Progress) {
		if quiet || time.Now().Before(next) {
			return
		}
		line := fmt.Sprintf("%3.0f %%  %s", 100*p.Share, p.Part)
		if p.Share > 0.02 {
			left := time.Duration(float64(time.Since(started)) * (1 - p.Share) / p.Share)
			line += fmt.Sprintf("  %.0f s left", left.Seconds())
		}
		if terminal {
			next = time.Now().Add(200 * time.Millisecond)
			fmt.Fprintf(w, "\r\x1b[K%s", line)
			return
		}
		next = time.Now().Add(5 * time.Second)
		fmt.Fprintln(w, line)
	}
	return show, func() {
		if terminal && !quiet {
			fmt.Fprint(w, "\r\x1b[K")
		}
	}
}
