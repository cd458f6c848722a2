package progress

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"harelab/bench/lab"
	"harelab/loadgen"
	"harelab/loadgen/run"
)

func TestWatcher(t *testing.T) {
	arms, err := lab.Expand(lab.Request{Scenarios: []string{"celery-initial"}, Repeat: 1, Targets: []lab.Target{{Kind: lab.Embedded}}})
	if err != nil {
		t.Fatal(err)
	}
	show := func(terminal, quiet bool) string {
		var out bytes.Buffer
		now := time.Unix(0, 0)
		w := &watcher{w: &out, terminal: terminal, quiet: quiet, now: func() time.Time { return now }}
		w.Begin(0, 1, arms[0])
		for range 12 {
			now = now.Add(500 * time.Millisecond)
			w.Progress(0, loadgen.Progress{Planned: 44, Published: 44, Delivered: 16, Done: 4, Depth: 28,
				Rate: 2, Elapsed: 5 * time.Second, Left: 6 * time.Second})
		}
		w.End(0, arms[0], &run.Result{Length: 11e6, Ledger: run.Ledger{Published: 44, Delivered: 44}})
		return out.String()
	}
	const state = "5.0 s  6.0 s left  published 44/44  delivered 16  done 4  depth 28  2/s"
	if got, want := show(false, false), "[1/1] celery-initial on embedded, 11 s or more\n  [1/1] "+state+"\n"+
		"  [1/1] done after 11.0 s: 44 published, 44 delivered, 0 lost\n"; got != want {
		t.Errorf("in a pipe:\n%s\nwant:\n%s", got, want)
	}
	if got := show(true, false); strings.Count(got, eraseLine+noWrap+"  [==========              ] "+state) != 12 {
		t.Errorf("on a terminal, want the bar redrawn at each step:\n%q", got)
	}
	if got := show(true, true); got != "" {
		t.Errorf("quiet: %q, want nothing", got)
	}
}

func TestWatcherShowsArmsSideBySide(t *testing.T) {
	arms, err := lab.Expand(lab.Request{Scenarios: []string{"celery-optimized"}, Repeat: 1, Targets: []lab.Target{{Kind: lab.Embedded}}})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	now := time.Unix(0, 0)
	w := &watcher{w: &out, terminal: true, now: func() time.Time { return now }}
	w.Begin(0, 3, arms[0])
	w.Begin(1, 3, arms[1])
	w.Progress(1, loadgen.Progress{Planned: 44, Done: 7, Elapsed: 2 * time.Second, Left: 18 * time.Second})
	now = now.Add(time.Second)
	w.Progress(0, loadgen.Progress{Planned: 204, Done: 9, Elapsed: 3 * time.Second, Left: -1})
	w.End(0, arms[0], &run.Result{Length: 20e6, Ledger: run.Ledger{Published: 204, Delivered: 204}})
	const want = "[1/3] celery-optimized on embedded, 15 s or more\n[2/3] celery-optimized/same-load on embedded, 11 s or more\n" +
		eraseLine + noWrap + "  [1/3] 0.0 s  done 0  [2/3] 2.0 s  done 7/44  18.0 s left" + wrap +
		eraseLine + noWrap + "  [1/3] 3.0 s  done 9/204  [2/3] 2.0 s  done 7/44  18.0 s left" + wrap +
		eraseLine + "  [1/3] done after 20.0 s: 204 published, 204 delivered, 0 lost\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestLogTakesThePlaceOfTheBar(t *testing.T) {
	var out bytes.Buffer
	w := &watcher{w: &out, terminal: true, now: func() time.Time { return time.Unix(0, 0) }}
	w.arms = []*armState{{last: loadgen.Progress{Planned: -1, Left: -1}}}
	w.redraw()
	bar := out.String()
	if n, err := OverBar(&out).Write([]byte("a warning\n")); n != len("a warning\n") || err != nil {
		t.Errorf("wrote %d, %v", n, err)
	}
	w.redraw()
	if got, want := out.String(), bar+eraseLine+"a warning\n"+bar; got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}
