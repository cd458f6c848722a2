package server

import (
	"math/rand/v2"
	"testing"

	"harelab/engine/wire"
)

// parseConfirms parses the frames that confirms wrote.
func parseConfirms(t *testing.T, b []byte) []wire.Method {
	t.Helper()
	var ms []wire.Method
	for len(b) > 0 {
		f, n, err := wire.NextFrame(b, wire.MinFrameMax)
		if err != nil || n == 0 {
			t.Fatalf("frame %x: %v", b, err)
		}
		m, err := wire.ParseMethod(f.Payload)
		if err != nil {
			t.Fatal(err)
		}
		ms, b = append(ms, m), b[n:]
	}
	return ms
}

func TestConfirms(t *testing.T) {
	ack := func(tag uint64, multiple bool) wire.Method {
		return &wire.BasicAck{DeliveryTag: tag, Multiple: multiple}
	}
	nack := func(tag uint64, multiple bool) wire.Method {
		return &wire.BasicNack{DeliveryTag: tag, Multiple: multiple, Requeue: true}
	}
	for _, tt := range []struct {
		name   string
		before uint64 // confirmed before
		acked  []uint64
		nacked []uint64
		want   []wire.Method
		after  uint64
	}{
		{name: "one", acked: []uint64{1}, want: []wire.Method{ack(1, false)}, after: 1},
		{name: "a run is one frame", acked: []uint64{1, 2, 3}, want: []wire.Method{ack(3, true)}, after: 3},
		{name: "a run in any order is one frame", before: 7, acked: []uint64{10, 8, 9}, want: []wire.Method{ack(10, true)}, after: 10},
		{name: "after a gap each is one", acked: []uint64{2, 3}, want: []wire.Method{ack(2, false), ack(3, false)}, after: 0},
		{name: "around a gap", acked: []uint64{1, 2, 4}, want: []wire.Method{ack(2, true), ack(4, false)}, after: 2},
		{name: "multiple with nothing before it", acked: []uint64{1, 3}, want: []wire.Method{ack(1, true), ack(3, false)}, after: 1},
		{name: "no multiple ack covers a nack", acked: []uint64{1, 3}, nacked: []uint64{2}, want: []wire.Method{ack(1, true), ack(3, false), nack(2, false)}, after: 3},
		{name: "the first one nacked", acked: []uint64{2}, nacked: []uint64{1}, want: []wire.Method{ack(2, false), nack(1, true)}, after: 2},
		{name: "the last one nacked", acked: []uint64{1}, nacked: []uint64{2}, want: []wire.Method{ack(1, false), nack(2, false)}, after: 2},
		{name: "nacks in any order are one frame", nacked: []uint64{2, 1}, want: []wire.Method{nack(2, true)}, after: 2},
		{name: "one nacked", before: 4, nacked: []uint64{5}, want: []wire.Method{nack(5, true)}, after: 5},
		{name: "nacks after a gap", nacked: []uint64{1, 3}, want: []wire.Method{nack(1, true), nack(3, false)}, after: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := confirms{cumulative: tt.before}
			var s settlements
			for _, seq := range tt.acked {
				s.ack(seq, seq)
			}
			for _, seq := range tt.nacked {
				s.nack(seq, seq)
			}
			got := parseConfirms(t, k.append(nil, 1, &s))
			if !equalMethods(got, tt.want) || k.cumulative != tt.after || !s.empty() {
				t.Errorf("frames %v, all confirmed up to %d, want %v, %d", got, k.cumulative, tt.want, tt.after)
			}
		})
	}
}

func equalMethods(a, b []wire.Method) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if string(a[i].Append(nil)) != string(b[i].Append(nil)) {
			return false
		}
	}
	return true
}

// TestConfirmsTellTheTruth settles publishes in random order: a publisher gets the right
// confirm for each, none for an unsettled one, and all when all are settled.
func TestConfirmsTellTheTruth(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		var k confirms
		var s settlements
		fate := make(map[uint64]bool) // settled publishes: acked or not
		open := make(map[uint64]bool) // publishes for which the publisher waits
		var later []uint64
		settle := func(seq uint64) {
			fate[seq] = rnd.IntN(10) > 0
			if fate[seq] {
				s.ack(seq, seq)
			} else {
				s.nack(seq, seq)
			}
		}
		tell := func() {
			for _, m := range parseConfirms(t, k.append(nil, 1, &s)) {
				checkTold(t, seed, m, fate, open)
			}
		}
		for seq := uint64(1); seq <= 300; seq++ {
			open[seq] = true
			if rnd.IntN(3) > 0 {
				settle(seq)
			} else {
				later = append(later, seq)
			}
			if len(later) > 0 && rnd.IntN(3) == 0 {
				i := rnd.IntN(len(later))
				settle(later[i])
				later[i] = later[len(later)-1]
				later = later[:len(later)-1]
			}
			if rnd.IntN(8) == 0 {
				tell()
			}
		}
		for _, seq := range later {
			settle(seq)
		}
		tell()
		if len(open) != 0 || len(k.selective) != 0 || k.cumulative != 300 {
			t.Fatalf("seed %d: publisher still waits for %v; confirmed up to %d and %v", seed, open, k.cumulative, k.selective)
		}
	}
}

// checkTold applies a confirm as a publisher does.
func checkTold(t *testing.T, seed uint64, m wire.Method, fate, open map[uint64]bool) {
	t.Helper()
	settle := func(seq uint64, acked bool) {
		was, settled := fate[seq]
		if !settled || was != acked {
			t.Fatalf("seed %d: %+v tells that %d was acked=%v; settled=%v acked=%v", seed, m, seq, acked, settled, was)
		}
		delete(open, seq)
	}
	switch m := m.(type) {
	case *wire.BasicNack:
		for seq := range open {
			if seq == m.DeliveryTag || m.Multiple && seq < m.DeliveryTag {
				settle(seq, false)
			}
		}
	case *wire.BasicAck:
		if !open[m.DeliveryTag] {
			t.Fatalf("seed %d: %+v names a publish that is not waited for", seed, m)
		}
		settle(m.DeliveryTag, true)
		for seq := range open {
			if m.Multiple && seq < m.DeliveryTag {
				settle(seq, true)
			}
		}
	}
}
