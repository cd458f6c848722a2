package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"harelab/reports"
	"harelab/reports/arms"
	"harelab/reports/benchfile"
	"harelab/reports/compare"
	"harelab/reports/folder"
	"harelab/reports/page"
	"harelab/reports/stat"
	"harelab/reports/terminal"
)

// An Output is where the results of an experiment go. Its methods run an experiment
// and write what was measured, also when it fails or is interrupted halfway.
type Output struct {
	Dir     string    // the results folder, which exists and is empty
	Command []string  // the command line that gives the same figures again
	Text    io.Writer // gets each table as soon as it is complete
}

// An InterruptedError says that a context was cancelled before all was measured.
type InterruptedError struct{ Text string } // empty: the report says it

func (e *InterruptedError) Error() string { return e.Text }

// interruption returns an [InterruptedError] in place of a context's error, and any
// other error as it is.
func interruption(err error, text string) error {
	if errors.Is(err, context.Canceled) {
		return &InterruptedError{text}
	}
	return err
}

const nothingMeasured = "interrupted before anything was measured"

// Measure runs arms as [Measure] does, one target after the other. It prints the headline
// and the table of each target as soon as they are there, and writes the results folder.
// The folder is nil if nothing was measured or it could not be written.
func (o Output) Measure(ctx context.Context, asked []Arm, parallel int, w Watcher) (*folder.Folder, error) {
	var runs []*arms.Run
	var failed error
	brokers := make(map[string]bool)
	for _, a := range asked {
		if a.Target.Kind == AMQP {
			brokers[a.Target.URL] = true
		}
	}
	addressed := len(brokers) > 1
	raced := make(map[string]*stat.Race)
	for _, group := range ByTarget(asked) {
		var ended []*arms.Run
		ended, failed = Measure(ctx, group, parallel, w)
		runs = append(runs, ended...)
		if outlined(ended) {
			return nil, o.withoutFigures(runs)
		}
		if failed == nil {
			if failed = races(ctx, group, ended, raced); failed == nil {
				failed = ctx.Err()
			}
		}
		if len(ended) > 0 {
			if err := writeRuns(o.Text, arms.NewSet(runs), arms.Summaries(ended), arms.Names(ended, addressed)); err != nil {
				return nil, err
			}
		}
		if failed != nil {
			break
		}
	}
	if len(runs) == 0 {
		return nil, interruption(failed, nothingMeasured)
	}
	f, err := o.write(ctx, runs, arms.Names(runs, addressed))
	if err != nil {
		return nil, errors.Join(err, failed)
	}
	return f, interruption(failed, "")
}

func outlined(runs []*arms.Run) bool {
	return slices.ContainsFunc(runs, func(r *arms.Run) bool { return r.Summary.Outlined() })
}

// withoutFigures writes the data of runs whose figures were not computed.
func (o Output) withoutFigures(runs []*arms.Run) error {
	if err := folder.New(runs, folder.NewManifest(o.Command)).Write(o.Dir); err != nil {
		return err
	}
	return &InterruptedError{fmt.Sprintf("interrupted while the figures were computed: the data is in %s, and harelab report %s computes and draws them", o.Dir, o.Dir)}
}

// WriteRuns writes what the runs of a folder say, and their tables.
func WriteRuns(w io.Writer, f *folder.Folder) error {
	set := f.Set()
	return writeRuns(w, set, f.Summaries(), arms.Names(set.Runs, false))
}

// writeRuns writes what all runs say, and the tables of the latest.
func writeRuns(w io.Writer, all *arms.Set, latest []*stat.Summary, names map[*stat.Summary]string) error {
	if err := terminal.WriteText(w, terminal.Neutral, "", "", page.Tell(all).Headline); err != nil {
		return err
	}
	fmt.Fprintln(w)
	if err := terminal.WriteTable(w, latest, names); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w)
	return err
}

