//go:build interop

package interop

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSameAssignmentAsRabbitMQ checks that a real RabbitMQ gives every message of the
// tutorial, the ring, the prefetch and the requeue cases to the same worker as virtual
// time. If the machine stalls for longer than the gaps between events, a choice may
// change, so each case has three tries.
func TestSameAssignmentAsRabbitMQ(t *testing.T) {
	url := rabbitmq(t)
	for _, variant := range []string{"base", "prefetch-1", "prefetch-2", "ring-of-three", "requeue", "requeue-prefetch-3"} {
		t.Run(variant, func(t *testing.T) {
			var difference string
			for range 3 {
				out := filepath.Join(t.TempDir(), "run")
				script(t, time.Minute, nil, harelab, "run", "testdata/assignment.yaml", "--variant", variant,
					"--target", "sim", "--target", url, "--quiet", "--out", out)
				name := strings.TrimSuffix("assignment."+variant, ".base")
				want := assignment(t, filepath.Join(out, "arms", name+".sim", "messages.csv"))
				got := assignment(t, filepath.Join(out, "arms", name+".rabbitmq", "messages.csv"))
				if len(want) == 9 && slices.Equal(got, want) {
					return
				}
				difference = "RabbitMQ:\n" + strings.Join(got, "\n") + "\nvirtual time:\n" + strings.Join(want, "\n")
			}
			t.Error(difference)
		})
	}
}

// assignment lists the last attempt at each message: its worker, the number of
// deliveries, and whether it was flagged as redelivered.
func assignment(t *testing.T, path string) []string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range rows[1:] { // seq,class,queue,worker,slot,attempts,redelivered,...
		out = append(out, "message "+r[0]+" to "+r[3]+", delivered "+r[5]+" times, redelivered "+r[6])
	}
	return out
}
