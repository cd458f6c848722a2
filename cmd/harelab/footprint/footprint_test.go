//go:build memory && linux

package footprint

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/rabbitmq/amqp091-go"
)

var dataMiB = flag.Int("memory.mib", 64, "size of the data, in `MiB`; the memory limit is a quarter of it")

const (
	mib      = 1 << 20
	bodySize = 1 << 10
)

// baseMiB is the memory that the broker may take besides messages, in MiB: its program, the
// caches and tables in memory of two stores, and garbage.
const baseMiB = 110

// A table is what the cells print.
var table strings.Builder

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "cell\tmeasured\tbar\n%s", table.String())
	w.Flush()
	os.Exit(code)
}

// row adds a row to the table and fails the test if the bar is missed.
func row(t *testing.T, cell string, measured, bar float64, below bool, unit string) {
	t.Helper()
	word := "at least"
	if below {
		word = "at most"
	}
	fmt.Fprintf(&table, "%s\t%.4g %s\t%s %.4g\n", cell, measured, unit, word, bar)
	if below != (measured <= bar) && measured != bar {
		t.Errorf("%s: %.4g %s, want %s %.4g", cell, measured, unit, word, bar)
	}
}

// TestBacklog: a million ready messages of 1 KiB take less than 256 MiB, persistent or not,
// and are drained at over half the rate at which messages pass through an empty queue.
func TestBacklog(t *testing.T) {
	for _, mode := range []uint8{amqp091.Persistent, amqp091.Transient} {
		name := map[uint8]string{amqp091.Persistent: "persistent", amqp091.Transient: "transient"}[mode]
		t.Run(name, func(t *testing.T) {
			s := serve(t, fmt.Sprintf("--memory-limit=%dMiB", *dataMiB/4+baseMiB-baseMiB**dataMiB/1024))
			n := *dataMiB * mib / bodySize
			fresh := s.flow(t, "fresh", mode, n/5)
			s.declare(t, "backlog", mode == amqp091.Persistent)
			s.publish(t, "backlog", mode, n)
			row(t, name+" backlog, RSS", s.rss(t), float64(*dataMiB/4)+baseMiB*float64(1024-*dataMiB)/1024, true, "MiB")
			rate := s.drain(t, "backlog", n)
			row(t, name+" backlog, drain by fresh rate", rate/fresh, 0.5, false, fmt.Sprintf("(%.0f by %.0f messages/s)", rate, fresh))
		})
	}
}

// TestConsumerThatDoesNotRead: a consumer without prefetch that never reads costs its
// outbox, not its backlog.
func TestConsumerThatDoesNotRead(t *testing.T) {
	s := serve(t, "--memory")
	n := *dataMiB * mib / bodySize / 4
	s.declare(t, "q", false)
	s.publish(t, "q", amqp091.Transient, n)
	before := s.rss(t)
	nc := s.consumeWithoutReading(t, "q")
	defer nc.Close()
	time.Sleep(time.Second)
	row(t, "consumer that does not read, beside its backlog", s.rss(t)-before, 4, true, "MiB")
}

// TestPurge: the memory of a purged queue is back within 10 s, and three rounds of filling
// and purging peak at 1.3 times the data.
func TestPurge(t *testing.T) {
	s := serve(t, "--memory", "--memory-limit=80%")
	n := *dataMiB * mib / bodySize / 64
	s.declare(t, "q", false)
	before := s.rss(t)
	for range 3 {
		s.publishSized(t, "q", amqp091.Transient, n, 64<<10)
		s.purge(t, "q")
	}
	row(t, "three rounds of fill and purge, peak by data", (s.peak(t)-before)/float64(*dataMiB), 1.3, true, "")
	s.publishSized(t, "q", amqp091.Transient, n, 64<<10)
	s.purge(t, "q")
	start := time.Now()
	for s.rss(t)-before > float64(*dataMiB)/10 && time.Since(start) < 15*time.Second {
		time.Sleep(100 * time.Millisecond)
	}
	row(t, "memory back after a purge", time.Since(start).Seconds(), 10, true, "s")
}

// TestFlood: publishers are blocked before the process takes more than its limit, and go on
// when the queue is drained.
func TestFlood(t *testing.T) {
	limit := *dataMiB/4 + 64
	s := serve(t, "--memory", fmt.Sprintf("--memory-limit=%dMiB", limit))
	s.declare(t, "q", false)
	conn, ch := s.open(t)
	blocked := conn.NotifyBlocked(make(chan amqp091.Blocking, 9))
	done := make(chan error, 1)
	n := 2 * limit * mib / (64 << 10)
	go func() { done <- publish(ch, "q", amqp091.Transient, n, 64<<10) }()
	select {
	case b := <-blocked:
		if !b.Active || b.Reason != "low on memory" {
			t.Errorf("blocked: %+v", b)
		}
	case err := <-done:
		t.Fatalf("a flood of twice the limit was taken: %v", err)
	case <-time.After(time.Minute):
		t.Fatal("the publisher is not blocked")
	}
	time.Sleep(time.Second)
	row(t, "flood without consumers, peak by limit", s.peak(t)/float64(limit), 1, true, "")
	drained := make(chan float64, 1)
	go func() { drained <- s.drain(t, "q", n) }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the publisher does not go on after the queue was drained")
	}
	<-drained
}
