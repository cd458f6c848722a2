package dispatch

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestHeapFindsTheLeast compares heaps that share a place table with slices.
func TestHeapFindsTheLeast(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 0))
		const ids = 60
		place := make([]int32, ids)
		keys := make([]int, ids)
		less := func(a, b uint32) bool { return keys[a] < keys[b] || keys[a] == keys[b] && a < b }
		heaps := [2]heap[uint32]{{place: &place, less: less}, {place: &place, less: less}}
		var in [2][]uint32
		for op := range 3000 {
			i, id := r.IntN(2), uint32(r.IntN(ids))
			if slices.Contains(in[1-i], id) {
				i = 1 - i
			}
			h, have := &heaps[i], slices.Contains(in[i], id)
			switch {
			case have && r.IntN(3) == 0:
				h.remove(id)
				in[i] = slices.DeleteFunc(in[i], func(o uint32) bool { return o == id })
			default:
				keys[id] = r.IntN(30)
				h.fix(id)
				if !have {
					in[i] = append(in[i], id)
				}
			}
			for i, h := range heaps {
				if len(h.ids) != len(in[i]) {
					t.Fatalf("seed %d, op %d: %d are in heap %d, want %d", seed, op, len(h.ids), i, len(in[i]))
				}
				for _, id := range in[i] {
					if less(id, h.ids[0]) {
						t.Fatalf("seed %d, op %d: the least of heap %d is %d, want %d", seed, op, i, h.ids[0], id)
					}
				}
			}
		}
	}
}
