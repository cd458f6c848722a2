package queue

import (
	"runtime"
	"testing"

	"harelab/engine/dispatch"
	"harelab/engine/internal/race"
)

// load publishes messages of all kinds.
type load struct {
	q   *Queue
	now int64
	out []Decision
}

var tenants = [...]string{"red", "green", "blue"}

func (l *load) publish() []Decision {
	l.now++
	l.out = l.q.Step(Event{Kind: Publish, Now: l.now, Bytes: 100, Msg: dispatch.Meta{
		Cost: l.now * 7919 % 1000, Tenant: tenants[l.now%3], Priority: uint8(l.now % 10),
	}}, l.out[:0])
	return l.out
}

// TestSteadyStateAllocatesNothing publishes, delivers, acknowledges and requeues
// messages with each pair of strategies.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	for _, s := range dispatch.Selectors() {
		for _, o := range dispatch.Orders() {
			t.Run("dispatch="+s.Name+"/order="+o.Name, func(t *testing.T) {
				l := &load{q: newQueue(t, s.Name, o.Name)}
				limiter := dispatch.NewLimiter(3)
				for i := range 8 {
					e := Event{Kind: Join, Prefetch: 2, Slots: 2, Priority: int32(i % 2)}
					if i < 2 {
						e.Limiter = limiter
					}
					l.q.Step(e, nil)
				}
				refs := make([]dispatch.Ref, 0, 64)
				round := func() {
					refs = refs[:0]
					for range 20 {
						for _, d := range l.publish() {
							refs = append(refs, d.Ref)
						}
					}
					for len(refs) > 0 {
						r := refs[len(refs)-1:]
						refs = refs[:len(refs)-1]
						kind := Ack
						if m, _ := l.q.Message(r[0]); m.Attempts == 0 && m.ID%4 == 0 {
							kind = Requeue
						}
						l.out = l.q.Step(Event{Kind: kind, Now: l.now, Refs: r}, l.out[:0])
						for _, d := range l.out {
							refs = append(refs, d.Ref)
						}
					}
				}
				for range 20 {
					round()
				}
				if n := testing.AllocsPerRun(50, round); n != 0 {
					t.Errorf("%v allocations in 20 messages, want 0", n)
				}
				if l.q.Ready()+l.q.Unacked() != 0 {
					t.Errorf("%d ready and %d unacked are left", l.q.Ready(), l.q.Unacked())
				}
			})
		}
	}
}

// TestBacklogIsSmall bounds the memory of a queue for each waiting message, and checks
// that the queue frees it when the backlog is gone.
func TestBacklogIsSmall(t *testing.T) {
	if race.Enabled {
		t.Skip("memory under the race detector means nothing")
	}
	const messages, bound = 200_000, 72
	for _, o := range dispatch.Orders() {
		t.Run("order="+o.Name, func(t *testing.T) {
			l := &load{q: newQueue(t, "rr", o.Name)}
			before := heapBytes()
			for range messages {
				l.publish()
			}
			each := float64(heapBytes()-before) / messages
			t.Logf("%.1f B a message", each)
			if each > bound {
				t.Errorf("%.1f B a message, want at most %d", each, bound)
			}
			l.out = l.q.Step(Event{Kind: Purge}, nil)
			l.out = nil
			if left := heapBytes() - before; left > messages*8 {
				t.Errorf("%d B are left of an empty queue", left)
			}
			runtime.KeepAlive(l)
		})
	}
}

// TestIdleQueueIsSmall bounds the memory of an empty queue with one consumer.
func TestIdleQueueIsSmall(t *testing.T) {
	if race.Enabled {
		t.Skip("memory under the race detector means nothing")
	}
	const queues, bound = 1000, 1200
	for _, s := range dispatch.Selectors() {
		kept := make([]*Queue, queues)
		before := heapBytes()
		for i := range kept {
			kept[i] = newQueue(t, s.Name, "fifo")
			kept[i].Step(Event{Kind: Join, Prefetch: 1}, nil)
		}
		each := (heapBytes() - before) / queues
		t.Logf("%s: %d B", s.Name, each)
		if each > bound {
			t.Errorf("%s: %d B, want at most %d", s.Name, each, bound)
		}
		runtime.KeepAlive(kept)
	}
}

func heapBytes() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
