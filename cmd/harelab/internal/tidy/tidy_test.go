package tidy

import (
	"bufio"
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
)

const root = "../../../.."

// mayImport is the import table: a prefix of packages, longer prefixes first, and the
// prefixes that these packages may import besides their own sub-packages.
var mayImport = []struct {
	pkg   string
	rule  string
	allow []string
}{
	{"engine/bom", "bom imports nothing of ours", nil},
	{"engine/nearest", "nearest imports nothing of ours", nil},
	{"engine/internal", "engine/internal is at the bottom", nil},
	{"engine/limits", "limits imports nothing of ours", nil},
	{"engine/wire", "wire imports nothing of ours", nil},
	{"engine/topic", "topic imports nothing of ours", []string{"engine/internal"}},
	{"engine/dispatch/dispatchtest", "the suite drives a queue with each strategy", []string{"engine/dispatch", "engine/queue"}},
	{"engine/dispatch", "dispatch imports nothing of ours", []string{"engine/internal"}},
	{"engine/queue", "queue -> dispatch", []string{"engine/dispatch"}},
	{"engine/exchange", "exchange -> topic, wire", []string{"engine/topic", "engine/wire", "engine/internal"}},
	{"engine/message", "message -> wire", []string{"engine/wire", "engine/internal"}},
	{"engine/settings", "settings -> queue, dispatch, topic, wire", []string{"engine/queue", "engine/dispatch", "engine/topic", "engine/wire"}},
	{"engine/store", "store imports nothing of ours", nil},
	{"engine/auth", "auth imports nothing of ours", nil},
	{"engine/certs", "certs imports nothing of ours", nil},
	{"engine/broker", "broker -> exchange, queue, message, settings, store, auth", []string{"engine/exchange", "engine/queue", "engine/message",
		"engine/settings", "engine/dispatch", "engine/topic", "engine/store", "engine/auth", "engine/wire", "engine/internal"}},
	{"engine/definitions", "definitions -> broker, auth", []string{"engine/broker", "engine/settings", "engine/auth", "engine/wire"}},
	{"engine/server", "server -> broker, certs", []string{"engine/broker", "engine/message", "engine/wire", "engine/auth", "engine/certs", "engine/internal"}},
	{"engine/management", "management -> broker", []string{"engine/broker", "engine/message", "engine/settings", "engine/wire", "engine/auth"}},
	{"engine", "engine -> all of engine", []string{"engine"}},
	{"scenarios/metric", "metric imports nothing of ours", nil},
	{"scenarios", "scenarios -> its metric", nil},
	{"loadgen/run", "loadgen/run -> scenarios/metric", []string{"scenarios/metric"}},
	{"loadgen/sim", "only loadgen/sim sees the engine", []string{"loadgen", "scenarios", "engine"}},
	{"loadgen/selftest", "selftest -> loadgen/sim", []string{"loadgen", "scenarios", "engine/dispatch/rng"}},
	{"loadgen/amqp", "loadgen/amqp -> loadgen, scenarios", []string{"loadgen/run", "loadgen", "scenarios"}},
	{"loadgen", "loadgen -> scenarios", []string{"loadgen/run", "scenarios"}},
	{"reports", "reports -> the run's data types, scenarios/metric", []string{"loadgen/run", "scenarios/metric"}},
	{"bench", "bench -> anything", []string{""}},
	{"cmd", "cmd -> anything", []string{""}},
}

// common are the packages that every package may import, so that all names that users
// type are corrected, and all texts that users give are read, by the same rule.
var common = []string{"engine/bom", "engine/nearest"}

// simOnly is the package that only the self-test of loadgen may import: code that runs
// against any broker must not depend on ours.
const simOnly = "loadgen/sim"

