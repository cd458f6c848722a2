package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"harelab/reports/sweep"
)

// CellLogName is the file of a sweep's finished cells in its results folder.
const CellLogName = "cells.jsonl"

// A SweepWatcher follows the progress of a sweep. Its methods are called one at a time.
type SweepWatcher interface {
	Plan(left []Arm, parallel int) // before the first cell: the arms that will run
	Show(SweepProgress)
	End() // after the last cell
}

// Sweep runs the cells of s, appends each to the cell log as it ends, and writes the
// report of the cells that there are. With resume the folder holds the unfinished
// sweep, and only the cells that its log lacks are run. The error is an [InvalidError]
// if the figures of a cell must not be used.
func (o Output) Sweep(ctx context.Context, s *Sweep, resume bool, w SweepWatcher) error {
	path := filepath.Join(o.Dir, CellLogName)
	log, cells, err := OpenCellLog(path, s, resume)
	if err != nil {
		return err
	}
	defer log.Close()
	w.Plan(s.Left(cells), 1)
	err = s.Run(ctx, cells, func(c Cell) error {
		cells = append(cells, c)
		return log.Append(c)
	}, w.Show)
	w.End()
	switch {
	case err == nil:
		err = log.Settle(s, cells)
	case len(cells) == 0 && !resume:
		log.Close()
		os.Remove(path)
		return interruption(err, nothingMeasured)
	}
	return errors.Join(o.unfinished(err, len(cells), s.Len()), o.report(ctx, s, cells))
}

// unfinished adds to the error that ended a sweep how to resume it.
func (o Output) unfinished(err error, have, of int) error {
	if err == nil {
		return nil
	}
	how := fmt.Sprintf("%d of %d cells are in %s; the same call with --resume --out %s runs the rest", have, of, filepath.Join(o.Dir, CellLogName), o.Dir)
	if errors.Is(err, context.Canceled) {
		return &InterruptedError{"interrupted: " + how}
	}
	return fmt.Errorf("%w (%s)", err, how)
}

// report writes the report of the cells, which may be some of the sweep's only.
func (o Output) report(ctx context.Context, s *Sweep, cells []Cell) error {
	if len(cells) == 0 {
		return nil
	}
	// A report of the unfinished sweep may have had other charts.
	if err := os.RemoveAll(filepath.Join(o.Dir, "plots")); err != nil {
		return err
	}
	report, err := s.Report(ctx, cells, o.Command)
	if err != nil {
		return err
	}
	if len(cells) < s.Len() {
		fmt.Fprintf(o.Text, "PARTIAL: %d of %d cells were run.\n", len(cells), s.Len())
	}
	if err := sweep.WriteTable(o.Text, report); err != nil {
		return err
	}
	writeLeftOut(o.Text, report, s.Label)
	if err := sweep.Write(o.Dir, report); err != nil {
		return err
	}
	if err := o.wrote("report.html"); err != nil {
		return err
	}
	invalid := 0
	for _, c := range cells {
		if !c.Valid {
			invalid++
		}
	}
	if invalid > 0 {
		return &InvalidError{fmt.Sprintf("%d of %d cells are invalid", invalid, len(cells))}
	}
	return nil
}

// leftOutMax is the largest number of cells that writeLeftOut names.
const leftOutMax = 5

// writeLeftOut prints which cells the result leaves out, and why.
func writeLeftOut(w io.Writer, s *sweep.Sweep, label func([]string) string) {
	n := 0
	for _, c := range s.Cells {
		if c.Invalid == "" {
			continue
		}
		if n++; n <= leftOutMax {
			fmt.Fprintf(w, "left out: %s: %s\n", label(c.Values), c.Invalid)
		}
	}
	if n > leftOutMax {
		fmt.Fprintf(w, "left out: %d more\n", n-leftOutMax)
	}
}
