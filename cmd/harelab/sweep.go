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
	"golang.org/x/term"

	"harelab/cmd/internal/lab"
	"harelab/reports/sweep"
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
		Long: `Run a scenario over a grid and say which cell is best. An axis is a param of the
scenario, or one of the strategies matcher, dispatch and order. Values are a list
(1,2,5), a range (1..8), a range with a step (0..100+25) or a factor (1..256x2).
Without --axis, the axes of the scenario file are used.

Every cell draws the same arrivals and service times, so cells differ in nothing
but their settings. Cells run in random order; in virtual time on all processors.
A finished cell is written to cells.jsonl at once: after Ctrl-C, the same call with
--resume runs the rest.`,
		Example: `  harelab sweep prefetch-sweep --target sim
  harelab sweep prefetch-sweep --axis prefetch=1,2,4,8,16,32,0 --axis dispatch=rr,fair,jsq,lwl --target sim
  harelab sweep celery-optimized --axis prefetch_multiplier=1..8x2 --axis ack=on-start,on-done --target sim
  harelab sweep prefetch-sweep --repeat 6 --goal 'wait.p99' --out runs/prefetch --resume`,
		Args: cobra.ExactArgs(1),
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
	f.StringArrayVar(&set, "set", nil, "set a param in all cells, as --set rho=0.9; repeatable")
	f.Uint64Var(&seed, "seed", 0, "seed of all random choices (default the scenario's)")
	f.IntVar(&q.Repeat, "repeat", 0, "runs of each cell, with seeds that follow one another (default 1; in virtual time the scenario's own number while the grid is small)")
	f.StringVar(&q.Goal, "goal", "", "metric to judge cells by (default the scenario's headline, else wait.p99)")
	f.StringVar(&out, "out", "", "results folder (default runs/TIME)")
	f.BoolVar(&resume, "resume", false, "go on with the unfinished sweep in --out")
	f.BoolVarP(&quiet, "quiet", "q", false, "no progress")
	return cmd
}

func runSweep(cmd *cobra.Command, q lab.SweepRequest, out string, resume, quiet bool) error {
	if resume && out == "" {
		return usage("sweep: --resume needs --out with the folder to go on with")
	}
	s, err := lab.NewSweep(q)
	if err != nil {
		return err
	}
	if !resume {
		if out, err = newFolder(out); err != nil {
			return err
		}
	}
	ledger, done, err := lab.OpenLedger(filepath.Join(out, "cells.jsonl"), s, resume)
	if err != nil {
		return err
	}
	defer ledger.Close()
	ctx, stop := interruptible()
	defer stop()
	show := sweepProgress(os.Stderr, term.IsTerminal(int(os.Stderr.Fd())), quiet)
	cells := done
	err = s.Run(ctx, done, func(c lab.Cell) error {
		cells = append(cells, c)
		return ledger.Append(c)
	}, show)
	if errors.Is(err, context.Canceled) {
		fmt.Fprintf(os.Stderr, "\n%d cells are in %s; go on with --resume --out %s\n", len(cells), filepath.Join(out, "cells.jsonl"), out)
		return &exit{code: exitInterrupted}
	}
	if err != nil {
		return err
	}
	report, err := s.Report(ctx, cells, commandLine())
	if err != nil {
		return err
	}
	return writeSweep(cmd.OutOrStdout(), out, report)
}

// writeSweep prints and writes what a sweep came to.
func writeSweep(w io.Writer, dir string, s *sweep.Sweep) error {
	if err := sweep.WriteTable(w, s); err != nil {
		return err
	}
	if err := sweep.Write(dir, s); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nwrote %s\n", filepath.Join(dir, "report.html"))
	return err
}

// sweepProgress shows how far a sweep has come.
func sweepProgress(w io.Writer, terminal, quiet bool) func(lab.SweepProgress) {
	var next time.Time
	return func(p lab.SweepProgress) {
		last := p.Done == p.Total
		if quiet || !last && time.Now().Before(next) {
			return
		}
		line := fmt.Sprintf("%d of %d cells  %.0f s left  %s", p.Done, p.Total, p.Left.Seconds(), p.Last)
		if terminal {
			next = time.Now().Add(200 * time.Millisecond)
			fmt.Fprintf(w, "\r\x1b[K%s", line)
			if last {
				fmt.Fprint(w, "\r\x1b[K")
			}
			return
		}
		next = time.Now().Add(5 * time.Second)
		fmt.Fprintln(w, line)
	}
}