// mayTest lists the imports that tests may have beyond their package's rule: a client is
// tested against the real broker, a strategy in a real queue, a failing disk below a broker.
var mayTest = map[string][]string{
	"loadgen/amqp":       {"engine", "loadgen/sim"},
	"loadgen/selftest":   {"engine"},
	"engine/dispatch":    {"engine/queue"},
	"engine/queue":       {"engine/internal"},
	"engine/wire":        {"engine/internal"},
	"engine/server":      {"engine/store"},
	"engine/store":       {"engine"},
	"engine/definitions": {"engine/store"},
}

const (
	fileLinesMax     = 500
	testFileLinesMax = 600
)

// topLevel lists all entries that the top folder may have.
var topLevel = []string{"engine", "bench", "scenarios", "loadgen", "reports", "cmd", "go.mod", "go.sum", "Makefile", "README.md"}

// A source is one parsed Go file of the project.
type source struct {
	path string // relative to the root, with slashes
	text []byte
	file *ast.File
}

// sources parses every Go file. It reads them in this process, so that the test cache
// notices changes.
func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, p)
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "runs") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") {
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(fset, rel, text, parser.ParseComments)
		if err != nil {
			return err
		}
		out = append(out, source{rel, text, f})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 20 {
		t.Fatalf("found %d Go files below %s: the test looks in the wrong place", len(out), root)
	}
	return out
}

func within(pkg, prefix string) bool {
	return prefix == "" || pkg == prefix || strings.HasPrefix(pkg, prefix+"/")
}

// verdict returns the rule that the import breaks, or "".
func verdict(from, to string, test bool) string {
	if slices.Contains(common, to) {
		return ""
	}
	for _, r := range mayImport {
		if !within(from, r.pkg) {
			continue
		}
		allow := append(slices.Clone(r.allow), r.pkg)
		if test {
			allow = append(allow, mayTest[r.pkg]...)
		}
		outside := !slices.ContainsFunc(allow, func(a string) bool { return within(to, a) })
		hidden := !test && within(to, simOnly) && (r.pkg == "loadgen" || r.pkg == "loadgen/amqp")
		if outside || hidden {
			return r.rule
		}
		return ""
	}
	return "every package has a row in the import table"
}

func TestImportsPointDown(t *testing.T) {
	for _, s := range sources(t) {
		from := path.Dir(s.path)
		if strings.HasPrefix(from, "bench/peers") {
			continue // another module
		}
		for _, spec := range s.file.Imports {
			to, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			to, ours := strings.CutPrefix(to, "harelab/")
			if !ours {
				continue
			}
			if rule := verdict(from, to, strings.HasSuffix(s.path, "_test.go")); rule != "" {
				t.Errorf("%s imports harelab/%s: %s", s.path, to, rule)
			}
		}
	}
}

// TestImportRulesBite plants wrong imports, since a table that allows everything would
// pass the real tree too.
func TestImportRulesBite(t *testing.T) {
	for _, c := range []struct{ from, to, rule string }{
		{"engine/wire", "engine/broker", "wire imports nothing of ours"},
		{"engine/queue", "engine/broker", "queue -> dispatch"},
		{"engine/broker", "engine/server", "broker -> exchange, queue, message, settings, store, auth"},
		{"engine/message", "engine/store", "message -> wire"},
		{"engine/settings", "engine/broker", "settings -> queue, dispatch, topic, wire"},
		{"engine/queue", "engine/settings", "queue -> dispatch"},
		{"loadgen/amqp", "engine/broker", "loadgen/amqp -> loadgen, scenarios"},
		{"loadgen/amqp", "loadgen/sim", "loadgen/amqp -> loadgen, scenarios"},
		{"loadgen", "loadgen/sim", "loadgen -> scenarios"},
		{"reports/page", "loadgen/amqp", "reports -> the run's data types, scenarios/metric"},
		{"reports/stat", "scenarios", "reports -> the run's data types, scenarios/metric"},
		{"loadgen/run", "scenarios", "loadgen/run -> scenarios/metric"},
		{"scenarios/metric", "scenarios", "metric imports nothing of ours"},
		{"scenarios", "loadgen/run", "scenarios -> its metric"},
		{"engine/nearest", "engine/wire", "nearest imports nothing of ours"},
		{"engine/internal/registry", "engine/wire", "engine/internal is at the bottom"},
		{"stray", "engine", "every package has a row in the import table"},
		{"scenarios", "engine/nearest", ""},
		{"engine/internal/registry", "engine/nearest", ""},
		{"engine", "engine/server", ""},
		{"cmd/harelab", "engine", ""},
		{"reports/page", "loadgen/run", ""},
		{"scenarios", "scenarios/metric", ""},
		{"loadgen/sim", "engine/broker", ""},
	} {
		if got := verdict(c.from, c.to, false); got != c.rule {
			t.Errorf("%s -> %s: rule %q, want %q", c.from, c.to, got, c.rule)
		}
	}
}

