package selftest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var sharedPath = filepath.Join("..", "..", "..", "shared", "knownanswers", "known_answers.json")

// sharedAnswers opens the known answers that come with the design, which are not
// part of the repository.
func sharedAnswers(t testing.TB) *answersFile {
	t.Helper()
	f, err := os.Open(sharedPath)
	if err != nil {
		t.Skipf("no known answers beside the repository: %v", err)
	}
	defer f.Close()
	answers, err := readAnswers(f)
	if err != nil {
		t.Fatal(err)
	}
	return answers
}

// The reference is the rules in code: it must know the known answers.
func TestReferenceKnowsTheAnswers(t *testing.T) {
	for _, c := range sharedAnswers(t).cases {
		if len(c.ClosedForm) > 0 {
			continue // the reference is too slow for long runs
		}
		t.Run(c.name, func(t *testing.T) {
			var b strings.Builder
			check := &checker{w: &b, name: c.name, limit: 10}
			if err := check.compare(c, simulateReference(&c.Scenario)); err != nil {
				t.Error(err)
			}
			if check.mismatches > 0 {
				t.Errorf("%d mismatches:\n%s", check.mismatches, b.String())
			}
		})
	}
}
