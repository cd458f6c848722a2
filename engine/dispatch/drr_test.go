package dispatch

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

// slowDRR is deficit round robin as the paper has it: it walks the list turn by turn.
type slowDRR struct {
	cost    func(*Message) int64
	grant   func(tenant uint32) int64
	list    []uint32
	ready   map[uint32][]Message // in order of age
	deficit map[uint32]int64
	started bool
}

func (o *slowDRR) push(m Message) {
	if len(o.ready[m.Tenant]) == 0 {
		o.list = append(o.list, m.Tenant)
	}
	o.ready[m.Tenant] = append(o.ready[m.Tenant], m)
	slices.SortFunc(o.ready[m.Tenant], func(a, b Message) int { return int(a.ID) - int(b.ID) })
}

func (o *slowDRR) pop() Message {
	for {
		head := o.list[0]
		if !o.started {
			o.deficit[head] += o.grant(head)
			o.started = true
		}
		m := o.ready[head][0]
		cost := o.cost(&m)
		if cost > o.deficit[head] {
			o.list, o.started = append(o.list[1:], head), false
			continue
		}
		o.deficit[head] -= cost
		if o.ready[head] = o.ready[head][1:]; len(o.ready[head]) == 0 {
			o.list, o.started, o.deficit[head] = o.list[1:], false, 0
		}
		return m
	}
}

