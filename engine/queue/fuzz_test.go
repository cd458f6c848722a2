package queue

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"harelab/engine/dispatch"
)

// FuzzEvent: an event that can be read can be written and read again, and is the same.
func FuzzEvent(f *testing.F) {
	for _, line := range []string{
		"publish 1500 cost=200 priority=7 expires=9000 bytes=12 hold redelivered restored tenant=blue+sky task=a%26b",
		"join 0 prefetch=3 slots=2 x-priority=-5 noack exclusive limiter=0/10 probe",
		"ack -7 hold refs=0,1,4294967294",
		"configure 5 limits maxlength=0 overflow=2 ttl=1000 deadletter",
		"configure 5 hold selector=fair order=drr seed=1 quantum=2 costbyservice weights=a:2 hint=3/-1/blue+sky/ hint=0/5//t%2F limits maxlength=0",
		"run 9223372036854775807 limiter=0/0",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		var codec Codec
		e, err := codec.ParseEvent([]byte(line))
		if err != nil {
			return
		}
		text := codec.AppendEvent(nil, e)
		again, err := codec.ParseEvent(text)
		if err != nil {
			t.Fatalf("%q was read, and written as %q: %v", line, text, err)
		}
		if got := codec.AppendEvent(nil, again); !bytes.Equal(got, text) {
			t.Errorf("%q was written as %q and then as %q", line, text, got)
		}
	})
}

// FuzzReplay: no recording makes Replay panic, and no events break a queue's invariants.
func FuzzReplay(f *testing.F) {
	files, err := filepath.Glob("testdata/rules/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if err := Replay(strings.NewReader(text)); err == nil { // any error is right, a panic is not
			cutAnywhere(t, text, max(1, len(text)/8))
		}
		var q *Queue
		var codec Codec
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			if q == nil {
				cfg, err := ParseConfig([]byte(line))
				if err != nil {
					return
				}
				q = New(cfg)
				continue
			}
			e, err := codec.ParseEvent([]byte(line))
			if err != nil {
				continue
			}
			q.Step(e, nil)
			// Reading an event may change limiters, so the queue may have eligible consumers.
			if err := q.Check(true); err != nil {
				t.Fatalf("after %q: %v", line, err)
			}
		}
	})
}

// cutAnywhere cuts a replayable recording off at every step-th octet, and wants
// ReplayCut to replay the rest without an error.
func cutAnywhere(t *testing.T, text string, step int) {
	t.Helper()
	before := 0
	for n := 0; n <= len(text); n += step {
		done, err := ReplayCut(strings.NewReader(text[:n]))
		if err != nil && err.Error() != "queue: the recording is empty" {
			t.Fatalf("cut off after %d octets, %q: %v", n, text[:n], err)
		}
		if done.Events < before {
			t.Fatalf("cut off after %d octets, %d events were replayed, of less text %d", n, done.Events, before)
		}
		before = done.Events
	}
}

func TestReplayCutAnywhere(t *testing.T) {
	files, err := filepath.Glob("testdata/rules/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		cutAnywhere(t, string(text)+EndLine, 1)
	}
}

