package progress

import (
	"strings"
	"testing"
	"time"

	"harelab/bench/lab"
)

func TestAnnouncement(t *testing.T) {
	announceRepeat := func(repeat, parallel int, target lab.Target, names ...string) string {
		t.Helper()
		arms, err := lab.Expand(lab.Request{Scenarios: names, Variants: []string{lab.Base}, Targets: []lab.Target{target}, Repeat: repeat})
		if err != nil {
			t.Fatal(err)
		}
		return announcement(arms, parallel)
	}
	announce := func(parallel int, target lab.Target, names ...string) string {
		t.Helper()
		return announceRepeat(1, parallel, target, names...)
	}
	embedded := lab.Target{Kind: lab.Embedded}
	for _, c := range []struct{ got, want string }{
		{announce(1, lab.Target{Kind: lab.Sim}, "dispatch-catalogue"), ""},
		{announce(1, embedded, "celery-initial"), ""},
		{announce(1, embedded, "dispatch-catalogue"), "embedded: 1 arm takes 1 h 5"},
		{announce(1, embedded, "celery-initial", "dispatch-catalogue"), "embedded: 2 arms take 1 h 5"},
		{announce(1, embedded, "celery-initial", "dispatch-catalogue"), "of that dispatch-catalogue 1 h 5"},
		{announceRepeat(2, 2, embedded, "priority-starves"), ""},
		{announceRepeat(2, 2, lab.Target{Kind: lab.AMQP, URL: "amqp://h/"}, "priority-starves"), "amqp://h/: 2 arms take 2 min"},
	} {
		if !strings.Contains(c.got, c.want) || (c.got == "") != (c.want == "") {
			t.Errorf("announced %q, want %q in it", c.got, c.want)
		}
	}
}

func TestRoughly(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "a second", 11 * time.Second: "11 s", 119 * time.Second: "119 s", 150 * time.Second: "2 min", 7150 * time.Second: "1 h 59 min",
	} {
		if got := roughly(d); got != want {
			t.Errorf("roughly(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestWatchersAnnounceLongArms(t *testing.T) {
	arms, err := lab.Expand(lab.Request{Scenarios: []string{"dispatch-catalogue"}, Variants: []string{lab.Base}, Targets: []lab.Target{{Kind: lab.Embedded}}, Repeat: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := announcement(arms, 1) + "\n"
	for _, quiet := range []bool{false, true} {
		var run, sweep strings.Builder
		New(&run, false, quiet).Plan(arms, 1)
		NewSweep(&sweep, false, quiet).Plan(arms, 1)
		if quiet {
			want = ""
		}
		if run.String() != want || sweep.String() != want {
			t.Errorf("quiet %v: %q, %q, want %q", quiet, &run, &sweep, want)
		}
	}
}