// TestDRRMatchesTurnByTurn compares computed rounds with walked ones: many tenants and
// few, which come and go, with costs far above a turn's grant, and with requeued
// messages.
func TestDRRMatchesTurnByTurn(t *testing.T) {
	histories := 300
	if testing.Short() {
		histories = 60
	}
	for seed := range uint64(histories) {
		if err := compareDRR(seed); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func compareDRR(seed uint64) error {
	r := rand.New(rand.NewPCG(seed, 0))
	tenants, most := 1+r.IntN(1<<r.IntN(8)), int64(1)<<r.IntN(14)
	cfg := Config{Quantum: 1 + r.Int64N(1<<r.IntN(7)), CostByService: r.IntN(8) > 0, Weights: map[string]int64{}}
	for i := range tenants {
		if r.IntN(2) == 0 {
			cfg.Weights[fmt.Sprint(i)] = 1 + r.Int64N(9)
		}
	}
	table := NewMessages()
	o := newDRR(cfg, table).(*drr)
	slow := &slowDRR{cost: costOf(cfg), ready: map[uint32][]Message{}, deficit: map[uint32]int64{}, grant: func(id uint32) int64 {
		return cfg.Quantum * max(cfg.Weights[table.Tenant(id)], 1)
	}}
	var id uint64
	var out []Ref // popped messages, which may be requeued
	for op := range 2000 {
		switch k := r.IntN(20); {
		case k < 9 && (op/250%2 == 0 || k < 7): // the backlog grows and shrinks
			ref := table.Alloc()
			id++
			cost := r.Int64N(most + 1)
			*table.At(ref) = Message{
				ID: id, Cost: cost, Costless: cost == 0 && r.IntN(2) == 0, Tenant: table.Intern(fmt.Sprint(r.IntN(tenants))),
			}
			o.Push(ref)
			slow.push(*table.At(ref))
		case k < 11 && len(out) > 0:
			i := r.IntN(len(out))
			o.Push(out[i])
			slow.push(*table.At(out[i]))
			out = slices.Delete(out, i, i+1)
		case k < 13 && len(out) > 0:
			i := r.IntN(len(out))
			table.Release(out[i])
			out = slices.Delete(out, i, i+1)
		case o.Len() > 0:
			peeked := o.Peek(0)
			got, want := o.Pop(0), slow.pop()
			if m := table.At(got); m.ID != want.ID || peeked != got {
				return fmt.Errorf("op %d: message %d of tenant %d, want %d of %d, row %d, peeked at %d", op, m.ID, m.Tenant, want.ID, want.Tenant, got, peeked)
			}
			out = append(out, got)
		}
	}
	return nil
}

func costOf(cfg Config) func(*Message) int64 {
	return func(m *Message) int64 {
		switch {
		case !cfg.CostByService:
			return 1
		case m.Cost == 0 && !m.Costless:
			return cfg.Quantum
		}
		return m.Cost
	}
}

// TestDRRGrantsDoNotOverflow uses quanta and weights whose product exceeds 64 bits, and
// costs as great. Tenants must still take turns.
func TestDRRGrantsDoNotOverflow(t *testing.T) {
	table := NewMessages()
	o := newDRR(Config{Quantum: 1 << 62, CostByService: true, Weights: map[string]int64{"a": 1 << 62}}, table)
	for i := range 6 {
		ref := table.Alloc()
		*table.At(ref) = Message{ID: uint64(i + 1), Cost: 1 << 62, Tenant: table.Intern([]string{"a", "b"}[i/3])}
		o.Push(ref)
	}
	var got []uint64
	for o.Len() > 0 {
		got = append(got, table.At(o.Pop(0)).ID)
	}
	if want := []uint64{1, 4, 2, 5, 3, 6}; !slices.Equal(got, want) {
		t.Errorf("messages %v, want %v", got, want)
	}
}

// TestDRRWorkPerMessage counts comparisons while every message costs a thousand
// grants. Their number must grow as the logarithm of the number of tenants.
func TestDRRWorkPerMessage(t *testing.T) {
	for n := 4; n <= 1<<14; n *= 8 {
		table := NewMessages()
		o := newDRR(Config{CostByService: true}, table).(*drr)
		compared, less := 0, o.senders.less
		o.senders.less = func(a, b uint32) bool { compared++; return less(a, b) }
		id := uint64(0)
		push := func(tenant string) {
			id++
			r := table.Alloc()
			*table.At(r) = Message{ID: id, Cost: int64(500 + id*7919%1000), Tenant: table.Intern(tenant)}
			o.Push(r)
		}
		for i := range 2 * n {
			push(fmt.Sprint(i % n))
		}
		compared = 0
		const messages = 2000
		for range messages {
			r := o.Pop(0)
			tenant := table.Tenant(table.At(r).Tenant)
			table.Release(r)
			push(tenant)
		}
		if each, most := compared/messages, 3*bits.Len(uint(n)); each > most {
			t.Errorf("%d tenants: %d comparisons a message, want at most %d", n, each, most)
		}
	}
}

// TestOrderedRingKeepsOrder compares an orderedRing with a slice. Members are inserted
// and removed at a place that moves, so that tags run out and are spread.
func TestOrderedRingKeepsOrder(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 0))
		var l orderedRing
		var list, gone []uint32 // list begins at the seam
		next := uint32(0)
		at := 0
		for op := range 3000 {
			switch {
			case len(list) < 2 || r.IntN(5) < 3:
				x := next
				if len(gone) > 0 {
					x, gone = gone[0], gone[1:]
				} else {
					next++
				}
				if len(list) == 0 {
					l.insert(x, x)
				} else {
					l.insert(x, list[at])
				}
				list = slices.Insert(list, at, x)
				if r.IntN(4) == 0 && at+1 < len(list) && seed%3 != 0 {
					at++ // half of the time; else the next one goes before the new one
				}
			default:
				x := list[at]
				list = slices.Delete(list, at, at+1)
				gone = append(gone, x)
				at %= len(list)
				if got := l.remove(x); got != list[at] {
					t.Fatalf("seed %d, op %d: %d is after %d, want %d", seed, op, got, x, list[at])
				}
			}
			if r.IntN(50) == 0 && seed%3 != 0 { // with every third seed, insertions stay at the seam
				at = r.IntN(len(list))
			}
			for i := 1; i < len(list); i++ {
				if !l.precedes(list[i-1], list[i]) || l.links[list[i-1]].next != list[i] || l.links[list[i]].prev != list[i-1] {
					t.Fatalf("seed %d, op %d: %d does not come after %d", seed, op, list[i], list[i-1])
				}
			}
		}
	}
}

// TestOrderedRingInsertionIsCheap inserts each new member before the latest but one,
// which halves the room each time, and counts the tags that change.
func TestOrderedRingInsertionIsCheap(t *testing.T) {
	for n := uint32(64); n <= 4096; n *= 8 {
		var l orderedRing
		l.insert(0, 0)
		l.insert(1, 0)
		tags := []int64{l.links[0].tag, l.links[1].tag}
		changed := 0
		for x := uint32(2); x < n; x++ {
			l.insert(x, x-1-x%2)
			for i := range tags {
				if tags[i] != l.links[i].tag {
					tags[i] = l.links[i].tag
					changed++
				}
			}
			tags = append(tags, l.links[x].tag)
		}
		if each, most := float64(changed)/float64(n), float64(bits.Len32(n)); each == 0 || each > most {
			t.Errorf("%.1f tags change with an insertion among %d, want some and at most %.0f", each, n, most)
		}
	}
}
