package main

import (
	"strings"

	"harelab/bench/matchlab"
	"harelab/engine/topic"
)

// mapLimit is no matcher: it looks the whole routing key up in a map of all routing keys,
// which costs as much as a cache that never misses. Binding keys without wildcards give
// it matches, which prove its work.
func mapLimit() matchlab.Contender {
	return matchlab.Contender{
		Name:    "map-limit",
		Limit:   true,
		Accepts: func(bindingKey string) bool { return !strings.ContainsAny(bindingKey, "*#") },
		New: func(keys [][]byte) matchlab.Subject {
			s := &mapSubject{keys: keys, dests: make(map[string][]topic.Dest, len(keys))}
			for _, k := range keys {
				s.dests[string(k)] = nil
			}
			return s
		},
	}
}

type mapSubject struct {
	keys  [][]byte
	dests map[string][]topic.Dest
}

func (s *mapSubject) Bind(bindingKey string, d topic.Dest) {
	s.dests[bindingKey] = append(s.dests[bindingKey], d)
}

func (s *mapSubject) Unbind(bindingKey string, d topic.Dest) {
	old := s.dests[bindingKey]
	for i, e := range old {
		if e == d {
			s.dests[bindingKey] = append(append([]topic.Dest(nil), old[:i]...), old[i+1:]...)
			return
		}
	}
}

func (s *mapSubject) Run(from, n int) (matches int) {
	i := from
	for range n {
		matches += len(s.dests[string(s.keys[i])])
		if i++; i == len(s.keys) {
			i = 0
		}
	}
	return matches
}
