package dispatch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// This file is what adding a strategy takes: with it there is a selector and an
// order more, in Selectors and Orders, and so in the conformance suite.

func init() {
	registerSelector(SelectorStrategy{
		Name: "newcomer",
		Doc:  "the longest subscribed that is eligible",
		New:  func(_ Config, t *Consumers) Selector { return &newcomer{t} },
	})
	registerOrder(OrderStrategy{
		Name: "newcomer",
		Doc:  "in order of age, by searching",
		New:  func(_ Config, t *Messages) Order { return &searched{t: t} },
	})
}

type newcomer struct{ t *Consumers }

func (s *newcomer) Join(ConsumerID)           {}
func (s *newcomer) Leave(ConsumerID)          {}
func (s *newcomer) Return(ConsumerID)         {}
func (s *newcomer) Changed(ConsumerID, int64) {}

func (s *newcomer) Pick(int64) ConsumerID {
	c := s.t.First()
	for c != NoConsumer && !s.t.Take(c) {
		c = s.t.After(c)
	}
	return c
}

type searched struct {
	t     *Messages
	ready []Ref
}

func (o *searched) Push(r Ref) { o.ready = append(o.ready, r) }
func (o *searched) Len() int   { return len(o.ready) }

func (o *searched) Peek(int64) Ref { return o.ready[o.oldest()] }

func (o *searched) Pop(int64) Ref {
	i := o.oldest()
	r := o.ready[i]
	o.ready[i] = o.ready[len(o.ready)-1]
	o.ready = o.ready[:len(o.ready)-1]
	return r
}

func (o *searched) oldest() int {
	best := 0
	for i, r := range o.ready {
		if older(o.t.At(r), o.t.At(o.ready[best])) {
			best = i
		}
	}
	return best
}

// TestStrategyIsOneFile counts the files that know a strategy by its name: the
// one that registers it.
func TestStrategyIsOneFile(t *testing.T) {
	var names []string
	for _, s := range Selectors() {
		names = append(names, s.Name)
	}
	for _, o := range Orders() {
		names = append(names, o.Name)
	}
	files := map[string][]string{} // by string literal
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range sources {
		for literal := range literals(t, file) {
			files[literal] = append(files[literal], file)
		}
	}
	for _, name := range names {
		where := files[name]
		if name == "newcomer" {
			if len(where) != 0 {
				t.Errorf("newcomer_test.go is not enough: %v name it too", where)
			}
			continue
		}
		if len(where) != 1 {
			t.Errorf("%q is named in %v, want one file", name, where)
		}
	}
}

// literals returns the string literals of a file that is not a test.
func literals(t *testing.T, file string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	if strings.HasSuffix(file, "_test.go") {
		return found
	}
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil {
				found[s] = true
			}
		}
		return true
	})
	return found
}

func TestLookupNamesWhatThereIs(t *testing.T) {
	var selectors, orders []string
	for _, s := range Selectors() {
		selectors = append(selectors, s.Name)
	}
	for _, o := range Orders() {
		orders = append(orders, o.Name)
	}
	_, err := LookupSelector("rrr")
	want := `dispatch: unknown strategy "rrr" (have ` + strings.Join(selectors, ", ") + `): did you mean "rr"?`
	if err == nil || err.Error() != want {
		t.Errorf("LookupSelector: %v, want %s", err, want)
	}
	_, err = LookupOrder("lifo")
	want = `dispatch: unknown order "lifo" (have ` + strings.Join(orders, ", ") + `): did you mean "fifo"?`
	if err == nil || err.Error() != want {
		t.Errorf("LookupOrder: %v, want %s", err, want)
	}
}
