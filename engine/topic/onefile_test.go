package topic_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"harelab/engine/topic"
)

// TestAStrategyIsOneFile wants each strategy's and wrapper's name in one file of
// this package and of the benchmarks, tests aside: whoever adds one edits nothing
// else, since all others ask the registry.
func TestAStrategyIsOneFile(t *testing.T) {
	files := make(map[string][]string) // by string literal
	for _, root := range []string{".", "../../bench"} {
		err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case e.IsDir():
				if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
					return filepath.SkipDir // another module
				}
			case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
				return literals(path, files)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var all []string
	for _, s := range topic.Strategies() {
		all = append(all, s.Name)
	}
	for _, w := range topic.Wrappers() {
		all = append(all, w.Name)
	}
	for _, name := range all {
		if got := files[name]; len(got) != 1 || filepath.Dir(got[0]) != "." {
			t.Errorf("%q is in %q, want one file of this package", name, got)
		}
	}
}

// literals adds path to the files of each string literal in it, once.
func literals(path string, files map[string][]string) error {
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	seen := make(map[string]bool)
	ast.Inspect(f, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		if s, err := strconv.Unquote(lit.Value); err == nil && !seen[s] {
			seen[s] = true
			files[s] = append(files[s], path)
		}
		return true
	})
	return nil
}
