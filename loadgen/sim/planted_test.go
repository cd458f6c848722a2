//go:build invariants

package sim

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Virtual time runs with the engine's checks of itself on: each planted fault ends a run.
func TestPlantedFaultsAreFound(t *testing.T) {
	for fault, want := range map[string]string{
		"books":      "after publish: queue: ready rows have",
		"lock order": "lock order: virtual host is locked by a goroutine that holds [queue]",
		"two queues": "lock order: queue is locked by a goroutine that holds [queue]",
		"release":    "invariant broken: message",
		"leak":       "messages are leaked: message to exchange",
	} {
		t.Run(fault, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestRoundTrip$")
			cmd.Env = append(os.Environ(), "HARELAB_PLANT="+fault)
			out, err := cmd.CombinedOutput()
			if text := string(out); err == nil || !strings.Contains(text, "panic: invariant broken: ") || !strings.Contains(text, want) {
				t.Errorf("%v, want a panic about %q; the run said:\n%.4000s", err, want, text)
			}
		})
	}
}