// write writes the results folder and prints what the tables do not say.
func (o Output) write(ctx context.Context, runs []*arms.Run, names map[*stat.Summary]string) (*folder.Folder, error) {
	if outlined(runs) {
		return nil, o.withoutFigures(runs)
	}
	f := folder.New(runs, folder.NewManifest(o.Command))
	if err := o.draw(ctx, f); err != nil {
		return nil, err
	}
	ss := f.Summaries()
	if err := terminal.WriteExpectations(o.Text, ss, names); err != nil {
		return nil, err
	}
	if err := terminal.WriteAgreement(o.Text, stat.Agreements(ss), f.Set().TargetName); err != nil {
		return nil, err
	}
	return f, o.wrote("report.html")
}

// draw writes a folder's data and draws its pages. If ctx ends while it draws, it leaves
// the pages: the data is all that cannot be made again. What an interrupted experiment
// measured is drawn.
func (o Output) draw(ctx context.Context, f *folder.Folder) error {
	if ctx.Err() != nil {
		return reports.Write(o.Dir, f)
	}
	if err := f.Write(o.Dir); err != nil {
		return err
	}
	drawn := make(chan error, 1)
	go func() { drawn <- reports.Draw(o.Dir, f) }()
	select {
	case err := <-drawn:
		return err
	case <-ctx.Done():
		return &InterruptedError{fmt.Sprintf("interrupted while the report was drawn: the data is in %s, and harelab report %s draws it", o.Dir, o.Dir)}
	}
}

// Vary runs a comparison and writes the runs. If all of them ended, it prints how the
// values compare and writes the comparison's page. The error is an [InvalidError] if
// the figures of a run must not be used, and an [IncompleteError] if a run left messages
// that it should have done.
func (o Output) Vary(ctx context.Context, v *Vary, w Watcher) error {
	varied, failed := v.Run(ctx, w)
	switch {
	case len(varied.Runs) == 0:
		return interruption(failed, nothingMeasured)
	case outlined(varied.Runs):
		return o.withoutFigures(varied.Runs)
	case failed == nil:
		if failed = races(ctx, v.Arms, varied.Runs, make(map[string]*stat.Race)); failed == nil {
			failed = ctx.Err()
		}
	}
	if err := o.draw(ctx, folder.New(varied.Runs, folder.NewManifest(o.Command))); err != nil {
		return errors.Join(failed, err)
	}
	if failed != nil {
		return interruption(failed, fmt.Sprintf("interrupted: no comparison; runs in %s: %d", o.Dir, len(varied.Runs)))
	}
	c, err := varied.Compare(v.metrics)
	if err != nil {
		return err
	}
	if err := o.Compare(c); err != nil {
		return err
	}
	for _, r := range varied.Runs {
		if !r.Summary.Valid() {
			return &InvalidError{fmt.Sprintf("the run of %s is invalid: %s", r.Summary.Arm, c.Why)}
		}
	}
	return incomplete(arms.Summaries(varied.Runs))
}

// Compare prints a comparison and writes its page, unless there is no results folder.
func (o Output) Compare(c *compare.Comparison) error {
	if err := compare.WriteText(o.Text, c); err != nil || o.Dir == "" {
		return err
	}
	return o.comparison(c.Sheet(o.Command))
}

// CompareBench prints a comparison of benchmark files and writes its page, unless there
// is no results folder. With all it prints the rows without a change too.
func (o Output) CompareBench(c *benchfile.Comparison, all bool) error {
	if err := benchfile.WriteText(o.Text, c, all); err != nil || o.Dir == "" {
		return err
	}
	return o.comparison(c.Sheet(o.Command))
}

// comparison writes the page of a comparison.
func (o Output) comparison(sheet page.Sheet) error {
	const name = "compare.html"
	var html bytes.Buffer
	if err := sheet.WriteHTML(&html); err != nil {
		return err
	}
	if err := folder.Replace(filepath.Join(o.Dir, name), html.Bytes()); err != nil {
		return err
	}
	return o.wrote(name)
}

// wrote prints where a page is.
func (o Output) wrote(page string) error {
	_, err := fmt.Fprintf(o.Text, "wrote %s\n", filepath.Join(o.Dir, page))
	return err
}
