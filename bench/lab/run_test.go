package lab

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// refused declares a queue that no broker accepts.
const refused = `schema: harelab/v1
name: refused
topology: {queues: [{name: q, arguments: {x-max-length: -1}}]}
classes: [{name: job, publish: {exchange: "", key: q}, service: 10ms}]
load: [{sequence: s, phases: [{class: job, model: burst, count: 1}]}]
workers: [{name: w, threads: 1, consume: [{queue: q}]}]
`

func TestEmbeddedBrokerReportsARefusalAsAnErrorOnly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "refused.yaml")
	if err := os.WriteFile(file, []byte(refused), 0o666); err != nil {
		t.Fatal(err)
	}
	asked, err := Expand(Request{Scenarios: []string{file}, Targets: []Target{{Kind: Embedded}}, Repeat: 1})
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	_, err = Measure(context.Background(), asked, 1, nil)
	if err == nil || !strings.Contains(err.Error(), `queue "q"`) || !strings.Contains(err.Error(), "406") {
		t.Errorf("error %v, want the refusal of queue q with 406", err)
	}
	if logged.Len() > 0 {
		t.Errorf("the broker logged %s", &logged)
	}
}

func TestWarningsPass(t *testing.T) {
	var logged bytes.Buffer
	log := slog.New(warnings{slog.NewTextHandler(&logged, nil)}).With("user", "guest").WithGroup("queue")
	log.Info("quiet")
	log.Warn("loud", "name", "q")
	log.Error("louder")
	got := logged.String()
	if strings.Contains(got, "quiet") || !strings.Contains(got, "msg=loud user=guest queue.name=q") || !strings.Contains(got, "level=ERROR") {
		t.Errorf("logged %s, want the warning and the error", got)
	}
}
