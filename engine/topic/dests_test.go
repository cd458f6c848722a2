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
					t.Fatalf("seed %#x, op %d: the list holds %d, which was removed", seed, op, d)
				}
			}
			l.checkRoom(t)
			if len(all) != len(want) || l.n != len(want) {
				t.Fatalf("seed %#x, op %d: %d destinations, n %d, want %d", seed, op, len(all), l.n, len(want))
			}
		}
	}
	if got := len(*l.chunks.Load()); got > 2*1000/chunkLen {
		t.Errorf("%d chunks for at most 1000 destinations", got)
	}
}

// checkRoom checks that the list of chunks with room holds only such chunks, each once.
func (l *destList) checkRoom(t *testing.T) {
	t.Helper()
	seen := make(map[int32]bool)
	for _, i := range l.room {
		if n := len(*(*l.chunks.Load())[i].Load()); n == chunkLen || seen[i] {
			t.Errorf("chunk %d of %d destinations is among those with room, seen before is %t", i, n, seen[i])
		}
		seen[i] = true
	}
}

// A swapped is a list of many chunks. The first and the last chunk exchange a
// destination.
type swapped struct {
	*destList
	first, last Dest
}

func newSwapped() *swapped {
	const chunks = 100
	l := newDestList(0)
	for d := range Dest(chunks*chunkLen - 1) {
		l.add(d + 1)
	}
	return &swapped{l, 0, chunks*chunkLen - 1}
}

// swap removes both destinations and adds them again. The list fills the chunk first
// that got room last, so they change places.
func (s *swapped) swap() {
	s.remove(s.last)
	s.remove(s.first)
	s.add(s.last)
	s.add(s.first)
	s.first, s.last = s.last, s.first
}

// TestDestListWalkOverASwap moves destinations, during a walk, from a chunk that was
// read to one that was not, and the other way round.
func TestDestListWalkOverASwap(t *testing.T) {
	for swaps := range 3 {
		s := newSwapped()
		first, last := s.first, s.last
		var r results
		w := s.walk(&r)
		w.next(&r)
		for range swaps {
			s.swap()
		}
		for w.next(&r) {
		}
		count := func(d Dest) (n int) {
			for _, e := range r.dst {
				if e == d {
					n++
				}
			}
			return n
		}
		if twice := swaps % 2; count(first) != 1+twice || count(last) != 1-twice {
			t.Fatalf("over %d swaps a walk saw the destinations %d and %d times, want %d and %d: this test shows nothing",
				swaps, count(first), count(last), 1+twice, 1-twice)
		}
		if swaps == 0 && r.parts != 1 {
			t.Errorf("a list that nobody changed is %d sets, want 1", r.parts)
		}
		r.dst = r.unique()
		if count(first) != 1 {
			t.Errorf("over %d swaps a destination is among the results twice", swaps)
		}
	}
}

// TestDestListReadersSeeEachOnce swaps destinations under a reader.
func TestDestListReadersSeeEachOnce(t *testing.T) {
	s := newSwapped()
	during(func() {
		for range 10_000 {
			s.swap()
		}
	}, func() bool {
		var r results
		s.addTo(&r)
		all := r.unique()
		slices.Sort(all)
		if n := len(all); len(slices.Compact(all)) != n {
			t.Error("a destination is there twice")
			return false
		}
		return true
	})
}

// TestDestListEmptiedUnderAReader empties and refills a list under a reader that walks
// it chunk by chunk, as a reader does that started when the list had several chunks.
func TestDestListEmptiedUnderAReader(t *testing.T) {
	l := newDestList(0)
	during(func() {
		for range 1_000_000 {
			l.reset([]Dest{0})
		}
	}, func() bool {
		var r results
		for w := l.walk(&r); w.next(&r); {
		}
		if len(r.dst) != 1 {
			t.Errorf("%d destinations from a list of one", len(r.dst))
			return false
		}
		return true
	})
}

// during calls read repeatedly while change runs, until read returns false.
func during(change func(), read func() bool) {
	var stop atomic.Bool
	var reader sync.WaitGroup
	reader.Go(func() {
		for !stop.Load() && read() {
		}
	})
	change()
	stop.Store(true)
	reader.Wait()
}

// TestDestListFillsAndEmpties fills one chunk or more, and removes all destinations.
func TestDestListFillsAndEmpties(t *testing.T) {
	l := newDestList(0)
	for _, most := range []int{chunkLen / 2, chunkLen, chunkLen + 1, 3 * chunkLen, 1} {
		for n := 1; n < most; n++ {
			l.add(Dest(n))
			if got := len(l.all()); got != n+1 {
				t.Fatalf("filled to %d: %d destinations of %d", most, got, n+1)
			}
		}
		if got := len(l.compact().all()); got != most {
			t.Fatalf("filled to %d: %d destinations of its copy", most, got)
		}
		for n := range most {
			l.remove(Dest(n))
			if got := len(l.all()); got != most-n-1 {
				t.Fatalf("filled to %d: %d destinations of %d", most, got, most-n-1)
			}
		}
		if got := len(*l.chunks.Load()); got != 1 {
			t.Errorf("filled to %d and emptied: %d chunks", most, got)
		}
		l.add(0)
	}
}
