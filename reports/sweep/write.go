package sweep

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"harelab/reports/folder"
	"harelab/reports/page"
	"harelab/reports/stat"
	"harelab/reports/terminal"
)

const (
	schema   = "harelab/sweep-report/v1"
	fileName = "sweep.json"
)

type document struct {
	Schema string `json:"schema"`
	*Sweep
}

// Write writes sweep.json, bench.txt, the runs of the best and the worst cell,
// the charts and the pages to dir.
func Write(dir string, s *Sweep) error {
	if err := s.Check(); err != nil {
		return err
	}
	kept := *s
	kept.Command = slices.Clone(s.Command)
	for i, arg := range kept.Command {
		kept.Command[i] = folder.Redact(arg)
	}
	kept.Target = folder.Redact(s.Target)
	b, err := json.MarshalIndent(document{schema, &kept}, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, fileName), append(b, '\n'), 0o666),
		toFile(filepath.Join(dir, "bench.txt"), kept.WriteBench),
		kept.writeExtremes(filepath.Join(dir, extremesName)),
		Draw(dir, &kept),
	)
}

// Draw draws the charts and the pages of a sweep to dir.
func Draw(dir string, s *Sweep) error { return s.Sheet().Write(dir) }

func toFile(path string, write func(io.Writer) error) error {
	var buf bytes.Buffer
	if err := write(&buf); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, buf.Bytes(), 0o666)
}

// Read reads a sweep that Write wrote. The error is fs.ErrNotExist if dir has none.
func Read(dir string) (*Sweep, error) {
	b, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil {
		return nil, err
	}
	s, err := decode(filepath.Join(dir, fileName), b)
	if err != nil {
		return nil, err
	}
	s.Extremes, err = readExtremes(filepath.Join(dir, extremesName))
	return s, err
}

func decode(name string, b []byte) (*Sweep, error) {
	doc := document{Sweep: new(Sweep)}
	if err := json.Unmarshal(b, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if doc.Schema != schema {
		return nil, fmt.Errorf("%s: schema %q, want %q", name, doc.Schema, schema)
	}
	if err := doc.Sweep.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return doc.Sweep, nil
}

// Is reports whether dir has a sweep.
func Is(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, fileName))
	return !errors.Is(err, fs.ErrNotExist)
}

// Sheet returns the sweep's page.
func (s *Sweep) Sheet() page.Sheet {
	sheet := page.Sheet{
		Title: "Sweep of " + s.Scenario + " – harelab",
		Story: page.Story{Headline: s.Sentence(), Text: s.text()}, About: s.Doc, Capacity: s.capacity(), Sound: s.sound(),
		Charts: s.charts(), Tables: []page.SheetTable{shortened(s.table())},
	}
	if len(s.Command) > 0 {
		sheet.Commands = []string{page.Shell(s.Command)}
	}
	return sheet
}

func (s *Sweep) sound() page.Soundness {
	out := page.Soundness{State: "ok", Title: "The sweep is sound."}
	add := func(state, name, format string, args ...any) {
		out.Checks = append(out.Checks, page.Check{State: state, Name: name, Text: fmt.Sprintf(format, args...)})
		if state != "ok" {
			out.State, out.Title = state, "Read with care."
		}
	}
	points := s.combinations()
	if n := len(s.points()); n < points {
		add("note", "cells", "%d of %d combinations have a valid run.", n, points)
	} else {
		add("ok", "cells", "All %d combinations have a valid run.", points)
	}
	if axes := s.loadAxes(); len(axes) > 0 {
		add("note", "load", "%s, so the load may explain a difference between cells.", changesLoad(axes))
	}
	for _, c := range s.Cells {
		if c.Invalid != "" {
			add("note", "invalid", "%s: %s This run is left out.", s.label(c.Values), c.Invalid)
		}
	}
	switch repeats := s.repeats(); {
	case s.Virtual && repeats == 1:
		add("ok", "clock", "Virtual time, one seed: exact for this draw of the load.")
	case s.Virtual:
		add("ok", "clock", "Virtual time, %d seeds; figures are medians, bands reach from the lowest to the highest.", repeats)
	case repeats == 1:
		add("note", "clock", "Real clock, one repeat for each cell: small differences may be chance.")
	default:
		add("ok", "clock", "Real clock, %d repeats for each cell; figures are medians.", repeats)
	}
	return out
}

// maxLines is the largest number of rows in a terminal.
const maxLines = 20

// WriteTable writes for a terminal which cells are overloaded, the answer in sentences, and
// the combinations, best first.
func WriteTable(w io.Writer, s *Sweep) error {
	if err := terminal.WriteOverloads(w, s.overloads(), ""); err != nil {
		return err
	}
	for _, text := range []string{s.Sentence(), s.hidden(), s.expected()} {
		if text == "" {
			continue
		}
		if err := terminal.WriteText(w, terminal.Neutral, "", "", text); err != nil {
			return err
		}
	}
	t := s.table()
	rows := [][]string{t.Columns}
	for i, r := range t.Rows {
		if i == maxLines {
			break
		}
		rows = append(rows, r)
	}
	if err := terminal.WriteRows(w, rows, len(s.Axes)); err != nil {
		return err
	}
	if n := len(t.Rows) - maxLines; n > 0 {
		fmt.Fprintf(w, "... and %s more cells\n", stat.Count(n))
	}
	if _, same := s.columns(); len(same) > 0 {
		return terminal.WriteText(w, terminal.Neutral, "", "  ", "The same in every cell: "+strings.Join(same, ", ")+".")
	}
	return nil
}
