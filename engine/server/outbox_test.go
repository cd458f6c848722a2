package server

import (
	"bytes"
	"io"
	"net"
	"testing"
	"testing/synctest"

	"harelab/engine/wire"
)

// A held counts calls of Release.
type held struct{ released int }

func (h *held) Release() { h.released++ }

// put appends n octets.
func (o *outbox) put(n int) {
	buf, _ := o.begin(n)
	o.end(append(buf, make([]byte, n)...))
}

func newOutbox() *outbox {
	o := new(outbox)
	o.init()
	return o
}

func TestOutboxWakesTheWriterOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox()
		var sizes []int
		go func() {
			for {
				f, ok := o.take()
				if !ok {
					return
				}
				sizes = append(sizes, f.size)
				o.sent(f.size)
				f.release()
				o.reuse(f)
			}
		}()
		synctest.Wait()
		for range 10 {
			o.put(100)
		}
		synctest.Wait()
		if len(sizes) != 0 {
			t.Errorf("writer took %v before it was woken", sizes)
		}
		o.wake()
		synctest.Wait()
		o.wake() // nothing there
		o.put(1)
		o.finish()
		synctest.Wait()
		if len(sizes) != 2 || sizes[0] != 1000 || sizes[1] != 1 {
			t.Errorf("writer took %v, want [1000 1]", sizes)
		}
		if _, ok := o.begin(0); ok {
			t.Error("a finished outbox takes more")
		}
	})
}

// TestOutboxBodies: large bodies are not copied, are cut into frames of at most frame_max,
// and are released when they are written.
func TestOutboxBodies(t *testing.T) {
	o := newOutbox()
	body := bytes.Repeat([]byte("0123456789"), 1000)
	var owner held
	var want []byte
	for i := range 3 {
		buf, _ := o.begin(64)
		buf = wire.AppendHeaderFrame(buf, 1, uint64(len(body)), nil)
		o.end(o.body(buf, 1, body[:len(body)-i], wire.MinFrameMax, &owner))
		want = wire.AppendBody(wire.AppendHeaderFrame(want, 1, uint64(len(body)), nil), 1, body[:len(body)-i], wire.MinFrameMax)
	}
	o.finish()
	f, _ := o.take()
	if f.size != len(want) || owner.released != 0 {
		t.Errorf("took %d octets, %d bodies released, want %d, 0", f.size, owner.released, len(want))
	}
	a, b := Pipe()
	if _, err := f.writeTo(a, nil); err != nil {
		t.Fatal(err)
	}
	a.Close()
	got, _ := io.ReadAll(b)
	if !bytes.Equal(got, want) {
		t.Errorf("wrote %d octets that are not the frames", len(got))
	}
	if owner.released != 3 {
		t.Errorf("%d bodies released, want 3", owner.released)
	}
}

func TestOutboxReleasesBodiesOfADeadSocket(t *testing.T) {
	var owner held
	o := newOutbox()
	fill := func() {
		buf, _ := o.begin(64)
		o.end(o.body(buf, 1, make([]byte, copyBelow), wire.MinFrameMax, &owner))
	}
	fill()
	f, _ := o.take()
	a, b := Pipe()
	b.Close()
	if _, err := f.writeTo(a, net.Buffers{}); err == nil {
		t.Error("wrote to a closed connection")
	}
	fill()
	o.abandon()
	if owner.released != 2 {
		t.Errorf("%d bodies released, want 2", owner.released)
	}
}

func TestOutboxStalls(t *testing.T) {
	o := newOutbox()
	ch := new(channel)
	stall := func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		return o.stall(ch)
	}
	o.put(highWater)
	if stall() {
		t.Errorf("stalled at %d octets", highWater)
	}
	o.put(1)
	for range 2 {
		if !stall() {
			t.Errorf("not stalled at %d octets", highWater+1)
		}
	}
	o.take()
	if got := o.sent(highWater - lowWater); got != nil {
		t.Errorf("resumed at %d octets", lowWater+1)
	}
	if got := o.sent(1); len(got) != 1 || got[0] != ch {
		t.Errorf("resumed %v at %d octets, want the channel once", got, lowWater)
	}
	if got := o.sent(lowWater); got != nil {
		t.Errorf("resumed %v again", got)
	}
}

// TestOutboxHoldsTheReader: the server stops reading from a client that makes requests and
// does not read the answers.
func TestOutboxHoldsTheReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox()
		gone := make(chan struct{})
		passed := 0
		wait := func() {
			go func() {
				o.waitRoom(gone)
				passed++
			}()
			synctest.Wait()
		}
		o.put(floodWater)
		if wait(); passed != 1 {
			t.Fatalf("reader waits at %d octets", floodWater)
		}
		o.put(1)
		if wait(); passed != 1 {
			t.Fatalf("reader does not wait at %d octets", floodWater+1)
		}
		o.take()
		o.sent(floodWater - lowWater + 1)
		if synctest.Wait(); passed != 2 {
			t.Fatalf("reader waits at %d octets", lowWater)
		}
		o.put(floodWater)
		wait()
		close(gone)
		if synctest.Wait(); passed != 3 {
			t.Fatal("reader waits for a writer that has ended")
		}
	})
}

// TestOutboxGoesOnWhereATryStopped: after tryWrite has written a part of the frames, the
// writer writes the rest before frames that came meanwhile.
func TestOutboxGoesOnWhereATryStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := Pipe()
		c := newConn(New(Options{}), far, new(Transport))
		put := func(octets string) {
			buf, _ := c.out.begin(len(octets))
			c.out.end(append(buf, octets...))
		}
		go c.write()
		synctest.Wait() // the writer is parked
		far.Write(make([]byte, pipeRoom-2))
		put("abcd")
		c.wake()
		put("ef")
		c.wake()
		c.out.finish()
		got := make([]byte, pipeRoom-2+len("abcdef"))
		_, err := io.ReadFull(near, got)
		if want := "abcdef"; err != nil || string(got[pipeRoom-2:]) != want {
			t.Errorf("wrote %q, %v, want %q", got[pipeRoom-2:], err, want)
		}
		<-c.gone
	})
}
