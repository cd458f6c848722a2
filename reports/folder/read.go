package folder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"harelab/engine/bom"
	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/stat"
)

// Read reads a folder that [Folder.Write] wrote. It takes the figures from
// summary.json and does not compute them again, since some of them, and the results
// of expectations, need data that only the live run had.
func Read(dir string) (*Folder, error) {
	f := new(Folder)
	if err := readJSON(dir, "manifest.json", &f.Manifest); err != nil {
		return nil, err
	}
	if f.Manifest.Schema != manifestSchema {
		return nil, fmt.Errorf("%s: schema %q, want %q", filepath.Join(dir, "manifest.json"), f.Manifest.Schema, manifestSchema)
	}
	var doc document
	if err := readJSON(dir, "summary.json", &doc); err != nil {
		return nil, err
	}
	if len(doc.Arms) != len(f.Manifest.Arms) {
		return nil, fmt.Errorf("%s has %d arms, manifest.json %d", filepath.Join(dir, "summary.json"), len(doc.Arms), len(f.Manifest.Arms))
	}
	for i, a := range f.Manifest.Arms {
		if doc.Arms[i] == nil || doc.Arms[i].All == nil {
			return nil, fmt.Errorf("%s: arm %d has no figures", filepath.Join(dir, "summary.json"), i)
		}
		r, err := readRun(dir, a, doc.Arms[i])
		if err != nil {
			return nil, err
		}
		f.Runs = append(f.Runs, r)
	}
	return f, nil
}

// ReadSummaries reads the figures only, which is enough for most comparisons. A
// summary reads its run's messages when a query needs them.
func ReadSummaries(dir string) ([]*stat.Summary, error) {
	var doc document
	if err := readJSON(dir, "summary.json", &doc); err != nil {
		return nil, err
	}
	if doc.Schema != summarySchema {
		return nil, fmt.Errorf("%s: schema %q, want %q", filepath.Join(dir, "summary.json"), doc.Schema, summarySchema)
	}
	for i, s := range doc.Arms {
		s.From(func() (*run.Result, error) {
			var m Manifest
			if err := readJSON(dir, "manifest.json", &m); err != nil {
				return nil, err
			}
			if len(m.Arms) != len(doc.Arms) {
				return nil, fmt.Errorf("%s has %d arms, manifest.json %d", filepath.Join(dir, "summary.json"), len(doc.Arms), len(m.Arms))
			}
			r, err := readRun(dir, m.Arms[i], s)
			if err != nil {
				return nil, err
			}
			return r.Result, nil
		})
	}
	return doc.Arms, nil
}

func readJSON(dir, name string, v any) error {
	path := filepath.Join(dir, name)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is not a results folder: it has no %s", dir, name)
	}
	if err != nil {
		return err
	}
	if b, err = bom.Cut(b); err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func readRun(dir string, a Arm, s *stat.Summary) (*Run, error) {
	if !filepath.IsLocal(a.Dir) {
		return nil, fmt.Errorf("%s: arm folder %q is outside of %s", filepath.Join(dir, "manifest.json"), a.Dir, dir)
	}
	r := a.result(s)
	at := filepath.Join(dir, a.Dir)
	var err error
	if r.Resolved, err = os.ReadFile(filepath.Join(at, "scenario.resolved.yaml")); err != nil {
		return nil, err
	}
	read := func(name string, optional bool, parse func(io.Reader) error) error {
		f, err := os.Open(filepath.Join(at, name))
		if optional && errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		defer f.Close()
		if err := parse(f); err != nil {
			return fmt.Errorf("%s: %w", filepath.Join(at, name), err)
		}
		return nil
	}
	err = errors.Join(
		read("messages.csv", false, func(in io.Reader) error { return readMessages(in, r) }),
		read("series.csv", false, func(in io.Reader) (err error) { r.Series, err = ReadSeries(in); return err }),
	)
	if err == nil {
		spansOf(r)
		err = errors.Join(
			read("tenants.csv", true, func(in io.Reader) error { return readTenants(in, r) }),
			read("repeats.csv", true, func(in io.Reader) error { return readRepeats(in, r) }),
			read("causes.csv", true, func(in io.Reader) error { return readCauses(in, r) }),
			read("spans.csv", true, func(in io.Reader) error { return readSpans(in, r) }),
		)
	}
	s.From(func() (*run.Result, error) { return r, nil })
	if err == nil && s.Outlined() {
		s = s.Complete(r)
		r.Findings = nil
		for _, f := range s.Findings {
			r.Findings = append(r.Findings, run.Finding(f))
		}
	}
	return &Run{Run: &arms.Run{Result: r, Summary: s}, Dir: a.Dir}, err
}

// result makes the run.Result that an arm's entry describes, without its messages.
func (a Arm) result(s *stat.Summary) *run.Result {
	r := &run.Result{
		Scenario: s.Scenario, Variant: s.Variant, Title: s.Title, Doc: a.Doc, Params: a.Params,
		Matcher: s.Matcher, Dispatch: s.Dispatch, Order: s.Order, Seed: s.Seed, Repeat: s.Repeat,
		Target: run.Target(s.Target), Started: a.Started, Elapsed: a.Elapsed, Length: a.LengthUS,
		Partial: s.Partial, Warmup: a.WarmupUS, Interval: a.IntervalUS,
		Queues: a.Queues, Tenants: a.Tenants, Ledger: run.Ledger(s.Ledger), Headline: s.Headline,
		Capacity: s.Capacity, Outages: a.Outages, Charts: a.Charts,
	}
	for _, c := range s.Classes {
		r.Classes = append(r.Classes, c.Name)
	}
	for i, w := range s.Workers {
		rw := run.Worker{Name: w.Name, Slots: w.Slots, Prefetch: w.Prefetch, Scope: w.Scope, Ack: w.Ack, Unacked: w.Unacked}
		if i < len(a.WorkerQueues) {
			rw.Queues = a.WorkerQueues[i]
		}
		if i < len(a.WorkerAway) {
			rw.Away = a.WorkerAway[i]
		}
		r.Workers = append(r.Workers, rw)
	}
	for _, f := range s.Findings {
		r.Findings = append(r.Findings, run.Finding(f))
	}
	return r
}
