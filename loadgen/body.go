package loadgen

import (
	"encoding/binary"

	"harelab/scenarios"
)

// A Body is the content of the first [scenarios.MinSize] octets of a published
// body. It identifies the message to workers, observers and tests:
//
//	0  Seq       64 bits, big endian
//	8  Intended  48 bits
//	14 Class     16 bits
//	16 Service   48 bits
//	22 Sequence  16 bits
//
// The rest of a body is padding.
type Body struct {
	Seq      int64 // number of the message in the run, from 0
	Intended int64 // microseconds of run time, from 0 to MaxBodyTime
	Service  int64 // microseconds of work, from 0 to MaxBodyTime
	Class    int32 // index into Scenario.Classes, below MaxBodyIndex
	Sequence int32 // index into Scenario.Load, below MaxBodyIndex
}

// Limits of the fields of a body. Longer times are cut to MaxBodyTime, nine years
// in microseconds.
const (
	MaxBodyTime  = 1<<48 - 1
	MaxBodyIndex = 1 << 16
)

// Put writes b over the first octets of dst, which has at least
// [scenarios.MinSize].
func (b *Body) Put(dst []byte) {
	_ = dst[scenarios.MinSize-1]
	binary.BigEndian.PutUint64(dst, uint64(b.Seq))
	binary.BigEndian.PutUint64(dst[8:], bodyTime(b.Intended)<<16|uint64(uint16(b.Class)))
	binary.BigEndian.PutUint64(dst[16:], bodyTime(b.Service)<<16|uint64(uint16(b.Sequence)))
}

func bodyTime(us int64) uint64 { return uint64(min(max(us, 0), MaxBodyTime)) }

// ReadBody reads what Put wrote. It returns false for a foreign body: one that is
// too short or has a negative Seq.
func ReadBody(body []byte) (Body, bool) {
	seq, ok := BodySeq(body)
	if !ok {
		return Body{}, false
	}
	intended, service := binary.BigEndian.Uint64(body[8:]), binary.BigEndian.Uint64(body[16:])
	return Body{
		Seq: seq, Intended: int64(intended >> 16), Service: int64(service >> 16),
		Class: int32(intended & 0xffff), Sequence: int32(service & 0xffff),
	}, true
}

// BodySeq reads only the message's number; it returns false as [ReadBody] does.
func BodySeq(body []byte) (int64, bool) {
	if len(body) < scenarios.MinSize {
		return 0, false
	}
	seq := int64(binary.BigEndian.Uint64(body))
	return seq, seq >= 0
}
