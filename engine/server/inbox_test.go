package server

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"harelab/engine/wire"
)

// A pieces reader returns its octets in pieces of random sizes.
type pieces struct {
	rest []byte
	rnd  *rand.Rand
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := min(len(b), 1+p.rnd.IntN(200_000))
	n = copy(b[:n], p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// TestInboxFrames: frames come out as they went in, however the reads cut them.
func TestInboxFrames(t *testing.T) {
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		var stream []byte
		var want [][]byte
		for range 100 {
			payload := make([]byte, rnd.IntN(1<<rnd.IntN(18))%131064)
			payload = append(payload, 1)
			payload[0] = byte(rnd.Uint32())
			want = append(want, payload)
			stream = wire.AppendFrame(stream, wire.FrameBody, 1, payload)
		}
		var in inbox
		src := &pieces{rest: stream, rnd: rnd}
		for len(want) > 0 {
			f, ok, err := in.next(131072)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				if err := in.fill(src); err != nil {
					t.Fatalf("seed %d: %v, %d frames missing", seed, err, len(want))
				}
				continue
			}
			if !bytes.Equal(f.Payload, want[0]) {
				t.Fatalf("seed %d: frame of %d octets, want %d", seed, len(f.Payload), len(want[0]))
			}
			want = want[1:]
		}
		in.drop()
	}
}

// TestInboxGrowsWithWhatCame: the buffer grows with the octets that came, not with the size
// that a frame claims.
func TestInboxGrowsWithWhatCame(t *testing.T) {
	var in inbox
	head := []byte{wire.FrameBody, 0, 1, 0, 1, 0xFF, 0xF0} // claims 131056 octets
	if err := in.fill(bytes.NewReader(head)); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := in.next(131072); ok || err != nil {
		t.Fatal(ok, err)
	}
	in.fill(bytes.NewReader(head[:1]))
	if len(in.buf) != idleRead {
		t.Errorf("buffer of %d octets after %d came, want %d", len(in.buf), len(head)+1, idleRead)
	}
}

func TestInboxShrinksWhenIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		defer a.Close()
		var in inbox
		for range 3 {
			a.Write(make([]byte, 3*idleRead))
			if err := in.fill(b); err != nil {
				t.Fatal(err)
			}
			in.start = in.end // all frames are handled
		}
		if len(in.buf) != busyRead {
			t.Fatalf("buffer of a busy connection has %d octets, want %d", len(in.buf), busyRead)
		}
		for in.end == in.start && len(in.buf) == busyRead {
			drain(b)
			time.AfterFunc(2*idleAfter, func() { a.Write([]byte("late")) })
			if err := in.fill(b); err != nil {
				t.Fatal(err)
			}
			if got := string(in.buf[in.start:in.end]); got != "late" {
				t.Errorf("read %q, want %q", got, "late")
			}
			in.start = in.end
		}
		if len(in.buf) != idleRead {
			t.Errorf("buffer of an idle connection has %d octets, want %d", len(in.buf), idleRead)
		}
	})
}

// drain reads what there is.
func drain(c net.Conn) {
	c.SetReadDeadline(time.Now().Add(time.Nanosecond))
	io.Copy(io.Discard, c)
	c.SetReadDeadline(time.Time{})
}
