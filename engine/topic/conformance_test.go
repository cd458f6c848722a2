package topic_test

import (
	"testing"

	"harelab/engine/topic"
	"harelab/engine/topic/topictest"
)

func TestConformance(t *testing.T) {
	for _, s := range topic.Strategies() {
		t.Run("strategy="+s.Name, func(t *testing.T) {
			if _, ok := s.New().(topic.Stepper); !ok {
				t.Errorf("%T does not implement topic.Stepper", s.New())
			}
			topictest.Run(t, s)
		})
	}
	names := []string{"rcu(trie)", "cached(locked(memotrie))", "cached(rcu(scan))"}
	for _, w := range topic.Wrappers() {
		names = append(names, w.Name+"("+topic.Default+")")
	}
	for _, name := range names {
		t.Run("strategy="+name, func(t *testing.T) { topictest.Run(t, lookup(t, name)) })
	}
}

func lookup(t testing.TB, name string) topic.Strategy {
	t.Helper()
	s, err := topic.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
