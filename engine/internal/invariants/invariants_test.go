//go:build invariants || race

package invariants

import (
	"strings"
	"sync"
	"testing"
	"unsafe"
)

func TestLockOrder(t *testing.T) {
	for _, tt := range []struct {
		name string
		take []Rank
		want string
	}{
		{"in order", []Rank{Connection, VirtualHost, Queue, Channel, Outbox}, ""},
		{"leaving some out", []Rank{Queue, Outbox}, ""},
		{"backwards", []Rank{Channel, Queue}, "queue is locked by a goroutine that holds [channel]"},
		{"two of a rank", []Rank{VirtualHost, Queue, Queue}, "queue is locked by a goroutine that holds [virtual host queue]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var taken []Rank
			got := Failure(func() {
				for _, r := range tt.take {
					Locking(r)
					taken = append(taken, r)
				}
			})
			for _, r := range taken { // in any order
				Unlocked(r)
			}
			if !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got := Failure(func() { Unlocked(Queue) }); !strings.Contains(got, "queue is unlocked by a goroutine that holds []") {
				t.Errorf("unlocked twice: got %q", got)
			}
		})
	}
}

// TestGoroutinesAreToldApart checks that each goroutine has its own locks, and keeps its
// number as long as it runs.
func TestGoroutinesAreToldApart(t *testing.T) {
	const n = 100
	var all, started sync.WaitGroup
	var seen sync.Map
	started.Add(n)
	for range n {
		all.Go(func() {
			g := goroutine()
			if _, twice := seen.LoadOrStore(g, true); twice {
				t.Errorf("two goroutines have number %#x", g)
			}
			Locking(Queue)
			started.Done()
			started.Wait()
			grow(1 << 12) // its stack moves
			if now := goroutine(); now != g {
				t.Errorf("goroutine %#x became %#x", g, now)
			}
			Unlocked(Queue)
		})
	}
	all.Wait()
}

func grow(n int) byte {
	var room [64]byte
	if n == 0 {
		return room[0]
	}
	room[n%64] = grow(n - 1)
	return room[n%64]
}

func TestValues(t *testing.T) {
	var v Value[int]
	v.Set(3)
	if v.Get() != 3 {
		t.Errorf("got %d, want 3", v.Get())
	}
	if size := unsafe.Sizeof(v); size != unsafe.Sizeof(3) {
		t.Errorf("a value takes %d octets", size)
	}
}
