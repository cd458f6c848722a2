package stat

import (
	"math"
	"strings"
	"testing"

	"harelab/loadgen/run"
)

// peak is a pool whose load needs 63.04 slots from 120 s to 150 s.
func peak(change func(*run.Overload)) []run.Pool {
	o := run.Overload{From: 120e6, To: 150e6, Needs: 63.04, Slots: 24, Most: 24, Speed: 24, Enough: 65, Drained: 210_900_000}
	if change != nil {
		change(&o)
	}
	return []run.Pool{{Queues: []string{"celery"}, Overloads: []run.Overload{o}}}
}

func TestOverloadSentences(t *testing.T) {
	two := func(change func(*run.Overload)) []run.Pool {
		return append(peak(change), run.Pool{Queues: []string{"other"}})
	}
	for _, tt := range []struct {
		pools []run.Pool
		want  string
	}{
		{peak(nil), "From 120 s to 150 s the load needs 63 busy slots and 24 are there: no prefetch or dispatch can help; 65 slots would. Its backlog is gone by 210 s at the earliest."},
		{two(nil), "From 120 s to 150 s the load of queue celery needs 63 busy slots and 24 are there: no prefetch or dispatch can help; 65 slots would. Its backlog is gone by 210 s at the earliest."},
		{peak(func(o *run.Overload) { o.Queues, o.Drained = []string{"a", "b"}, run.None }), "From 120 s to 150 s the load of queues a and b needs 63 busy slots and 24 are there: no prefetch or dispatch can help; 65 slots would."},
		{peak(func(o *run.Overload) { o.Slots, o.Most, o.Speed, o.Drained = 0, 0, 0, math.MaxInt64 }), "From 120 s to 150 s the load needs 63 busy slots and none is there: no prefetch or dispatch can help; 65 slots would. No worker is left to work off its backlog."},
		{peak(func(o *run.Overload) { o.Slots, o.Varies, o.Drained = 16, true, run.None }), "From 120 s to 150 s the load needs up to 63 busy slots and 16 to 24 are there: no prefetch or dispatch can help; 65 slots would."},
		{peak(func(o *run.Overload) { o.Speed, o.Drained = 12, run.None }), "From 120 s to 150 s the load needs 63 busy slots and 24 are there, worth 12 at their speed: no prefetch or dispatch can help; 65 slots at full speed would."},
		{peak(func(o *run.Overload) { o.Needs, o.Enough, o.Drawn, o.Drained = 24.02, 25, true, run.None }), "From 120 s to 150 s the load as drawn needs 24.02 busy slots and 24 are there: no prefetch or dispatch can help; 25 slots would."},
		{peak(func(o *run.Overload) {
			o.Slots, o.Most, o.Speed, o.Needs, o.Enough, o.Drained = 1, 1, 1, 1235, 1274, run.None
		}), "From 120 s to 150 s the load needs 1235 busy slots and 1 is there: no prefetch or dispatch can help; 1274 slots would."},
		{nil, ""},
	} {
		if got := strings.Join(Overloads(tt.pools), " | "); got != tt.want {
			t.Errorf("\n got %s\nwant %s", got, tt.want)
		}
	}
}

// TestManyOverloads: those that lack most are described, in order of time, and the end of
// a backlog that several have in common is said once.
func TestManyOverloads(t *testing.T) {
	p := run.Pool{Queues: []string{"q"}}
	for i := range int64(6) {
		p.Overloads = append(p.Overloads, run.Overload{From: 100e6 * i, To: 100e6*i + 50e6, Needs: 10 + float64(i%3), Slots: 4, Most: 4, Speed: 4, Enough: 13, Drained: 900e6})
	}
	got := strings.Join(Overloads([]run.Pool{p}), "\n")
	want := "From 200 s to 250 s the load needs 12 busy slots and 4 are there: no prefetch or dispatch can help; 13 slots would.\n" +
		"From 500 s to 550 s the load needs 12 busy slots and 4 are there: no prefetch or dispatch can help; 13 slots would. Its backlog is gone by 900 s at the earliest.\n" +
		"3 more overloads are shorter or smaller."
	if !strings.HasPrefix(got, "From 100 s to 150 s the load needs 11 busy") || !strings.HasSuffix(got, want) {
		t.Errorf("%s", got)
	}
}

func TestEnoughSentences(t *testing.T) {
	phase := func(peak float64, slots int, speed float64) run.Pool {
		return run.Pool{Queues: []string{"q"}, Phases: []run.Phase{{Peak: peak / 2, Slots: slots, Speed: speed}, {Peak: peak, Slots: slots, Speed: speed}}}
	}
	closed := phase(3, 4, 4)
	closed.Closed = true
	for _, tt := range []struct {
		pools []run.Pool
		want  string
	}{
		{[]run.Pool{phase(7.88, 24, 24)}, "The load needs at most 7.88 of 24 slots."},
		{[]run.Pool{phase(1, 1, 1)}, "The load needs at most 1 of 1 slot: hardly any time is spare."},
		{[]run.Pool{phase(1, 4, 2)}, "The load needs at most 1 of 4 slots, worth 2 at their speed."},
		{[]run.Pool{phase(1, 4, 4), phase(3, 4, 4)}, "The load of queue q needs at most 3 of 4 slots. Other queues need a smaller share of theirs."},
		{[]run.Pool{phase(5, 4, 4)}, ""}, // for so short a time that it is no overload
		{[]run.Pool{closed}, ""},
		{peak(nil), ""},
		{nil, ""},
	} {
		if got := strings.Join(Enough(tt.pools), " | "); got != tt.want {
			t.Errorf("\n got %s\nwant %s", got, tt.want)
		}
	}
}

func TestBurstSentences(t *testing.T) {
	one := []run.Pool{{Queues: []string{"q"}, Burst: &run.Burst{Work: 160e6, Slots: 4, Least: 40e6}}}
	if got, want := strings.Join(Bursts(one), ""), "The burst at 0 s is 160 s of work: 4 slots need 40 s for it at least."; got != want {
		t.Errorf("%s", got)
	}
	one[0].Burst.Queues, one[0].Burst.Slots = []string{"a", "b", "c", "d", "e", "f"}, 1
	if got, want := strings.Join(Bursts(one), ""), "The burst for queues a, b, c, d and 2 more at 0 s is 160 s of work: 1 slot needs 40 s for it at least."; got != want {
		t.Errorf("%s", got)
	}
}
