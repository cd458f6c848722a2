// Package matchlab compares topic-matching strategies: it measures them side by side on
// fixed workloads, and writes figures, tables, charts and a page that says which to
// choose when.
//
// It measures processor time, in interleaved repeats (see measure), and checks every
// figure: a wrong number of matches is an error, not a result.
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
	"harelab/reports/page"
)

// Options say what to compare and how thoroughly. The zero value compares
// everything.
type Options struct {
	Strategies []string      // names for [topic.Lookup]; empty: all, and the cached default
	Workloads  []string      // names for [workload.Lookup]; empty: all
	Repeat     int           // samples of each strategy on each workload; 0: 10
	Sample     time.Duration // length of a sample; 0: 50 ms
	Seed       uint64        // of the order of samples and of routing keys
	Quick      bool          // shorten the sweeps
	Out        string        // folder for the results; empty: none are written
	Others     []Contender   // measured beside the strategies
}

// Progress is the state of a running comparison.
type Progress struct {
	Part  string  // name of the workload that is being measured
	Share float64 // finished share of the whole, 0 to 1
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

// Validate returns an error if a strategy or workload is unknown or named twice, or if
// all of the strategies would take hours on a workload.
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
			return fmt.Errorf("workload %q would take hours with %s; add another strategy",
				name, strings.Join(o.Strategies, " and "))
		}
	}
	return nil
}

// command returns the command line that asks for the same.
func (o Options) command() string {
	var all Options
	all.setDefaults()
	args := []string{"harelab", "bench", "match"}
	if !slices.Equal(o.Strategies, all.Strategies) {
		args = append(args, "--strategy", strings.Join(o.Strategies, ","))
	}
	if !slices.Equal(o.Workloads, all.Workloads) {
		args = append(args, "--workload", strings.Join(o.Workloads, ","))
	}
	if o.Repeat != all.Repeat {
		args = append(args, "--repeat", fmt.Sprint(o.Repeat))
	}
	if o.Sample != all.Sample {
		args = append(args, "--sample", o.Sample.String())
	}
	if o.Seed != 1 {
		args = append(args, "--seed", fmt.Sprint(o.Seed))
	}
	if o.Quick {
		args = append(args, "--quick")
	}
	return page.Shell(args)
}

// readSample reads the length of a sample.
func (o *Options) readSample(s string) (err error) {
	if o.Sample, err = time.ParseDuration(s); err != nil || o.Sample <= 0 {
		return fmt.Errorf("sample %q is no length above 0, such as 50ms", s)
	}
	return nil
}

// able returns the contenders that finish a workload within hours.
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

	// Partial says what an interrupted run measured. It is empty for a whole run.
	Partial string
}

// Run measures the workloads, then the sweeps. If o.Out is not empty it writes bench.txt
// (all samples in Go benchmark format), match.json (what was asked), table.txt,
// plots/*.svg and *.png, and report.html to that folder. If ctx is cancelled, Run writes and returns the
// measurements so far, marked partial, with ctx's error; without measurements the
// results are nil. The error is ctx's only if everything was written.
func Run(ctx context.Context, o Options, progress func(Progress)) (*Results, error) {
	o.setDefaults()
	const first = 0.5 // the workloads' share of the progress
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
		r.Partial = fmt.Sprintf("Interrupted: %d of %d workloads and %d of %d sweeps were measured; the last ones may be incomplete.",
			len(r.Workloads()), len(o.Workloads), len(r.Sweeps), len(plans))
	}
	if o.Out != "" {
		if failed := r.Write(o.Out); failed != nil {
			return r, failed
		}
	}
	return r, err
}

// Host returns the number of processors, the system and the Go version.
func Host() string {
	return fmt.Sprintf("%d processors, %s/%s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// Compare measures every contender on every workload. With an error it returns the
// measurements so far.
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
