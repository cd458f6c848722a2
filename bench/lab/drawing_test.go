package lab

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"harelab/reports/folder"
)

// ending is a context that ends as soon as somebody waits for it.
type ending struct{ context.Context }

func (ending) Done() <-chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}

// TestDrawingHearsAnInterruption ends an experiment while its report is drawn: the data is
// written, and the error says how to draw it.
func TestDrawingHearsAnInterruption(t *testing.T) {
	dir, err := os.MkdirTemp("", "drawing") // not t.TempDir: the drawing that was left may still write
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	asked, err := Expand(Request{Scenarios: []string{"celery-initial"}, Targets: []Target{{Kind: Sim}}, Repeat: 1})
	if err != nil {
		t.Fatal(err)
	}
	runs, err := Measure(t.Context(), asked, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := folder.New(runs, folder.Manifest{})
	err = Output{Dir: dir}.draw(ending{t.Context()}, f)
	var interrupted *InterruptedError
	if !errors.As(err, &interrupted) {
		t.Fatalf("error %v, want an interruption", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "messages.csv")); err != nil {
		t.Error(err)
	}
}
