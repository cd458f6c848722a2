package scenarios

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"harelab/engine/bom"
	"harelab/engine/nearest"
)

//go:embed *.yaml data/*.csv
var shipped embed.FS

// A File is a scenario file that was read and checked. Its params, variants and
// expressions are not evaluated: see [File.Resolve].
type File struct {
	Path  string // as errors name it: "celery-initial.yaml" or the path given
	Name  string
	Title string
	Doc   string
	Tags  []string

	root *yaml.Node
	data fs.FS // folder of trace and value files; nil: none
}

// Names returns the names of the shipped scenarios, in order.
func Names() []string {
	entries, err := shipped.ReadDir(".")
	if err != nil {
		panic(err) // embedded: cannot fail
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".yaml"); ok { // the other entry is the folder of traces
			names = append(names, name)
		}
	}
	return names
}

// Load reads the shipped scenario of the given name, or the file at the given path.
// A string with a slash, or with .yaml or .yml at the end, is a path.
func Load(nameOrPath string) (*File, error) {
	isPath := strings.ContainsAny(nameOrPath, `/\`) || strings.HasSuffix(nameOrPath, ".yaml") || strings.HasSuffix(nameOrPath, ".yml")
	if !isPath {
		if !slices.Contains(Names(), nameOrPath) {
			return nil, fmt.Errorf("unknown scenario %q%s", nameOrPath, nearest.Choices(nameOrPath, Names()))
		}
		data, err := shipped.ReadFile(nameOrPath + ".yaml")
		if err != nil {
			return nil, err
		}
		return parse(nameOrPath+".yaml", data, shipped)
	}
	data, err := os.ReadFile(nameOrPath)
	if err != nil {
		return nil, err
	}
	return parse(nameOrPath, data, os.DirFS(filepath.Dir(nameOrPath)))
}

// Parse reads a scenario from data. Errors name it path. It has no folder, so it
// cannot refer to other files.
func Parse(path string, data []byte) (*File, error) { return parse(path, data, nil) }

// Source returns the text of a shipped scenario.
func Source(name string) ([]byte, error) { return shipped.ReadFile(name + ".yaml") }

// maxFile bounds a scenario file in bytes.
const maxFile = 16 << 20

func parse(path string, data []byte, dir fs.FS) (*File, error) {
	if len(data) > maxFile {
		return nil, &Error{File: path, Msg: fmt.Sprintf("file of %d bytes: longer than %d", len(data), maxFile)}
	}
	data, err := bom.Cut(data)
	if err != nil {
		return nil, &Error{File: path, Msg: err.Error()}
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); err != nil {
		return nil, syntaxError(path, err)
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, syntaxError(path, err)
		}
		return nil, &Error{File: path, Line: more.Line, Msg: "a second document: give one scenario per file"}
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, &Error{File: path, Line: 1, Msg: "give a mapping that begins with schema: " + Schema}
	}
	f := &File{Path: path, root: doc.Content[0], data: dir}
	return f, f.check()
}

// syntaxError turns an error of package yaml, "yaml: line 3: ...", into an Error.
func syntaxError(path string, err error) error {
	if errors.Is(err, io.EOF) {
		return &Error{File: path, Msg: "the file is empty: give schema: " + Schema}
	}
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	var line int
	if _, scanErr := fmt.Sscanf(msg, "line %d:", &line); scanErr == nil {
		_, msg, _ = strings.Cut(msg, ": ")
	}
	return &Error{File: path, Line: line, Msg: "not YAML: " + msg}
}

// check resolves the scenario and each of its variants, so that every file that
// loads can also run.
func (f *File) check() error {
	for _, v := range append([]string{""}, f.Variants()...) {
		s, err := f.Resolve(Options{Variant: v})
		if err != nil {
			return err
		}
		if v == "" {
			f.Name, f.Title, f.Doc, f.Tags = s.Name, s.Title, s.Doc, s.Tags
		}
	}
	_, err := f.sweep()
	return err
}

// Variants returns the names of the file's variants, in the order of the file.
func (f *File) Variants() []string {
	var names []string
	if all := field(f.root, "variants"); all != nil && all.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(all.Content); i += 2 {
			names = append(names, all.Content[i].Value)
		}
	}
	return names
}

// Sweep returns the file's own grid. It has no axes if the file has no sweep.
func (f *File) Sweep() Sweep {
	s, err := f.sweep()
	if err != nil {
		panic(err) // checked by Load
	}
	return s
}

func (f *File) sweep() (Sweep, error) {
	s := Sweep{Order: "file"}
	n := field(f.root, "sweep")
	if n == nil {
		return s, nil
	}
	d := &decoder{file: f.Path, index: -1}
	params := field(f.root, "params")
	d.object(n, "sweep", fields{
		"order": choice(d, &s.Order, "file", "random"),
		"axes": func(n *yaml.Node) {
			if n.Kind != yaml.MappingNode {
				d.fail(n, "axes: give a mapping of params to lists of values")
				return
			}
			for i := 0; i+1 < len(n.Content); i += 2 {
				axis := Axis{Name: n.Content[i].Value}
				if params == nil || field(params, axis.Name) == nil {
					d.fail(n.Content[i], "axes: no param %q to vary", axis.Name)
				}
				d.each(n.Content[i+1], "axis "+axis.Name, func(n *yaml.Node) {
					v, _ := d.scalar(n)
					axis.Values = append(axis.Values, v)
				})
				s.Axes = append(s.Axes, axis)
			}
		},
	}, "axes")
	return s, d.mistakes()
}

// read returns a data file beside the scenario.
func (f *File) read(name string) ([]byte, error) {
	if f.data == nil {
		return nil, fmt.Errorf("%s: a scenario without a folder cannot refer to files", name)
	}
	if !fs.ValidPath(path.Clean(name)) {
		return nil, fmt.Errorf("%s: give a path inside the scenario's folder", name)
	}
	file, err := f.data.Open(path.Clean(name))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, errors.Unwrap(err))
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s: longer than %d bytes", name, maxFile)
	}
	if err != nil {
		return nil, err
	}
	if data, err = bom.Cut(data); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}
