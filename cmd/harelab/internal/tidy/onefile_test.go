package tidy

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"harelab/engine/dispatch"
	"harelab/engine/topic"
)

// A strategy is one file: adding one changes no other file, since other code asks the
// registry, and Needs describes what a strategy needs. So a strategy's name is in its own
// file and otherwise only in tests, in scenarios, and in this list.
var namedElsewhere = []named{
	{"engine/dispatch/dispatchtest/selectors.go", "rr rr-eager fair jsq lwl random po2 jiq adaptive", "the suite's models, by what they model"},
	{"engine/dispatch/dispatchtest/orders.go", "fifo priority sjf aging drr", "the suite's models, by what they model"},
	{"loadgen/selftest/answers.go", "rr fifo", "the words of a file of known answers"},
	{"loadgen/selftest/check.go", "rr rr-eager jsq lwl po2 random fifo priority aging sjf drr", "the words of a file of known answers"},
	{"loadgen/selftest/model.go", "po2 random fifo priority aging sjf drr", "known answers to queue arguments"},
	{"loadgen/selftest/theories.go", "random priority sjf po2", "each theory is about one strategy"},
	{"reports/internal/specimen/arms.go", "nfa rr fifo", "made-up results, to draw"},
	{"bench/matchlab/sweep.go", "cached", "the cache in front of the default, which is always drawn"},
	{"bench/peers/main.go", "trie", "the yardstick, drawn beside the others"},
	{"bench/peers/bars.go", "trie", "the yardstick of a ratio"},

	// These are the same words with another meaning.
	{"engine/queue/fields.go", "priority", "a field of a recording"},
	{"engine/queue/config.go", "aging", "a field of a recording"},
	{"engine/settings/arguments.go", "random", "a value of x-queue-leader-locator"},
	{"engine/settings/definition.go", "random", "a value of queue-leader-locator"},
	{"engine/definitions/parse.go", "priority", "a key of a policy"},
	{"scenarios/class.go", "priority", "a key of a scenario"},
	{"scenarios/worker.go", "priority", "a key of a scenario"},
	{"scenarios/print.go", "priority", "a key of a scenario"},
	{"scenarios/print_load.go", "priority", "a key of a scenario"},
	{"scenarios/file.go", "random", "the order in which lines of a file are used"},
}

type named struct{ file, names, why string }

// A home is a package of strategies, with their names and its constants for names.
type home struct {
	dir       string
	names     []string
	constants []string // in the form that other packages use
}

func homes() []home {
	d := home{dir: "engine/dispatch", constants: []string{"dispatch.DefaultSelector", "dispatch.DefaultOrder", "dispatch.PriorityOrder"}}
	for _, s := range dispatch.Selectors() {
		d.names = append(d.names, s.Name)
	}
	for _, o := range dispatch.Orders() {
		d.names = append(d.names, o.Name)
	}
	t := home{dir: "engine/topic", constants: []string{"topic.Default"}}
	for _, s := range topic.Strategies() {
		t.names = append(t.names, s.Name)
	}
	for _, w := range topic.Wrappers() {
		t.names = append(t.names, w.Name)
	}
	return []home{d, t}
}

func TestAStrategyIsOneFile(t *testing.T) {
	for _, problem := range strategyNames(sources(t), homes()) {
		t.Error(problem)
	}
}

// strategyNames returns a problem for each use of a name that breaks the rule.
func strategyNames(all []source, homes []home) (problems []string) {
	where := map[string][]string{} // home and name: files
	used := map[string]bool{}      // file and name
	for _, s := range all {
		if strings.HasSuffix(s.path, "_test.go") {
			continue
		}
		said := map[string]bool{}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
					for _, name := range parts(text) {
						said[name] = true
					}
				}
			case *ast.BinaryExpr:
				if n.Op == token.EQL || n.Op == token.NEQ {
					problems = append(problems, decides(s, homes, n.X, n.Y)...)
				}
			case *ast.CaseClause:
				problems = append(problems, decides(s, homes, n.List...)...)
			}
			return true
		})
		for _, h := range homes {
			for _, name := range h.names {
				switch {
				case !said[name]:
				case path.Dir(s.path) == h.dir:
					where[h.dir+" "+name] = append(where[h.dir+" "+name], s.path)
				case listed(s.path, name):
					used[s.path+" "+name] = true
				default:
					problems = append(problems, fmt.Sprintf("%s names the strategy %q: ask its Needs, or the registry of %s", s.path, name, h.dir))
				}
			}
		}
	}
	for _, h := range homes {
		for _, name := range h.names {
			if files := where[h.dir+" "+name]; len(files) != 1 {
				problems = append(problems, fmt.Sprintf("the strategy %q is named in %v, want one file of %s", name, files, h.dir))
			}
		}
	}
	for _, e := range namedElsewhere {
		for name := range strings.FieldsSeq(e.names) {
			if !used[e.file+" "+name] {
				problems = append(problems, fmt.Sprintf("%s does not name %q any more: take it off the list", e.file, name))
			}
		}
	}
	return problems
}

