package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGeneratedFilesAreCurrent compares the generator's output with the committed files.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	files, err := generate(table)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			t.Error(err)
			continue
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s does not agree with methods.txt; run: go generate ./engine/wire", name)
		}
	}
	committed, err := filepath.Glob("../../z*.go")
	if err != nil || len(committed) != len(files) {
		t.Errorf("%d generated files, want %d, error %v", len(committed), len(files), err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"class basic", "methods.txt:1: want NAME ID after a class"},
		{"open 10", "methods.txt:1: want NAME ID after a class"},
		{"class basic 60\nack x", `methods.txt:2: strconv.Atoi: parsing "x": invalid syntax`},
		{"class basic 60\nack 80 Multiple:bool", `methods.txt:2: field "Multiple": unknown type "bool"`},
	} {
		if _, err := parse(c.in); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("parse(%q): error %v, want %q", c.in, err, c.want)
		}
	}
}
