package loadgen

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math"
	"testing"

	"harelab/scenarios"
)

func TestBodyLayout(t *testing.T) {
	buf := bytes.Repeat([]byte{0xee}, scenarios.MinSize+2)
	b := Body{Seq: 0x0102030405060708, Intended: 0x111213141516, Class: 0x2122, Service: 0x313233343536, Sequence: 0x4142}
	b.Put(buf)
	if got, want := hex.EncodeToString(buf), "0102030405060708"+"111213141516"+"2122"+"313233343536"+"4142"+"eeee"; got != want {
		t.Errorf("body\n%s, want\n%s", got, want)
	}
	if got, ok := ReadBody(buf); !ok || got != b {
		t.Errorf("read %+v, %t; want %+v", got, ok, b)
	}
}

func TestBodyLimits(t *testing.T) {
	buf := make([]byte, scenarios.MinSize)
	for _, c := range []struct {
		name      string
		put, want Body
	}{
		{"least", Body{}, Body{}},
		{"most", Body{math.MaxInt64, MaxBodyTime, MaxBodyTime, MaxBodyIndex - 1, MaxBodyIndex - 1},
			Body{math.MaxInt64, MaxBodyTime, MaxBodyTime, MaxBodyIndex - 1, MaxBodyIndex - 1}},
		{"times are cut", Body{Intended: MaxBodyTime + 1, Service: math.MaxInt64}, Body{Intended: MaxBodyTime, Service: MaxBodyTime}},
		{"and are not negative", Body{Intended: -1, Service: math.MinInt64}, Body{}},
	} {
		c.put.Put(buf)
		if got, ok := ReadBody(buf); !ok || got != c.want {
			t.Errorf("%s: %+v, %t; want %+v", c.name, got, ok, c.want)
		}
	}
}

func TestForeignBodies(t *testing.T) {
	none := make([]byte, scenarios.MinSize)
	binary.BigEndian.PutUint64(none, 1<<63)
	for name, body := range map[string][]byte{"nil": nil, "empty": {}, "short": make([]byte, scenarios.MinSize-1), "number of no message": none} {
		if b, ok := ReadBody(body); ok {
			t.Errorf("%s: %+v read", name, b)
		}
		if seq, ok := BodySeq(body); ok {
			t.Errorf("%s: number %d read", name, seq)
		}
	}
}

// FuzzReadBody reads whatever a broker may hand over: what is read is within its
// limits, agrees with BodySeq, and is written back to the same octets.
func FuzzReadBody(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(make([]byte, scenarios.MinSize))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, ok := ReadBody(body)
		seq, same := BodySeq(body)
		if ok != same || ok && seq != b.Seq {
			t.Fatalf("ReadBody %+v, %t; BodySeq %d, %t", b, ok, seq, same)
		}
		if want := len(body) >= scenarios.MinSize && body[0] < 0x80; ok != want {
			t.Fatalf("read %t, want %t", ok, want)
		}
		if !ok {
			return
		}
		if b.Seq < 0 || b.Intended < 0 || b.Intended > MaxBodyTime || b.Service < 0 || b.Service > MaxBodyTime ||
			b.Class < 0 || b.Class >= MaxBodyIndex || b.Sequence < 0 || b.Sequence >= MaxBodyIndex {
			t.Fatalf("%+v is beyond the limits", b)
		}
		again := make([]byte, scenarios.MinSize)
		if b.Put(again); !bytes.Equal(again, body[:scenarios.MinSize]) {
			t.Fatalf("%x read and written is %x", body[:scenarios.MinSize], again)
		}
	})
}

func TestReadBodyAllocatesNothing(t *testing.T) {
	buf := make([]byte, scenarios.MinSize)
	if n := testing.AllocsPerRun(100, func() {
		b := Body{Seq: 7}
		b.Put(buf)
		ReadBody(buf)
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
