package queue

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the decisions in testdata/rules")

// TestRules replays the transcripts in testdata/rules. Each is a rule: events, and the
// queue's decisions on lines that begin with >.
func TestRules(t *testing.T) {
	files, err := filepath.Glob("testdata/rules/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				text = decide(t, text)
				if err := os.WriteFile(file, text, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if err := Replay(bytes.NewReader(text)); err != nil {
				t.Errorf("%v\nlook at %s, then run: go test ./engine/queue -run TestRules -update", err, file)
			}
		})
	}
}

// decide returns a transcript with the decisions that the queue makes on its events.
func decide(t *testing.T, text []byte) []byte {
	t.Helper()
	var b []byte
	var rec *Recorder
	var recorded bytes.Buffer
	var codec Codec
	for line := range bytes.Lines(text) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		switch {
		case len(line) == 0 || line[0] == '#':
			b = append(append(b, line...), '\n')
		case line[0] == '>' || line[0] == '?':
		case rec == nil:
			cfg, err := ParseConfig(line)
			if err != nil {
				t.Fatal(err)
			}
			rec = NewRecorder(New(cfg), &recorded)
			b = append(b, recorded.Bytes()...)
		default:
			e, err := codec.ParseEvent(line)
			if err != nil {
				t.Fatal(err)
			}
			recorded.Reset()
			rec.Step(e, nil)
			b = append(b, recorded.Bytes()...)
		}
	}
	return b
}
