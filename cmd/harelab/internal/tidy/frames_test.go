package tidy

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const wirePackage = "harelab/engine/wire"

// frameFiles are the files of engine/wire about frames and methods. Every package may use
// the others: field tables, properties, reply codes.
var frameFiles = []string{"z*.go", "method.go", "view.go", "frame.go", "header.go", "deliver.go"}

// exceptions are words about frames too, since an exception answers a method. The broker
// has its own Error.
var exceptions = []string{"Error", "Errorf"}

// mayFrame lists the packages that may use words about frames.
var mayFrame = []string{"engine/server", "engine/wire"}

// frameWords returns the exported names of engine/wire that are about frames.
func frameWords(all []source) map[string]bool {
	words := map[string]bool{}
	for _, name := range exceptions {
		words[name] = true
	}
	for _, s := range all {
		isFrames := slices.ContainsFunc(frameFiles, func(pattern string) bool {
			ok, _ := path.Match("engine/wire/"+pattern, s.path)
			return ok
		})
		if !isFrames {
			continue
		}
		for _, d := range s.file.Decls {
			for _, name := range declared(d) {
				if ast.IsExported(name) {
					words[name] = true
				}
			}
		}
	}
	return words
}

// declared returns the names that a declaration declares.
func declared(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				names = append(names, spec.Name.Name)
			case *ast.ValueSpec:
				for _, n := range spec.Names {
					names = append(names, n.Name)
				}
			}
		}
	}
	return names
}

// framesUsed returns the words about frames that a file uses without permission.
func framesUsed(s source, words map[string]bool) (used []string) {
	dir := path.Dir(s.path)
	if strings.HasSuffix(s.path, "_test.go") || slices.ContainsFunc(mayFrame, func(p string) bool { return within(dir, p) }) {
		return nil
	}
	wire := ""
	for _, spec := range s.file.Imports {
		if to, _ := strconv.Unquote(spec.Path.Value); to == wirePackage {
			if wire = path.Base(to); spec.Name != nil {
				wire = spec.Name.Name
			}
		}
	}
	if wire == "" {
		return nil
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == wire && words[sel.Sel.Name] {
				used = append(used, wire+"."+sel.Sel.Name)
			}
		}
		return true
	})
	if wire == "." {
		used = append(used, "all of engine/wire, without its name")
	}
	return used
}

// TestOnlyServerSpeaksFrames checks that the broker's verbs use no AMQP methods, so that
// an HTTP API, an import of definitions or another protocol calls them without frames.
func TestOnlyServerSpeaksFrames(t *testing.T) {
	all := sources(t)
	words := frameWords(all)
	for _, name := range []string{"QueueDeclare", "BasicConsume", "Method", "MethodBasicPublish", "PublishView", "ParseMethod", "NextFrame", "Errorf"} {
		if !words[name] {
			t.Errorf("wire.%s is not among the %d words about frames: the test looks in the wrong files", name, len(words))
		}
	}
	for _, name := range []string{"Table", "Properties", "ReplyCode", "NotFound"} {
		if words[name] {
			t.Errorf("wire.%s is among the words about frames", name)
		}
	}
	for _, s := range all {
		for _, name := range framesUsed(s, words) {
			t.Errorf("%s uses %s: only server speaks frames, others call the broker with its specs", s.path, name)
		}
	}
}

// TestFrameRuleBites plants uses that break the rule.
func TestFrameRuleBites(t *testing.T) {
	words := map[string]bool{"QueueDeclare": true}
	for _, tt := range []struct {
		path, text string
		want       int
	}{
		{"engine/broker/a.go", `package broker; import "harelab/engine/wire"; func f(m *wire.QueueDeclare) {}`, 1},
		{"engine/management/a.go", `package management; import "harelab/engine/wire"; var _ = f(&wire.QueueDeclare{Queue: "q"})`, 1},
		{"engine/broker/a.go", `package broker; import w "harelab/engine/wire"; type x struct{ w.QueueDeclare }`, 1},
		{"engine/broker/a.go", `package broker; import . "harelab/engine/wire"; type x struct{ QueueDeclare }`, 1},
		{"engine/broker/a.go", `package broker; import "harelab/engine/wire"; var args wire.Table`, 0},
		{"engine/broker/a_test.go", `package broker; import "harelab/engine/wire"; var m wire.QueueDeclare`, 0},
		{"engine/server/a.go", `package server; import "harelab/engine/wire"; var m wire.QueueDeclare`, 0},
		{"engine/broker/a.go", `package broker; import "elsewhere/wire"; var m wire.QueueDeclare`, 0},
	} {
		file, err := parser.ParseFile(token.NewFileSet(), tt.path, tt.text, 0)
		if err != nil {
			t.Fatal(err)
		}
		if used := framesUsed(source{tt.path, []byte(tt.text), file}, words); len(used) != tt.want {
			t.Errorf("%s: %s\nuses %q, want %d", tt.path, tt.text, used, tt.want)
		}
	}
}
