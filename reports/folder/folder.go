// Package folder writes results folders and reads them back.
//
// A folder holds the measurements in formats that other tools open:
//
//	manifest.json           the command, versions, host, seeds and targets; no
//	                        credentials
//	summary.json            the figures of package stat, one entry for each run
//	bench.txt               the same figures in Go's benchmark format, for benchstat
//	scenario.resolved.yaml  the scenario with all expressions resolved
//	messages.csv            a row for each message
//	series.csv              counts and gauges, a row for each interval
//	METRIC-CLASS.hlog       HdrHistogram logs (V2), in nanoseconds, tagged, with a record for
//	                        each interval (measure.interval) that has values
//	tenants.csv             seq,tenant; only of runs with tenants
//	repeats.csv             redeliveries and duplicates of the messages for which
//	                        messages.csv does not say them
//	causes.csv              why messages left a queue without an acknowledgement, and
//	                        which queue; only of runs with such messages
//	spans.csv               every span of work; only if some are missing from
//	                        messages.csv, which has the last attempt of a message
//
// A single run has all files in one folder. Several runs share the first three
// files, and each run has the others in a folder of its own below arms/. The data
// depends on the runs alone: the same events give the same bytes on every machine.
package folder

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/stat"
)

// A Run is one run with its figures.
type Run struct {
	*arms.Run
	Dir string // where its own files are, below the folder; "." for a single run
}

// A Folder is the runs of one results folder.
type Folder struct {
	Manifest Manifest
	Runs     []*Run
}

// New makes a folder of runs in memory. It keeps the runs and their figures, and
// removes credentials from the figures.
func New(runs []*arms.Run, m Manifest) *Folder {
	f := &Folder{Manifest: m}
	names := make(fileNames)
	for _, r := range runs {
		dir := "."
		if len(runs) > 1 {
			dir = armDir(r.Result, names)
		}
		f.Runs = append(f.Runs, &Run{Run: r, Dir: dir})
	}
	f.Manifest.fill(f.Runs)
	return f
}

// Summaries returns the figures of the runs, in order.
func (f *Folder) Summaries() []*stat.Summary {
	var out []*stat.Summary
	for _, r := range f.Runs {
		out = append(out, r.Summary)
	}
	return out
}

// Set groups the runs into the arms that a report shows.
func (f *Folder) Set() *arms.Set {
	runs := make([]*arms.Run, len(f.Runs))
	for i, r := range f.Runs {
		runs[i] = r.Run
	}
	return arms.NewSet(runs)
}

// armDir names the folder of a run after its scenario, variant and target.
func armDir(r *run.Result, taken fileNames) string {
	parts := []string{fileName(r.Scenario)}
	if r.Variant != "" {
		parts = append(parts, fileName(r.Variant))
	}
	target := r.Target.Kind
	if target == "amqp" && r.Target.Product != "" {
		target = strings.ToLower(r.Target.Product)
	}
	parts = append(parts, fileName(target))
	return taken.take("arms/"+strings.Join(parts, "."), "")
}

// A document is the content of summary.json.
type document struct {
	Schema string          `json:"schema"`
	Arms   []*stat.Summary `json:"arms"`
}

const summarySchema = "harelab/summary/v1"

// Write writes the folder's data to dir, which it makes if needed. It writes no
// pages and no plots.
func (f *Folder) Write(dir string) error {
	w := writer{dir: dir}
	w.json("manifest.json", f.Manifest)
	w.json("summary.json", document{summarySchema, f.Summaries()})
	w.file("bench.txt", func(out io.Writer) error { return WriteBench(out, f) })
	for _, r := range f.Runs {
		w.run(r)
	}
	return w.err
}

func (w *writer) run(r *Run) {
	at := func(name string) string { return filepath.Join(r.Dir, name) }
	if r.Dir != "." {
		w.json(at("summary.json"), document{summarySchema, []*stat.Summary{r.Summary}})
	}
	w.bytes(at("scenario.resolved.yaml"), []byte(Redact(string(r.Result.Resolved))))
	w.file(at("messages.csv"), func(out io.Writer) error { return WriteMessages(out, r.Result) })
	w.file(at("series.csv"), func(out io.Writer) error { return WriteSeries(out, r.Result.Series) })
	if len(r.Result.Tenants) > 0 {
		w.file(at("tenants.csv"), func(out io.Writer) error { return writeTenants(out, r.Result) })
	}
	if anyRepeats(r.Result) {
		w.file(at("repeats.csv"), func(out io.Writer) error { return writeRepeats(out, r.Result) })
	}
	if anyCauses(r.Result) {
		w.file(at("causes.csv"), func(out io.Writer) error { return writeCauses(out, r.Result) })
	}
	if !spansFollow(r.Result) {
		w.file(at("spans.csv"), func(out io.Writer) error { return writeSpans(out, r.Result) })
	}
	for _, h := range histograms(r.Result) {
		w.file(at(h.name), h.write)
	}
}

// A writer writes files below dir until the first error.
type writer struct {
	dir string
	err error
}

func (w *writer) file(name string, write func(io.Writer) error) {
	if w.err != nil {
		return
	}
	var buf bytes.Buffer
	if w.err = write(&buf); w.err != nil {
		w.err = fmt.Errorf("%s: %w", name, w.err)
		return
	}
	w.bytes(name, buf.Bytes())
}

func (w *writer) json(name string, v any) {
	w.file(name, func(out io.Writer) error {
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	})
}

func (w *writer) bytes(name string, b []byte) {
	if w.err != nil {
		return
	}
	path := filepath.Join(w.dir, name)
	if w.err = os.MkdirAll(filepath.Dir(path), 0o777); w.err == nil {
		w.err = os.WriteFile(path, b, 0o666)
	}
}
