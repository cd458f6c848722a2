package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"harelab/bench/lab"
	"harelab/bench/matchlab"
	"harelab/reports"
	"harelab/reports/sweep"
)

func init() { commands = append(commands, newReport) }

func newReport() *cobra.Command {
	return &cobra.Command{
		Use:   "report DIR...",
		Short: "redraw the charts and pages of results folders from their data",
		Long: `Read results folders, print their tables, and draw report.html, report.md and the plots
again from the data. Nothing is run.`,
		Example: `  harelab report runs/20261121T071300Z`,
		Args:    oneOrMore("DIR", "harelab report runs/20261121T071300Z"),
		RunE: func(cmd *cobra.Command, args []string) error {
			defer endAtSignal()()
			w := cmd.OutOrStdout()
			for _, dir := range args {
				if err := redraw(w, dir); err != nil {
					return err
				}
				fmt.Fprintf(w, "wrote %s\n", filepath.Join(dir, "report.html"))
			}
			return nil
		},
	}
}

// redraw draws the report of a folder again and prints its table.
func redraw(w io.Writer, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, lab.CellLogName)); err == nil && !sweep.Is(dir) {
		return fmt.Errorf("the sweep in %s is unfinished; the same call of harelab sweep with --resume --out %s runs the rest", dir, dir)
	}
	if sweep.Is(dir) {
		return redrawSweep(w, dir)
	}
	if matchlab.Is(dir) {
		return redrawMatch(w, dir)
	}
	f, err := reports.Redraw(dir)
	if err != nil {
		return err
	}
	return lab.WriteRuns(w, f)
}

func redrawMatch(w io.Writer, dir string) error {
	r, err := matchlab.Read(dir)
	if err != nil {
		return err
	}
	return errors.Join(r.Draw(dir), r.WriteTable(w))
}

func redrawSweep(w io.Writer, dir string) error {
	s, err := sweep.Read(dir)
	if err != nil {
		return err
	}
	if err := sweep.Draw(dir, s); err != nil {
		return err
	}
	return sweep.WriteTable(w, s)
}
