// Package registry keeps named strategies: topic matchers, dispatch selectors, exchange
// types and other things that a user picks by name.
//
// A strategy adds itself from an init function of its own file, so that adding
// one touches no other file. Lookup errors list the registered names.
package registry

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"harelab/engine/nearest"
)

// A Registry maps names to strategies of type S. Any number of goroutines may
// use it at the same time.
type Registry[S any] struct {
	pkg  string // prefix of errors
	noun string // name of an entry in errors

	mu     sync.RWMutex
	byName map[string]S
}

// New returns an empty registry. Its errors begin with pkg and call an entry a
// noun: New[Matcher]("topic", "strategy") gives `topic: unknown strategy "x"`.
func New[S any](pkg, noun string) *Registry[S] {
	return &Registry[S]{pkg: pkg, noun: noun, byName: make(map[string]S)}
}

// Add registers s under name. It panics if the name is empty or taken: init functions
// call Add, so either is a mistake in the program.
func (r *Registry[S]) Add(name string, s S) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if name == "" {
		panic(fmt.Sprintf("%s: %s without a name", r.pkg, r.noun))
	}
	if _, taken := r.byName[name]; taken {
		panic(fmt.Sprintf("%s: %s %q is registered twice", r.pkg, r.noun, name))
	}
	r.byName[name] = s
}

// Get returns the strategy registered under name. Its error lists the registered names
// and, behind the list, suggests one of them. Programs that read the error rely on the
// part before the suggestion.
func (r *Registry[S]) Get(name string) (S, error) {
	r.mu.RLock()
	s, ok := r.byName[name]
	r.mu.RUnlock()
	if !ok {
		err := fmt.Errorf("%s: unknown %s %q (have %s)", r.pkg, r.noun, name, strings.Join(r.Names(), ", "))
		if best := nearest.Of(name, r.Names()); best != "" {
			err = fmt.Errorf("%w; did you mean %q?", err, best)
		}
		return s, err
	}
	return s, nil
}

// All returns the registered strategies in the order of their names.
func (r *Registry[S]) All() []S {
	names := r.Names()
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := make([]S, len(names))
	for i, name := range names {
		all[i] = r.byName[name]
	}
	return all
}

// Names returns the registered names, sorted.
func (r *Registry[S]) Names() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	names := make([]string, 0, len(r.byName))
	for name := range r.byName {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
