// Package reports writes results folders: figures, tables, charts and a page, with
// the data from which they were made.
//
//	stat      a run's figures and whether its expectations hold
//	judge     the figures by which runs are judged, and the words for them
//	arms      runs grouped into the arms that a report compares
//	terminal  tables for a terminal
//	folder    results folders on disk: their data, written and read
//	plot      charts, one file each
//	page      report.html and report.md
//
// Of harelab's other packages it reads only run.Result and the list of metrics. So
// a new version of the broker or of the load generator can still draw an old run.
package reports

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"harelab/reports/folder"
	"harelab/reports/page"
)

// Write writes a folder's data to dir, with the charts and pages drawn from it. It
// returns an error for a folder without runs.
func Write(dir string, f *folder.Folder) error {
	if len(f.Runs) == 0 {
		return errors.New("there is no run to report")
	}
	if err := f.Write(dir); err != nil {
		return err
	}
	return Draw(dir, f)
}

// Redraw draws a folder's charts and pages again from its data.
func Redraw(dir string) (*folder.Folder, error) {
	f, err := folder.Read(dir)
	if err != nil {
		return nil, err
	}
	return f, Draw(dir, f)
}

// Draw writes the charts and pages of a folder whose data is in dir: report.html,
// report.md and plots/.
func Draw(dir string, f *folder.Folder) error {
	plots := filepath.Join(dir, "plots")
	if err := os.MkdirAll(plots, 0o777); err != nil {
		return err
	}
	for name, fig := range page.Plots(f) {
		if err := fig.Write(plots, name); err != nil {
			return fmt.Errorf("chart %w", err)
		}
	}
	return errors.Join(
		write(filepath.Join(dir, "report.html"), f, page.WriteHTML),
		write(filepath.Join(dir, "report.md"), f, page.WriteMarkdown),
	)
}

func write(path string, f *folder.Folder, to func(io.Writer, *folder.Folder) error) error {
	var buf bytes.Buffer
	if err := to(&buf, f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return folder.Replace(path, buf.Bytes())
}
