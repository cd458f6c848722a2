package main

import (
	"os"

	"github.com/spf13/cobra"

	"harelab/bench/lab"
	"harelab/cmd/harelab/internal/progress"
)

func init() { commands = append(commands, newSweep) }

func newSweep() *cobra.Command {
	var (
		q      lab.SweepRequest
		axes   []string
		set    []string
		target string
		seed   uint64
		out    string
		resume bool
		quiet  bool
	)
	cmd := &cobra.Command{
		Use:   "sweep SCENARIO",
		Short: "run a scenario over a grid of settings",
		Long: `Run a scenario over a grid and report the best cell. An axis is a param of the
scenario, or one of the strategies matcher, dispatch and order. Values are a list
(1,2,5), a range (1..8), a range with a step (0..100+25) or with a factor (1..256x2).
Without --axis, the sweep uses the axes of the scenario file.

Every cell draws the same arrivals and service times, so cells differ only in their
settings. Cells run in random order, and in virtual time on all processors. Each
finished cell is written to cells.jsonl at once. After Ctrl-C there is a report of the
finished cells; the same call with --resume runs the rest and leaves the folder as if
the sweep had never been interrupted. In virtual time the best and the worst cell run
once more, into extremes/, which is a results folder too.`,
		Example: `  harelab sweep prefetch-sweep --target sim
  harelab sweep prefetch-sweep --axis prefetch=1..8x2 --axis dispatch=rr,fair,jsq
  harelab sweep celery-optimized --axis prefetch_multiplier=1..8x2 --axis ack=on-start,on-done
  harelab sweep prefetch-sweep --repeat 6 --goal wait.p99 --out runs/prefetch
  harelab sweep prefetch-sweep --repeat 6 --goal wait.p99 --out runs/prefetch --resume`,
		Args: one("SCENARIO", "harelab sweep prefetch-sweep --axis prefetch=1,2,4 --target sim"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			q.Scenario = args[0]
			if q.Target, err = lab.ParseTarget(target); err != nil {
				return err
			}
			for _, s := range axes {
				a, err := lab.ParseAxis(s)
				if err != nil {
					return err
				}
				q.Axes = append(q.Axes, a)
			}
			if q.Set, err = assignments(set); err != nil {
				return err
			}
			if cmd.Flags().Changed("seed") {
				q.Seed = &seed
			}
			return runSweep(cmd, q, out, resume, quiet)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&axes, "axis", nil, "NAME=V1,V2,... or NAME=FROM..TO[+STEP|xFACTOR]; repeatable")
	f.StringVar(&target, "target", "sim", "sim, embedded or amqp://user:password@host:port/vhost")
	f.StringVar(&q.Variant, "variant", "", "sweep this variant of the scenario")
	f.StringArrayVar(&set, "set", nil, "set a param in all cells, for example --set rho=0.9; repeatable")
	f.Uint64Var(&seed, "seed", 0, "seed of all random choices (default the scenario's)")
	f.IntVar(&q.Repeat, "repeat", 0, "runs of each cell, with consecutive seeds (default 1; in virtual time and for a small grid the scenario's own number)")
	f.StringVar(&q.Goal, "goal", "", "metric that ranks the cells (default the scenario's headline, else the first time or rate that it expects, else the wait of the class that waits longest for its service)")
	f.StringVar(&out, "out", "", "results folder (default runs/TIME)")
	f.BoolVar(&resume, "resume", false, "resume the unfinished sweep in --out")
	f.BoolVarP(&quiet, "quiet", "q", false, "no progress")
	return cmd
}

func runSweep(cmd *cobra.Command, q lab.SweepRequest, out string, resume, quiet bool) error {
	switch {
	case resume && out == "":
		return usage("--resume needs --out with the folder of the unfinished sweep")
	case q.Repeat < 0:
		return usage("--repeat %d: give 1 or more", q.Repeat)
	}
	s, err := lab.NewSweep(q)
	if err != nil {
		return err
	}
	if !resume {
		if out, err = newFolder(out); err != nil {
			return err
		}
		defer dropFolder(out)
	}
	ctx, stop := interruptible()
	defer stop()
	return output(cmd, out).Sweep(ctx, s, resume, progress.NewSweep(os.Stderr, interactive(os.Stderr), quiet))
}
