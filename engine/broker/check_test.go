//go:build invariants

package broker

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestStressFindsPlantedFaults: each planted fault ends the stress test with its own text.
func TestStressFindsPlantedFaults(t *testing.T) {
	for fault, want := range map[string]string{
		"books":      "after publish: queue: ready rows have",
		"lock order": "lock order: virtual host is locked by a goroutine that holds [queue]",
		"two queues": "lock order: queue is locked by a goroutine that holds [queue]",
		"release":    "invariant broken: message",
		"leak":       "messages are leaked: message to exchange",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestStress$")
			cmd.Env = append(os.Environ(), "HARELAB_PLANT="+fault)
			out, err := cmd.CombinedOutput()
			if text := string(out); err == nil || !strings.Contains(text, "panic: invariant broken: ") || !strings.Contains(text, want) {
				t.Errorf("%v, want a panic about %q; the stress test said:\n%.4000s", err, want, text)
			}
		})
	}
}
