package topic_test

import (
	"slices"
	"strings"
	"testing"

	"harelab/engine/topic"
)

func TestLookup(t *testing.T) {
	for _, name := range []string{
		topic.Default, "scan", "cached(nfa)", "locked(trie)", "rcu(trie)", "cached(locked(trie))", "locked(cached(nfa))",
	} {
		s, err := topic.Lookup(name)
		if err != nil || s.Name != name || s.Doc == "" || s.New == nil {
			t.Errorf("Lookup(%q) = %+v, %v, want a strategy of that name", name, s, err)
		}
	}
}

func TestLookupErrors(t *testing.T) {
	have := "(have " + strings.Join(names(topic.Strategies()), ", ") + ")"
	for _, tt := range []struct{ name, want string }{
		{"tire", `topic: unknown strategy "tire" ` + have + `; did you mean "trie"?`},
		{"", `topic: unknown strategy "" ` + have},
		{"cached", `topic: unknown strategy "cached" ` + have},
		{"cached(tire)", `topic: unknown strategy "tire" ` + have + `; did you mean "trie"?`},
		{"cached()", `topic: unknown strategy "" ` + have},
		{"cashed(nfa)", `topic: unknown wrapper "cashed" (have cached, locked, rcu); did you mean "cached"?`},
		{"cached(nfa", `topic: strategy "cached(nfa": want a name or wrapper(name)`},
		{"nfa)", `topic: strategy "nfa)": want a name or wrapper(name)`},
		{"(nfa)", `topic: strategy "(nfa)": want a name or wrapper(name)`},
		{"cached(nfa))", `topic: strategy "nfa)": want a name or wrapper(name)`},
		{"rcu(cached(rcu(nfa)))", `topic: strategy "rcu(cached(rcu(nfa)))": wrapper "rcu" is there twice`},
	} {
		if _, err := topic.Lookup(tt.name); err == nil || err.Error() != tt.want {
			t.Errorf("Lookup(%q): %v, want %s", tt.name, err, tt.want)
		}
	}
}

func TestStrategiesAreInOrderOfName(t *testing.T) {
	if got := names(topic.Strategies()); !slices.IsSorted(got) || !slices.Contains(got, topic.Default) {
		t.Errorf("Strategies() = %q, want sorted names with %q", got, topic.Default)
	}
}

func names(all []topic.Strategy) (names []string) {
	for _, s := range all {
		names = append(names, s.Name)
	}
	return names
}

func TestCheckKey(t *testing.T) {
	if err := topic.CheckKey(strings.Repeat("a", 255)); err != nil {
		t.Errorf("CheckKey of 255 bytes: %v, want nil", err)
	}
	const want = `topic: key "aaaaaaaaaaaaaaaa"... is 256 bytes long (at most 255)`
	if err := topic.CheckKey(strings.Repeat("a", 256)); err == nil || err.Error() != want {
		t.Errorf("CheckKey of 256 bytes: %v, want %s", err, want)
	}
}
