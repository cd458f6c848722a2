package matchlab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"harelab/reports/folder"
)

const (
	schema   = "harelab/match/v1"
	fileName = "match.json"
)

// document is match.json: what was asked, by what and where. The samples are in bench.txt.
type document struct {
	Schema     string   `json:"schema"`
	Version    string   `json:"version,omitempty"`  // of harelab
	Revision   string   `json:"revision,omitempty"` // commit from which harelab was built
	Modified   bool     `json:"modified,omitempty"` // the working tree had changes
	Host       string   `json:"host"`
	Strategies []string `json:"strategies"`
	Workloads  []string `json:"workloads"`
	Repeat     int      `json:"repeat"`
	Sample     string   `json:"sample"`
	Seed       uint64   `json:"seed"`
	Quick      bool     `json:"quick"`
	Partial    string   `json:"partial,omitempty"`
}

// writeManifest writes match.json to dir.
func (r *Results) writeManifest(dir string) error {
	m, o := folder.NewManifest(nil), r.Options
	b, err := json.MarshalIndent(document{
		Schema: schema, Version: m.Version, Revision: m.Revision, Modified: m.Modified, Host: r.Host,
		Strategies: o.Strategies, Workloads: o.Workloads, Repeat: o.Repeat, Sample: o.Sample.String(), Seed: o.Seed, Quick: o.Quick, Partial: r.Partial,
	}, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, fileName), append(b, '\n'), 0o666)
}

// Is reports whether dir has results that Write wrote.
func Is(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, fileName))
	return !errors.Is(err, fs.ErrNotExist)
}

// Read reads results that Write wrote.
func Read(dir string) (*Results, error) {
	path := filepath.Join(dir, fileName)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var doc document
	if err := json.Unmarshal(b, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if doc.Schema != schema {
		return nil, fmt.Errorf("%s: unknown schema %q (have %s)", path, doc.Schema, schema)
	}
	r := &Results{Host: doc.Host, Partial: doc.Partial}
	r.Options = Options{Strategies: doc.Strategies, Workloads: doc.Workloads, Repeat: doc.Repeat, Seed: doc.Seed, Quick: doc.Quick, Out: dir}
	if err := r.Options.readSample(doc.Sample); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f, err := os.Open(filepath.Join(dir, "bench.txt"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return r, r.readBench(f.Name(), f)
}
