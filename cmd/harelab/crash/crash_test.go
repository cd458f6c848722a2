//go:build crash

package crash

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var (
	cycles  = flag.Int("crash.cycles", 200, "number of times that the broker is killed")
	seed    = flag.Uint64("crash.seed", 0, "seed of the clients' choices and of the moments of death; 0: a new one")
	atMost  = flag.Duration("crash.ready", 2*time.Second, "how long a start may take until the broker serves")
	publish = flag.Int("crash.window", 256, "number of publishes that each publisher leaves unconfirmed")
)

const (
	publishers = 4
	consumers  = 4
	checkEvery = 5 // cycles between two times that everything is drained and checked
)

// A run is a sequence of lives of a broker.
type run struct {
	t          *testing.T
	path       string
	flags      []string // of harelab serve, besides those that each test needs
	addr, dir  string
	random     *rand.Rand
	ledger     *Ledger
	publishers []*publisher
	consumers  []*consumer
	deaths     map[string]int // by how the broker died
	starts     []time.Duration
}

// TestCrash kills the broker at random moments under load. In the end nothing confirmed is
// lost, and nothing comes twice without saying so.
func TestCrash(t *testing.T) {
	r := newRun(t, dataFolder(t), 200)
	began := time.Now()
	server := r.start()
	if err := declare(r.addr); err != nil {
		t.Fatal(err)
	}
	for i := range *cycles {
		r.load(server)
		server = r.restart()
		if (i+1)%checkEvery == 0 || i+1 == *cycles {
			if err := drain(r.ledger, r.addr); err != nil {
				t.Fatalf("cycle %d: %v\n%s", i+1, err, server.log.String())
			}
			r.ledger.Finish()
			totals := r.ledger.Totals()
			if len(totals.Faults()) > 0 {
				break
			}
			t.Logf("%d cycles, %v: %d confirmed, all accounted for", i+1, time.Since(began).Round(time.Second), totals.Acknowledged)
		}
	}
	if err := server.kill(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	r.report()
}

// newRun returns a run with data in a folder, and with small bodies below a size.
func newRun(t *testing.T, dir string, small int) *run {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", *seed)
	r := &run{
		t: t, path: build(t), addr: freeAddr(t), dir: dir,
		random: rand.New(rand.NewPCG(*seed, 0)), ledger: NewLedger(Queues), deaths: make(map[string]int),
	}
	for i := range publishers {
		r.publishers = append(r.publishers, &publisher{
			ledger: r.ledger, id: ID{Publisher: i}, window: *publish, small: small, random: rand.New(rand.NewPCG(*seed, uint64(1+i))),
		})
	}
	for i := range consumers {
		r.consumers = append(r.consumers, &consumer{ledger: r.ledger, random: rand.New(rand.NewPCG(*seed, uint64(101+i)))})
	}
	return r
}

// start starts the broker and waits until it serves.
func (r *run) start() *server {
	r.t.Helper()
	s := start(r.t, r.path, r.addr, r.dir, r.flags...)
	r.t.Cleanup(func() { s.cmd.Process.Kill() })
	r.starts = append(r.starts, s.await(r.t))
	return s
}

// restart starts the broker again; in one of six cases it is killed first while it starts.
func (r *run) restart() *server {
	r.t.Helper()
	for r.random.IntN(6) == 0 {
		s := start(r.t, r.path, r.addr, r.dir, r.flags...)
		time.Sleep(time.Duration(r.random.Int64N(int64(slices.Max(r.starts)))))
		r.die(s, "SIGKILL at start", syscall.SIGKILL)
	}
	return r.start()
}

// load loads a broker and kills it at a random moment, and waits until all clients know.
func (r *run) load(s *server) {
	r.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var publishing, consuming sync.WaitGroup
	for _, p := range r.publishers {
		publishing.Go(func() { p.run(ctx, r.addr) })
	}
	for _, c := range r.consumers {
		consuming.Go(func() { c.run(ctx, r.addr) })
	}
	time.Sleep(time.Duration(r.random.Int64N(int64(time.Second))))
	switch r.random.IntN(10) {
	case 0:
		r.die(s, "SIGTERM", syscall.SIGTERM)
	case 1:
		s.cmd.Process.Signal(syscall.SIGTERM)
		time.Sleep(time.Duration(r.random.Int64N(int64(50 * time.Millisecond))))
		r.die(s, "SIGKILL at shutdown", syscall.SIGKILL)
	default:
		r.die(s, "SIGKILL under load", syscall.SIGKILL)
	}
	stop()
	publishing.Wait()
	consuming.Wait()
	r.ledger.Crash()
}

// die kills the broker.
func (r *run) die(s *server, how string, with syscall.Signal) {
	r.t.Helper()
	select {
	case <-s.done:
		if how == "SIGKILL under load" || how == "SIGTERM" {
			r.t.Fatalf("harelab serve ended by itself:\n%s", s.log.String())
		}
	default:
	}
	if err := s.kill(with); err != nil {
		r.t.Fatal(err)
	}
	if code := s.cmd.ProcessState.ExitCode(); how == "SIGTERM" && code != 0 {
		r.t.Errorf("SIGTERM: exit code %d, want 0\n%s", code, s.log.String())
	}
	if log := s.log.String(); strings.Contains(log, "panic") {
		r.t.Fatalf("harelab serve panicked:\n%s", log)
	}
	r.deaths[how]++
}

// report prints the table and fails on what must not be.
func (r *run) report() {
	t := r.ledger.Totals()
	slices.Sort(r.starts)
	slowest := r.starts[len(r.starts)-1]
	var b strings.Builder
	line := func(what string, n any, note string) { fmt.Fprintf(&b, "  %-24s %12v  %s\n", what, n, note) }
	for _, how := range []string{"SIGKILL under load", "SIGKILL at start", "SIGKILL at shutdown", "SIGTERM"} {
		line(how, r.deaths[how], "")
	}
	line("attempted", t.Attempted, "messages")
	line("acknowledged", t.Acknowledged, "confirmed")
	line("lost", len(t.Lost), "confirmed, and gone")
	line("recovered", t.Recovered, "not confirmed, and kept")
	line("delivered", t.Deliveries, "")
	line("duplicated, flagged", t.Flagged, "redelivered set")
	line("duplicated, unflagged", len(t.Unflagged), "")
	line("resurrected", len(t.Resurrected), "came back although their ack was durable")
	line("unexpected", len(t.Unexpected), "")
	line("out of order", len(t.Disordered), "first deliveries, by publisher, queue and priority")
	line("dead-lettered twice", t.Twice, "allowed after a crash")
	line("ready, median", r.starts[len(r.starts)/2].Round(time.Millisecond), "")
	line("ready, slowest", slowest.Round(time.Millisecond), "")
	r.t.Logf("crash, seed %d:\n%s", *seed, b.String())
	for i, fault := range t.Faults() {
		if i == 20 {
			r.t.Errorf("... %d more", len(t.Faults())-20)
			break
		}
		r.t.Error(fault)
	}
	if slowest > *atMost {
		r.t.Errorf("a start took %v, want at most %v", slowest, *atMost)
	}
	if t.Acknowledged == 0 {
		r.t.Error("nothing was confirmed: the test shows nothing")
	}
}
