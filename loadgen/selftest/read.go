package selftest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"harelab/engine/bom"
)

// readAnswers reads and checks a file of known answers. Its errors name the case, the
// place and the right value. An invalid case is refused, and the others are kept. An
// unknown key in a scenario makes its case invalid, since ignoring it would change
// the scenario.
func readAnswers(r io.Reader) (*answersFile, error) {
	b, err := io.ReadAll(r)
	if err == nil {
		b, err = bom.Cut(b)
	}
	if err != nil {
		return nil, fmt.Errorf("answers: %w", err)
	}
	f := new(answersFile)
	if err := json.Unmarshal(b, f); err != nil {
		return nil, fmt.Errorf("answers: %w", position(b, err))
	}
	if f.Format != 1 {
		return nil, fmt.Errorf("answers: format %d, want 1", f.Format)
	}
	if f.TimeUnit != "microseconds" {
		return nil, fmt.Errorf("answers: time_unit %q, want \"microseconds\"", f.TimeUnit)
	}
	f.unknown = unknownKeys(b, "format", "time_unit", "semantics", "rng_test_vectors", "cases", "long_runs")
	for _, key := range f.unknown {
		if holdsCases(b, key) {
			f.refused = append(f.refused, fmt.Errorf("answers: %q holds cases, which belong in cases or long_runs", key))
		}
	}
	for _, group := range []map[string]json.RawMessage{f.Cases, f.LongRuns} {
		for _, name := range slices.Sorted(maps.Keys(group)) {
			c, err := readCase(name, group[name])
			if err != nil {
				f.refused = append(f.refused, fmt.Errorf("answers: case %q: %w", name, err))
				continue
			}
			f.cases = append(f.cases, c)
		}
	}
	if len(f.cases)+len(f.refused) == 0 {
		return nil, errors.New("answers: no cases")
	}
	return f, nil
}

func readCase(name string, b json.RawMessage) (*testCase, error) {
	c := &testCase{name: name}
	if err := json.Unmarshal(b, c); err != nil {
		return nil, inFile(err)
	}
	c.unknown = unknownKeys(b, "doc", "scenario", "result", "closed_form", "recursion_check")
	if err := c.check(); err != nil {
		return nil, err
	}
	if len(c.Result) == 0 {
		return nil, errors.New("no result") // nothing would be checked
	}
	return c, nil
}

// unknownKeys returns the keys of an object that are not known. Outside scenarios and
// results, unknown keys are taken for remarks.
func unknownKeys(b []byte, known ...string) []string {
	var object map[string]json.RawMessage
	if json.Unmarshal(b, &object) != nil {
		return nil
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(object)), func(key string) bool { return slices.Contains(known, key) })
}

// holdsCases reports whether the value of a file's key is a group of cases, which
// must not be taken for a remark.
func holdsCases(file []byte, key string) bool {
	var object map[string]json.RawMessage
	var family map[string]struct{ Scenario json.RawMessage }
	if json.Unmarshal(file, &object) != nil || json.Unmarshal(object[key], &family) != nil {
		return false
	}
	for _, c := range family {
		if c.Scenario != nil {
			return true
		}
	}
	return false
}

// UnmarshalJSON reads a scenario list by list, so that an error names the element,
// and sets defaults that are not zero values.
func (s *scenario) UnmarshalJSON(b []byte) error {
	var lists struct{ Queues, Workers, Publish, Control json.RawMessage }
	if err := unmarshalStrict(b, &lists); err != nil {
		return fmt.Errorf("scenario: %w", err)
	}
	if err := readList("queues", lists.Queues, &s.Queues, defaultQueue); err != nil {
		return err
	}
	if err := readList("workers", lists.Workers, &s.Workers, defaultWorker); err != nil {
		return err
	}
	if err := readList("publish", lists.Publish, &s.Publish, publishSpec{}); err != nil {
		return err
	}
	return readList("control", lists.Control, &s.Control, controlSpec{})
}

// readList reads a list. Missing keys of an element keep their values in standard.
func readList[T any](key string, b json.RawMessage, to *[]T, standard T) error {
	if len(b) == 0 {
		return nil
	}
	var elements []json.RawMessage
	if err := unmarshalStrict(b, &elements); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	for i, e := range elements {
		v := standard
		if err := unmarshalStrict(e, &v); err != nil {
			return fmt.Errorf("%s[%d]: %w", key, i, err)
		}
		*to = append(*to, v)
	}
	return nil
}

// UnmarshalJSON reads one template or a list of them.
func (t *templates) UnmarshalJSON(b []byte) error {
	switch {
	case string(b) == "null":
		return nil
	case bytes.HasPrefix(b, []byte("[")):
		return readList("of", b, (*[]template)(t), template{})
	}
	*t = make([]template, 1)
	if err := unmarshalStrict(b, &(*t)[0]); err != nil {
		return fmt.Errorf("of: %w", err)
	}
	return nil
}

// unmarshalStrict is json.Unmarshal, but refuses unknown keys and trailing data.
func unmarshalStrict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return inFile(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("text after the end of the JSON value")
	}
	return nil
}

// inFile rewrites an error of package json in the words of the file.
func inFile(err error) error {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) && kind.Field != "" {
		return fmt.Errorf("%s: a JSON %s, want %s", kind.Field, kind.Value, kind.Type)
	}
	if key, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return fmt.Errorf("unknown key %s", key)
	}
	return err
}

// position adds the line to an error of package json that has an offset.
func position(b []byte, err error) error {
	var offset int64
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	default:
		return err
	}
	offset = min(max(offset, 0), int64(len(b)))
	return fmt.Errorf("line %d: %w", 1+bytes.Count(b[:offset], []byte("\n")), err)
}
