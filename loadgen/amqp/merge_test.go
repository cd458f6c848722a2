package amqp

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"harelab/engine"
	"harelab/loadgen"
	"harelab/loadgen/run"
	"harelab/scenarios"

	"github.com/google/go-cmp/cmp"
)

// logged runs s as inBubble does and returns its log and its observer.
func logged(t *testing.T, s *scenarios.Scenario) (log loadgen.Log, target run.Target, w *watcher) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w = &watcher{s: s}
		e, err := engine.New(engine.Options{Tracer: w, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		r, err := newRunner(s, Options{
			Dial: func(context.Context) (net.Conn, error) { return e.Dial() }, Observer: w, alarm: loadgen.Coarse(0),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer r.alarm.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if log, err = r.run(ctx); err != nil {
			t.Fatal(err)
		}
		target = r.target
	})
	return log, target, w
}

// TestLogsOfRunsMergeExactly splits the publishers and workers of real runs among
// shares, sends their logs as JSON, and merges them in random order.
func TestLogsOfRunsMergeExactly(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	second := "{sequence: s, phases: [{class: job, model: burst, count: 60}]}\n  - {sequence: t, confirm: all, phases: [{class: job, model: open, rate: 500/s, duration: 80ms}]}"
	for i, text := range []string{
		with("{sequence: s, phases: [{class: job, model: burst, count: 100}]}", second),
		with("{sequence: s, phases: [{class: job, model: burst, count: 100}]}", second, "stop:", "faults: [{at: 51ms, do: kill, worker: b, restart_after: 50ms}]\nstop:"),
		with("{sequence: s, phases: [{class: job, model: burst, count: 100}]}", second, "stop:", "faults: [{at: 51ms, do: kill, worker: b}]\nstop:", "prefetch: 5}", "ack: none}"),
		with("{sequence: s, phases: [{class: job, model: burst, count: 100}]}",
			"{sequence: s, phases: [{class: job, model: closed, users: 3, think: 1ms, count: 40}]}\n  - {sequence: t, phases: [{class: job, model: closed, users: 2, think: 3ms, count: 20}]}"),
		failing(rand.New(rand.NewPCG(seed, 1))),
	} {
		s := resolve(t, text, scenarios.Options{})
		log, target, w := logged(t, s)
		want := loadgen.Merge(s, target, w, log)
		none := want.Ledger.Finished == 0 && i < 4 || want.Ledger.Delivered == 0 // a random policy may reject every message
		if len(want.Messages) < 40 || none || len(log.Publishers) != len(s.Load) || len(log.Workers) != len(s.Workers) {
			t.Fatalf("run %d: %d messages, ledger %+v", i, len(want.Messages), want.Ledger)
		}
		for round := range uint64(10) {
			r := rand.New(rand.NewPCG(seed, 100*uint64(i)+round))
			logs := make([]loadgen.Log, 1+r.IntN(4))
			for _, p := range log.Publishers {
				l := &logs[r.IntN(len(logs))]
				l.Publishers = append(l.Publishers, p)
			}
			for _, p := range log.Workers {
				l := &logs[r.IntN(len(logs))]
				l.Workers = append(l.Workers, p)
			}
			for j := range logs { // the samples of all but one are zero
				for _, sample := range log.Series {
					logs[j].Series = append(logs[j].Series, run.Sample{At: sample.At, Confirmed: -1, Ready: -1})
				}
			}
			rest := &logs[r.IntN(len(logs))]
			rest.Parked, rest.Series, rest.Findings = log.Parked, log.Series, log.Findings
			rest.Late, rest.End, rest.Partial = log.Late, log.End, log.Partial
			octets, err := json.Marshal(logs)
			if err != nil {
				t.Fatal(err)
			}
			logs = nil
			if err := json.Unmarshal(octets, &logs); err != nil {
				t.Fatal(err)
			}
			r.Shuffle(len(logs), func(a, b int) { logs[a], logs[b] = logs[b], logs[a] })
			if d := cmp.Diff(want, loadgen.Merge(s, target, w, logs...)); d != "" {
				t.Fatalf("seed %d, run %d, round %d, %d shares: whole (-), merged (+):\n%s", seed, i, round, len(logs), d)
			}
		}
	}
}
