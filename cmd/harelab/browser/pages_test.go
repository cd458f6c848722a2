//go:build browser

package browser

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var (
	shots = flag.String("shots", "", "write a picture of every look at every page to this folder")
	also  = flag.String("pages", "", "look at these pages, separated by commas, instead of the test's own")
)

// story is a scenario with two variants, which is overloaded in one phase.
const story = `schema: harelab/v1
name: story
params: {prefetch: 32, slowkey: celery, slowworkers: 0}
topology: {queues: [{name: celery}, {name: slow}]}
classes:
  - {name: reports.tasks.quick, publish: {exchange: "", key: celery}, service: 80ms}
  - {name: reports.tasks.generate_everything, publish: {exchange: "", key: =slowkey}, service: 30s}
load:
  - sequence: app
    phases:
      - {mix: {weights: {reports.tasks.quick: 95, reports.tasks.generate_everything: 5}}, model: open, arrival: poisson, rate: 5/s, duration: 120s}
      - {mix: {weights: {reports.tasks.quick: 95, reports.tasks.generate_everything: 5}}, model: open, arrival: poisson, rate: 40/s, duration: 30s}
workers:
  - {name: worker, count: 3, threads: 8, consume: [{queue: celery}], prefetch: =prefetch, ack: on-start}
  - {name: slowworker, count: =slowworkers, threads: 8, consume: [{queue: slow}], prefetch: =prefetch, ack: on-start}
stop: {when: drained, timeout: 900s}
variants: {split: {title: task_routes send slow tasks to a queue of their own, set: {slowkey: slow, slowworkers: 2}}}
expect: {that: ["wait.p99{class=reports.tasks.quick} < 1s"]}
`

// empty is a scenario that publishes nothing.
const empty = `schema: harelab/v1
name: empty
topology: {queues: [{name: w}]}
classes: [{name: job, publish: {exchange: "", key: w}, service: 80ms}]
load: [{sequence: app, phases: [{class: job, model: open, arrival: poisson, rate: 0.01/s, duration: 2s}]}]
workers: [{name: worker, count: 1, threads: 1, consume: [{queue: w}], prefetch: 1, ack: on-done}]
`

// calls are what makes a page of each kind, in this order. A call may make several.
var calls = []struct{ args, pages string }{
	{"run celery-initial --out single", "single/report.html"},
	{"run celery-optimized --out variants", "variants/report.html"},
	{"run story.yaml --out overloaded", "overloaded/report.html"},
	{"run empty.yaml --out empty", "empty/report.html"},
	{"run forgotten-ack --out fault", "fault/report.html"},
	{"run worker-crash --out crash", "crash/report.html"},
	{"run priority-queue priority-starves --out several", "several/report.html"},
	{"perf -x 1 -y 1 -z 2 --rate 500 --out perf", "perf/report.html"},
	{"compare --vary order=fifo,drr noisy-neighbour --out vary", "vary/report.html vary/compare.html"},
	{"run story.yaml --variant base --set prefetch=1 --out one", ""},
	{"run story.yaml --variant base --out other", ""},
	{"run story.yaml --variant base --seed 2 --out again", ""},
	{"compare one other --out folders", "folders/compare.html"},
	{"compare again/bench.txt other/bench.txt --out benchfiles", "benchfiles/compare.html"},
	{"sweep story.yaml --variant split --axis prefetch=1,8,32,0 --axis slowworkers=1,2,3,4,6 --out grid", "grid/report.html"},
	{"sweep story.yaml --axis prefetch=1,8,32,0 --out line", "line/report.html"},
	{"bench match --quick --repeat 6 --sample 1ms --workload rabbit2011,celery --strategy nfa,trie,dfa --out match", "match/report.html"},
}

// virtual are the commands that take --target.
var virtual = map[string]bool{"run": true, "perf": true}

// makePages makes the pages in a new folder and returns their paths.
func makePages(t *testing.T) (pages []string) {
	t.Helper()
	if *also != "" {
		for _, p := range strings.Split(*also, ",") {
			p, err := filepath.Abs(p)
			if err != nil {
				t.Fatal(err)
			}
			pages = append(pages, p)
		}
		return pages
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"story.yaml": story, "empty.yaml": empty} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range calls {
		args := strings.Fields(c.args)
		if virtual[args[0]] || strings.Contains(c.args, "--vary") {
			args = append(args, "--target", "sim")
		}
		cmd := exec.Command(harelab, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		// 3: an expectation failed, as it does in some of these runs.
		if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 3) {
			t.Fatalf("harelab %s: %v\n%s", c.args, err, out)
		}
		for _, page := range strings.Fields(c.pages) {
			pages = append(pages, filepath.Join(dir, page))
		}
	}
	return pages
}

// TestPages looks at a page of each kind in every way.
func TestPages(t *testing.T) {
	pages := makePages(t)
	for fonts := range fontFolders {
		t.Run(fonts, func(t *testing.T) {
			tab := newTab(t, fonts)
			for _, page := range pages {
				name := filepath.Base(filepath.Dir(page)) + "-" + strings.TrimSuffix(filepath.Base(page), ".html")
				tab.open(t, "file://"+page)
				if *shots != "" {
					for _, l := range looks {
						tab.turn(t, l)
						tab.shoot(t, filepath.Join(*shots, strings.Join([]string{name, l.String(), fonts}, "-")+".png"))
					}
				}
				for _, l := range looks {
					tab.turn(t, l)
					for _, f := range tab.faults(t) {
						t.Errorf("%s at %v: %s", name, l, f)
					}
				}
			}
		})
	}
}
