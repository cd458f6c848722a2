package topic

import (
	"fmt"
	"strings"
)

// Lookup returns the strategy called name, which may be wrapped, as in
// "cached(locked(trie))". The error for an unknown name lists those there are.
// A name may contain each wrapper once: names come from clients (x-matcher), and
// some wrappers multiply memory.
func Lookup(name string) (Strategy, error) {
	open := strings.IndexByte(name, '(')
	if open < 0 && !strings.HasSuffix(name, ")") {
		return strategies.Get(name)
	}
	if open <= 0 || !strings.HasSuffix(name, ")") {
		return Strategy{}, fmt.Errorf("topic: strategy %q: want a name or wrapper(name)", name)
	}
	w, err := wrappers.Get(name[:open])
	if err != nil {
		return Strategy{}, err
	}
	rest := name[open+1 : len(name)-1]
	if strings.Contains(rest, w.Name+"(") {
		return Strategy{}, fmt.Errorf("topic: strategy %q: wrapper %q is there twice", name, w.Name)
	}
	inner, err := Lookup(rest)
	if err != nil {
		return Strategy{}, err
	}
	return Strategy{
		Name: name,
		Doc:  inner.Doc + "; " + w.Doc,
		New:  w.Wrap(inner),

		Combinatorial: inner.Combinatorial,
	}, nil
}
