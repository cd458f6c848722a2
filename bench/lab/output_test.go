package lab

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"harelab/loadgen/run"
	"harelab/reports/plot"
	"harelab/scenarios"
)

// A canceller cancels a context when an arm ends.
type canceller struct {
	unwatched
	cancel context.CancelFunc
}

func (c canceller) End(int, Arm, *run.Result) { c.cancel() }

// A sweepCanceller cancels a context when a cell ends.
type sweepCanceller struct{ cancel context.CancelFunc }

func (c sweepCanceller) Plan([]Arm, int)    {}
func (c sweepCanceller) Show(SweepProgress) { c.cancel() }
func (c sweepCanceller) End()               {}

func TestInterruptedOutputKeepsWhatWasMeasured(t *testing.T) {
	const scenario = "odd-heavy-even-light"
	axis, err := ParseAxis("prefetch=1,2,4,8")
	if err != nil {
		t.Fatal(err)
	}
	target := Target{Kind: Sim}
	asked, err := Expand(Request{Scenarios: []string{scenario}, Targets: []Target{target}, Variants: []string{Base}, Repeat: 3})
	if err != nil {
		t.Fatal(err)
	}
	vary, err := NewVary(VaryRequest{Scenario: scenario, Axis: axis, Target: target})
	if err != nil {
		t.Fatal(err)
	}
	// More cells than run in parallel, so that some are left when the first has ended.
	sweep, err := NewSweep(SweepRequest{Scenario: scenario, Axes: []Axis{axis}, Target: target, Repeat: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		run    func(context.Context, context.CancelFunc, Output) error
		kept   []string // files
		absent string
		text   string // in the error
	}{
		{"runs", func(ctx context.Context, cancel context.CancelFunc, o Output) error {
			_, err := o.Measure(ctx, asked, 1, canceller{cancel: cancel})
			return err
		}, []string{"manifest.json", "report.html"}, "compare.html", ""},
		{"a comparison", func(ctx context.Context, cancel context.CancelFunc, o Output) error {
			return o.Vary(ctx, vary, canceller{cancel: cancel})
		}, []string{"manifest.json", "report.html"}, "compare.html", "interrupted: no comparison; runs in "},
		{"a sweep", func(ctx context.Context, cancel context.CancelFunc, o Output) error {
			return o.Sweep(ctx, sweep, false, sweepCanceller{cancel})
		}, []string{CellLogName, "report.html"}, "extremes", "the same call with --resume --out "},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		var text bytes.Buffer
		o := Output{Dir: t.TempDir(), Text: &text}
		err := c.run(ctx, cancel, o)
		var interrupted *InterruptedError
		if !errors.As(err, &interrupted) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: error %v, want an interruption with %q", c.name, err, c.text)
		}
		for _, name := range c.kept {
			if _, err := os.Stat(filepath.Join(o.Dir, name)); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		if _, err := os.Stat(filepath.Join(o.Dir, c.absent)); err == nil {
			t.Errorf("%s: %s was written", c.name, c.absent)
		}

		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		o.Dir = t.TempDir()
		err = c.run(ctx, cancel, o)
		left, _ := os.ReadDir(o.Dir)
		if !errors.As(err, &interrupted) || err.Error() != nothingMeasured || len(left) > 0 {
			t.Errorf("%s, before anything ran: error %v, files %v; want %q and none", c.name, err, left, nothingMeasured)
		}
	}
}

// TestEveryNamedChartExists: what report.charts can name is a chart of a run's page or
// of a sweep's.
func TestEveryNamedChartExists(t *testing.T) {
	have := map[string]bool{"heatmap": true, "lines": true, "ranking": true, "pareto": true} // of package reports/sweep
	for _, c := range plot.Charts() {
		have[cmp.Or(c.Asked, c.Name)] = true
	}
	for _, name := range scenarios.Charts() {
		if !have[name] {
			t.Errorf("report.charts takes %s, and no page draws it", name)
		}
		delete(have, name)
	}
	for name := range have {
		t.Errorf("report.charts does not take %s", name)
	}
}
