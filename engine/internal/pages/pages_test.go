package pages

import (
	"math/rand/v2"
	"testing"
)

// TestAgainstASlice grows tables to random indices and compares each row with a slice.
func TestAgainstASlice(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var table Table[int]
		var model []int
		for range 40 {
			i := rng.IntN(1 + rng.IntN(3*rows))
			for len(model) <= i {
				model = append(model, 0)
			}
			if got := table.Grow(uint32(i)); *got != model[i] {
				t.Fatalf("seed %d: row %d is %d when grown to, want %d", seed, i, *got, model[i])
			}
			model[i] = rng.Int()
			*table.At(uint32(i)) = model[i]
		}
		n := 0
		table.Each(func(i uint32, row *int) {
			if int(i) != n {
				t.Fatalf("seed %d: Each gives row %d, want %d", seed, i, n)
			}
			want := 0 // rows beyond the greatest index
			if n < len(model) {
				want = model[n]
			}
			if n++; *row != want {
				t.Fatalf("seed %d: row %d is %d, want %d", seed, i, *row, want)
			}
		})
		if n < len(model) {
			t.Fatalf("seed %d: Each gives %d rows, want at least %d", seed, n, len(model))
		}
	}
}

// TestRowsStay checks that rows behind the first page never move.
func TestRowsStay(t *testing.T) {
	var table Table[int]
	row := table.Grow(rows)
	table.Grow(100 * rows)
	if table.At(rows) != row {
		t.Error("a row of the second page moved")
	}
}

// TestMemory checks how many rows a table makes: few for a short table, and few after
// Trim.
func TestMemory(t *testing.T) {
	made := func(table *Table[int]) (n int) {
		table.Each(func(uint32, *int) { n++ })
		return n
	}
	var table Table[int]
	for _, tt := range []struct{ index, want int }{
		{0, first}, {first - 1, first}, {first, 4 * first}, {4 * first, 16 * first}, {16 * first, rows}, {rows, 2 * rows}, {9*rows - 1, 9 * rows},
	} {
		table.Grow(uint32(tt.index))
		if got := made(&table); got != tt.want {
			t.Errorf("grown to row %d: %d rows, want %d", tt.index, got, tt.want)
		}
	}
	if table.Trim(); made(&table) != keep*rows {
		t.Errorf("trimmed: %d rows, want %d", made(&table), keep*rows)
	}
}

// TestAllocs checks that a table that is large enough allocates nothing.
func TestAllocs(t *testing.T) {
	var table Table[int]
	table.Grow(10 * rows)
	i := uint32(0)
	if n := testing.AllocsPerRun(1000, func() { *table.Grow(i)++; i++ }); n != 0 {
		t.Errorf("%v allocations a row, want 0", n)
	}
}
