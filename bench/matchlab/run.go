// Package matchlab compares topic-matching strategies: it measures them on fixed
// workloads side by side, and writes figures, tables, charts and a page that
// says which to choose when.
//
// What is measured is processor time, in repeats that take turns (see measure),
// and every figure is checked: a stretch of keys with a wrong number of matches
// is an error, not a number.
package matchlab

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"harelab/bench/workload"
	"harelab/engine/topic"
)

// Options say what to compare and how thoroughly. The zero value compares
// everything.
type Options struct {
	Strategies []string      // names as for [topic.Lookup]; all, and the default cached, if empty
	Workloads  []string      // names as for [workload.Lookup]; all if empty
	Repeat     int           // samples of each; 10 if zero
	Sample     time.Duration // length of a sample; 50 ms if zero
	Seed       uint64        // of the order of turns
	Quick      bool          // leave the far ends of the sweeps out
	Out        string        // folder for the results; none are written if empty
	Others     []Contender   // to measure beside the strategies
}

// Progress is where a run is.
type Progress struct {
	Part  string  // what is measured now
	Share float64 // of the whole that is done, 0 to 1
}

func (o *Options) setDefaults() {
	if len(o.Strategies) == 0 {
		for _, s := range topic.Strategies() {
			o.Strategies = append(o.Strategies, s.Name)
		}
		o.Strategies = append(o.Strategies, CachedDefault)
	}
	if len(o.Workloads) == 0 {
		for _, s := range workload.Specs() {
			o.Workloads = append(o.Workloads, s.Name)
		}
	}
	if o.Repeat == 0 {
		o.Repeat = 10
	}
	if o.Sample == 0 {
		o.Sample = 50 * time.Millisecond
	}
}

// Validate returns an error if there is no such strategy or workload, one is named
// twice, or a workload would take all of the strategies hours.
func (o *Options) Validate() error {
	all := *o
	all.setDefaults()
	contenders, err := all.contenders()
	if err != nil {
		return err
	}
	for _, names := range [][]string{o.Strategies, o.Workloads} {
		for i, name := range names {
			if slices.Contains(names[:i], name) {
				return fmt.Errorf("%q is named twice", name)
			}
		}
	}
	for _, name := range all.Workloads {
		spec, err := workload.Lookup(name)
		if err != nil {
			return err
		}
		if len(able(contenders, spec)) == 0 {
			return fmt.Errorf("workload %q would take %s hours; name another strategy, too",
				name, strings.Join(o.Strategies, " and "))
		}
	}
	return nil
}

// able returns the contenders that a workload does not take hours.
func able(contenders []Contender, spec workload.Spec) (able []Contender) {
	for _, c := range contenders {
		if !c.Combinatorial || !spec.NoBacktracking {
			able = append(able, c)
		}
	}
	return able
}

// Results are what a run measured.
type Results struct {
	Options Options
	Host    string // processor, system and Go version
	Matches []Measurement
	Sweeps  []Sweep

	// Partial says what was measured of a run that was interrupted; it is empty
	// for one that came to its end.
	Partial string
}

// Run measures everything: the workloads, then the sweeps. If o.Out is not empty
// it writes there bench.txt (all samples in Go benchmark format), table.txt,
// plots/*.svg and *.png, and report.html. If ctx ends before that, what there is of
// measurements is returned and written, marked partial, and the error is ctx's; if
// there is none, the results are nil. An error is ctx's only if all was written.
func Run(ctx context.Context, o Options, progress func(Progress)) (*Results, error) {
	o.setDefaults()
	const first = 0.5 // share of the workloads in the whole
	contenders, err := o.contenders()
	if err != nil {
		return nil, err
	}
	plans := planSweeps(&o, contenders)
	r := &Results{Options: o, Host: Host()}
	r.Matches, err = Compare(ctx, o, func(p Progress) { progress(Progress{p.Part, first * p.Share}) })
	if err == nil {
		r.Sweeps, err = runSweeps(ctx, &o, plans, func(part string, share float64) {
			progress(Progress{part, first + (1-first)*share})
		})
	}
	if err != nil && (ctx.Err() == nil || len(r.Matches) == 0) {
		return nil, err
	}
	if err != nil {
		r.Partial = fmt.Sprintf("Interrupted: %d of %d workloads and %d of %d sweeps were measured, the last ones perhaps in part.",
			len(r.Workloads()), len(o.Workloads), len(r.Sweeps), len(plans))
	}
	if o.Out != "" {
		if failed := r.Write(o.Out); failed != nil {
			return r, failed
		}
	}
	return r, err
}

// Host says what a run ran on: processors, system and Go version.
func Host() string {
	return fmt.Sprintf("%d processors, %s/%s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// Compare measures every contender on every workload. With an error it returns what
// was measured until then.
func Compare(ctx context.Context, o Options, progress func(Progress)) ([]Measurement, error) {
	o.setDefaults()
	contenders, err := o.contenders()
	if err != nil {
		return nil, err
	}
	var all []Measurement
	for i, name := range o.Workloads {
		spec, err := workload.Lookup(name)
		if err != nil {
			return nil, err
		}
		w := spec.Make()
		w.Name = spec.Name
		ms, err := measure(ctx, w, able(contenders, spec), &o, func(done, of int) {
			progress(Progress{name, (float64(i) + float64(done)/float64(of)) / float64(len(o.Workloads))})
		})
		all = append(all, ms...)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

func (o *Options) contenders() ([]Contender, error) {
	var all []Contender
	for _, name := range o.Strategies {
		c, err := Ours(name)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return append(all, o.Others...), nil
}
