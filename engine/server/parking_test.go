package server

import (
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"harelab/engine/auth"
	"harelab/engine/wire"
)

// A stranger is the server's end of a connection whose client sends octets, reads whatever
// comes and waits until the server hangs up.
type stranger struct {
	from   net.Addr
	sends  []byte
	closed chan struct{}
	once   sync.Once
}

func newStranger(from string, octets []byte) *stranger {
	return &stranger{from: &net.TCPAddr{IP: net.ParseIP(from), Port: 40000}, sends: octets, closed: make(chan struct{})}
}

func (s *stranger) Read(b []byte) (int, error) {
	if len(s.sends) > 0 {
		n := copy(b, s.sends)
		s.sends = s.sends[n:]
		return n, nil
	}
	<-s.closed
	return 0, io.EOF
}

func (s *stranger) Write(b []byte) (int, error)      { return len(b), nil }
func (s *stranger) Close() error                     { s.once.Do(func() { close(s.closed) }); return nil }
func (s *stranger) LocalAddr() net.Addr              { return pipeAddr("server") }
func (s *stranger) RemoteAddr() net.Addr             { return s.from }
func (s *stranger) SetDeadline(time.Time) error      { return nil }
func (s *stranger) SetReadDeadline(time.Time) error  { return nil }
func (s *stranger) SetWriteDeadline(time.Time) error { return nil }

// loginOf returns what a client sends up to connection.start-ok.
func loginOf(user, password string) []byte {
	return wire.AppendMethodFrame(wire.ProtocolHeader[:], 0, &wire.ConnectionStartOk{
		Mechanism: auth.Plain,
		Response:  []byte("\x00" + user + "\x00" + password),
		Locale:    "en_US",
	})
}

// TestParkedLoginsAreCheap parks as many failed logins as there is room for: they hold no
// goroutine and little memory until the server hangs up.
func TestParkedLoginsAreCheap(t *testing.T) {
	const limit = 1024 // octets for each, the test's own stranger included
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{})
		goroutines, before := runtime.NumGoroutine(), heap()
		strangers := make([]*stranger, maxParked)
		for i := range strangers {
			ip := binary.BigEndian.AppendUint32(nil, 10<<24+uint32(i))
			strangers[i] = newStranger(net.IP(ip).String(), loginOf("guest", "wrong"))
			if err := s.Go(strangers[i]); err != nil {
				t.Fatal(err)
			}
			if i%100 == 0 {
				synctest.Wait()
			}
		}
		synctest.Wait()
		if n := runtime.NumGoroutine(); n != goroutines {
			t.Errorf("%d goroutines, want the %d from before", n, goroutines)
		}
		per := (heap() - before) / maxParked
		t.Logf("a parked connection takes %d octets", per)
		if per > limit {
			t.Errorf("want at most %d", limit)
		}
		overfull := newStranger("192.0.2.1", loginOf("guest", "wrong"))
		s.Go(overfull)
		synctest.Wait()
		wantClosed(t, "one too many", overfull, true)
		time.Sleep(silence - time.Millisecond)
		synctest.Wait()
		wantClosed(t, "before the delay", strangers[0], false)
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		for _, stranger := range strangers {
			wantClosed(t, "after the delay", stranger, true)
		}
		if n := len(s.parking.timers); n != 0 {
			t.Errorf("%d connections are parked still", n)
		}
	})
}

func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func wantClosed(t *testing.T, when string, s *stranger, want bool) {
	t.Helper()
	closed := false
	select {
	case <-s.closed:
		closed = true
	default:
	}
	if closed != want {
		t.Errorf("%s: closed %t, want %t", when, closed, want)
	}
}

// TestCloseEndsParked: a server that closes does not wait for delays.
func TestCloseEndsParked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{})
		parked := newStranger("192.0.2.1", loginOf("guest", "wrong"))
		s.Go(parked)
		synctest.Wait()
		wantClosed(t, "before Close", parked, false)
		start := time.Now()
		s.Close()
		wantClosed(t, "after Close", parked, true)
		if d := time.Since(start); d != 0 {
			t.Errorf("Close took %v", d)
		}
	})
}
