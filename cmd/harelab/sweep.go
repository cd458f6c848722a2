package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"harelab/bench/lab"
	"harelab/cmd/harelab/internal/progress"
	"harelab/reports/sweep"
)

func init() { commands = append(commands, newSweep) }

// cellLogName is the file of a sweep's finished cells.
const cellLogName = "cells.jsonl"

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
A finished cell is written to cells.jsonl at once. After Ctrl-C there is a report of the
cells so far; the same call with --resume runs the rest, and leaves the folder as if
it had never been interrupted. In virtual time the best and the worst cell are run
once more, and kept in extremes/, a results folder of its own.`,
		Example: `  harelab sweep prefetch-sweep --target sim
  harelab sweep prefetch-sweep --axis prefetch=1,2,4,8,16,32,0 --axis dispatch=rr,fair,jsq,lwl --target sim
  harelab sweep celery-optimized --axis prefetch_multiplier=1..8x2 --axis ack=on-start,on-done --target sim
  harelab sweep prefetch-sweep --repeat 6 --goal 'wait.p99' --out runs/prefetch --resume`,
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
	switch {
	case resume && out == "":
		return usage("--resume needs --out with the folder to go on with")
	case q.Repeat < 0:
		return usage("--repeat %d: want 1 or more", q.Repeat)
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
	cellLog, cells, err := lab.OpenCellLog(filepath.Join(out, cellLogName), s, resume)
	if err != nil {
		return err
	}
	defer cellLog.Close()
	ctx, stop := interruptible()
	defer stop()
	if text := progress.Announcement(s.Left(cells), 1); text != "" && !quiet {
		fmt.Fprintln(os.Stderr, text)
	}
	watch := progress.NewSweep(os.Stderr, interactive(os.Stderr), quiet)
	err = s.Run(ctx, cells, func(c lab.Cell) error {
		cells = append(cells, c)
		return cellLog.Append(c)
	}, watch.Show)
	watch.End()
	switch {
	case err == nil:
		err = cellLog.Settle(s, cells)
	case len(cells) == 0 && !resume:
		cellLog.Close()
		os.Remove(filepath.Join(out, cellLogName))
		dropFolder(out)
		return orInterrupted(err)
	}
	return errors.Join(goOn(err, len(cells), s.Len(), out), reportSweep(ctx, cmd.OutOrStdout(), s, cells, out))
}

// reportSweep writes what the cells come to, also when they are not all.
func reportSweep(ctx context.Context, w io.Writer, s *lab.Sweep, cells []lab.Cell, out string) error {
	if len(cells) == 0 {
		return nil
	}
	// A report of an unfinished sweep may have had other charts.
	if err := os.RemoveAll(filepath.Join(out, "plots")); err != nil {
		return err
	}
	report, err := s.Report(ctx, cells, commandLine())
	if err != nil {
		return err
	}
	if len(cells) < s.Len() {
		fmt.Fprintf(w, "PARTIAL: %d of %d cells were run.\n", len(cells), s.Len())
	}
	if err := writeSweep(w, out, report, s.Label); err != nil {
		return err
	}
	invalid := 0
	for _, c := range cells {
		if !c.Valid {
			invalid++
		}
	}
	if invalid > 0 {
		return &exit{exitInvalid, fmt.Errorf("%d of %d cells are invalid", invalid, len(cells))}
	}
	return nil
}

// goOn says how a sweep that was cut short is gone on with.
func goOn(err error, have, of int, out string) error {
	if err == nil {
		return nil
	}
	how := fmt.Sprintf("%d of %d cells are in %s; the same call with --resume --out %s runs the rest", have, of, filepath.Join(out, cellLogName), out)
	if errors.Is(err, context.Canceled) {
		return &exit{exitInterrupted, errors.New("interrupted: " + how)}
	}
	return fmt.Errorf("%w (%s)", err, how)
}

// writeSweep prints and writes what a sweep came to.
func writeSweep(w io.Writer, dir string, s *sweep.Sweep, label func([]string) string) error {
	if err := sweep.WriteTable(w, s); err != nil {
		return err
	}
	leftOut(w, s, label)
	if err := sweep.Write(dir, s); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nwrote %s\n", filepath.Join(dir, "report.html"))
	return err
}

// maxLeftOut is how many cells that have no part in the result are named.
const maxLeftOut = 5

// leftOut says which cells have no part in the result, and why.
func leftOut(w io.Writer, s *sweep.Sweep, label func([]string) string) {
	n := 0
	for _, c := range s.Cells {
		if c.Invalid == "" {
			continue
		}
		if n++; n <= maxLeftOut {
			fmt.Fprintf(w, "left out: %s: %s\n", label(c.Values), c.Invalid)
		}
	}
	if n > maxLeftOut {
		fmt.Fprintf(w, "left out: %d more\n", n-maxLeftOut)
	}
}
