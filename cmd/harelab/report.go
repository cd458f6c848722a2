package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"harelab/reports"
)

func init() { commands = append(commands, newReport) }

func newReport() *cobra.Command {
	return &cobra.Command{
		Use:   "report DIR...",
		Short: "redraw charts and page of results folders from their data",
		Long: `Read results folders back, print their tables, and draw report.html, report.md and the
plots again from the data. Nothing is run.`,
		Example: `  harelab report runs/20261121T071300Z`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			w := cmd.OutOrStdout()
			for _, dir := range args {
				f, err := reports.Redraw(dir)
				if err != nil {
					return err
				}
				if err := reports.WriteTable(w, f.Summaries()); err != nil {
					return err
				}
				fmt.Fprintf(w, "wrote %s\n", filepath.Join(dir, "report.html"))
			}
			return nil
		},
	}
}
