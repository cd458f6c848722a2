package interop

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestSameAnswersAsRecorded holds the conversations with the engine alone, in virtual
// time, and compares its answers with RabbitMQ's in testdata/differential.answers, which
// go test -tags interop -run SameAnswersAsRabbitMQ -record writes.
func TestSameAnswersAsRecorded(t *testing.T) {
	recorded := readAnswers(t)
	synctest.Test(t, func(t *testing.T) {
		ours := startEngine(t)
		var wg sync.WaitGroup
		for i, c := range conversations(t) {
			want, ok := recorded[c.name]
			if !ok {
				t.Errorf("%q is not recorded: run with -record", c.name)
				continue
			}
			wg.Go(func() { c.compareRecorded(t, i, ours, want) })
		}
		wg.Wait()
	})
}

func (c talk) compareRecorded(t *testing.T, number int, ours dialFunc, want map[string]string) {
	t.Helper()
	for i, got := range c.hold(t, prefix(number, 0), ours, 60*time.Millisecond) {
		if w, ok := want[c.key(i)]; c.lines[i][0] != '~' && (got != w || !ok) {
			t.Errorf("%s: %s\nRabbitMQ answered%s\nharelab answered%s", c.name, c.lines[i], w, got)
		}
	}
}

// key names a line of a conversation, in which the same line may occur again.
func (c talk) key(line int) string {
	text := strings.TrimPrefix(c.lines[line], "~")
	again := 0
	for _, l := range c.lines[:line] {
		if strings.TrimPrefix(l, "~") == text {
			again++
		}
	}
	return fmt.Sprintf("%s #%d", text, again)
}

const answersFile = "testdata/differential.answers"

// readAnswers returns the answers by conversation and key.
func readAnswers(t *testing.T) map[string]map[string]string {
	t.Helper()
	text, err := os.ReadFile(answersFile)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]map[string]string)
	for _, part := range strings.Split("\n"+string(text), "\n= ")[1:] {
		name, rest, _ := strings.Cut(strings.TrimSuffix(part, "\n"), "\n")
		answers := make(map[string]string)
		again := make(map[string]int)
		for _, entry := range strings.Split("\n"+rest, "\n> ")[1:] {
			line, answer, _ := strings.Cut(entry, "\n")
			answers[fmt.Sprintf("%s #%d", line, again[line])] = answer
			again[line]++
		}
		all[name] = answers
	}
	return all
}