// parts returns the names in a text that is a name, a combination like cached(nfa), or a
// list like rr,fair. Prose may contain any name.
func parts(text string) []string {
	if strings.ContainsAny(text, " \n\t") {
		return nil
	}
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("(),", r) })
}

func listed(file, name string) bool {
	for _, e := range namedElsewhere {
		if e.file == file && slices.Contains(strings.Fields(e.names), name) {
			return true
		}
	}
	return false
}

// decides returns a problem for each comparison with a constant for a strategy's name.
// Benchmarks may compare, since they mark the default in charts.
func decides(s source, homes []home, compared ...ast.Expr) (problems []string) {
	if within(s.path, "bench") {
		return nil
	}
	for _, e := range compared {
		sel, ok := e.(*ast.SelectorExpr)
		if !ok {
			continue
		}
		pkg, ok := sel.X.(*ast.Ident)
		if !ok {
			continue
		}
		for _, h := range homes {
			if name := pkg.Name + "." + sel.Sel.Name; slices.Contains(h.constants, name) {
				problems = append(problems, fmt.Sprintf("%s compares with %s: ask the strategy's Needs", s.path, name))
			}
		}
	}
	return problems
}

// TestStrategyRuleBites plants files that break the rule, and files that may name
// strategies.
func TestStrategyRuleBites(t *testing.T) {
	real := slices.DeleteFunc(sources(t), func(s source) bool {
		home := slices.ContainsFunc(homes(), func(h home) bool { return path.Dir(s.path) == h.dir })
		return !home && !slices.ContainsFunc(namedElsewhere, func(e named) bool { return e.file == s.path })
	})
	for _, c := range []struct{ file, code, want string }{
		{"engine/broker/planted.go", `var timed = map[string]bool{"lwl": true}`,
			`engine/broker/planted.go names the strategy "lwl": ask its Needs, or the registry of engine/dispatch`},
		{"loadgen/sim/planted.go", "func probed(name string) bool {\n\tswitch name {\n\tcase \"po2\", `jiq`:\n\t\treturn true\n\t}\n\treturn false\n}",
			`loadgen/sim/planted.go names the strategy "po2": ask its Needs, or the registry of engine/dispatch`},
		{"cmd/harelab/planted.go", `const matchers = "cached(tuple)"`,
			`cmd/harelab/planted.go names the strategy "tuple": ask its Needs, or the registry of engine/topic`},
		{"cmd/harelab/planted.go", `const vary = "dispatch,sjf"`,
			`cmd/harelab/planted.go names the strategy "sjf": ask its Needs, or the registry of engine/dispatch`},
		{"engine/settings/planted.go", "func f(n string) bool { return n != dispatch.DefaultOrder }",
			`engine/settings/planted.go compares with dispatch.DefaultOrder: ask the strategy's Needs`},
		{"engine/settings/planted.go", "func f(n string) bool {\n\tswitch n {\n\tcase topic.Default:\n\t\treturn true\n\t}\n\treturn false\n}",
			`engine/settings/planted.go compares with topic.Default: ask the strategy's Needs`},
		{"engine/topic/planted.go", `var slow = "trie"`,
			`the strategy "trie" is named in [engine/topic/planted.go engine/topic/trie.go], want one file of engine/topic`},
		{"engine/broker/planted_test.go", `var tested = "lwl"`, ""},
	} {
		f, err := parser.ParseFile(token.NewFileSet(), c.file, "package planted\n\n"+c.code+"\n", 0)
		if err != nil {
			t.Fatal(err)
		}
		planted := append([]source{{path: c.file, file: f}}, real...)
		got := strategyNames(planted, homes())
		switch {
		case c.want == "" && len(got) > 0, c.want != "" && !slices.Contains(got, c.want):
			t.Errorf("%s with\n%s\ngives %q, want %q", c.file, c.code, got, c.want)
		}
	}
}