func TestReplayCut(t *testing.T) {
	const head = "queue selector=rr order=fifo limits\n"
	for _, tt := range []struct {
		rule, text string
		want       Replayed
		err        string
	}{
		{"whole", head + "get 0\n> empty\nend\n", Replayed{Events: 1, Ended: true}, ""},
		{"nothing happened", head + "end\n", Replayed{Ended: true}, ""},
		{"the recorder was stopped after an event", head + "get 0\n> empty\n", Replayed{Events: 1}, ""},
		{"within a decision", head + "get 0\n> emp", Replayed{Cut: true}, ""},
		{"before a decision", head + "get 0\n> empty\nget 0\n", Replayed{Events: 1, Cut: true}, ""},
		{"within an event", head + "get 0\n> empty\nge", Replayed{Events: 1, Cut: true}, ""},
		{"within an event that looks whole", head + "get 0\n> empty\nget 0", Replayed{Events: 1, Cut: true}, ""},
		{"within the last line", head + "get 0\n> empty\nen", Replayed{Events: 1, Cut: true}, ""},
		{"another decision at the end is no cut", head + "get 0\n> deliver id=1 c=0 ref=0\n", Replayed{},
			`queue: line 2: get 0: decided "empty", recorded "deliver id=1 c=0 ref=0"`},
		{"an ended recording lacks nothing", head + "get 0\nend\n", Replayed{Ended: true}, `queue: line 2: get 0: decided "empty", recorded "nothing more"`},
		{"an event before the cut lacks nothing", head + "get 0\nget 0\n> emp", Replayed{}, `queue: line 2: get 0: decided "empty", recorded "nothing more"`},
		{"beyond the end", head + "end\nget 0\n", Replayed{Ended: true}, "queue: line 3: goes on after the end"},
		{"beyond the end, cut off", head + "end\nget", Replayed{Ended: true}, "queue: line 3: goes on after the end"},
		{"not even a configuration", "queue selector=rr", Replayed{}, "queue: the recording is empty"},
		{"something else", "GIF89a\n", Replayed{}, `queue: line 1: configuration "GIF89a" does not begin with "queue"`},
	} {
		got, err := ReplayCut(strings.NewReader(tt.text))
		text := ""
		if err != nil {
			text = err.Error()
		}
		if got != tt.want || text != tt.err {
			t.Errorf("%s: %+v, %q, want %+v, %q", tt.rule, got, text, tt.want, tt.err)
		}
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ line, want string }{
		{"", `queue: event "": want a kind and a time`},
		{"pubish 0", `queue: unknown event "pubish" (have publish, ack, requeue, discard, join, leave, pause, resume, limit, run, get, purge, expire, close, configure, share)`},
		{"publish x", `queue: event "publish x": time "x" is not a number`},
		{"publish 0 cots=1", `queue: unknown field "cots=1"`},
		{"publish 0 priority=256", `queue: priority=256 is out of range`},
		{"publish 0 priority=high", `queue: priority=high is not a number`},
		{"publish 0 held", `queue: unknown field "held"`},
		{"publish 0 tenant=%zz", `queue: tenant=%zz: invalid URL escape "%zz"`},
		{"ack 0 refs=1,-1", `queue: refs=1,-1: "-1" is not a reference`},
		{"join 0 limiter=1/5", `queue: limiter=1/5: limiters are numbered as they come, the next is 0`},
		{"join 0 limiter=0", `queue: limiter=0: want a number and a limit, as in limiter=0/10`},
	}
	for _, tt := range tests {
		var codec Codec
		if _, err := codec.ParseEvent([]byte(tt.line)); err == nil || err.Error() != tt.want {
			t.Errorf("ParseEvent(%q): %v, want %s", tt.line, err, tt.want)
		}
	}
}

func TestDecisionsAreReadAsWritten(t *testing.T) {
	for _, d := range []Decision{
		{Kind: Deliver, Consumer: 0, Ref: 0, ID: 1, Remaining: 4, Redelivered: true},
		{Kind: Deliver, Consumer: dispatch.NoConsumer, Ref: 7, ID: 9, Done: true},
		{Kind: DeadLetter, Reason: DeliveryLimit, Consumer: dispatch.NoConsumer, Ref: 3, ID: 2, Done: true},
		{Kind: WakeAt, Consumer: dispatch.NoConsumer, Ref: dispatch.NoRef, At: -5},
		{Kind: Empty, Consumer: dispatch.NoConsumer, Ref: dispatch.NoRef},
	} {
		text := AppendDecision(nil, d)
		if got, err := ParseDecision(text); err != nil || got != d {
			t.Errorf("%+v was written as %q and read as %+v, %v", d, text, got, err)
		}
	}
}

func TestReplayNamesTheLine(t *testing.T) {
	text := "queue selector=rr order=fifo limits\njoin 0\njoin 0\n\npublish 5\n> deliver id=1 c=0 ref=0\npublish 6\n> deliver id=2 c=0 ref=1\n"
	want := `queue: line 7: publish 6: decided "deliver id=2 c=1 ref=1", recorded "deliver id=2 c=0 ref=1"`
	if err := Replay(strings.NewReader(text)); err == nil || err.Error() != want {
		t.Errorf("Replay: %v, want %s", err, want)
	}
	for text, want := range map[string]string{
		"":                                      "queue: the recording is empty",
		"queue selector=rr order=lifo limits\n": `queue: line 1: dispatch: unknown order "lifo" (have aging, drr, fifo, priority, sjf); did you mean "fifo"?`,
		"queue selector=rr order=fifo limits\nget 0\n":               `queue: line 2: get 0: decided "empty", recorded "nothing more"`,
		"queue selector=rr order=fifo limits\nget 0\n? 1 x\n":        `queue: line 3: answer "x" is not a number`,
		"queue selector=rr order=fifo limits\nget 0\n? 1\n> empty\n": `queue: line 2: get 0: asked other questions of probes and limiters than were recorded`,
	} {
		if err := Replay(strings.NewReader(text)); err == nil || err.Error() != want {
			t.Errorf("Replay(%q): %v, want %s", text, err, want)
		}
	}
}
