package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"harelab/engine"
)

const tinyScenario = `schema: harelab/v1
name: tiny
topology: {queues: [{name: q}]}
classes: [{name: job, publish: {exchange: "", key: q}, service: 1ms}]
load: [{sequence: s, phases: [{class: job, model: burst, count: 4}]}]
workers: [{name: w, threads: 1, consume: [{queue: q}], prefetch: {count: 1}, ack: on-done}]
`

// TestHarelabByURL runs a scenario on two harelabs by URL. They present themselves as
// RabbitMQ to clients; the results call them harelab, and tell them apart by address.
func TestHarelabByURL(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, out := filepath.Join(dir, "tiny.yaml"), filepath.Join(dir, "out")
	if err := os.WriteFile(file, []byte(tinyScenario), 0o666); err != nil {
		t.Fatal(err)
	}
	args := []string{"run", file, "--quiet", "--out", out}
	var addresses []string
	for range 2 {
		e, err := engine.New(engine.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { e.Close() })
		addr, err := e.Listen("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addresses = append(addresses, addr.String())
		args = append(args, "--target", "amqp://guest:guest@"+addr.String()+"/")
	}
	text, err := exec.Command("harelab", args...).CombinedOutput()
	if err != nil {
		t.Logf("harelab %v: %v\n%s", args, err, text) // a busy machine may make a run invalid
	}
	said := map[string]string{"text": string(text)}
	for _, name := range []string{"report.html", "report.md", "bench.txt", "manifest.json"} {
		b, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		said[name] = string(b)
	}
	for name, text := range said {
		if !strings.Contains(text, "harelab "+engine.Version()) && !strings.Contains(text, "harelab-"+engine.Version()) {
			t.Errorf("%s names no harelab %s", name, engine.Version())
		}
		if strings.Contains(text, "3.10.8") {
			t.Errorf("%s calls it by RabbitMQ's version", name)
		}
		for _, a := range addresses {
			if !strings.Contains(text, a) {
				t.Errorf("%s does not name %s", name, a)
			}
		}
	}
}
