//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"harelab/reports/folder"
)

// A process is a running harelab.
type process struct {
	*exec.Cmd
	stdout, stderr *bufio.Reader
}

// start starts harelab. When the test ends, it kills a harelab that is still running.
func start(t *testing.T, args ...string) process {
	t.Helper()
	p := process{Cmd: exec.Command("harelab", args...)}
	pipe := func(r io.ReadCloser, err error) *bufio.Reader {
		if err != nil {
			t.Fatal(err)
		}
		return bufio.NewReader(r)
	}
	p.stdout, p.stderr = pipe(p.StdoutPipe()), pipe(p.StderrPipe())
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	watchdog := time.AfterFunc(5*time.Minute, func() { p.Process.Kill() }) // hangs; the race detector is slow, and no hang
	t.Cleanup(func() {
		watchdog.Stop()
		p.Process.Kill()
		p.Cmd.Wait()
	})
	return p
}

// await reads r up to a line that contains text, and returns it.
func await(t *testing.T, r *bufio.Reader, text string) string {
	t.Helper()
	for {
		line, err := r.ReadString('\n')
		if strings.Contains(line, text) {
			return line
		}
		if err != nil {
			t.Fatalf("no line with %q: %v", text, err)
		}
	}
}

func (p process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// endings are the signals that end a run as Ctrl-C does.
var endings = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}

func TestInterruptedRunIsWrittenAndMarkedPartial(t *testing.T) {
	for _, s := range endings {
		t.Run(s.String(), func(t *testing.T) { interruptedRunIsWritten(t, s) })
	}
}

func interruptedRunIsWritten(t *testing.T, s os.Signal) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "out")
	p := start(t, "run", "celery-initial", "--target", "embedded", "--out", dir)
	await(t, p.stderr, "published 44/44")
	p.signal(t, s)
	interrupted := time.Now()
	await(t, p.stderr, "a second signal ends at once")
	out, _ := io.ReadAll(p.stdout)
	p.Wait()
	if code := p.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit code %d, want %d", code, exitInterrupted)
	}
	if took := time.Since(interrupted); took > 5*time.Second {
		t.Errorf("it ended after %v: want it to end without waiting for the work", took)
	}
	if !strings.Contains(string(out), "PARTIAL") || !strings.Contains(string(out), "report.html") {
		t.Errorf("stdout says nothing of a partial run or its report:\n%s", out)
	}
	b, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m folder.Manifest
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	if len(m.Arms) != 1 || !m.Arms[0].Partial {
		t.Errorf("the manifest does not call the run partial: %+v", m.Arms)
	}
	page, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "The run was interrupted") {
		t.Error("the page does not say that the run was interrupted")
	}
}

// TestInterruptWithNothingToKeep: a command that keeps nothing ends at once, with the exit
// code of interrupted commands and not of a process that a signal killed.
func TestInterruptWithNothingToKeep(t *testing.T) {
	p := start(t, "selftest")
	await(t, p.stdout, "M/M/1")
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	await(t, p.stderr, "interrupt: ending")
	go io.Copy(io.Discard, p.stdout)
	p.Wait()
	if code := p.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit code %d, want %d", code, exitInterrupted)
	}
}

// TestSecondInterruptEndsAtOnce interrupts again while harelab writes the report of the
// first interruption. If the first one comes before anything was measured, there is no
// report, and the test tries again.
func TestSecondInterruptEndsAtOnce(t *testing.T) {
	t.Parallel()
	code := 0
	for range 5 {
		p := start(t, "run", "celery-initial", "--target", "embedded", "--out", filepath.Join(t.TempDir(), "out"))
		await(t, p.stderr, "[1/1] celery-initial on embedded")
		ended := make(chan struct{})
		go func() {
			p.Wait()
			close(ended)
		}()
		interruptUntil(p, ended)
		s := p.ProcessState.Sys().(syscall.WaitStatus)
		if s.Signaled() && s.Signal() == syscall.SIGINT {
			return
		}
		if code = p.ProcessState.ExitCode(); code != exitInterrupted {
			break
		}
	}
	t.Errorf("ended by itself with exit code %d, want the second interrupt to end it", code)
}

