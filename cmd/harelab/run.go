package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"

	"harelab/bench/lab"
	"harelab/cmd/harelab/internal/progress"
	"harelab/reports/folder"
	"harelab/scenarios"
)

func init() { commands = append(commands, newRun) }

// story is what runs without an argument: the talk's system before and after its
// fix, with the variants at the same load.
var story = []string{"celery-initial", "celery-optimized"}

// storyParallel is the number of the story's arms that run in parallel. Its workers
// sleep nearly all the time, so the arms do not disturb each other.
const storyParallel = 2

// runFlags are the flags of `run`.
type runFlags struct {
	targets  []string
	variants []string
	set      []string
	seed     uint64
	repeat   int
	parallel int
	matcher  string
	dispatch string
	order    string
	out      string
	all      bool
	quiet    bool
}

func newRun() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run [SCENARIO...]",
		Short: "run scenarios and write a report",
		Long: `Run scenarios by name (harelab list scenarios) or file, each with its variants,
and write a results folder with a report.

Without a scenario, run the talk's before/after pair with its same-load variants:
first in virtual time (the answer at once), then on the embedded broker on the real
clock (the proof, about 45 s). One report shows prediction beside measurement.

Targets: sim runs the broker's own code in virtual time; its figures are exact and the
same every time. embedded is the broker in this process, which the real AMQP client
reaches over in-memory connections. A URL is any AMQP 0-9-1 broker: harelab declares
the scenario's exchanges and queues there, refuses queues that hold messages, and
deletes afterwards what it declared. Several targets become arms of one comparison.

A run that should end with all its messages done (stop: {when: drained}) and leaves
some, at its timeout or where nobody takes them, says which are where, and its
expectations about them are not met. harelab then exits with 3 if an expectation is not
met, and else with 6, unless an expectation says how many are left (left == 40). A
scenario that stops when all is published may leave what it likes.

Ctrl-C ends the current run; harelab then writes what was measured, marks it partial
and exits with 130. A second Ctrl-C ends at once. SIGTERM and SIGHUP do the same.`,
		Example: `  harelab run
  harelab run celery-initial --target sim
  harelab run celery-optimized --variant base,same-load-fair --target sim
  harelab run prefetch-sweep --set prefetch=8 --set workers=4 --target sim
  harelab run celery-initial --target embedded --target amqp://guest:guest@127.0.0.1:5672/
  harelab run odd-heavy-even-light --dispatch fair --repeat 6
  harelab run ./mine.yaml --out runs/mine`,
		RunE: func(cmd *cobra.Command, args []string) error {
			request, err := f.request(cmd, args)
			if err != nil {
				return err
			}
			return runArms(cmd, request, f.parallel, f.out, f.quiet)
		},
	}
	fl := cmd.Flags()
	fl.StringArrayVar(&f.targets, "target", nil, "sim, embedded or amqp://user:password@host:port/vhost; repeatable (default embedded)")
	fl.StringSliceVar(&f.variants, "variant", nil, "only these variants; base is the scenario itself (default all)")
	fl.StringArrayVar(&f.set, "set", nil, "set a param of the scenario, for example --set queries=40; repeatable")
	fl.Uint64Var(&f.seed, "seed", 0, "seed of all random choices (default the scenario's)")
	fl.IntVar(&f.repeat, "repeat", 1, "run each arm `N` times, with consecutive seeds; 0: the scenario's own number")
	fl.IntVar(&f.parallel, "parallel", 1, "run `N` arms in parallel, each on its own embedded broker; above 1 only for scenarios whose workers mostly sleep, like the story's")
	fl.StringVar(&f.matcher, "matcher", "", "topic matching strategy (default the scenario's, else nfa)")
	fl.StringVar(&f.dispatch, "dispatch", "", "dispatch strategy (default the scenario's, else rr)")
	fl.StringVar(&f.order, "order", "", "message order (default the scenario's, else fifo)")
	fl.StringVar(&f.out, "out", "", "results folder (default runs/TIME)")
	fl.BoolVar(&f.all, "all", false, "run every scenario that ships with harelab: seconds on sim, hours on a real clock")
	fl.BoolVarP(&f.quiet, "quiet", "q", false, "no progress")
	return cmd
}

// request makes the request that the command line asks for.
func (f *runFlags) request(cmd *cobra.Command, args []string) (lab.Request, error) {
	q := lab.Request{Scenarios: args, Variants: f.variants, Repeat: f.repeat,
		Matcher: f.matcher, Dispatch: f.dispatch, Order: f.order}
	targets := f.targets
	switch {
	case f.all && len(args) > 0:
		return q, usage("give scenario names or --all, not both")
	case f.all:
		q.Scenarios = scenarios.Names()
	case len(args) == 0:
		q.Scenarios = story
		if !cmd.Flags().Changed("parallel") {
			f.parallel = storyParallel
		}
		if len(targets) == 0 {
			targets = []string{string(lab.Sim), string(lab.Embedded)}
		}
	}
	if len(targets) == 0 {
		targets = []string{string(lab.Embedded)}
	}
	for _, s := range targets {
		t, err := lab.ParseTarget(s)
		if err != nil {
			return q, err
		}
		q.Targets = append(q.Targets, t)
	}
	if f.parallel < 1 {
		return q, usage("--parallel %d: give 1 or more", f.parallel)
	}
	if f.repeat < 0 {
		return q, usage("--repeat %d: give 1 or more, or 0 for the scenario's own number", f.repeat)
	}
	if cmd.Flags().Changed("seed") {
		q.Seed = &f.seed
	}
	set, err := assignments(f.set)
	q.Set = set
	return q, err
}

// assignments parses the values of --set.
func assignments(set []string) (map[string]string, error) {
	out := make(map[string]string, len(set))
	for _, s := range set {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return nil, usage("--set %q: give NAME=VALUE", s)
		}
		if before, ok := out[name]; ok {
			return nil, usage("--set %s is given twice, as %s and as %s", name, before, value)
		}
		out[name] = value
	}
	return out, nil
}

// runArms runs a request, writes the results folder and judges the runs.
func runArms(cmd *cobra.Command, q lab.Request, parallel int, out string, quiet bool) error {
	asked, err := lab.Expand(q)
	if err != nil {
		return err
	}
	f, err := measure(cmd, asked, parallel, out, quiet)
	if err != nil {
		return err
	}
	return lab.Verdict(f.Summaries())
}

// measure runs arms into a results folder.
func measure(cmd *cobra.Command, asked []lab.Arm, parallel int, dir string, quiet bool) (*folder.Folder, error) {
	dir, err := newFolder(dir)
	if err != nil {
		return nil, err
	}
	defer dropFolder(dir)
	ctx, stop := interruptible()
	defer stop()
	return output(cmd, dir).Measure(ctx, asked, parallel, progress.New(os.Stderr, interactive(os.Stderr), quiet))
}

// output returns an output of the command's experiments.
func output(cmd *cobra.Command, dir string) lab.Output {
	return lab.Output{Dir: dir, Command: commandLine(), Text: cmd.OutOrStdout()}
}