func generated(s source) bool { return ast.IsGenerated(s.file) }

func TestFilesStayShort(t *testing.T) {
	for _, s := range sources(t) {
		if generated(s) {
			continue
		}
		limit := fileLinesMax
		if strings.HasSuffix(s.path, "_test.go") {
			limit = testFileLinesMax
		}
		if n := bytes.Count(s.text, []byte("\n")); n > limit {
			t.Errorf("%s has %d lines, over %d: split it by subject", s.path, n, limit)
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	said := map[string]bool{}
	for _, s := range sources(t) {
		if strings.HasSuffix(s.path, "_test.go") {
			continue
		}
		dir := path.Dir(s.path)
		said[dir] = said[dir] || s.file.Doc != nil && len(s.file.Doc.Text()) > 40
	}
	dirs := make([]string, 0, len(said))
	for d := range said {
		dirs = append(dirs, d)
	}
	sort.Strings(dirs)
	for _, d := range dirs {
		if !said[d] {
			t.Errorf("package %s has no package comment", d)
		}
	}
}

// banned are words that postpone work.
var banned = []string{"TO" + "DO", "FIX" + "ME", "XX" + "X:"}

func TestNothingIsLeftForLater(t *testing.T) {
	for _, s := range sources(t) {
		sc := bufio.NewScanner(bytes.NewReader(s.text))
		sc.Buffer(nil, 1<<20)
		for n := 1; sc.Scan(); n++ {
			for _, w := range banned {
				if strings.Contains(sc.Text(), w) {
					t.Errorf("%s:%d: says %s", s.path, n, w)
				}
			}
		}
		switch name := path.Base(path.Dir(s.path)); name {
		case "util", "utils", "common", "helpers", "interfaces", "misc":
			t.Errorf("%s: a package called %s says nothing about its contents", s.path, name)
		}
	}
}

func TestTopLevel(t *testing.T) {
	allowed := map[string]bool{}
	for _, n := range topLevel {
		allowed[n] = true
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	ignored := ignoredAtTop(t)
	for _, e := range entries {
		name := e.Name()
		if !allowed[name] && !strings.HasPrefix(name, ".") && !slices.ContainsFunc(ignored, func(pattern string) bool {
			ok, _ := path.Match(pattern, name)
			return ok
		}) {
			t.Errorf("%s does not belong at the top: only %s", name, strings.Join(topLevel, " "))
		}
	}
}

// ignoredAtTop returns the patterns of .gitignore.
func ignoredAtTop(t *testing.T) []string {
	text, err := os.ReadFile(filepath.Join(root, ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(text)) {
		if line = strings.Trim(strings.TrimSpace(line), "/"); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// TestReadmeStaysReadable bounds the length of the README.
func TestReadmeStaysReadable(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(text, []byte("\n")); n >= 300 {
		t.Errorf("README.md has %d lines, want under 300", n)
	}
	if !bytes.Contains(text, []byte("make test")) {
		t.Error("README.md does not name the test command, make test")
	}
}
