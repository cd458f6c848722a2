//go:build crash

package crash

import (
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

var fills = flag.Int("diskfull.fills", 5, "number of times that the small disk is filled")

const (
	blockWithin = time.Second
	resumed     = 1000 // confirms that show that publishers went on, deliveries that show it of consumers
	fillsCheck  = 5    // fills between two times that everything is drained and checked
	bodySmall   = 8 << 10
)

// smallDisk mounts a file system of 64 MiB in memory and returns its folder.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("this test needs a disk of 64 MiB and may not mount one: %v: %s", err, strings.TrimSpace(string(out)))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return dir
}

// A diskRun is a run on a small disk.
type diskRun struct {
	*run
	server *server

	mu      sync.Mutex
	blocked map[int]bool // by publisher
}

func newDiskRun(t *testing.T, flags ...string) *diskRun {
	dir := smallDisk(t)
	r := &diskRun{run: newRun(t, filepath.Join(dir, "data"), bodySmall), blocked: make(map[int]bool)}
	r.flags = flags
	r.server = r.start()
	t.Cleanup(func() { r.server.kill(syscall.SIGKILL) }) // before the disk is unmounted
	if err := declare(r.addr); err != nil {
		t.Fatal(err)
	}
	for i, p := range r.publishers {
		p.notify = func(b amqp.Blocking) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.blocked[i] = b.Active
		}
	}
	return r
}

// publish starts the publishers and returns a function that ends them.
func (r *diskRun) publish() (end func()) {
	r.mu.Lock()
	clear(r.blocked)
	r.mu.Unlock()
	ctx, stop := context.WithCancel(context.Background())
	var working sync.WaitGroup
	for _, p := range r.publishers {
		working.Go(func() { p.run(ctx, r.addr) })
	}
	return func() { stop(); working.Wait() }
}

// consume starts the consumers and returns a function that ends them.
func (r *diskRun) consume() (end func()) {
	ctx, stop := context.WithCancel(context.Background())
	var working sync.WaitGroup
	for _, c := range r.consumers {
		working.Go(func() { c.run(ctx, r.addr) })
	}
	return func() { stop(); working.Wait() }
}

// blockedAre returns a condition: as many publishers are blocked.
func (r *diskRun) blockedAre(want int) func() bool {
	return func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		n := want
		for _, on := range r.blocked {
			if on {
				n--
			}
		}
		return n == 0
	}
}

// eventually waits for a condition, as long as the broker lives.
func (r *diskRun) eventually(what string, within time.Duration, is func() bool) {
	r.t.Helper()
	for end := time.Now().Add(within); !is(); time.Sleep(2 * time.Millisecond) {
		select {
		case <-r.server.done:
			r.t.Fatalf("%s: harelab serve ended by itself:\n%s", what, r.server.log.String())
		default:
		}
		if time.Now().After(end) {
			r.t.Fatalf("%s: not within %v\n%s", what, within, r.server.log.String())
		}
	}
}

// goOn waits for confirms of publishers that may go on.
func (r *diskRun) goOn() {
	r.t.Helper()
	before := r.ledger.Totals().Acknowledged
	r.eventually("confirms", limit, func() bool { return r.ledger.Totals().Acknowledged >= before+resumed })
}

// said returns how often the broker has logged a text.
func (r *diskRun) said(text string) int { return strings.Count(r.server.log.String(), text) }

// check drains the queues and fails if the ledger finds a fault.
func (r *diskRun) check() {
	r.t.Helper()
	if err := drain(r.ledger, r.addr); err != nil {
		r.t.Fatalf("%v\n%s", err, r.server.log.String())
	}
	r.ledger.Finish()
	totals := r.ledger.Totals()
	for i, fault := range totals.Faults() {
		if i < 20 {
			r.t.Error(fault)
		}
	}
	if totals.Refused > 0 {
		r.t.Errorf("%d publishes were nacked", totals.Refused)
	}
	if log := r.server.log.String(); strings.Contains(log, "failed") || strings.Contains(log, "panic") {
		r.t.Errorf("something failed:\n%s", log)
	}
	if r.t.Failed() {
		r.t.FailNow()
	}
}

// stop ends the broker with SIGTERM.
func (r *diskRun) stop() {
	r.t.Helper()
	r.die(r.server, "SIGTERM", syscall.SIGTERM)
	t := r.ledger.Totals()
	r.t.Logf("%d attempted, %d acknowledged, %d delivered, %d of these flagged, lost %d", t.Attempted, t.Acknowledged, t.Deliveries, t.Flagged, len(t.Lost))
}

// crash kills the broker.
func (r *diskRun) crash() {
	r.t.Helper()
	r.die(r.server, "SIGKILL under load", syscall.SIGKILL)
}

// TestDiskFull fills a small disk again and again up to the limit of serve. Publishers are
// blocked within a second, consumers drain meanwhile, publishers go on, and nothing that was
// confirmed is lost; nor if the broker is killed while its disk is full.
func TestDiskFull(t *testing.T) {
	r := newDiskRun(t, "--disk-free-limit", "20MiB")
	const alarm = "disk resource limit alarm set"
	slowest := time.Duration(0)
	for i := range *fills {
		alarms := r.said(alarm)
		endPublishers := r.publish()
		r.eventually("the alarm", limit, func() bool { return r.said(alarm) > alarms })
		began := time.Now()
		r.eventually("connection.blocked", blockWithin, r.blockedAre(publishers))
		slowest = max(slowest, time.Since(began))
		if i == *fills-1 {
			r.crash()
			endPublishers()
			r.ledger.Crash()
			r.server = r.start()
			r.check()
			break
		}
		endConsumers := r.consume()
		r.eventually("connection.unblocked", limit, r.blockedAre(0))
		r.goOn()
		endPublishers()
		endConsumers()
		if (i+1)%fillsCheck == 0 {
			r.check()
			t.Logf("%d fills: %d confirmed, all accounted for", i+1, r.ledger.Totals().Acknowledged)
		}
	}
	t.Logf("%d fills, blocked at most %v after the alarm", *fills, slowest.Round(time.Millisecond))
	r.stop()
}

