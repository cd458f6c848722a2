package topic

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

func TestDestList(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	l, want := newDestList(0), map[Dest]bool{0: true}
	for op := range 20_000 {
		d := Dest(rng.IntN(1000))
		switch has := l.find(d) >= 0; {
		case has != want[d]:
			t.Fatalf("seed %#x, op %d: find(%d) is %t, want %t", seed, op, d, has, want[d])
		case !has && op/5000%2 == 0:
			l.add(d)
			want[d] = true
		case has:
			l.remove(d)
			delete(want, d)
		}
		if op%100 == 0 {
			all := l.all()
			for _, d := range all {
				if !want[d] {
					t.Fatalf("seed %#x, op %d: %d is there, and should not be", seed, op, d)
				}
			}
			if len(all) != len(want) || l.n != len(want) {
				t.Fatalf("seed %#x, op %d: %d destinations, n %d, want %d", seed, op, len(all), l.n, len(want))
			}
		}
	}
	if got := len(*l.chunks.Load()); got > 2*1000/chunkLen {
		t.Errorf("%d chunks for at most 1000 destinations", got)
	}
}

// TestDestListReadersSeeEachOnce moves a destination from chunk to chunk under
// readers.
func TestDestListReadersSeeEachOnce(t *testing.T) {
	l := newDestList(0)
	for d := range Dest(chunkLen - 1) {
		l.add(d + 1)
	}
	const moving, filler = 1000, 1001
	l.add(filler)
	l.remove(filler) // there is a second chunk now
	var stop atomic.Bool
	var readers sync.WaitGroup
	readers.Go(func() {
		for !stop.Load() {
			var r results
			l.addTo(&r)
			got := r.unique()
			slices.Sort(got)
			if len(slices.Compact(got)) != len(got) {
				t.Errorf("a destination is there twice: %d", got)
				return
			}
		}
	})
	for range 20_000 {
		l.remove(0) // makes room in the first chunk
		l.add(moving)
		l.remove(moving)
		l.add(filler)
		l.add(moving) // into the second
		l.remove(moving)
		l.remove(filler)
		l.add(0)
	}
	stop.Store(true)
	readers.Wait()
}
