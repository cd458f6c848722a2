//go:build interop

package interop

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A celeryRun is one of the talk's configurations with real workers. Its load is four
// tasks of 10 s, then forty of 0.1 s.
type celeryRun struct {
	layout   string     // LAYOUT of testdata/celery/tasks.py
	workers  [][]string // arguments of each `celery worker`
	prefetch string     // prefetch multiplier
	late     bool       // ack after the work
	net      string     // seconds of a slow task; empty: 10
	url      string     // of a broker and its virtual host; empty: a new harelab serve
}

// waits runs the configuration and returns the waits of the quick tasks, in seconds.
func (c celeryRun) waits(t *testing.T) []float64 {
	t.Helper()
	url := c.url
	if url == "" {
		url = serve(t) + "//"
	}
	record := filepath.Join(t.TempDir(), "record.jsonl")
	env := append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "BROKER_URL="+url, "RECORD="+record,
		"LAYOUT="+c.layout, "PREFETCH="+c.prefetch, "NET="+cmp.Or(c.net, "10"))
	if c.late {
		env = append(env, "ACKS_LATE=1")
	}
	for i, args := range c.workers {
		cmd := exec.Command(python, append([]string{"-m", "celery", "-A", "tasks", "worker", "-l", "INFO",
			"-n", fmt.Sprintf("w%d@interop", i), "--without-mingle", "--without-gossip"}, args...)...)
		cmd.Dir, cmd.Env = "testdata/celery", env
		ready := lines(t, cmd)
		start(t, cmd)
		if !ready.await("ready.", 60*time.Second) {
			t.Fatalf("celery worker %d was not ready within 60 s:\n%s", i, ready.text())
		}
	}
	publish := exec.Command(python, "tasks.py")
	publish.Dir, publish.Env = "testdata/celery", env
	if out, err := publish.CombinedOutput(); err != nil {
		t.Fatalf("publish: %v\n%s", err, out)
	}
	deadline := time.Now().Add(45 * time.Second)
	for {
		waits, all := readRecord(t, record)
		if all == 44 {
			return waits
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of 44 tasks were done after 45 s", all)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// readRecord returns the waits of the quick tasks and the number of finished tasks.
func readRecord(t *testing.T, path string) (waits []float64, all int) {
	t.Helper()
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil, 0
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); all++ {
		var task struct {
			Kind string
			Wait float64
		}
		if err := json.Unmarshal(sc.Bytes(), &task); err != nil {
			t.Fatal(err)
		}
		if task.Kind == "query" {
			waits = append(waits, task.Wait)
		}
	}
	return waits, all
}

func summary(waits []float64) (mean, longest float64, stuck int) {
	for _, w := range waits {
		mean += w / float64(len(waits))
		longest = max(longest, w)
		if w > 5 {
			stuck++
		}
	}
	return mean, longest, stuck
}

// TestCelery runs the three chapters of the story with real workers. The bounds are about
// a second around the exact answers of virtual time, since Python takes its time: a mean
// of 10.45 s; 11 of 40 stuck; none stuck.
func TestCelery(t *testing.T) {
	split := [][]string{{"-Q", "webapp", "-c", "1"}, {"-Q", "neural_net,webapp", "-c", "3"}}
	t.Run("one queue starves every query", func(t *testing.T) {
		mean, longest, stuck := summary(celeryRun{layout: "one-queue", workers: [][]string{{"-c", "4"}}, prefetch: "4"}.waits(t))
		t.Logf("mean %.2f s, longest %.2f s, %d of 40 waited over 5 s", mean, longest, stuck)
		if mean < 9.9 || mean > 11.5 || stuck != 40 {
			t.Errorf("queries waited %.2f s on average and %d of 40 over 5 s, want about 10.45 s and all", mean, stuck)
		}
	})
	t.Run("splitting the queue leaves some stuck in the prefetch window", func(t *testing.T) {
		mean, longest, stuck := summary(celeryRun{layout: "topic", workers: split, prefetch: "4"}.waits(t))
		t.Logf("mean %.2f s, longest %.2f s, %d of 40 waited over 5 s", mean, longest, stuck)
		if stuck < 6 || stuck > 16 || longest < 9 {
			t.Errorf("%d of 40 queries waited over 5 s, the longest %.2f s; want about 11 and 10.5 s", stuck, longest)
		}
	})
	t.Run("prefetch one and late acks free them all", func(t *testing.T) {
		mean, longest, stuck := summary(celeryRun{layout: "topic", workers: split, prefetch: "1", late: true}.waits(t))
		t.Logf("mean %.2f s, longest %.2f s, %d of 40 waited over 5 s", mean, longest, stuck)
		if stuck != 0 || longest > 5.5 {
			t.Errorf("%d of 40 queries waited over 5 s, the longest %.2f s; want none and about 3.9 s", stuck, longest)
		}
	})
}

// A tail collects a program's output and can wait for a phrase in it.
type tail struct {
	r    *os.File
	seen chan string
	all  strings.Builder
}

// lines connects both outputs of cmd to a tail.
func lines(t *testing.T, cmd *exec.Cmd) *tail {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	tl := &tail{r: r, seen: make(chan string, 1024)}
	t.Cleanup(func() { w.Close() })
	go func() {
		for sc := bufio.NewScanner(r); sc.Scan(); {
			select {
			case tl.seen <- sc.Text():
			default: // the test has stopped reading; drain the pipe
			}
		}
	}()
	return tl
}

func (tl *tail) await(phrase string, limit time.Duration) bool {
	timeout := time.After(limit)
	for {
		select {
		case line := <-tl.seen:
			tl.all.WriteString(line + "\n")
			if strings.Contains(line, phrase) {
				return true
			}
		case <-timeout:
			return false
		}
	}
}

func (tl *tail) text() string { return tl.all.String() }
