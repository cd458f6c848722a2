//go:build memory && linux

package footprint

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rabbitmq/amqp091-go"
)

// program is the command, built once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "harelab-footprint-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "harelab")
	if out, err := exec.Command("go", "build", "-o", path, "harelab/cmd/harelab").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// A server is a running harelab serve.
type server struct {
	cmd *exec.Cmd
	url string
}

// serve starts a broker with a new data folder, unless the flags say --memory.
func serve(t *testing.T, flags ...string) *server {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"serve", "--amqp", "127.0.0.1:0"}, flags...)
	if flags[0] != "--memory" {
		args = append(args, "--data", t.TempDir())
	}
	s := &server{cmd: exec.Command(path, args...)}
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.cmd.Process.Kill()
		s.cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	for word := range strings.FieldsSeq(line) {
		if strings.HasPrefix(word, "amqp://") {
			s.url = word
		}
	}
	go io.Copy(io.Discard, out)
	return s
}

// rss and peak return the memory of the broker's process now, and the most that it ever
// took, in MiB.
func (s *server) rss(t *testing.T) float64  { t.Helper(); return s.status(t, "VmRSS:") }
func (s *server) peak(t *testing.T) float64 { t.Helper(); return s.status(t, "VmHWM:") }

func (s *server) status(t *testing.T, field string) float64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		var kb float64
		if rest, ok := bytes.CutPrefix(line, []byte(field)); ok {
			fmt.Sscan(string(rest), &kb)
			return kb / 1024
		}
	}
	t.Fatalf("no %s of the broker's process", field)
	return 0
}

func (s *server) open(t *testing.T) (*amqp091.Connection, *amqp091.Channel) {
	t.Helper()
	conn, err := amqp091.Dial(s.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { go conn.Close() }) // a blocked connection does not answer
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return conn, ch
}

func (s *server) declare(t *testing.T, q string, durable bool) {
	t.Helper()
	conn, ch := s.open(t)
	defer conn.Close()
	if _, err := ch.QueueDeclare(q, durable, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
}

func (s *server) purge(t *testing.T, q string) {
	t.Helper()
	conn, ch := s.open(t)
	defer conn.Close()
	if _, err := ch.QueuePurge(q, false); err != nil {
		t.Fatal(err)
	}
}

// publish publishes messages of 1 KiB and waits until the broker has them.
func (s *server) publish(t *testing.T, q string, mode uint8, n int) {
	t.Helper()
	s.publishSized(t, q, mode, n, bodySize)
}

func (s *server) publishSized(t *testing.T, q string, mode uint8, n, size int) {
	t.Helper()
	conn, ch := s.open(t)
	defer conn.Close()
	if err := publish(ch, q, mode, n, size); err != nil {
		t.Fatal(err)
	}
}

// window is the number of publishes that wait for a confirm at most, so that the socket of a
// blocked client has room for its heartbeats.
const window = 500

// publish publishes messages and waits until the last is confirmed.
func publish(ch *amqp091.Channel, q string, mode uint8, n, size int) error {
	if err := ch.Confirm(false); err != nil {
		return err
	}
	confirms := ch.NotifyPublish(make(chan amqp091.Confirmation, window))
	confirmed := func() error {
		if c, ok := <-confirms; !ok || !c.Ack {
			return fmt.Errorf("publish %d is not confirmed", c.DeliveryTag)
		}
		return nil
	}
	body := make([]byte, size)
	for i := range n {
		if i >= window {
			if err := confirmed(); err != nil {
				return err
			}
		}
		copy(body, fmt.Sprint(i))
		if err := ch.PublishWithContext(context.Background(), "", q, false, false, amqp091.Publishing{DeliveryMode: mode, Body: body}); err != nil {
			return err
		}
	}
	for range min(n, window) {
		if err := confirmed(); err != nil {
			return err
		}
	}
	return nil
}

// drain consumes messages and returns their rate a second. They must come in order.
func (s *server) drain(t *testing.T, q string, n int) float64 {
	conn, ch := s.open(t)
	defer conn.Close()
	ch.Qos(1000, 0, false)
	deliveries, err := ch.Consume(q, "", false, false, false, false, nil)
	if err != nil {
		t.Error(err)
		return 0
	}
	start := time.Now()
	for i := range n {
		d, ok := <-deliveries
		if !ok {
			t.Errorf("the consumer ended after %d messages", i)
			return 0
		}
		if want := fmt.Sprint(i); !bytes.HasPrefix(d.Body, append([]byte(want), 0)) && i < 10 {
			t.Errorf("message %d is %.20q", i, d.Body)
		}
		if i%100 == 99 || i == n-1 {
			if err := d.Ack(true); err != nil {
				t.Error(err)
			}
		}
	}
	return float64(n) / time.Since(start).Seconds()
}

// flow publishes to a queue with a consumer and returns the rate a second of messages that
// came through.
func (s *server) flow(t *testing.T, q string, mode uint8, n int) float64 {
	t.Helper()
	s.declare(t, q, mode == amqp091.Persistent)
	start := time.Now()
	go s.publish(t, q, mode, n)
	s.drain(t, q, n)
	return float64(n) / time.Since(start).Seconds()
}

// consumeWithoutReading subscribes to a queue and never reads what comes.
func (s *server) consumeWithoutReading(t *testing.T, q string) net.Conn {
	t.Helper()
	var socket net.Conn
	conn, err := amqp091.DialConfig(s.url, amqp091.Config{Dial: func(network, addr string) (net.Conn, error) {
		c, err := net.Dial(network, addr)
		socket = &stopping{Conn: c, stop: make(chan struct{})}
		return socket, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ch.Consume(q, "", false, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	socket.(*stopping).once.Do(func() { close(socket.(*stopping).stop) })
	return socket
}

// A stopping connection reads nothing once it has stopped.
type stopping struct {
	net.Conn
	once sync.Once
	stop chan struct{}
}

func (s *stopping) Read(b []byte) (int, error) {
	select {
	case <-s.stop:
		select {} // until the process ends
	default:
		return s.Conn.Read(b)
	}
}
