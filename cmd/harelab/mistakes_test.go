package main

import (
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mistakes are wrong calls, each with its exit code and the beginning of its error.
var mistakes = []struct {
	code       int
	call, want string
}{
	{2, "rnu", `unknown command "rnu": did you mean "run"? (have bench, `},
	{2, "bench mtach", `unknown command "mtach": did you mean "match"? (have match)`},
	{2, "run --targte sim", `unknown flag --targte: did you mean "--target"?`},
	{2, "run -k", `unknown flag -k`},
	{2, "run --seed -4", `--seed "-4": give a whole number, 0 or above`},
	{2, "run --seed", `flag needs an argument: --seed`},
	{2, "run no-such --target sim", `unknown scenario "no-such"`},
	{2, "run celery-inital --target sim", `unknown scenario "celery-inital": did you mean "celery-initial"? (have `},
	{2, "run missing.yaml --target sim", `open missing.yaml: no such file or directory`},
	{2, "run broken.yaml --target sim", `broken.yaml:1: scenario: unknown field "shcema": did you mean "schema"?`},
	{2, "run argument.yaml --target sim", `argument: queue "q": dispatch: unknown strategy "fiar" (have `},
	{2, "run celery-initial --target embeded", `unknown target "embeded": did you mean "embedded"? (have sim, embedded, amqp://`},
	{2, "run celery-initial --target amqp://u:p@h:port/", `target "amqp://h:port/": `},
	{1, "run celery-initial --target amqp://guest:guest@127.0.0.1:1/ --quiet", `celery-initial on amqp://127.0.0.1:1/: no broker answers at 127.0.0.1:1: connection refused`},
	{2, "run celery-initial celery-initial --target sim", `scenario "celery-initial" is named twice`},
	{2, "run celery-optimized --variant same-laod --target sim", `unknown variant "same-laod": did you mean "same-load"? (have base, `},
	{2, "run celery-optimized --set querys=1 --target sim", `celery-optimized.yaml: no param "querys": did you mean "queries"?`},
	{2, "run celery-optimized --set queries --target sim", `--set "queries": give NAME=VALUE`},
	{2, "run celery-initial --matcher tire --target sim", `matcher: unknown strategy "tire" (have `},
	{2, "run celery-initial --matcher cahced(nfa) --target sim", `matcher: unknown wrapper "cahced" (have cached, locked, rcu); did you mean "cached"?`},
	{2, "run celery-initial --dispatch fairr --target sim", `dispatch: unknown strategy "fairr" (have `},
	{2, "run celery-initial --order fio --target sim", `order: unknown order "fio" (have aging, drr, fifo, priority, sjf); did you mean "fifo"?`},
	{2, "run --all celery-initial", `give scenario names or --all, not both`},
	{2, "run --parallel 0", `--parallel 0: give 1 or more`},
	{2, "sweep", `harelab sweep needs a SCENARIO, as in: harelab sweep prefetch-sweep --axis prefetch=1,2,4 --target sim`},
	{2, "sweep a b", `unexpected argument "b": harelab sweep takes one SCENARIO`},
	{2, "sweep prefetch-sweep --axis prefech=1,2", `unknown axis "prefech": did you mean "prefetch"? (have `},
	{2, "sweep prefetch-sweep --axis prefetch", `axis "prefetch": give NAME=V1,V2,...`},
	{2, "sweep prefetch-sweep --axis dispatch=rr,fiar", `cell dispatch=fiar: dispatch: unknown strategy "fiar" (have `},
	{2, "sweep prefetch-sweep --goal wait.p99{class=jobb}", `metric "wait.p99{class=jobb}": there is no class "jobb": did you mean "job"? (have job)`},
	{2, "sweep prefetch-sweep --resume", `--resume needs --out`},
	{2, "compare", `BASE and NEW are missing: `},
	{2, "compare a", `BASE and NEW are missing: `},
	{1, "compare none.txt none-2.txt", `stat none.txt: no such file or directory`},
	{1, "compare empty.txt empty.txt", `empty.txt has no benchmark lines`},
	{1, "compare folder folder", `folder is not a results folder: it has no summary.json`},
	{2, "compare --vary dispatch=rr celery-initial", `--vary dispatch: give two values or more`},
	{2, "compare --vary dispatch=rr,fair", `--vary needs one scenario (0 given), as in: `},
	{2, "gate", `--against is missing`},
	{2, "gate folder --against folder --fail wiat.p99", `rule "wiat.p99": unknown metric "wiat.p99": did you mean "wait"? (have `},
	{1, "gate folder --against folder --fail wait.p99,+5%", `folder is not a results folder: it has no summary.json`},
	{2, "sweep prefetch-sweep --goal wiat.p99", `unknown metric "wiat.p99": did you mean "wait"? (have `},
	{2, "sweep prefetch-sweep --goal wait.p99{calss=job}", `metric "wait.p99": unknown label "calss": did you mean "class"? (have `},
	{2, "compare empty.txt empty.txt --metric wiat.p99", `--metric: unknown metric "wiat.p99": did you mean "wait"? (have `},
	{2, "gate folder --against folder --fail wiat.p99,+5%", `rule "wiat.p99 +5%": unknown metric "wiat.p99": did you mean "wait"? (have `},
	{2, "gate a b --against c", `unexpected argument "b": harelab gate takes one NEW`},
	{2, "report", `harelab report needs a DIR, as in: harelab report runs/`},
	{1, "report folder", `folder is not a results folder: it has no manifest.json`},
	{2, "rerun", `harelab rerun needs a DIR, as in: harelab rerun runs/`},
	{1, "rerun folder", `folder is not a results folder: it has no manifest.json`},
	{2, "list colours", `unknown kind "colours" (have scenarios, `},
	{2, "list scenario", `unknown kind "scenario": did you mean "scenarios"? (have `},
	{2, "doctor me", `unexpected argument "me": harelab doctor takes flags only`},
	{2, "perf --type topix", `--type "topix": did you mean "topic"? (have direct, `},
	{2, "perf --flag persistant", `--flag "persistant": did you mean "persistent"? (have persistent)`},
	{2, "perf --consumers 0", `--consumers 0: give 1 to 10000`},
	{2, "serve --dispatch fairr", `dispatch: unknown strategy "fairr" (have `},
	{2, "serve --amqp nowhere", `--amqp "nowhere": `},
	{2, "serve --memory-limit much", `--memory-limit "much" is no amount (want for example 512MiB, 2GB or 60%)`},
	{2, "serve --disk-free-limit 0%", `--disk-free-limit "0%" is no percentage (want more than 0% and at most 100%)`},
	{1, "selftest --answers none.json", `open none.json: no such file or directory`},
	{1, "selftest --answers broken.yaml", `broken.yaml: `},
	{2, "bench match --strategy tire", `matcher: unknown strategy "tire" (have `},
	{2, "bench match --workload celry", `unknown workload "celry": did you mean "celery"? (have `},
}

// userWords are names of packages that are also flags, axes and fields of scenarios.
var userWords = []string{"dispatch"}

const misspeltArgument = `schema: harelab/v1
name: argument
topology: {queues: [{name: q, arguments: {x-dispatch: fiar}}]}
classes: [{name: job, publish: {exchange: "", key: q}, service: 10ms}]
load: [{sequence: s, phases: [{class: job, model: burst, count: 4}]}]
workers: [{name: w, threads: 1, consume: [{queue: q}], prefetch: {count: 1}, ack: on-done}]
`

// TestMistakes checks that errors begin with the thing that is wrong, say what would have
// been right, and name no Go package.
func TestMistakes(t *testing.T) {
	prefix := regexp.MustCompile(`(^|: )(` + strings.Join(packages(t), "|") + `): `)
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{"argument.yaml": misspeltArgument, "broken.yaml": "shcema: harelab/v1\n", "empty.txt": ""} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("folder", 0o777); err != nil {
		t.Fatal(err)
	}
	for _, m := range mistakes {
		root := newRoot()
		root.SetOut(io.Discard)
		args := strings.Fields(m.call)
		for i, a := range args { // a comma stands for the space in a rule
			if strings.HasPrefix(a, "wiat.p99,") || strings.HasPrefix(a, "wait.p99,") {
				args[i] = strings.ReplaceAll(a, ",", " ")
			}
		}
		root.SetArgs(args)
		err := root.Execute()
		if err == nil {
			t.Errorf("harelab %s: no complaint", m.call)
			continue
		}
		if got := err.Error(); !strings.HasPrefix(got, m.want) {
			t.Errorf("harelab %s: %s\nwant %s", m.call, got, m.want)
		} else if at := prefix.FindString(got); at != "" {
			t.Errorf("harelab %s: %s\nnames a Go package, %q", m.call, got, at)
		}
		if got := codeOf(err); got != m.code {
			t.Errorf("harelab %s: exit code %d, want %d", m.call, got, m.code)
		}
	}
}

// packages returns the names of the project's packages, which are those of their folders.
func packages(t *testing.T) []string {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir("../..", func(p string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(p, ".go") {
			names[path.Base(path.Dir(filepath.ToSlash(p)))] = true
		}
		return err
	})
	if err != nil || len(names) < 20 {
		t.Fatalf("%d packages, %v", len(names), err)
	}
	var out []string
	for name := range names {
		if slices.Contains(userWords, name) {
			continue
		}
		out = append(out, regexp.QuoteMeta(name))
	}
	return out
}
