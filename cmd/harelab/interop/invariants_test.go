//go:build interop && invariants

package interop

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

func init() { buildTags = "invariants" }

// TestServerFindsPlantedFaults checks that the server of these tests checks its
// invariants: each planted fault ends it, while clients work or when it closes, and its
// log says why.
func TestServerFindsPlantedFaults(t *testing.T) {
	for fault, want := range map[string]string{
		"books":      "after publish: queue: ready rows have",
		"lock order": "lock order: virtual host is locked by a goroutine that holds [connection queue]",
		"two queues": "lock order: queue is locked by a goroutine that holds [connection queue]",
		"release":    "invariant broken: message",
		"leak":       "messages are leaked: message to exchange",
		"outbox":     "outbox: ",
	} {
		t.Run(fault, func(t *testing.T) {
			port := freePort(t)
			var log bytes.Buffer
			server := exec.Command(harelab, "serve", "--memory", "--amqp", "127.0.0.1:"+port)
			server.Env = append(os.Environ(), "HARELAB_PLANT="+fault)
			server.Stderr = &log
			if err := server.Start(); err != nil {
				t.Fatal(err)
			}
			url := "amqp://guest:guest@127.0.0.1:" + port + "/%2f"
			ended := make(chan struct{})
			go func() { server.Wait(); close(ended) }()
			for range 200 { // until the server listens or has ended
				if exec.Command("amqp-declare-queue", "-u", url, "-q", "q").Run() == nil || isClosed(ended) {
					break
				}
				time.Sleep(50 * time.Millisecond)
			}
			exec.Command("amqp-publish", "-u", url, "-r", "q", "-b", "message").Run()
			exec.Command("amqp-get", "-u", url, "-q", "q").Run()
			server.Process.Signal(syscall.SIGTERM)
			<-ended
			text := log.String()
			if code := server.ProcessState.ExitCode(); code != exitPanic {
				t.Errorf("the server ended with exit code %d, want %d", code, exitPanic)
			}
			if !strings.Contains(text, "panic: invariant broken: ") || !strings.Contains(text, want) {
				t.Errorf("the server did not say %q; it said:\n%.4000s", want, text)
			}
		})
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
