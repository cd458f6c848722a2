// Package benchfile compares files in Go's benchmark format, and gates on them.
//
// A row is one unit of one benchmark: its full name under the file configuration that
// tells it apart, as golang.org/x/perf/benchproc sees it, so the same name in two
// packages is two rows. Each row is tested as benchstat tests it, by the U-test of
// golang.org/x/perf/benchmath, and its p value is benchstat's: what benchstat finds, a
// row here finds.
//
// Among a thousand rows the test finds fifty by chance. The sentences about a file
// therefore speak of groups: the rows of one benchmark, unit and strategy. The rank sums
// of a group's rows are tested together, and the p values of all groups of one unit are
// corrected by Holm's method. Single rows are named in a sentence only if they stand
// after the same correction among all rows of their unit. Rows whose values are all
// equal are not tested and do not count.
package benchfile

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchproc"
	"golang.org/x/perf/benchunit"

	"harelab/engine/bom"
)

// A Set has the measurements of several files, so that they can be compared.
type Set struct {
	Files    []*File
	Units    map[string]Unit
	Warnings []string // of reading
	labels   map[identity]Label
	order    []identity // of all files, each once, as first seen
}

// A File has the measurements of one file.
type File struct {
	Name   string
	values map[identity]map[string][]float64 // by benchmark and unit
	units  map[identity][]string             // in the order of the file
}

// A Unit says how the values of a unit are judged.
type Unit struct {
	Better int  // -1 lower, +1 higher, 0 unknown
	Exact  bool // every repeat gives the same value
}

// An identity is a benchmark: its full name and the configuration that tells it apart.
type identity struct{ config, name string }

// A Label names a benchmark.
type Label struct {
	Config string            // what tells it from others of the same name, as "pkg:a"; mostly empty
	Full   string            // its name without the word Benchmark, keys included
	Base   string            // its name without keys
	Keys   map[string]string // in the name and in the file's configuration
}

// Strategy returns the strategy that a benchmark measures. It is empty if the name does
// not say one.
func (l Label) Strategy() string {
	for _, key := range []string{"strategy", "matcher"} {
		if v := l.Keys["/"+key]; v != "" {
			return v
		}
	}
	return ""
}

// String returns the name after what tells it apart.
func (l Label) String() string { return strings.TrimSpace(l.Config + " " + l.Full) }

// Open reads files. Filter selects benchmarks and units in benchproc's syntax, such as
// "/strategy:nfa .unit:ns/op"; empty stands for all. The names of the files are their
// paths.
func Open(paths []string, filter string) (*Set, error) {
	r, err := newReader(filter)
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		err = errors.Join(r.read(path, f), f.Close())
		if err != nil {
			return nil, err
		}
	}
	return r.set(), nil
}

// Read reads files that are open already, one for each name.
func Read(names []string, files []io.Reader, filter string) (*Set, error) {
	r, err := newReader(filter)
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		if err := r.read(name, files[i]); err != nil {
			return nil, err
		}
	}
	return r.set(), nil
}

// CheckFilter returns an error if a filter is not in benchproc's syntax.
func CheckFilter(filter string) error {
	_, err := newReader(filter)
	return err
}

// A reader reads files one after the other.
type reader struct {
	filter   *benchproc.Filter
	config   *benchproc.Projection
	files    []*lines
	warnings []string
}

// lines are the results of one file.
type lines struct {
	name    string
	results []result
	units   benchfmt.UnitMetadataMap
}

type result struct {
	config benchproc.Key
	label  Label
	values []benchfmt.Value
}

func newReader(filter string) (*reader, error) {
	if filter == "" {
		filter = "*"
	}
	f, err := benchproc.NewFilter(filter)
	if err != nil {
		what, _, _ := strings.Cut(err.Error(), "\n") // the rest shows where
		return nil, fmt.Errorf("filter %q: %s: write terms such as '/strategy:nfa .unit:ns/op' (go doc golang.org/x/perf/benchproc/syntax)", filter, what)
	}
	var parser benchproc.ProjectionParser
	config, err := parser.Parse(".config", f)
	if err != nil {
		return nil, err
	}
	return &reader{filter: f, config: config}, nil
}

// read reads one file. A line that is not in the format is left out with a warning.
func (r *reader) read(name string, in io.Reader) error {
	in, err := bom.Reader(in)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	f := &lines{name: name}
	seen, unreadable := 0, 0
	b := benchfmt.NewReader(in, name)
	for b.Scan() {
		switch rec := b.Result().(type) {
		case *benchfmt.SyntaxError:
			if unreadable++; unreadable <= 3 {
				r.warnings = append(r.warnings, rec.Error()+": the line is left out")
			}
		case *benchfmt.Result:
			seen++
			for i := range rec.Values { // the reader leaves the unit of a 0 as it is
				_, rec.Values[i].Unit = benchunit.Tidy(1, rec.Values[i].Unit)
			}
			if ok, _ := r.filter.Apply(rec); !ok {
				continue
			}
			f.results = append(f.results, r.result(rec))
		}
	}
	if err := b.Err(); err != nil {
		return err
	}
	f.units = b.Units()
	if unreadable > 3 {
		r.warnings = append(r.warnings, fmt.Sprintf("%s: %d more lines are left out", name, unreadable-3))
	}
	switch {
	case seen == 0:
		return fmt.Errorf("%s has no benchmark lines, such as \"BenchmarkX 100 1234 ns/op\"", name)
	case len(f.results) == 0:
		return fmt.Errorf("%s has no benchmark that the filter admits", name)
	}
	r.files = append(r.files, f)
	return nil
}