// interruptUntil interrupts p every 5 ms until it has ended.
func interruptUntil(p process, ended <-chan struct{}) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return
		case <-tick.C:
			p.Process.Signal(os.Interrupt)
		}
	}
}

// TestEndedRunLeavesNothingOnAForeignBroker ends runs on a broker by URL, and looks there
// for what they declared.
func TestEndedRunLeavesNothingOnAForeignBroker(t *testing.T) {
	for _, s := range endings {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			broker := start(t, "serve", "--memory", "--amqp", "127.0.0.1:0")
			line := await(t, broker.stdout, "amqp://")
			url := strings.Replace(urlIn(line), "amqp://", "amqp://guest:guest@", 1)
			p := start(t, "run", "celery-initial", "--target", url, "--out", filepath.Join(t.TempDir(), "out"))
			await(t, p.stderr, "published 44/44")
			p.signal(t, s)
			io.Copy(io.Discard, p.stdout)
			p.Wait()
			if code := p.ProcessState.ExitCode(); code != exitInterrupted {
				t.Errorf("exit code %d, want %d", code, exitInterrupted)
			}
			conn, err := amqp091.Dial(url)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			ch, err := conn.Channel()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ch.QueueDeclarePassive("celery", false, false, false, false, nil); err == nil {
				t.Error("the run's queue is still there")
			}
		})
	}
}

// urlIn returns the URL in the first line of harelab serve.
func urlIn(line string) string { return strings.Fields(line[strings.Index(line, "amqp://"):])[0] }

// shutdownGrace is how long harelab serve gives clients to close their connections.
const shutdownGrace = 5 * time.Second

func TestServeTellsClientsAndEnds(t *testing.T) {
	for _, s := range endings {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			p := start(t, "serve", "--memory", "--amqp", "127.0.0.1:0")
			line := await(t, p.stdout, "amqp://")
			url := urlIn(line)
			conn, err := amqp091.Dial(strings.Replace(url, "amqp://", "amqp://guest:guest@", 1))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			closed := conn.NotifyClose(make(chan *amqp091.Error, 1))
			p.signal(t, s)
			signalled := time.Now()
			if told := <-closed; told == nil || told.Code != amqp091.ConnectionForced {
				t.Errorf("the client was told %v, want 320 CONNECTION_FORCED", told)
			}
			p.Wait()
			if took := time.Since(signalled); p.ProcessState.ExitCode() != exitDone || took > shutdownGrace {
				t.Errorf("exit code %d after %v, want %d within %v", p.ProcessState.ExitCode(), took, exitDone, shutdownGrace)
			}
		})
	}
}

// TestServeDoesNotWaitForTheDeaf ends a broker that has a client which reads and answers
// nothing.
func TestServeDoesNotWaitForTheDeaf(t *testing.T) {
	t.Parallel()
	p := start(t, "serve", "--memory", "--amqp", "127.0.0.1:0")
	line := await(t, p.stdout, "amqp://")
	deaf := deafClient(t, urlIn(line))
	defer deaf.Close()
	p.signal(t, syscall.SIGTERM)
	signalled := time.Now()
	p.Wait()
	if took := time.Since(signalled); p.ProcessState.ExitCode() != exitDone || took > 2*shutdownGrace {
		t.Errorf("exit code %d after %v, want %d after %v", p.ProcessState.ExitCode(), took, exitDone, shutdownGrace)
	}
}

// deafClient connects and then stops reading.
func deafClient(t *testing.T, url string) net.Conn {
	t.Helper()
	c := &deafConn{closed: make(chan struct{})}
	conn, err := amqp091.DialConfig(strings.Replace(url, "amqp://", "amqp://guest:guest@", 1), amqp091.Config{
		Dial: func(network, addr string) (_ net.Conn, err error) {
			c.Conn, err = net.Dial(network, addr)
			return c, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Channel(); err != nil {
		t.Fatal(err)
	}
	c.deaf.Store(true)
	return c
}

// A deafConn drops what it reads while it is deaf.
type deafConn struct {
	net.Conn
	deaf   atomic.Bool
	once   sync.Once
	closed chan struct{}
}

func (c *deafConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.deaf.Load() {
		<-c.closed
		return 0, net.ErrClosed
	}
	return n, err
}

func (c *deafConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
