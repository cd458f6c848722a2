//go:build unix

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"harelab/engine/store"
	"harelab/engine/store/pebble"
)

// serveData starts harelab serve on a folder, and returns it with its first line and a
// channel to it.
func serveData(t *testing.T, dir string, args ...string) (p process, line string, ch *amqp091.Channel) {
	t.Helper()
	p = start(t, append([]string{"serve", "--amqp", "127.0.0.1:0", "--data", dir}, args...)...)
	line = await(t, p.stdout, "amqp://")
	conn, err := amqp091.Dial(strings.Replace(urlIn(line), "amqp://", "amqp://guest:guest@", 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	durability := "fsynced"
	if slices.Contains(args, "none") {
		durability = "unsynced"
	}
	if told := conn.Properties["harelab_durability"]; told != durability {
		t.Errorf("clients are told that it is %v, want %s", told, durability)
	}
	if ch, err = conn.Channel(); err != nil {
		t.Fatal(err)
	}
	return p, line, ch
}

// TestServeKeepsWhatItConfirmed ends a broker in both ways. The next one has its messages:
// after a kill all of them are flagged as redelivered, after an orderly end those that were
// delivered.
func TestServeKeepsWhatItConfirmed(t *testing.T) {
	for _, test := range []struct {
		end  syscall.Signal
		want string
	}{
		{syscall.SIGKILL, "first true, second true"},
		{syscall.SIGTERM, "first true, second false"},
	} {
		t.Run(test.end.String(), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			p, line, ch := serveData(t, dir)
			if want := " (data in " + dir + ", confirmed means fsynced)"; !strings.HasSuffix(strings.TrimSpace(line), want) {
				t.Errorf("the first line is %q, want its end %q", line, want)
			}
			if _, err := ch.QueueDeclare("q", true, false, false, false, nil); err != nil {
				t.Fatal(err)
			}
			if err := ch.Confirm(false); err != nil {
				t.Fatal(err)
			}
			for _, body := range []string{"first", "second"} {
				confirm, err := ch.PublishWithDeferredConfirm("", "q", false, false, amqp091.Publishing{DeliveryMode: amqp091.Persistent, Body: []byte(body)})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if ok, err := confirm.WaitContext(ctx); !ok || err != nil {
					t.Fatalf("%s: confirmed %t, %v", body, ok, err)
				}
			}
			if _, _, err := ch.Get("q", false); err != nil {
				t.Fatal(err)
			}
			p.signal(t, test.end)
			io.Copy(io.Discard, p.stdout)
			p.Wait()

			_, _, ch = serveData(t, dir)
			var got []string
			for range 2 {
				d, _, err := ch.Get("q", true)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, fmt.Sprintf("%s %t", d.Body, d.Redelivered))
			}
			if got := strings.Join(got, ", "); got != test.want {
				t.Errorf("after a restart: %s, want %s", got, test.want)
			}
		})
	}
}

// TestServeSharesNoFolder: a second broker on the same folder is told who has it.
func TestServeSharesNoFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, _, _ := serveData(t, dir)
	second := start(t, "serve", "--amqp", "127.0.0.1:0", "--data", dir)
	said, _ := io.ReadAll(second.stderr)
	second.Wait()
	want := fmt.Sprintf("folder %s is in use by process %d (harelab)", dir, first.Process.Pid)
	if code := second.ProcessState.ExitCode(); code != exitFailed || !strings.Contains(string(said), want) {
		t.Errorf("exit code %d, %q, want %d and %q", code, said, exitFailed, want)
	}
}

// TestServeRefusesDamagedData: a broker that cannot read a record does not start. It names
// the record and says what to do.
func TestServeRefusesDamagedData(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kept, err := pebble.Open(dir, pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	kept.Start(deafObserver{})
	kept.Put('q', "orders", []byte("not JSON"))
	if err := kept.Close(); err != nil {
		t.Fatal(err)
	}
	p := start(t, "serve", "--amqp", "127.0.0.1:0", "--data", dir)
	said, _ := io.ReadAll(p.stderr)
	p.Wait()
	for _, want := range []string{`record "orders": `, "the data in " + dir + " is as it was: restore it from a copy"} {
		if code := p.ProcessState.ExitCode(); code != exitFailed || !strings.Contains(string(said), want) {
			t.Errorf("exit code %d, %q, want %d and %q", code, said, exitFailed, want)
		}
	}
}

type deafObserver struct{}

func (deafObserver) Completed(store.Round) {}
func (deafObserver) Failed(error)          {}

// TestServeSaysThatItDoesNotSync: --sync none is in the first line and in the log.
func TestServeSaysThatItDoesNotSync(t *testing.T) {
	t.Parallel()
	p, line, _ := serveData(t, t.TempDir(), "--sync", "none")
	if !strings.Contains(line, "confirmed does not mean fsynced") {
		t.Errorf("the first line is %q", line)
	}
	await(t, p.stderr, "a power cut can lose confirmed messages")
}

// TestServeTellsSystemd: READY=1 comes when clients can connect, STOPPING=1 at the end.
func TestServeTellsSystemd(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	p := start(t, "serve", "--memory", "--amqp", "127.0.0.1:0")
	states := bufio.NewReaderSize(l, 4096)
	for i, want := range []string{"READY=1", "STOPPING=1"} {
		l.SetReadDeadline(time.Now().Add(time.Minute))
		b := make([]byte, len(want))
		if _, err := io.ReadFull(states, b); err != nil || string(b) != want {
			t.Fatalf("systemd was told %q, %v, want %q", b, err, want)
		}
		if i == 0 {
			conn, err := amqp091.Dial(strings.Replace(urlIn(await(t, p.stdout, "amqp://")), "amqp://", "amqp://guest:guest@", 1))
			if err != nil {
				t.Fatalf("after %s: %v", want, err)
			}
			conn.Close()
			p.signal(t, syscall.SIGTERM)
		}
	}
	p.Wait()
}
