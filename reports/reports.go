// Package reports turns runs into answers: figures, tables, charts, a page,
// and a folder that keeps them with the data they were made from.
//
//	stat      a run's figures and whether its expectations hold
//	arms      runs grouped into what a report sets side by side
//	terminal  tables for a terminal
//	folder    what is kept on disk, and reading it back
//	plot      charts, one file each
//	page      report.html and report.md
//
// It reads run.Result and nothing else of harelab, so a recorded run can be
// looked at again whatever became of the code that made it.
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

// Write writes a folder's data, and all that is drawn from it, to dir. A folder
// without runs is refused.
func Write(dir string, f *folder.Folder) error {
	if len(f.Runs) == 0 {
		return errors.New("no results to write")
	}
	if err := f.Write(dir); err != nil {
		return err
	}
	return draw(dir, f)
}

// Redraw draws a folder's charts and pages again, from its data.
func Redraw(dir string) (*folder.Folder, error) {
	f, err := folder.Read(dir)
	if err != nil {
		return nil, err
	}
	return f, draw(dir, f)
}

// draw writes report.html, report.md and plots/.
func draw(dir string, f *folder.Folder) error {
	plots := filepath.Join(dir, "plots")
	if err := os.MkdirAll(plots, 0o777); err != nil {
		return err
	}
	for name, fig := range page.Plots(f) {
		if err := fig.Write(plots, name); err != nil {
			return fmt.Errorf("reports: %w", err)
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
	return os.WriteFile(path, buf.Bytes(), 0o666)
}
