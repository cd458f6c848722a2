package amqp

import (
	"io"
	"net"
	"sync"
	"time"

	"harelab/loadgen"
)

// A delayed connection hands over each chunk a fixed time after it was
// written, in both directions: a long line, not a slow one.
type delayed struct {
	net.Conn          // the client's end of the pipe
	far      net.Conn // the other end
	sock     net.Conn // the broker
	once     sync.Once
	closed   chan struct{}
	carriers sync.WaitGroup
}

// delay returns a connection to the same peer that is d away.
func delay(sock net.Conn, d time.Duration, alarm *loadgen.Alarm) net.Conn {
	near, far := net.Pipe()
	c := &delayed{Conn: near, far: far, sock: sock, closed: make(chan struct{})}
	c.carriers.Go(func() { c.carry(sock, far, d, alarm.Sleeper()) })
	c.carriers.Go(func() { c.carry(far, sock, d, alarm.Sleeper()) })
	return c
}

// inFlight bounds the chunks on the line; a full line holds up the sender, as
// a full socket does.
const inFlight = 4096

type chunk struct {
	at   time.Time
	data []byte
}

// carry moves chunks from one side to the other until either is closed.
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

// hangUp cuts the line at both ends; what is on it is lost.
func (c *delayed) hangUp() {
	c.once.Do(func() {
		close(c.closed)
		c.far.Close()
		c.Conn.Close()
		c.sock.Close()
	})
}

// Close hangs up and waits until nobody uses the line.
func (c *delayed) Close() error {
	c.hangUp()
	c.carriers.Wait()
	return nil
}
