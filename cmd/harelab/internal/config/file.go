package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"harelab/engine/bom"
	"harelab/engine/nearest"
)

// maxFile bounds a configuration file, in octets.
const maxFile = 1 << 20

// FromFile sets the flags that were not given, on the command line or by the environment,
// from a YAML file: a mapping of names of flags to values, or to lists for flags that may
// be given more than once. The flags called except are no keys. It goes on after a mistake
// and returns all mistakes, in order of lines; each names the file and the line.
func FromFile(flags *pflag.FlagSet, path string, except ...string) []error {
	file, err := os.Open(path)
	if err != nil {
		return []error{err}
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return []error{err}
	}
	return fromText(flags, path, text, except)
}

// fromText is FromFile for the text of the file.
func fromText(flags *pflag.FlagSet, path string, text []byte, except []string) []error {
	r := &reader{flags: flags, path: path, except: append(except, notSettings...)}
	root, line, err := parse(text)
	if err != nil {
		r.fail(line, "%w", err)
		return r.mistakes
	}
	if root != nil {
		r.mapping(root)
	}
	return r.mistakes
}

// parse returns the mapping that a text is, or nil for a text without one, which sets
// nothing. line is that of the error, or 0 if it concerns the whole file.
func parse(text []byte) (root *yaml.Node, line int, err error) {
	if len(text) > maxFile {
		return nil, 0, fmt.Errorf("the file is longer than %d octets", maxFile)
	}
	if text, err = bom.Cut(text); err != nil {
		return nil, 0, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var doc, more yaml.Node
	if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, 0, nil
	} else if err != nil {
		return syntaxError(err)
	}
	if err := decoder.Decode(&more); err == nil {
		return nil, more.Line, errors.New("a second document: give one")
	} else if !errors.Is(err, io.EOF) {
		return syntaxError(err)
	}
	root = doc.Content[0]
	switch {
	case root.Kind == yaml.ScalarNode && root.Tag == "!!null":
		return nil, 0, nil
	case root.Kind != yaml.MappingNode:
		return nil, root.Line, errors.New("give a mapping of settings, as in dispatch: fair")
	}
	return root, 0, nil
}

// syntaxError takes an error of package yaml, "yaml: line 3: ...", apart.
func syntaxError(err error) (*yaml.Node, int, error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	var line int
	if _, scanErr := fmt.Sscanf(text, "line %d:", &line); scanErr == nil {
		_, text, _ = strings.Cut(text, ": ")
	}
	return nil, line, fmt.Errorf("not YAML: %s", text)
}

// A reader sets flags from a file.
type reader struct {
	flags    *pflag.FlagSet
	path     string
	except   []string
	mistakes []error
}

func (r *reader) at(line int) string {
	if line == 0 {
		return r.path
	}
	return fmt.Sprintf("%s:%d", r.path, line)
}

func (r *reader) fail(line int, format string, args ...any) {
	r.mistakes = append(r.mistakes, fmt.Errorf(r.at(line)+": "+format, args...))
}

func (r *reader) mapping(root *yaml.Node) {
	first := make(map[string]int) // line of each key
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		f := r.flags.Lookup(key.Value)
		switch line, twice := first[key.Value]; {
		case key.Kind != yaml.ScalarNode || key.Tag == "!!merge":
			r.fail(key.Line, "a key must be a plain word")
		case f == nil || slices.Contains(r.except, key.Value):
			r.fail(key.Line, "unknown key %q%s", key.Value, nearest.Choices(key.Value, r.keys()))
		case twice:
			r.fail(key.Line, "%s is given twice, first in line %d", key.Value, line)
		default:
			first[key.Value] = key.Line
			r.setting(f, value)
		}
	}
}

// setting sets one flag, unless something stronger has set it. A value that is not used is
// checked no further than its form.
func (r *reader) setting(f *pflag.Flag, n *yaml.Node) {
	_, isList := f.Value.(pflag.SliceValue)
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode && isList {
		items = n.Content
	}
	var values []string
	for _, item := range items {
		switch {
		case item.Kind == yaml.AliasNode:
			r.fail(item.Line, "%s: anchors and aliases are not part of the format", f.Name)
		case item.Kind != yaml.ScalarNode && isList:
			r.fail(item.Line, "%s: give a value or a list of values", f.Name)
		case item.Kind != yaml.ScalarNode:
			r.fail(item.Line, "%s: give a single value", f.Name)
		case item.Tag == "!!null":
			r.fail(item.Line, "%s: the value is missing", f.Name)
		default:
			values = append(values, item.Value)
		}
	}
	if f.Changed || len(values) < len(items) {
		return
	}
	if err := set(r.flags, f, r.at(n.Line), values...); err != nil {
		r.fail(n.Line, "%s %w", f.Name, err)
	}
}

// keys returns the keys that a file may have, in order.
func (r *reader) keys() (keys []string) {
	r.flags.VisitAll(func(f *pflag.Flag) {
		if !slices.Contains(r.except, f.Name) {
			keys = append(keys, f.Name)
		}
	})
	return keys
}

// Print writes all settings as a file that FromFile reads, each with where its value came
// from. It leaves out the flags called except, and the password of a URL.
func Print(w io.Writer, flags *pflag.FlagSet, except ...string) error {
	except = append(except, notSettings...)
	root := &yaml.Node{Kind: yaml.MappingNode}
	flags.VisitAll(func(f *pflag.Flag) {
		if slices.Contains(except, f.Name) {
			return
		}
		value := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			for _, v := range list.GetSlice() {
				value.Content = append(value.Content, scalar(f, v))
			}
		} else {
			value = scalar(f, f.Value.String())
		}
		value.LineComment = Source(f)
		root.Content = append(root.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: f.Name}, value)
	})
	text, err := yaml.Marshal(root)
	if err == nil {
		_, err = w.Write(text)
	}
	return err
}

// scalar returns a value as a node: without quotes if it is a number, a time or a boolean.
func scalar(f *pflag.Flag, v string) *yaml.Node {
	if u, err := url.Parse(v); err == nil && u.User != nil {
		v = u.Redacted()
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: v}
	if Wanted(f) == "" {
		n.SetString(v)
	}
	return n
}
