//go:build crash

package crash

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
	"syscall"
	"testing"
	"time"
)

// limit is how long anything may take that should take a moment.
const limit = 30 * time.Second

// build builds the command and returns its path.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "harelab")
	cmd := exec.Command("go", "build", "-o", path, "harelab/cmd/harelab")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// A server is one life of harelab serve.
type server struct {
	cmd     *exec.Cmd
	started time.Time
	ready   chan time.Duration // gets how long it took until it served; closed when its output ends
	done    chan struct{}      // closed when the process has ended
	err     error              // of the process; read it after done
	log     lockedBuffer
}

// lockedBuffer is what a process writes to stderr.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// start starts a life, and returns at once.
func start(t *testing.T, path, addr, dir string, flags ...string) *server {
	t.Helper()
	s := &server{ready: make(chan time.Duration, 1), done: make(chan struct{})}
	s.cmd = exec.Command(path, append([]string{"serve", "--amqp", addr, "--data", dir}, flags...)...)
	s.cmd.Stderr = &s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.started = time.Now()
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go s.watch(out)
	return s
}

func (s *server) watch(out io.Reader) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), " serves amqp://") {
			s.ready <- time.Since(s.started)
		}
	}
	close(s.ready)
	s.err = s.cmd.Wait()
	close(s.done)
}

// await waits until the broker serves and returns how long that took.
func (s *server) await(t *testing.T) time.Duration {
	t.Helper()
	select {
	case took, ok := <-s.ready:
		if ok {
			return took
		}
		t.Fatalf("harelab serve ended at start:\n%s", s.log.String())
	case <-time.After(limit):
		s.kill(syscall.SIGKILL)
		t.Fatalf("harelab serve did not serve within %v:\n%s", limit, s.log.String())
	}
	return 0
}

// kill sends a signal and waits for the end.
func (s *server) kill(with syscall.Signal) error {
	s.cmd.Process.Signal(with)
	return s.wait()
}

func (s *server) wait() error {
	select {
	case <-s.done:
		return nil
	case <-time.After(limit):
		s.cmd.Process.Kill()
		return fmt.Errorf("harelab serve did not end within %v:\n%s", limit, s.log.String())
	}
}

// freeAddr returns a loopback address whose port has just been free.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// dataFolder returns a new folder: $CRASH_DIR is for a disk that is not the default.
func dataFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(os.Getenv("CRASH_DIR"), "harelab-crash-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the folder %s is kept", dir)
			return
		}
		os.RemoveAll(dir)
	})
	return dir
}

// sleep sleeps, unless ctx is done before.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
