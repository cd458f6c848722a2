package topic

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

// check checks that a slab's counters, children and masks agree with its nodes.
func (s *slab) check(t *testing.T) {
	t.Helper()
	used, dead := 0, 0
	kids := make(map[uint32]uint32)
	for i := 1; i < len(s.nodes); i++ {
		n, slot := &s.nodes[i], uint32(i)
		edge := n.edge.Load()
		if edge == 0 {
			continue
		}
		used++
		if s.idle(slot) {
			dead++
			continue
		}
		parent := edge >> kindBits
		kids[parent]++
		var p piece
		p.set(seeded, n.code, edge&(1<<kindBits-1))
		if got := s.find(parent, &p); got != slot {
			t.Errorf("node %d is found as %d", slot, got)
		}
		up := &s.nodes[parent]
		linked := false
		for rest := range uint(manyRest) {
			linked = linked || up.mask.Load()&p.restBit(rest+1) != 0
		}
		switch p.kind() {
		case edgeStar:
			linked = up.star.Load() == slot
		case edgeHash:
			linked = up.hashChild() == slot
		}
		if !linked {
			t.Errorf("node %d is not linked from its parent %d", slot, parent)
		}
	}
	if used != s.used || dead != s.dead || s.full(0) {
		t.Errorf("%d slots of %d used, %d of them dead, counted %d and %d", used, len(s.nodes), dead, s.used, s.dead)
	}
	for i := range s.nodes {
		for _, child := range []uint32{s.nodes[i].star.Load(), s.nodes[i].hashChild()} {
			if child != 0 && s.idle(child) {
				t.Errorf("node %d still leads to node %d, which is dead", i, child)
			}
		}
		if got := s.kids[i]; got != kids[uint32(i)] {
			t.Errorf("node %d counts %d children, has %d", i, got, kids[uint32(i)])
		}
	}
}

// checkMasks checks that the masks on the path to each accepting node admit the rest of
// the path.
func (s *slab) checkMasks(t *testing.T) {
	t.Helper()
	for i := range s.nodes {
		switch data := s.nodes[i].data.Load(); {
		case data&dataWhat == dataNone, data&dataWhat == dataMany && s.list(data).n == 0:
			continue
		}
		least, most := uint(0), uint(0)
		admits := func(at uint32, bit func(rest uint) uint64) {
			for rest := least; rest <= most; rest++ {
				if s.nodes[at].mask.Load()&bit(min(rest, manyRest)) == 0 {
					t.Errorf("the mask of node %d lacks node %d, %d words on", at, i, rest)
				}
			}
		}
		admits(uint32(i), func(rest uint) uint64 { return maskRest << rest })
		for at := uint32(i); at != 0; {
			n := &s.nodes[at]
			edge := n.edge.Load()
			var p piece
			p.set(seeded, n.code, edge%(1<<kindBits))
			bit := p.restBit
			switch p.kind() {
			case edgeStar:
				least, most = least+1, most+1
				bit = func(rest uint) uint64 { return maskRest << rest }
			case edgeHash:
				most = 20
				bit = func(rest uint) uint64 { return maskRest << rest }
			case pieceInner:
			default:
				least, most = least+1, most+1
			}
			at = edge >> kindBits
			admits(at, bit)
		}
	}
}

// TestSlabInvariants binds and unbinds at random, so that the slab grows, shrinks and
// reuses nodes, and checks it all along.
func TestSlabInvariants(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	words := []string{"*", "#", "a", "b", "", "12345678", "a-long-word", "a-long-wood"}
	type binding struct {
		key string
		d   Dest
	}
	a := newNFA()
	var bound []binding
	for op := range 4000 {
		if growing := op/1000%2 == 0; len(bound) > 0 && rng.IntN(4) != 0 != growing {
			i := rng.IntN(len(bound))
			if !a.Unbind(bound[i].key, bound[i].d) {
				t.Fatalf("seed %#x, op %d: Unbind(%q, %d) = false", seed, op, bound[i].key, bound[i].d)
			}
			bound[i] = bound[len(bound)-1]
			bound = bound[:len(bound)-1]
		} else {
			var ws []string
			for range rng.IntN(6) {
				ws = append(ws, words[rng.IntN(len(words))])
			}
			b := binding{strings.Join(ws, "."), Dest(rng.IntN(200))}
			if a.Bind(b.key, b.d) {
				bound = append(bound, b)
			}
		}
		if op%50 == 0 {
			a.slab.Load().check(t)
			a.slab.Load().checkMasks(t)
		}
		if t.Failed() {
			t.Fatalf("seed %#x, op %d", seed, op)
		}
	}
}

