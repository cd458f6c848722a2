package stat

import (
	"strings"
	"testing"

	"harelab/loadgen/run"
)

// waiting is a result whose messages all wait for so many microseconds.
func waiting(us int64) *run.Result {
	r := measured(us, 0, 0, 0)
	r.Target.Kind, r.Headline = "sim", "wait.mean"
	return r
}

// TestRaceMovesAFigure: by more than 10 % of it and by more than the window, in either
// direction.
func TestRaceMovesAFigure(t *testing.T) {
	const ms = int64(1000)
	for _, c := range []struct {
		name          string
		exact, others int64 // waits in microseconds
		want          string
	}{
		{"no move", 1000 * ms, 1000 * ms, ""},
		{"10 % up", 1000 * ms, 1100 * ms, ""},
		{"more", 1000 * ms, 1101 * ms, "In 2 such orders wait.mean is 1 s to 1.1 s (1 s in order of publication)."},
		{"10 % down", 1000 * ms, 900 * ms, ""},
		{"less", 1000 * ms, 899 * ms, "wait.mean is 0.899 s to 1 s (1 s in order of publication)."},
		{"within the window", 20 * ms, 30 * ms, ""},
		{"beyond it", 20 * ms, 31 * ms, "wait.mean is 20 ms to 31 ms (20 ms in order of publication)."},
	} {
		race := NewRace(0.01, waiting(c.exact), []*run.Result{waiting(c.exact), waiting(c.others)})
		s := Summarize(waiting(c.exact))
		s.AddRace(race)
		text := ""
		for _, f := range s.Findings {
			text += f.Text
		}
		if !strings.Contains(text, c.want) || (text == "") != (c.want == "") || !s.Valid() {
			t.Errorf("%s: %q, want %q", c.name, text, c.want)
		}
	}
}
