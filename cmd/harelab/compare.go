package main

import (
	"os"

	"github.com/spf13/cobra"

	"harelab/bench/lab"
	"harelab/cmd/harelab/internal/progress"
	"harelab/reports/benchfile"
	"harelab/reports/compare"
	"harelab/scenarios/metric"
)

func init() { commands = append(commands, newCompare) }

// compareFlags are the flags of `compare`.
type compareFlags struct {
	metrics []string
	filter  string
	all     bool
	vary    string
	target  string
	variant string
	set     []string
	seed    uint64
	repeat  int
	out     string
	quiet   bool
}

func newCompare() *cobra.Command {
	var f compareFlags
	cmd := &cobra.Command{
		Use:   "compare BASE NEW... | --vary NAME=V1,V2 SCENARIO",
		Short: "compare runs: what differs, by how much, and is it chance",
		Long: `Compare results folders, or files in Go's benchmark format (bench.txt, the output of
go test -bench), with the first one. Each run is one observation: on a real clock,
measure each side with --repeat 6 or more. Differences are tested by the U-test and p
values are corrected by Holm's method; ~ marks a difference that may be chance. Runs in
virtual time are exact.

If one of the paths is a benchmark file, or the folder of a sweep or of bench match, the
bench.txt of each folder is compared. A row is marked where benchstat would mark it. The
first line names what stands after Holm's correction for each unit: strategies (or
benchmarks) by all of their rows together, and single rows. --filter selects benchmarks
and units in benchproc's syntax.

With --vary, run a scenario under several values of one setting and compare them. The
setting is a param of the scenario, matcher, dispatch, order or variant, and the first
value is the base. The runs of the values alternate and use the same seeds.

Runs with different loads get a table but no verdict.`,
		Example: `  harelab compare runs/main runs/mine
  harelab compare old.txt new.txt --filter '/strategy:nfa .unit:cpu-ns/op'
  harelab compare runs/main runs/mine --metric wait.p99 --metric 'held.max{class=run_user_query}'
  harelab compare --vary dispatch=rr,fair odd-heavy-even-light --target sim
  harelab compare --vary variant=same-load,same-load-fair celery-optimized --repeat 6`,
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, m := range f.metrics {
				if _, err := metric.Parse(m); err != nil {
					return usage("--metric: %w", err)
				}
			}
			if f.vary != "" {
				return f.runVaried(cmd, args)
			}
			return f.compareSides(cmd, args)
		},
	}
	fl := cmd.Flags()
	fl.StringArrayVar(&f.metrics, "metric", nil, "compare this metric instead of the usual ones, for example wait.p99{class=NAME}; repeatable")
	fl.StringVar(&f.filter, "filter", "", "of benchmark files: only these benchmarks and units, as benchstat filters, for example '/strategy:nfa .unit:ns/op'")
	fl.BoolVar(&f.all, "all", false, "of benchmark files: print the rows without a change too")
	fl.StringVar(&f.vary, "vary", "", "NAME=V1,V2,...: run a scenario under these values of the setting NAME")
	fl.StringVar(&f.target, "target", string(lab.Embedded), "with --vary: sim, embedded or amqp://user:password@host:port/vhost")
	fl.StringVar(&f.variant, "variant", "", "with --vary: run this variant of the scenario")
	fl.StringArrayVar(&f.set, "set", nil, "with --vary: set a param on all sides, for example --set queries=40; repeatable")
	fl.Uint64Var(&f.seed, "seed", 0, "with --vary: seed of all random choices (default the scenario's)")
	fl.IntVar(&f.repeat, "repeat", 0, "with --vary: runs of each value (default 6, in virtual time 1)")
	fl.StringVar(&f.out, "out", "", "write compare.html to this folder; with --vary also the runs (default with --vary runs/TIME)")
	fl.BoolVarP(&f.quiet, "quiet", "q", false, "no progress")
	return cmd
}

// onlyVaried are the flags that need --vary.
var onlyVaried = []string{"target", "variant", "set", "seed", "repeat"}

func (f *compareFlags) compareSides(cmd *cobra.Command, args []string) error {
	for _, name := range onlyVaried {
		if cmd.Flags().Changed(name) {
			return usage("--%s needs --vary", name)
		}
	}
	if len(args) < 2 {
		return usage("BASE and NEW are missing: give two results folders or more, as in: harelab compare runs/main runs/mine (or --vary NAME=V1,V2 and a scenario)")
	}
	defer endAtSignal()()
	set, err := lab.OpenBench(args, f.filter)
	if err != nil {
		return err
	}
	if set != nil {
		return f.compareBench(cmd, set)
	}
	for _, name := range onlyBench {
		if cmd.Flags().Changed(name) {
			return usage("--%s is for files in Go's benchmark format; these are folders of runs, compared by --metric", name)
		}
	}
	sides, err := lab.OpenSides(args, f.metrics)
	if err != nil {
		return err
	}
	dir := f.out
	if dir != "" {
		if dir, err = newFolder(dir); err != nil {
			return err
		}
	}
	c := compare.Compare(sides[0], sides[1:]...)
	if err := output(cmd, dir).Compare(c); err != nil {
		return err
	}
	return lab.CheckCommon(c)
}

// onlyBench are the flags that need benchmark files.
var onlyBench = []string{"filter", "all"}

func (f *compareFlags) compareBench(cmd *cobra.Command, set *benchfile.Set) error {
	if len(f.metrics) > 0 {
		return usage("--metric chooses among the figures of runs; of benchmark files --filter chooses, for example --filter '.unit:ns/op'")
	}
	c := set.Compare()
	if err := c.CheckCommon(); err != nil {
		return err
	}
	dir := f.out
	if dir != "" {
		var err error
		if dir, err = newFolder(dir); err != nil {
			return err
		}
	}
	return output(cmd, dir).CompareBench(c, f.all)
}

func (f *compareFlags) runVaried(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usage("--vary needs one scenario (%d given), as in: harelab compare --vary dispatch=rr,fair odd-heavy-even-light --target sim", len(args))
	}
	if f.repeat < 0 {
		return usage("--repeat %d: give 1 or more", f.repeat)
	}
	q := lab.VaryRequest{Scenario: args[0], Variant: f.variant, Repeat: f.repeat, Metrics: f.metrics}
	var err error
	if q.Target, err = lab.ParseTarget(f.target); err != nil {
		return err
	}
	if q.Axis, err = lab.ParseAxis(f.vary); err != nil {
		return err
	}
	if q.Set, err = assignments(f.set); err != nil {
		return err
	}
	if cmd.Flags().Changed("seed") {
		q.Seed = &f.seed
	}
	v, err := lab.NewVary(q)
	if err != nil {
		return err
	}
	dir, err := newFolder(f.out)
	if err != nil {
		return err
	}
	defer dropFolder(dir)
	ctx, stop := interruptible()
	defer stop()
	return output(cmd, dir).Vary(ctx, v, progress.New(os.Stderr, interactive(os.Stderr), f.quiet))
}
