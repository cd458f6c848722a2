//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	amqp091 "github.com/rabbitmq/amqp091-go"
)

// serveWithTranscripts starts a broker that writes transcripts to dir, and connects.
func serveWithTranscripts(t *testing.T, dir string) (process, *amqp091.Channel) {
	t.Helper()
	p := start(t, "serve", "--memory", "--amqp", "127.0.0.1:0", "--transcript", dir)
	line := await(t, p.stdout, "amqp://")
	url := urlIn(line)
	conn, err := amqp091.Dial(strings.Replace(url, "amqp://", "amqp://guest:guest@", 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return p, ch
}

// work declares a queue, publishes n messages to it and consumes them.
func work(t *testing.T, ch *amqp091.Channel, name string, args amqp091.Table, n int) {
	t.Helper()
	q, err := ch.QueueDeclare(name, false, false, false, false, args)
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.Qos(3, 0, false); err != nil {
		t.Fatal(err)
	}
	got, err := ch.Consume(q.Name, "", false, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := ch.Publish("", q.Name, false, false, amqp091.Publishing{Priority: uint8(i % 3)}); err != nil {
			t.Fatal(err)
		}
	}
	for range n {
		d := <-got
		if err := d.Ack(false); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ch.QueueDeclarePassive(name, false, false, false, false, nil); err != nil { // the last ack has arrived
		t.Fatal(err)
	}
}

// replayed runs harelab replay.
func replayed(t *testing.T, files ...string) (stdout string, code int) {
	t.Helper()
	var out bytes.Buffer
	c := exec.Command("harelab", append([]string{"replay"}, files...)...)
	c.Stdout = &out
	if err := c.Run(); c.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), c.ProcessState.ExitCode()
}

func transcripts(t *testing.T, dir string, want int) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != want {
		t.Fatalf("%d transcripts, %v, want %d: %q", len(files), err, want, files)
	}
	return files
}

func TestTranscriptsOfABrokerReplay(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "transcripts")
	p, ch := serveWithTranscripts(t, dir)
	work(t, ch, "work", nil, 500)
	work(t, ch, "../../work", amqp091.Table{"x-max-priority": 5, "x-dispatch": "fair"}, 100)
	if _, err := ch.QueueDelete("work", false, false, false); err != nil {
		t.Fatal(err)
	}
	first := transcripts(t, dir, 2)[0] // of the two transcripts
	if text, err := os.ReadFile(first); err != nil || !bytes.HasSuffix(text, []byte("\nend\n")) {
		t.Errorf("%v, the transcript of a deleted queue ends in %q", err, text[max(0, len(text)-20):])
	}
	work(t, ch, "work", amqp091.Table{"x-dispatch": "jsq"}, 50)
	p.signal(t, os.Interrupt)
	p.Wait()
	if got := p.ProcessState.ExitCode(); got != exitDone {
		t.Errorf("exit code %d, want %d", got, exitDone)
	}
	files := transcripts(t, dir, 3)
	out, code := replayed(t, files...)
	if code != exitDone || strings.Count(out, ": the same: ") != 3 || strings.Contains(out, "cut off") {
		t.Errorf("exit code %d, want %d and three that are the same and whole:\n%s", code, exitDone, out)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(text, []byte("> deliver")); n != 500 {
		t.Errorf("%d deliveries in %s, want 500", n, files[0])
	}
	// A changed decision is found.
	line, _, _ := bytes.Cut(text[bytes.Index(text, []byte("> deliver")):], []byte("\n"))
	other := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(other, bytes.Replace(text, line, []byte("> deliver id=9 c=0 ref=8"), 1), 0o666); err != nil {
		t.Fatal(err)
	}
	out, code = replayed(t, other)
	if want := fmt.Sprintf("  decided   %s\n  recorded  deliver id=9 c=0 ref=8\n", line[2:]); code != exitFailed || !strings.HasSuffix(out, want) {
		t.Errorf("exit code %d:\n%s\nwant %d and\n%s", code, out, exitFailed, want)
	}
}

func TestTranscriptOfABrokerThatWasKilledReplaysUpToTheCut(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "transcripts")
	p, ch := serveWithTranscripts(t, dir)
	work(t, ch, "work", nil, 2000)
	p.signal(t, syscall.SIGKILL)
	p.Wait()
	out, code := replayed(t, transcripts(t, dir, 1)...)
	var events int
	if _, err := fmt.Sscanf(out[strings.Index(out, ": the same: ")+1:], " the same: %d events", &events); err != nil ||
		events < 1000 || code != exitDone || !strings.Contains(out, ", up to where the transcript is cut off") {
		t.Errorf("exit code %d, want %d and over 1000 events up to a cut:\n%s", code, exitDone, out)
	}
}
