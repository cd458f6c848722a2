package server

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestPipeHoldsWhatIsWritten(t *testing.T) {
	a, b := Pipe()
	if _, err := a.Write([]byte("hare")); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Write([]byte("lab")); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		end  net.Conn
		want string
	}{{b, "hare"}, {a, "lab"}} {
		got := make([]byte, 10)
		n, err := tt.end.Read(got)
		if err != nil || string(got[:n]) != tt.want {
			t.Errorf("Read = %q, %v, want %q", got[:n], err, tt.want)
		}
	}
}

// TestPipeKeepsOrder: pieces of any size, written and read at the same time, arrive whole
// and in order.
func TestPipeKeepsOrder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	sent := make([]byte, 3*pipeRoom+17)
	for i := range sent {
		sent[i] = byte(rnd.Uint32())
	}
	a, b := Pipe()
	go func() {
		defer a.Close()
		for rest := sent; len(rest) > 0; {
			n := min(len(rest), 1+rand.IntN(2*pipeRoom))
			if _, err := a.Write(rest[:n]); err != nil {
				t.Errorf("Write: %v", err)
				return
			}
			rest = rest[n:]
		}
	}()
	got, err := io.ReadAll(b)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("read %d octets, %v, want the %d that were written", len(got), err, len(sent))
	}
}

func TestPipeWriterWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		done := make(chan int)
		go func() {
			n, _ := a.Write(make([]byte, pipeRoom+1))
			done <- n
		}()
		synctest.Wait()
		select {
		case n := <-done:
			t.Fatalf("Write took %d octets before anything was read", n)
		default:
		}
		b.Read(make([]byte, 1))
		if n := <-done; n != pipeRoom+1 {
			t.Errorf("Write took %d octets, want %d", n, pipeRoom+1)
		}
	})
}

func TestPipeClose(t *testing.T) {
	buf := make([]byte, 8)
	read := func(c net.Conn) error { _, err := c.Read(buf); return err }
	write := func(c net.Conn) error { _, err := c.Write([]byte("x")); return err }
	for _, tt := range []struct {
		name string
		do   func(a, b net.Conn) error
		want error
	}{
		{"the peer reads what was written before", func(a, b net.Conn) error { write(a); a.Close(); return read(b) }, nil},
		{"the peer then reads the end", func(a, b net.Conn) error { a.Close(); return read(b) }, io.EOF},
		{"the peer cannot write", func(a, b net.Conn) error { a.Close(); return write(b) }, io.ErrClosedPipe},
		{"one's own read fails", func(a, b net.Conn) error { a.Close(); return read(a) }, net.ErrClosed},
		{"one's own write fails", func(a, b net.Conn) error { a.Close(); return write(a) }, net.ErrClosed},
		{"after CloseWrite the peer reads the end", func(a, b net.Conn) error { a.(*pipeEnd).CloseWrite(); return read(b) }, io.EOF},
		{"after CloseWrite one can read", func(a, b net.Conn) error { a.(*pipeEnd).CloseWrite(); write(b); return read(a) }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, b := Pipe()
			if err := tt.do(a, b); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestPipeDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := Pipe()
		start := time.Now()
		wantTimeout := func(what string, after time.Duration, err error) {
			t.Helper()
			if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != after {
				t.Errorf("%s: %v after %v, want a timeout after %v", what, err, time.Since(start), after)
			}
		}
		a.SetReadDeadline(start.Add(time.Second))
		a.SetReadDeadline(start.Add(2 * time.Second)) // replaces the first
		_, err := a.Read(make([]byte, 1))
		wantTimeout("read", 2*time.Second, err)

		_, err = a.Read(make([]byte, 1))
		wantTimeout("read again", 2*time.Second, err)

		a.SetDeadline(start.Add(3 * time.Second))
		_, err = a.Write(make([]byte, pipeRoom+1))
		wantTimeout("write", 3*time.Second, err)

		a.SetDeadline(time.Time{})
		a.SetReadDeadline(start)
		_, err = a.Read(make([]byte, 1))
		wantTimeout("read with a deadline in the past", 3*time.Second, err)
	})
}
