// Package reports turns runs into answers: figures, tables, charts, a page,
// and a folder that keeps them with the data they were made from.
//
//	stat      a run's figures and whether its expectations hold
//	text      tables for a terminal
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

	"harelab/loadgen/run"
	"harelab/reports/folder"
	"harelab/reports/page"
	"harelab/reports/stat"
	"harelab/reports/text"
)

// A Summary is the figures of one run.
type Summary = stat.Summary

// A Manifest says how a folder came to be.
type Manifest = folder.Manifest

// A Folder is a results folder in memory.
type Folder = folder.Folder

// NewManifest describes this process; command is the command line, of which
// credentials are removed.
func NewManifest(command []string) Manifest { return folder.NewManifest(command) }

// Summarize computes the figures of a run.
func Summarize(r *run.Result) *Summary { return stat.Summarize(r) }

// WriteFolder writes results with all that is drawn from them to dir, and
// returns the folder.
func WriteFolder(dir string, results []*run.Result, m Manifest) (*Folder, error) {
	if len(results) == 0 {
		return nil, errors.New("reports: no results to write")
	}
	f := folder.New(results, m)
	return f, Write(dir, f)
}

// Write writes a folder's data, and all that is drawn from it, to dir.
func Write(dir string, f *Folder) error {
	if err := f.Write(dir); err != nil {
		return err
	}
	return draw(dir, f)
}

// ReadFolder reads a folder back.
func ReadFolder(dir string) (*Folder, error) { return folder.Read(dir) }

// Redraw draws a folder's charts and pages again, from its data.
func Redraw(dir string) (*Folder, error) {
	f, err := folder.Read(dir)
	if err != nil {
		return nil, err
	}
	return f, draw(dir, f)
}

// draw writes report.html, report.md and plots/.
func draw(dir string, f *Folder) error {
	plots := filepath.Join(dir, "plots")
	if err := os.MkdirAll(plots, 0o777); err != nil {
		return err
	}
	for name, fig := range page.Plots(f) {
		png, err := fig.PNG()
		if err != nil {
			return fmt.Errorf("reports: %s: %w", name, err)
		}
		if err := errors.Join(
			os.WriteFile(filepath.Join(plots, name+".svg"), fig.SVG(), 0o666),
			os.WriteFile(filepath.Join(plots, name+".png"), png, 0o666),
		); err != nil {
			return err
		}
	}
	return errors.Join(
		write(filepath.Join(dir, "report.html"), f, page.WriteHTML),
		write(filepath.Join(dir, "report.md"), f, page.WriteMarkdown),
	)
}

func write(path string, f *Folder, to func(io.Writer, *Folder) error) error {
	var buf bytes.Buffer
	if err := to(&buf, f); err != nil {
		return fmt.Errorf("reports: %s: %w", path, err)
	}
	return os.WriteFile(path, buf.Bytes(), 0o666)
}

// WriteTable writes the per-class table of each run for a terminal.
func WriteTable(w io.Writer, ss []*Summary) error { return text.WriteTable(w, ss) }

// WriteExpectations writes a verdict for every expectation of every run.
func WriteExpectations(w io.Writer, ss []*Summary) error { return text.WriteExpectations(w, ss) }

// WriteAgreement writes prediction beside measurement for each arm that ran
// both in virtual time and on a real clock.
func WriteAgreement(w io.Writer, ss []*Summary) error {
	return text.WriteAgreement(w, stat.Agreements(ss))
}
