package nametable

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
)

// TestAgainstMap makes the same random changes to a table and a map.
func TestAgainstMap(t *testing.T) {
	const seed = 7
	rng := rand.New(rand.NewPCG(seed, 0))
	var table Table[int]
	want := make(map[string]int)
	for op := range 20_000 {
		name := fmt.Sprint("name", rng.IntN(1+op/20))
		if rng.IntN(3) > 0 {
			table.Set(name, op)
			want[name] = op
		} else {
			_, has := want[name]
			if got := table.Delete(name); got != has {
				t.Fatalf("seed %d, op %d: Delete(%q) = %t, want %t", seed, op, name, got, has)
			}
			delete(want, name)
		}
		probe := fmt.Sprint("name", rng.IntN(1+op/20))
		value, has := want[probe]
		got, ok := table.Get([]byte(probe))
		if got != value || ok != has {
			t.Fatalf("seed %d, op %d: Get(%q) = %d, %t, want %d, %t", seed, op, probe, got, ok, value, has)
		}
		if got, ok := table.GetString(probe); got != value || ok != has {
			t.Fatalf("seed %d, op %d: GetString(%q) = %d, %t, want %d, %t", seed, op, probe, got, ok, value, has)
		}
		if table.Len() != len(want) {
			t.Fatalf("seed %d, op %d: Len() = %d, want %d", seed, op, table.Len(), len(want))
		}
	}
}

// TestReadersSeeWhatStays reads a name that stays while other names are set and deleted.
func TestReadersSeeWhatStays(t *testing.T) {
	var table Table[int]
	table.Set("stays", 42)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if v, ok := table.Get([]byte("stays")); !ok || v != 42 {
					t.Errorf("Get = %d, %t while others change, want 42, true", v, ok)
					return
				}
			}
		})
	}
	for round := range 20 {
		for i := range 100 {
			table.Set(fmt.Sprint(i), round)
		}
		for i := range 100 {
			table.Delete(fmt.Sprint(i))
		}
	}
	close(done)
	readers.Wait()
}

func TestShrinks(t *testing.T) {
	var table Table[int]
	for i := range 1000 {
		table.Set(fmt.Sprint(i), i)
	}
	for i := range 1000 {
		table.Delete(fmt.Sprint(i))
	}
	if n := len(*table.buckets.Load()); n > minBuckets {
		t.Errorf("%d buckets for no name, want %d", n, minBuckets)
	}
}

func TestGetDoesNotAllocate(t *testing.T) {
	var table Table[*int]
	table.Set("orders", new(int))
	name := []byte("orders")
	if n := testing.AllocsPerRun(100, func() { table.Get(name) }); n != 0 {
		t.Errorf("Get allocates %v times, want 0", n)
	}
}

func BenchmarkGet(b *testing.B) {
	var table Table[int]
	for i := range 1000 {
		table.Set(fmt.Sprint("queue", i), i)
	}
	name := []byte("queue500")
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := table.Get(name); !ok {
			b.Fatal("not found")
		}
	}
}
