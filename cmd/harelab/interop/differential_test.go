//go:build interop

package interop

import (
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	rabbitURL    = flag.String("rabbitmq", "", "URL of a RabbitMQ to compare with; empty: start one")
	conversation = flag.String("conversation", "", "run only conversations whose name contains this, and show them")
	unmasked     = flag.Bool("unmasked", false, "compare the lines that are known to differ, too")
	record       = flag.Bool("record", false, "write what RabbitMQ answers in all conversations into testdata")
)

// TestSameAnswersAsRabbitMQ holds the conversations in testdata/differential.txt with a
// real RabbitMQ and with the engine. Both must send the same frames in the same order,
// with the same reply codes and texts, counts, tags, flags, properties and bodies.
func TestSameAnswersAsRabbitMQ(t *testing.T) {
	rabbit := rabbitWithUsers(t)
	ours := startEngine(t)
	all := conversations(t)
	answers := make([][]string, len(all))
	holdAll(all, func(i int, c talk) { answers[i] = c.compare(t, i, rabbit, ours) })
	if *record && *conversation == "" && !t.Failed() {
		writeAnswers(t, all, answers)
	}
}

// holdAll calls hold for the conversations that -conversation chooses. It runs many at
// once, independent of -parallel, since they mostly wait.
func holdAll(all []talk, hold func(number int, c talk)) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, 24)
	for i, c := range all {
		if !strings.Contains(c.name, *conversation) {
			continue
		}
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			hold(i, c)
		})
	}
	wg.Wait()
}

// rabbitWithUsers returns a function that connects to a RabbitMQ with the users of
// startEngine. The test starts one unless a flag names one.
func rabbitWithUsers(t *testing.T) dialFunc {
	t.Helper()
	address := *rabbitURL
	if address == "" {
		node := startRabbitMQ(t)
		node.ctl(t, "add_user", "weak", "weak")
		node.ctl(t, "set_permissions", "-p", "/", "weak", weak.Configure, weak.Write, weak.Read)
		for _, user := range []string{"topical", "limited"} {
			node.ctl(t, "add_user", user, user)
			node.ctl(t, "set_permissions", "-p", "/", user, ".*", ".*", ".*")
		}
		node.ctl(t, "set_topic_permissions", "-p", "/", "topical", "amq.topic", topical.Write, topical.Read)
		node.ctl(t, "set_user_limits", "limited", `{"max-connections": 2, "max-channels": 2}`)
		address = node.url
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return func() (net.Conn, error) { return net.Dial("tcp", u.Host) }
}

// compare holds the conversation with both brokers. If the answers differ, it repeats it
// with more patience, since only silence shows that an answer is complete. It returns
// RabbitMQ's answers.
func (c talk) compare(t *testing.T, number int, rabbit, ours dialFunc) (want []string) {
	t.Helper()
	var got []string
	for _, patience := range []time.Duration{60 * time.Millisecond, 400 * time.Millisecond, 2 * time.Second} {
		prefix := prefix(number, time.Now().UnixNano())
		var wg sync.WaitGroup
		wg.Go(func() { want = c.hold(t, prefix, rabbit, patience) })
		wg.Go(func() { got = c.hold(t, prefix, ours, patience) })
		wg.Wait()
		if len(want) < len(c.lines) || len(got) < len(c.lines) {
			return want // a conversation broke off and reported why
		}
		same := true
		for i := range c.lines {
			same = same && (want[i] == got[i] || c.masked(i))
		}
		if same {
			break
		}
	}
	if *conversation != "" {
		t.Logf("RabbitMQ:\n%s", strings.Join(want, "\n"))
	}
	for i := range c.lines {
		if want[i] != got[i] && !c.masked(i) {
			t.Errorf("%s: %s\nRabbitMQ answered%s\nharelab answered%s", c.name, c.lines[i], want[i], got[i])
		}
	}
	return want
}

// masked reports whether the answers to a line may differ.
func (c talk) masked(line int) bool { return c.lines[line][0] == '~' && !*unmasked }

// writeAnswers writes RabbitMQ's answers: the conversations of differential.txt, each
// line after "> " and before its answer.
func writeAnswers(t *testing.T, all []talk, answers [][]string) {
	t.Helper()
	var b strings.Builder
	for i, c := range all {
		fmt.Fprintf(&b, "= %s\n", c.name)
		for j, answer := range answers[i] {
			fmt.Fprintf(&b, "> %s\n%s\n", strings.TrimPrefix(c.lines[j], "~"), answer)
		}
	}
	if err := os.WriteFile(answersFile, []byte(b.String()), 0o666); err != nil {
		t.Fatal(err)
	}
}
