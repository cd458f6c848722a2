package topic_test

import (
	"bytes"
	"slices"
	"testing"

	"harelab/engine/topic"
)

// FuzzMatch applies a script to every strategy. All must agree with the oracle. Each
// line of the script is an operation: '+' and a byte bind the rest of the line to the
// destination of that byte, '-' and a byte unbind it, and any other line is a routing
// key to match.
func FuzzMatch(f *testing.F) {
	f.Add([]byte("+1a.#\n+2a.*\n+3#.b\na.b\na\n-1a.#\na.b.c"))
	f.Add([]byte("+1#\n+1#.#\n+2*\n+3\n\n.\n..\na."))
	f.Add([]byte("+1#.a.#.b.#\n+2#.*.#\na.b.a.b.a.b\nx"))
	f.Add([]byte("+1a-long-word.*\n+2*.a-long-word\na-long-word.a-long-word\n12345678.\n"))
	f.Add([]byte("+1a.b\n+2a.b\n+3a.b\n-2a.b\na.b\n+1a.*\na.b"))
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 1000 {
			return
		}
		strategies := slices.DeleteFunc(topic.Strategies(), func(s topic.Strategy) bool {
			return s.Combinatorial && hopeless(script)
		})
		for _, w := range topic.Wrappers() {
			strategies = append(strategies, lookup(t, w.Name+"("+topic.Default+")"))
		}
		oracle := lookup(t, "scan").New()
		matchers := make([]topic.Matcher, len(strategies))
		for i, s := range strategies {
			matchers[i] = s.New()
		}
		for line := range bytes.SplitSeq(script, []byte("\n")) {
			switch {
			case len(line) > 1 && len(line) < topic.MaxKeyLen && (line[0] == '+' || line[0] == '-'):
				fuzzChange(t, oracle, matchers, strategies, line)
			default:
				fuzzMatch(t, oracle, matchers, strategies, line)
			}
		}
	})
}

// hopeless reports whether a combinatorial strategy may take for ever on a script.
func hopeless(script []byte) bool {
	for line := range bytes.SplitSeq(script, []byte("\n")) {
		if bytes.Count(line, []byte("#")) > 4 || bytes.Count(line, []byte(".")) > 12 {
			return true
		}
	}
	return false
}

func fuzzChange(t *testing.T, oracle topic.Matcher, matchers []topic.Matcher, strategies []topic.Strategy, line []byte) {
	key, d := string(line[2:]), topic.Dest(line[1])
	change := topic.Matcher.Bind
	if line[0] == '-' {
		change = topic.Matcher.Unbind
	}
	want := change(oracle, key, d)
	for i, m := range matchers {
		if got := change(m, key, d); got != want || m.Len() != oracle.Len() {
			t.Fatalf("%s: %q = %t, Len %d, want %t, %d", strategies[i].Name, line, got, m.Len(), want, oracle.Len())
		}
	}
}

func fuzzMatch(t *testing.T, oracle topic.Matcher, matchers []topic.Matcher, strategies []topic.Strategy, key []byte) {
	want := oracle.Match(nil, key)
	slices.Sort(want)
	for i, m := range matchers {
		got := m.Match(nil, key)
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Fatalf("%s: Match(%q) = %d, want %d", strategies[i].Name, key, got, want)
		}
	}
}