// ballast fills the disk with a file, and takes what becomes free, until release is called.
func (r *diskRun) ballast() (release func()) {
	r.t.Helper()
	path := filepath.Join(filepath.Dir(r.dir), "ballast")
	f, err := os.Create(path)
	if err != nil {
		r.t.Fatal(err)
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			if _, err := f.Write(noise[:64<<10]); err != nil && !errors.Is(err, syscall.ENOSPC) {
				r.t.Errorf("ballast: %v", err)
				return
			} else if err == nil {
				continue
			}
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Microsecond):
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(stop)
		<-done
		f.Close()
		os.Remove(path)
	})
}

// TestDiskFullOfOtherFiles lets another program fill the disk to the last octet, without a
// limit of serve. Confirms stop, deliveries and acks go on, and all goes on when there is
// space again. The log says each once.
func TestDiskFullOfOtherFiles(t *testing.T) {
	r := newDiskRun(t, "--disk-free-limit", "0")
	folder := " folder=" + r.dir + "\n" // besides that of transient messages
	full := `"the disk is full: nothing is confirmed, and publishers wait until there is space"` + folder
	for i := range *fills {
		endPublishers := r.publish()
		r.goOn()
		fulls := r.said(full)
		release := r.ballast()
		t.Cleanup(release)
		r.eventually("the log's line", limit, func() bool { return r.said(full) > fulls })
		confirmed, since := r.ledger.Totals().Acknowledged, time.Now()
		r.eventually("the end of confirms", limit, func() bool {
			if now := r.ledger.Totals().Acknowledged; now != confirmed {
				confirmed, since = now, time.Now()
			}
			return time.Since(since) > 300*time.Millisecond
		})
		if i == *fills-1 {
			r.crash()
			endPublishers()
			r.ledger.Crash()
			r.refuseStart()
			release()
			r.server = r.start()
			r.check()
			break
		}
		delivered := r.ledger.Totals().Deliveries
		endConsumers := r.consume()
		r.eventually("deliveries", limit, func() bool { return r.ledger.Totals().Deliveries >= delivered+resumed })
		release()
		r.goOn()
		r.eventually("connection.unblocked", limit, r.blockedAre(0))
		endPublishers()
		endConsumers()
		r.check()
		if f := r.said(full) - fulls; f != 1 {
			t.Fatalf("fill %d: the log says %d times %q:\n%s", i+1, f, full, r.server.log.String())
		}
		if wrong := outOfTurn(r.server.log.String(), r.dir); wrong != "" {
			t.Fatalf("fill %d: the log says out of turn %q:\n%s", i+1, wrong, r.server.log.String())
		}
	}
	r.stop()
}

// outOfTurn returns the first line of a log about a folder that says again what the last one
// said, or that there is space again though there was no lack of it. Between two lines about
// space there may be one that the disk is nearly full, and then one that it is full.
func outOfTurn(log, dir string) string {
	level := 0
	for line := range strings.Lines(log) {
		if !strings.Contains(line, " folder="+dir+" ") && !strings.HasSuffix(line, " folder="+dir+"\n") {
			continue
		}
		before := level
		switch {
		case strings.Contains(line, "the disk is nearly full"):
			level = 1
		case strings.Contains(line, "the disk is full"):
			level = 2
		case strings.Contains(line, "the disk has space again"):
			level = 0
		default:
			continue
		}
		if level == before || before == 2 && level == 1 {
			return line
		}
	}
	return ""
}

func TestOutOfTurn(t *testing.T) {
	const nearly, full, again = `"the disk is nearly full: wait" folder=/d free=1`, `"the disk is full: wait" folder=/d`, `"the disk has space again" folder=/d`
	for _, c := range []struct {
		lines []string
		wrong string
	}{
		{[]string{nearly, full, again, full, again, nearly, again}, ""},
		{[]string{full, full}, full},
		{[]string{nearly, nearly}, nearly},
		{[]string{full, nearly}, nearly},
		{[]string{again}, again},
		{[]string{full, `"the disk is full: wait" folder=/d/spill`, again}, ""},
	} {
		got := outOfTurn(strings.Join(c.lines, "\n")+"\n", "/d")
		if strings.TrimSpace(got) != c.wrong {
			t.Errorf("%q: %q, want %q", c.lines, got, c.wrong)
		}
	}
}

// refuseStart starts the broker on a disk without space for its log. It may serve what is
// there; if it does not, it says why.
func (r *diskRun) refuseStart() {
	r.t.Helper()
	s := start(r.t, r.path, r.addr, r.dir, r.flags...)
	select {
	case _, served := <-s.ready:
		if served {
			r.t.Log("it serves on a full disk")
			s.kill(syscall.SIGKILL)
			return
		}
	case <-time.After(limit):
		s.kill(syscall.SIGKILL)
		r.t.Fatalf("on a full disk harelab serve neither serves nor ends:\n%s", s.log.String())
	}
	if err := s.wait(); err != nil {
		r.t.Fatal(err)
	}
	if log := s.log.String(); s.cmd.ProcessState.ExitCode() == 0 || !strings.Contains(log, "no space left on device") || strings.Contains(log, "panic") {
		r.t.Errorf("on a full disk harelab serve ended with code %d:\n%s", s.cmd.ProcessState.ExitCode(), log)
	}
}
