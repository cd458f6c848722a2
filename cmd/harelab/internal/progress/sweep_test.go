package progress

import (
	"strings"
	"testing"
	"time"

	"harelab/bench/lab"
	"harelab/loadgen"
)

func TestSweepProgress(t *testing.T) {
	under := &loadgen.Progress{Elapsed: 3 * time.Second, Done: 7, Planned: 10, Left: 2 * time.Second}
	show := func(terminal, quiet bool) string {
		var b strings.Builder
		w := NewSweep(&b, terminal, quiet)
		now := time.Unix(0, 0)
		w.now = func() time.Time { return now }
		w.Show(lab.SweepProgress{Done: 0, Total: 4, Left: 200 * time.Second, Label: "a=1", Under: under})
		w.Show(lab.SweepProgress{Done: 1, Total: 4, Left: 150 * time.Second, Label: "a=1"}) // too soon
		now = now.Add(lineEvery)
		w.Show(lab.SweepProgress{Done: 2, Total: 4, Left: -1, Label: "a=2"})
		w.Show(lab.SweepProgress{Done: 4, Total: 4, Left: 0, Label: "a=4"}) // the last is never too soon
		w.End()
		w.End()
		return b.String()
	}
	if got, want := show(false, false), "0 of 4 cells  3 min left  a=1: 3.0 s  done 7/10  2.0 s left\n2 of 4 cells  a=2\n4 of 4 cells  a=4\n"; got != want {
		t.Errorf("in a pipe:\n%s\nwant\n%s", got, want)
	}
	bar := func(full int) string {
		return eraseLine + noWrap + "  [" + strings.Repeat("=", full) + strings.Repeat(" ", 24-full) + "] "
	}
	if got, want := show(true, false), bar(0)+"0 of 4 cells  3 min left  a=1: 3.0 s  done 7/10  2.0 s left"+wrap+
		bar(12)+"2 of 4 cells  a=2"+wrap+bar(24)+"4 of 4 cells  a=4"+wrap+eraseLine; got != want {
		t.Errorf("on a terminal:\n%q\nwant\n%q", got, want)
	}
	if got := show(true, true); got != "" {
		t.Errorf("quiet: %q", got)
	}
}
