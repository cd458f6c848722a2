//go:build interop

package interop

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// python is the interpreter that finds Debian's packages, unlike another one earlier on
// the path.
const python = "/usr/bin/python3"

// harelab is the path of the command under test, which is built once.
var harelab string

// buildTags are the build tags of the command: invariants, if the tests have that tag.
var buildTags string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "harelab-interop-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		harelab = filepath.Join(dir, "harelab")
		build := exec.Command("go", "build", "-tags", buildTags, "-o", harelab, "harelab/cmd/harelab")
		build.Stdout, build.Stderr = os.Stdout, os.Stderr
		if err := build.Run(); err != nil {
			return 1
		}
		return m.Run()
	}())
}

// exitPanic is the exit code of a Go program that a panic ends.
const exitPanic = 2

// start starts a program. When the test ends, it terminates the program and waits for it.
func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var out bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &out
	}
	if cmd.Stderr == nil {
		cmd.Stderr = &out
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	}
	// A daemon that the program started may keep its outputs open for ever.
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		done := make(chan struct{})
		go func() { cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-done
			t.Errorf("%s did not stop within 20 s of SIGTERM", filepath.Base(cmd.Path))
		}
		if cmd.Path == harelab && cmd.ProcessState.ExitCode() == exitPanic {
			t.Errorf("%s ended in a panic", strings.Join(cmd.Args, " "))
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", strings.Join(cmd.Args, " "), out.String())
		}
	})
}

var listening = regexp.MustCompile(`amqp://\S*?127\.0\.0\.1:(\d+)`)

// serve starts harelab serve on a free loopback port and returns its URL
// without the virtual host.
func serve(t *testing.T, args ...string) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(harelab, append([]string{"serve", "--memory", "--amqp", "127.0.0.1:0"}, args...)...)
	cmd.Stdout = w
	start(t, cmd)
	w.Close()
	t.Cleanup(func() { r.Close() })
	port := make(chan string, 1)
	go func() {
		sc := bufio.NewScanner(r)
		for sc.Scan() {
			if m := listening.FindStringSubmatch(sc.Text()); m != nil {
				port <- m[1]
				break
			}
		}
		for sc.Scan() {
		}
	}()
	select {
	case p := <-port:
		return "amqp://guest:guest@127.0.0.1:" + p
	case <-time.After(10 * time.Second):
		t.Fatal("harelab serve did not say where it listens within 10 s")
		return ""
	}
}

// script runs a command that must succeed, and returns its output.
func script(t *testing.T, timeout time.Duration, env []string, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestAMQPTools(t *testing.T) {
	url := serve(t) + "/%2f"
	run := func(name string, args ...string) string {
		return strings.TrimSpace(script(t, 20*time.Second, nil, name, append([]string{"-u", url}, args...)...))
	}
	if got := run("amqp-declare-queue", "-q", "tools", "-d"); got != "tools" {
		t.Fatalf("amqp-declare-queue printed %q, want the queue's name", got)
	}
	for i := range 3 {
		run("amqp-publish", "-r", "tools", "-p", "-b", fmt.Sprint("message ", i))
	}
	if got := run("amqp-get", "-q", "tools"); got != "message 0" {
		t.Errorf("amqp-get printed %q, want message 0", got)
	}
	if got := run("amqp-consume", "-q", "tools", "-c", "2", "-p", "1", "cat"); got != "message 1message 2" {
		t.Errorf("amqp-consume printed %q, want the other two messages in order", got)
	}
	if got := run("amqp-delete-queue", "-q", "tools"); got != "0" {
		t.Errorf("amqp-delete-queue printed %q, want 0 messages left", got)
	}
}

// freePort returns a loopback port that has just been free.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}