// TestDeadNodesAreGivenBack checks that the slab of an emptied automaton is small, and
// that a slab does not grow while keys are replaced.
func TestDeadNodesAreGivenBack(t *testing.T) {
	a := newNFA()
	key := func(i int) string { return fmt.Sprintf("order.%d.*", i) }
	for i := range 10_000 {
		a.Bind(key(i), 1)
	}
	full := len(a.slab.Load().nodes)
	for i := range 100_000 {
		a.Bind(key(i+10_000), 1)
		a.Unbind(key(i), 1)
	}
	if got := len(a.slab.Load().nodes); got > 2*full {
		t.Errorf("%d slots after churn of 10,000 keys, %d before", got, full)
	}
	for i := range 10_000 {
		a.Unbind(key(i+100_000), 1)
	}
	if got := len(a.slab.Load().nodes); got > 500 {
		t.Errorf("%d slots without a binding, %d when full", got, full)
	}
}

// TestLongWalkAgrees checks that both walks find the same destinations.
func TestLongWalkAgrees(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	words := []string{"a", "b", "", "12345678", "123456789", "12345678123456781"}
	wild := append([]string{"*", "#", "*", "#"}, words...)
	key := func(from []string, n int) string {
		var ws []string
		for range rng.IntN(n) {
			ws = append(ws, from[rng.IntN(len(from))])
		}
		return strings.Join(ws, ".")
	}
	for range 50 {
		a := newNFA()
		for d := range 30 {
			a.Bind(key(wild, 6), Dest(d))
		}
		for range 200 {
			k := []byte(key(words, 6))
			var long results
			matchLong(a.slab.Load(), &long, k)
			short, got := a.Match(nil, k), long.unique()
			slices.Sort(short)
			slices.Sort(got)
			if !slices.Equal(short, got) {
				t.Fatalf("seed %#x: Match(%q): short walk %d, long walk %d", seed, k, short, got)
			}
		}
	}
}

func TestNodeIsHalfACacheLine(t *testing.T) {
	if size := unsafe.Sizeof(node{}); size != 32 {
		t.Errorf("a node takes %d bytes, want 32", size)
	}
}

// TestFlood binds words whose search starts in one 256th of the table with known seeds,
// as a stranger who knew the seeds would choose them. With other seeds they must be
// found as fast as random words.
func TestFlood(t *testing.T) {
	defer func(h *hasher) { seeded = h }(seeded)
	rng := rand.New(rand.NewPCG(1, 2))
	known := newHasher(rng.Uint64)
	var crafted, random []string
	for len(crafted) < 2000 {
		w := fmt.Sprintf("%08x", rng.Uint32())
		var p [1]piece
		seeded = known
		if split(p[:], []byte(w)); p[0].mix>>56 == 0 {
			crafted = append(crafted, w)
		} else if len(random) < 2000 {
			random = append(random, w)
		}
	}
	if got := probes(crafted); got < 100 {
		t.Errorf("%.1f slots from home to crafted words with the seeds they were made for: they do not collide, so this test shows nothing", got)
	}
	seeded = newHasher(rand.Uint64)
	usual := probes(random)
	if got := probes(crafted); got > 2*usual+1 {
		t.Errorf("%.1f slots from home to crafted words, %.1f to random ones", got, usual)
	}
}

// probes binds words and returns their mean distance from home, in slots.
func probes(words []string) float64 {
	a := newNFA()
	for i, w := range words {
		a.Bind(w, Dest(i))
	}
	s, total := a.slab.Load(), 0
	for i := 1; i < len(s.nodes); i++ {
		edge := s.nodes[i].edge.Load()
		if edge == 0 {
			continue
		}
		var p piece
		p.set(seeded, s.nodes[i].code, edge&(1<<kindBits-1))
		total += (i - int(s.home(edge>>kindBits, p.mix)) + len(s.nodes) - 1) % (len(s.nodes) - 1)
	}
	return float64(total) / float64(s.used)
}
