package pebble

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	amqp "github.com/rabbitmq/amqp091-go"

	"harelab/engine"
)

// failingFsync makes every fsync fail from some moment on.
type failingFsync struct{ on atomic.Bool }

func (f *failingFsync) MaybeError(op errorfs.Op) error {
	switch op.Kind {
	case errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo:
		if f.on.Load() {
			return syscall.EIO
		}
	}
	return nil
}

func (f *failingFsync) String() string { return "fsync fails" }

// lockedLog is a log that is read while others write.
type lockedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// serveOn starts a broker with its data in a file system, and a client of it.
func serveOn(t *testing.T, fs vfs.FS, log *lockedLog) (*engine.Engine, func() *amqp.Channel) {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s, err := Open("data", Options{fs: fs, memTableSize: 64 << 10, pause: time.Millisecond, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(engine.Options{Store: s, Logger: logger, MemoryLimit: 1 << 40, PageAbove: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	return e, func() *amqp.Channel {
		t.Helper()
		nc, err := e.Dial()
		if err != nil {
			t.Fatal(err)
		}
		conn, err := amqp.Open(nc, amqp.Config{SASL: []amqp.Authentication{&amqp.PlainAuth{Username: "guest", Password: "guest"}}, Vhost: "/", Heartbeat: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		ch, err := conn.Channel()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return ch
	}
}

// publishNumbered publishes a message whose body begins with its number, and returns whether
// the broker confirmed it.
func publishNumbered(t *testing.T, ch *amqp.Channel, n int) bool {
	t.Helper()
	body := append(fmt.Appendf(nil, "%d ", n), make([]byte, 1000)...)
	c, err := ch.PublishWithDeferredConfirm("", "q", false, false, amqp.Publishing{DeliveryMode: amqp.Persistent, Body: body})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	ok, err := c.WaitContext(ctx)
	if err != nil {
		t.Fatalf("publish %d is neither confirmed nor nacked: %v", n, err)
	}
	return ok
}

// TestFailingFsyncOfABroker lets every fsync below a served broker fail. It confirms nothing
// from then on: publishes with confirms are nacked, a connection that publishes without ends
// with 541. Deliveries, also of bodies that are on the disk alone, and acks go on. The log
// says so in one line. After a power cut the next broker has all that was confirmed.
func TestFailingFsyncOfABroker(t *testing.T) {
	const confirmed, refused, taken = 500, 50, 300
	disk := vfs.NewCrashableMem()
	fault := new(failingFsync)
	var log lockedLog
	e, dial := serveOn(t, injected(disk, fault), &log)
	ch, plain := dial(), dial()
	if _, err := ch.QueueDeclare("q", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	for n := range confirmed {
		if !publishNumbered(t, ch, n) {
			t.Fatalf("publish %d was nacked", n)
		}
	}
	fault.on.Store(true)
	for n := range refused {
		if publishNumbered(t, ch, confirmed+n) {
			t.Fatalf("publish %d was confirmed after fsync had failed", confirmed+n)
		}
	}
	fault.on.Store(false) // which mends nothing: nobody knows what the disk has
	if publishNumbered(t, ch, confirmed+refused) {
		t.Error("a publish was confirmed after fsync had failed once")
	}
	ended := plain.NotifyClose(make(chan *amqp.Error, 1))
	if err := plain.Publish("", "q", false, false, amqp.Publishing{DeliveryMode: amqp.Persistent}); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err == nil || err.Code != 541 || !strings.Contains(err.Reason, "store: fsync") {
			t.Errorf("a connection that published without confirms ended with %v, want 541 and the store's error", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("a connection that published without confirms did not end")
	}
	taker := dial()
	if err := taker.Qos(10, 0, false); err != nil {
		t.Fatal(err)
	}
	deliveries, err := taker.Consume("q", "", false, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	takeNumbered(t, deliveries, 0, taken) // more than the prefetch, so that acks are heard
	said := log.String()
	if n := strings.Count(said, "the store has failed"); n != 1 || strings.Count(said, "\n") != 1 {
		t.Errorf("the log says %d times that the store has failed, want one line in all:\n%s", n, said)
	}
	left := disk.CrashClone(vfs.CrashCloneCfg{}) // without what no fsync has reached
	if err := e.Close(); err == nil || !strings.Contains(err.Error(), "fsync") {
		t.Errorf("Close: %v, want the store's error", err)
	}

	var again lockedLog
	e, dial = serveOn(t, left, &again)
	defer e.Close()
	taker = dial()
	if deliveries, err = taker.Consume("q", "", false, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	takeNumbered(t, deliveries, 0, confirmed) // the acks were not durable
	if again.String() != "" {
		t.Errorf("the next broker logs %s", again.String())
	}
}

// takeNumbered takes and acks deliveries that must have the numbers from first.
func takeNumbered(t *testing.T, deliveries <-chan amqp.Delivery, first, n int) {
	t.Helper()
	for want := first; want < first+n; want++ {
		select {
		case d, ok := <-deliveries:
			if !ok {
				t.Fatalf("the connection ended before message %d", want)
			}
			if !strings.HasPrefix(string(d.Body), fmt.Sprintf("%d ", want)) {
				t.Fatalf("got message %.5q, want %d", d.Body, want)
			}
			if err := d.Ack(false); err != nil {
				t.Fatal(err)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("message %d did not come", want)
		}
	}
}
