package server

import (
	"cmp"
	"slices"

	"harelab/engine/wire"
)

// settlements are publishes of a channel that the broker has settled and that are not
// confirmed to the client yet.
type settlements struct {
	acked  []span
	nacked []uint64
}

// A span is a run of publish numbers, both ends included.
type span struct{ first, last uint64 }

// ack notes that the broker took the publishes from number first to number last.
func (s *settlements) ack(first, last uint64) {
	if n := len(s.acked); n > 0 && s.acked[n-1].last+1 == first {
		s.acked[n-1].last = last
		return
	}
	s.acked = append(s.acked, span{first, last})
}

// nack notes that the broker refused the publishes from number first to number last.
func (s *settlements) nack(first, last uint64) {
	for seq := first; seq <= last; seq++ {
		s.nacked = append(s.nacked, seq)
	}
}

func (s *settlements) empty() bool { return len(s.acked)+len(s.nacked) == 0 }

// confirms holds which publishes were confirmed to the client, and writes the frames that
// confirm more of them, as RabbitMQ would (rabbit_channel, coalesce_and_send/4). Of
// several acks, those with no unsettled publish and no nack before them share one ack with
// multiple, and each other ack has a frame of its own. A single ack never has multiple; a
// single nack has it if it may.
//
// It does not store which publishes are unsettled: numbers have no gaps, so the first
// number that was not confirmed is the first unsettled one.
type confirms struct {
	cumulative uint64 // all publishes up to this number are confirmed
	selective  []span // publishes confirmed after a gap, as sorted spans that do not touch
}

// append appends the frames that confirm the publishes in s, and empties s.
func (k *confirms) append(dst []byte, channel uint16, s *settlements) []byte {
	slices.Sort(s.nacked)
	slices.SortFunc(s.acked, func(a, b span) int { return cmp.Compare(a.first, b.first) })
	for _, seq := range s.nacked {
		k.settle(span{seq, seq})
	}
	for _, run := range s.acked {
		k.settle(run)
	}
	if len(k.selective) > 0 && k.selective[0].first == k.cumulative+1 {
		k.cumulative = k.selective[0].last
		k.selective = slices.Delete(k.selective, 0, 1)
	}
	dst = k.appendAcks(dst, channel, s)
	dst = k.appendNacks(dst, channel, s)
	s.acked, s.nacked = s.acked[:0], s.nacked[:0]
	return dst
}

// appendAcks appends the frames for s.acked, which is sorted.
func (k *confirms) appendAcks(dst []byte, channel uint16, s *settlements) []byte {
	if len(s.acked) == 1 && s.acked[0].first == s.acked[0].last {
		return wire.AppendAck(dst, channel, s.acked[0].first, false)
	}
	end := k.cumulative // the last number that an ack with multiple may cover
	if len(s.nacked) > 0 {
		end = min(end, s.nacked[0]-1)
	}
	var top uint64
	for _, run := range s.acked {
		if run.first <= end {
			top = min(run.last, end)
		}
	}
	if top > 0 {
		dst = wire.AppendAck(dst, channel, top, true)
	}
	for _, run := range s.acked {
		for seq := max(run.first, end+1); seq <= run.last; seq++ {
			dst = wire.AppendAck(dst, channel, seq, false)
		}
	}
	return dst
}

// appendNacks appends the frames for s.nacked, which is sorted.
func (k *confirms) appendNacks(dst []byte, channel uint16, s *settlements) []byte {
	end := k.cumulative
	if len(s.acked) > 0 {
		end = min(end, s.acked[0].first-1)
	}
	n, _ := slices.BinarySearch(s.nacked, end+1)
	if n > 0 {
		dst = wire.AppendNack(dst, channel, s.nacked[n-1], true)
	}
	for _, seq := range s.nacked[n:] {
		dst = wire.AppendNack(dst, channel, seq, false)
	}
	return dst
}

// settle adds run to selective and joins it with its neighbours.
func (k *confirms) settle(run span) {
	i, _ := slices.BinarySearchFunc(k.selective, run.first, func(s span, first uint64) int {
		if s.first < first {
			return -1
		}
		return 1
	})
	if i > 0 && k.selective[i-1].last+1 == run.first {
		i--
		k.selective[i].last = run.last
	} else {
		k.selective = slices.Insert(k.selective, i, run)
	}
	if i+1 < len(k.selective) && k.selective[i].last+1 == k.selective[i+1].first {
		k.selective[i].last = k.selective[i+1].last
		k.selective = slices.Delete(k.selective, i+1, i+2)
	}
}
