package sim

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// The agenda returns events in order of (time, rank, creation), as a list that is
// searched does.
func TestAgendaOrder(t *testing.T) {
	for seed := uint64(1); seed <= 200; seed++ {
		r := rand.New(rand.NewPCG(seed, 0))
		var a agenda
		var list []event
		for op := range 500 {
			if at, ok := a.due(); ok != (len(list) > 0) {
				t.Fatalf("seed %d, op %d: due = %v, %v with %d events", seed, op, at, ok, len(list))
			}
			if len(list) == 0 || r.IntN(100) < 52 {
				e := event{arg: int32(op)}
				at := a.now + []int64{0, 0, 0, 1, 2, 5}[r.IntN(6)]
				rank := []uint64{rankInternal, rankInternal, rankFinish, rankControl}[r.IntN(4)]
				a.add(at, rank, e)
				e.at, e.order = at, rank|uint64(op)
				list = append(list, e)
				continue
			}
			first := 0
			for i := range list {
				if list[i].before(&list[first]) {
					first = i
				}
			}
			want := list[first]
			list = slices.Delete(list, first, first+1)
			if at, _ := a.due(); at != want.at {
				t.Fatalf("seed %d, op %d: due at %d, want %d", seed, op, at, want.at)
			}
			if got := a.next(); got.arg != want.arg || got.at != want.at || a.now != want.at {
				t.Fatalf("seed %d, op %d: next = event %d at %d, want %d at %d", seed, op, got.arg, got.at, want.arg, want.at)
			}
		}
	}
}

func TestAgendaAllocatesNothing(t *testing.T) {
	var a agenda
	step := func() {
		for i := range int64(100) {
			a.add(a.now+i%3, rankInternal, event{})
			a.add(a.now+i, rankFinish, event{})
		}
		for range 200 {
			a.next()
		}
	}
	step()
	if n := testing.AllocsPerRun(100, step); n != 0 {
		t.Errorf("%v allocations per run, want 0", n)
	}
}