func (r *reader) result(rec *benchfmt.Result) result {
	base, parts := rec.Name.Parts()
	out := result{config: r.config.Project(rec), values: slices.Clone(rec.Values)}
	out.label = Label{Full: rec.Name.String(), Base: string(base), Keys: make(map[string]string)}
	for _, part := range parts {
		if key, value, ok := strings.Cut(string(part), "="); ok {
			out.label.Keys[key] = value
		}
	}
	for _, c := range rec.Config {
		if c.File {
			out.label.Keys[c.Key] = string(c.Value)
		}
	}
	return out
}

// set puts the files together.
func (r *reader) set() *Set {
	telling := r.telling()
	s := &Set{Units: make(map[string]Unit), Warnings: r.warnings, labels: make(map[identity]Label)}
	several := r.several(telling)
	for _, lines := range r.files {
		f := &File{Name: lines.name, values: make(map[identity]map[string][]float64), units: make(map[identity][]string)}
		odd := 0
		for _, res := range lines.results {
			label := res.label
			id := identity{name: label.Full}
			for _, field := range telling {
				value := res.config.Get(field)
				id.config += field.Name + "\x00" + value + "\x00"
				if several[field.Name] && value != "" {
					label.Config = strings.TrimSpace(label.Config + " " + field.Name + ":" + value)
				}
			}
			if _, ok := s.labels[id]; !ok {
				s.labels[id] = label
				s.order = append(s.order, id)
			}
			if f.values[id] == nil {
				f.values[id] = make(map[string][]float64)
			}
			for _, v := range res.values {
				if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) {
					odd++
					continue
				}
				if f.values[id][v.Unit] == nil {
					f.units[id] = append(f.units[id], v.Unit)
				}
				f.values[id][v.Unit] = append(f.values[id][v.Unit], v.Value)
				s.Units[v.Unit] = Unit{}
			}
		}
		if odd > 0 {
			s.Warnings = append(s.Warnings, fmt.Sprintf("%s: values that are not finite numbers are left out (%d)", f.Name, odd))
		}
		s.Files = append(s.Files, f)
	}
	r.judge(s)
	return s
}

// telling returns the keys of the configuration that tell benchmarks apart: the package,
// and all of which one file has several values. Others describe a file as a whole, such
// as the processor or the commit: where files differ in one, a warning says it.
func (r *reader) telling() []*benchproc.Field {
	var out []*benchproc.Field
	for _, field := range r.config.FlattenedFields() {
		tells := field.Name == "pkg"
		var of []string
		for _, f := range r.files {
			first := f.results[0].config.Get(field)
			of = append(of, first)
			tells = tells || slices.ContainsFunc(f.results, func(res result) bool { return res.config.Get(field) != first })
		}
		if tells {
			out = append(out, field)
			continue
		}
		for i, v := range of {
			if v != of[0] {
				text := fmt.Sprintf("%s is %q in %s and %q in %s", field.Name, of[0], r.files[0].name, v, r.files[i].name)
				if slices.Contains([]string{"goos", "goarch", "cpu"}, field.Name) {
					text += ": another machine may be the difference"
				}
				r.warnings = append(r.warnings, text)
			}
		}
	}
	return out
}

// several returns the keys that have more than one value in all files together.
func (r *reader) several(fields []*benchproc.Field) map[string]bool {
	out, first := make(map[string]bool), make(map[string]string)
	for _, f := range r.files {
		for _, res := range f.results {
			for _, field := range fields {
				v := res.config.Get(field)
				if was, ok := first[field.Name]; ok && was != v {
					out[field.Name] = true
				}
				first[field.Name] = v
			}
		}
	}
	return out
}

// judge finds how each unit is judged: as the files say, or as it is for the units that
// package benchfmt knows. Files that contradict each other leave it unknown.
func (r *reader) judge(s *Set) {
	for _, unit := range slices.Sorted(maps.Keys(s.Units)) {
		u := Unit{}
		better := make(map[int]string) // the file that says so
		for _, f := range r.files {
			if b := f.units.GetBetter(unit); b != 0 && better[b] == "" {
				better[b] = f.name
				u.Better = b
			}
			if a := f.units.Get(unit, "assume"); a != nil && a.Value == "exact" {
				u.Exact = true
			}
		}
		if len(better) == 2 {
			u.Better = 0
			s.Warnings = append(s.Warnings, fmt.Sprintf("%s: lower is better in %s and higher in %s, so its direction is unknown", unit, better[-1], better[1]))
		}
		s.Units[unit] = u
	}
}
