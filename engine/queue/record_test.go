package queue

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"harelab/engine/dispatch"
)

// A file is a writer that notes whether it was flushed and closed.
type file struct {
	bytes.Buffer
	flushed, closed bool
}

func (f *file) Flush() error { f.flushed = true; return nil }
func (f *file) Close() error { f.closed = true; return nil }

func recorder(t *testing.T) (*Recorder, *file) {
	t.Helper()
	s, err := dispatch.LookupSelector("rr")
	if err != nil {
		t.Fatal(err)
	}
	o, err := dispatch.LookupOrder("fifo")
	if err != nil {
		t.Fatal(err)
	}
	f := &file{}
	return NewRecorder(New(Config{Selector: s, Order: o, Limits: Unlimited}), f), f
}

func TestRecordingEnds(t *testing.T) {
	rec, f := recorder(t)
	rec.Step(Event{Kind: Publish, Now: 5}, nil)
	rec.Step(Event{Kind: Close, Now: 6}, nil)
	rec.End()
	got, err := ReplayCut(bytes.NewReader(f.Bytes()))
	if want := (Replayed{Events: 2, Ended: true}); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v\n%s", got, err, want, f)
	}
	if !f.closed || rec.Err() != nil {
		t.Errorf("closed %v, %v: want the file closed", f.closed, rec.Err())
	}
}

// failing is a probe that panics, as a queue with a broken invariant does.
type failing struct{}

func (failing) Outstanding() int { panic("broken") }
func (failing) Work(int64) int64 { panic("broken") }

func TestEventThatTheQueueDoesNotSurviveIsRecorded(t *testing.T) {
	s, err := dispatch.LookupSelector("lwl")
	if err != nil {
		t.Fatal(err)
	}
	rec, f := recorder(t)
	cfg := rec.q.cfg
	cfg.Selector = s
	rec = NewRecorder(New(cfg), f)
	f.Reset()
	rec.Step(Event{Kind: Join, Now: 1, Probe: failing{}}, nil)
	func() {
		defer func() {
			if recover() == nil {
				t.Fatal("the queue survived")
			}
		}()
		rec.Step(Event{Kind: Publish, Now: 2}, nil)
	}()
	if !f.flushed || !strings.HasSuffix(f.String(), "\npublish 2\n") {
		t.Errorf("flushed %v, want the last event at the end of\n%s", f.flushed, f)
	}
}

func TestReplayNumbersEvents(t *testing.T) {
	const text = "# events are counted, lines too\nqueue selector=rr order=fifo limits\njoin 0\njoin 0\n\npublish 5\n> deliver id=1 c=0 ref=0\npublish 6\n> deliver id=2 c=0 ref=1\nend\n"
	_, err := ReplayCut(strings.NewReader(text))
	var got *Difference
	want := Difference{Event: 4, Line: 8, Text: "publish 6", Decided: "deliver id=2 c=1 ref=1", Recorded: "deliver id=2 c=0 ref=1"}
	if !errors.As(err, &got) || *got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
