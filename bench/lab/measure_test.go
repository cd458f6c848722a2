package lab

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/folder"
)

// TestAnInterruptionDuringStatisticsIsHeard: the figures of a run are not waited for. Its data
// is written, and a report that is drawn later has the figures.
func TestAnInterruptionDuringStatisticsIsHeard(t *testing.T) {
	asked, err := Expand(Request{Scenarios: []string{"celery-initial"}, Targets: []Target{{Kind: Sim}}})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := Measure(t.Context(), asked, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	never := make(chan struct{})
	defer close(never)
	runs := summarize(ctx, []*run.Result{whole[0].Result}, func(...*run.Result) []*arms.Run {
		cancel()
		<-never // the figures take for ever
		return nil
	})
	if len(runs) != 1 || !runs[0].Summary.Outlined() {
		t.Fatal("the run is not written without figures")
	}
	o := Output{Dir: t.TempDir(), Text: new(bytes.Buffer)}
	_, err = o.write(ctx, runs, nil)
	var interrupted *InterruptedError
	if !errors.As(err, &interrupted) || !strings.Contains(err.Error(), "harelab report "+o.Dir) {
		t.Errorf("%v, want an interruption that says how the figures are had", err)
	}
	f, err := folder.Read(o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	got, want := f.Runs[0].Summary, whole[0].Summary
	if got.Outlined() || got.All.Wait == nil || *got.All.Wait != *want.All.Wait || got.Makespan != want.Makespan {
		t.Errorf("figures of the folder: %+v, want %+v", got.All.Wait, want.All.Wait)
	}
}
