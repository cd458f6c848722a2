package amqp

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"harelab/engine"
	"harelab/engine/broker"
	"harelab/engine/message"
	"harelab/loadgen"
	"harelab/loadgen/run"
	"harelab/loadgen/sim"
	"harelab/scenarios"

	amqp091 "github.com/rabbitmq/amqp091-go"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// watcher is a minimal Observer on the embedded broker.
type watcher struct {
	mu   sync.Mutex
	zero int64
	at   map[int64]*[3]int64

	s     *scenarios.Scenario
	fates loadgen.Fates
	ended bool
}

func (w *watcher) note(m *message.Message, i int, now int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	seq, ok := loadgen.BodySeq(m.Body())
	if !ok {
		return
	}
	if w.at == nil {
		w.at = map[int64]*[3]int64{}
	}
	if w.at[seq] == nil {
		w.at[seq] = &[3]int64{run.None, run.None, run.None}
	}
	w.at[seq][i] = now
}

func (w *watcher) Enqueued(m *message.Message, _ string, now int64)   { w.note(m, 0, now) }
func (w *watcher) Dispatched(m *message.Message, _ string, now int64) { w.note(m, 1, now) }
func (w *watcher) Acked(m *message.Message, _ string, now int64)      { w.note(m, 2, now) }
func (w *watcher) Died(m *message.Message, queue string, d broker.Death, _ int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	index := func(name string) int32 {
		return int32(slices.IndexFunc(w.s.Queues, func(q scenarios.Queue) bool { return q.Name == name }))
	}
	var to []int32
	for _, name := range d.To {
		to = append(to, index(name))
	}
	if seq, ok := loadgen.BodySeq(m.Body()); ok && !w.ended && sim.CauseOf(d) != run.NoCause {
		w.fates.Died(seq, sim.CauseOf(d), index(queue), to)
	}
}

func (w *watcher) Ended() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
}

func (w *watcher) Fate(seq int64) loadgen.Fate { return w.fates[seq] }

func (w *watcher) Started(zero time.Time) { w.zero = zero.UnixMicro() }

func (w *watcher) Times(seq int64, _ string) (enqueued, dispatched, acked int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.at[seq]
	if t == nil {
		return run.None, run.None, run.None
	}
	rel := func(v int64) int64 {
		if v == run.None {
			return v
		}
		return v - w.zero
	}
	return rel(t[0]), rel(t[1]), rel(t[2])
}

// resolve resolves a scenario given as text, or a shipped one by name.
func resolve(t *testing.T, text string, o scenarios.Options) *scenarios.Scenario {
	t.Helper()
	f, err := scenarios.Parse("t.yaml", []byte(text))
	if len(text) < 40 {
		f, err = scenarios.Load(text)
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Resolve(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// embedded runs s on a broker of this process.
func embedded(t *testing.T, s *scenarios.Scenario) *run.Result {
	t.Helper()
	w := &watcher{s: s}
	e, err := engine.New(engine.Options{Tracer: w, Matcher: s.Engine.Matcher, Dispatch: s.Engine.Dispatch, Order: s.Engine.Order})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	res, err := Run(t.Context(), s, Options{Dial: func(context.Context) (net.Conn, error) { return e.Dial() }, Observer: w})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// leave declares a durable queue and leaves a message in it.
func leave(t *testing.T, dial func(context.Context) (net.Conn, error), queue string) {
	t.Helper()
	sock, err := dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := amqp091.Open(sock, amqp091.Config{SASL: []amqp091.Authentication{&amqp091.PlainAuth{Username: "guest", Password: "guest"}}, Vhost: "/", Locale: "en_US"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclare(queue, true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if err := ch.PublishWithContext(t.Context(), "", queue, false, false, amqp091.Publishing{}); err != nil {
		t.Fatal(err)
	}
}
