package amqp

import (
	"io"
	"net"
	"sync"
	"time"

	"harelab/loadgen"
)

// A delayed connection delivers each chunk a fixed time after it was written, in
// both directions. It adds latency and leaves the throughput as it is.
type delayed struct {
	net.Conn          // the client's end of the pipe
	far      net.Conn // the other end
	sock     net.Conn // the broker
	once     sync.Once
	closed   chan struct{}
	carriers sync.WaitGroup
}

// delay returns a connection to the same peer with a latency of d each way.
func delay(sock net.Conn, d time.Duration, alarm *loadgen.Alarm) net.Conn {
	near, far := net.Pipe()
	c := &delayed{Conn: near, far: far, sock: sock, closed: make(chan struct{})}
	c.carriers.Go(func() { c.carry(sock, far, d, alarm.Sleeper()) })
	c.carriers.Go(func() { c.carry(far, sock, d, alarm.Sleeper()) })
	return c
}

// inFlight bounds the number of chunks under way in one direction. Then the sender
// waits, as on a full socket.
const inFlight = 4096

type chunk struct {
	at   time.Time
	data []byte
}

// carry copies chunks from one side to the other until either is closed.
func (c *delayed) carry(to io.WriteCloser, from io.Reader, d time.Duration, s *loadgen.Sleeper) {
	line := make(chan chunk, inFlight)
	c.carriers.Go(func() {
		defer close(line)
		for {
			buf := make([]byte, 16<<10)
			n, err := from.Read(buf)
			if n > 0 {
				select {
				case line <- chunk{time.Now().Add(d), buf[:n]}:
				case <-c.closed:
					return
				}
			}
			if err != nil {
				return
			}
		}
	})
	defer to.Close()
	for ch := range line {
		if !s.Until(ch.at, c.closed) {
			return
		}
		if _, err := to.Write(ch.data); err != nil {
			c.hangUp()
			return
		}
	}
}

// hangUp closes both ends. Chunks under way are lost.
func (c *delayed) hangUp() {
	c.once.Do(func() {
		close(c.closed)
		c.far.Close()
		c.Conn.Close()
		c.sock.Close()
	})
}

// Close hangs up and waits for the goroutines of the connection.
func (c *delayed) Close() error {
	c.hangUp()
	c.carriers.Wait()
	return nil
}
