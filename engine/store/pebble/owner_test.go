package pebble

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOneOwner: a folder has one store at a time, and the refusal names the process.
func TestOneOwner(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "is in use by process ") {
		t.Errorf("Open of a folder in use: %v, want the process that has it", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err = Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

// TestFormats: a folder of another format is refused with a sentence.
func TestFormats(t *testing.T) {
	for text, want := range map[string]string{
		"harelab store, format 99": "start the newer harelab that wrote it",
		"harelab store, format 0":  "reads format 1 only",
		"harelab store":            "want \"harelab store, format \" and a number",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, formatName), []byte(text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open of %q: %v, want %q", text, err, want)
		}
	}
}
