package broker

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestUnackedList compares the ring with a sorted list under random pushes, acks
// from the front, from the middle, multiple ones and unknown tags.
func TestUnackedList(t *testing.T) {
	const seed = 3
	rng := rand.New(rand.NewPCG(seed, 0))
	q := new(Queue)
	var list unackedList
	var want []uint64
	next := uint64(0)
	for op := range 200_000 {
		switch r := rng.IntN(100); {
		case r < 50 || len(want) == 0:
			next++
			list.push(unsettled{tag: next, queue: q})
			want = append(want, next)
		case r < 75: // mostly the front
			i := min(rng.IntN(3), len(want)-1)
			if u, ok := list.take(want[i]); !ok || u.tag != want[i] {
				t.Fatalf("seed %d, op %d: take(%d) = %v, %t", seed, op, want[i], u.tag, ok)
			}
			want = slices.Delete(want, i, i+1)
		case r < 96:
			i := rng.IntN(len(want))
			if u, ok := list.take(want[i]); !ok || u.tag != want[i] {
				t.Fatalf("seed %d, op %d: take(%d) = %v, %t", seed, op, want[i], u.tag, ok)
			}
			want = slices.Delete(want, i, i+1)
		case r < 97 && op%50 == 0:
			i := rng.IntN(len(want))
			got, ok := list.takeUpTo(want[i], nil)
			if !ok || len(got) != i+1 || got[i].tag != want[i] {
				t.Fatalf("seed %d, op %d: takeUpTo(%d) took %d, %t, want %d", seed, op, want[i], len(got), ok, i+1)
			}
			want = want[i+1:]
		default:
			tag := uint64(rng.IntN(int(next) + 3))
			if _, ok := list.take(tag); ok != slices.Contains(want, tag) {
				t.Fatalf("seed %d, op %d: take(%d) = %t", seed, op, tag, ok)
			}
			want = slices.DeleteFunc(want, func(w uint64) bool { return w == tag })
		}
		if list.live != len(want) {
			t.Fatalf("seed %d, op %d: %d live, want %d", seed, op, list.live, len(want))
		}
	}
	all, ok := list.takeUpTo(0, nil)
	if !ok || len(all) != len(want) || list.n != 0 {
		t.Errorf("takeUpTo(0) took %d, %t and left %d, want %d", len(all), ok, list.n, len(want))
	}
}

// TestUnackedListForgottenAck acks a million deliveries but not the one before them.
func TestUnackedListForgottenAck(t *testing.T) {
	var list unackedList
	q := new(Queue)
	list.push(unsettled{tag: 1, queue: q})
	for tag := uint64(2); tag < 1_000_000; tag++ {
		list.push(unsettled{tag: tag, queue: q})
		list.take(tag)
	}
	if len(list.ring) > 2*firstRing {
		t.Errorf("a ring of %d for one unacked delivery, want at most %d", len(list.ring), 2*firstRing)
	}
}
