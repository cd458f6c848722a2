package lab

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"harelab/scenarios"

	"github.com/google/go-cmp/cmp"
)

// ledgerBase is what the scenarios of TestLedgerOfEveryCause have in common.
const ledgerBase = `schema: harelab/v1
name: ledger
title: A ledger
seed: 1
classes:
  - {name: job, publish: {exchange: "", key: q}, size: 100B, service: 1ms}
`

// TestLedgerOfEveryCause: what became of messages, by cause. Virtual time and the
// embedded broker agree.
func TestLedgerOfEveryCause(t *testing.T) {
	const (
		burst   = "load: [{sequence: s, phases: [{class: job, model: burst, count: 10}]}]\n"
		confirm = "load: [{sequence: s, confirm: all, phases: [{class: job, model: burst, count: 10}]}]\n"
		drained = "stop: {when: drained, timeout: 5s}\n"
		worker  = "workers: [{name: w, consume: [{queue: q}], prefetch: 1, ack: on-done}]\n"
		late    = "workers: [{name: w, joins_at: 300ms, consume: [{queue: q}], prefetch: 1, ack: on-done}]\n"
		deadQ   = "{name: dead}"
		toDead  = `x-dead-letter-exchange: "", x-dead-letter-routing-key: dead`
	)
	queues := func(q ...string) string {
		return "topology: {exchanges: [{name: x, type: direct}], queues: [" + strings.Join(q, ", ") + "]}\n"
	}
	with := func(arguments string) string { return "{name: q, arguments: {" + arguments + "}}" }
	rejects := strings.Replace(worker, "ack:", "fail: {p: 1, retry: fixed, how: reject}, ack:", 1)
	for _, c := range []struct {
		name, scenario string
		want           []string // ends, and the ledger's count of finished messages
	}{
		{"done", queues("{name: q}") + burst + worker + drained, []string{"10 done"}},
		{"too many messages", queues(with("x-max-length: 4")) + burst + late + drained, []string{
			"6 messages were dropped by queue q (the queue was full: x-max-length)", "4 done"}},
		{"too many octets", queues(with("x-max-length-bytes: 450")) + burst + late + drained, []string{
			"6 messages were dropped by queue q (the queue was full: x-max-length-bytes)", "4 done"}},
		{"too many messages, dead-lettered", queues(with("x-max-length: 4, "+toDead), deadQ) + burst + late + drained, []string{
			"6 messages were dead-lettered from queue q to queue dead (the queue was full: x-max-length)", "4 done"}},
		{"too many octets, dead-lettered", queues(with("x-max-length-bytes: 450, "+toDead), deadQ) + burst + late + drained, []string{
			"6 messages were dead-lettered from queue q to queue dead (the queue was full: x-max-length-bytes)", "4 done"}},
		{"dead-lettered to nowhere", queues(with("x-max-length: 4, x-dead-letter-exchange: x")) + burst + late + drained, []string{
			"6 messages were dropped by queue q (the queue was full: x-max-length)", "4 done"}},
		{"a full queue refuses", queues(with("x-max-length: 4, x-overflow: reject-publish")) + confirm + late + drained, []string{
			"6 messages were refused by queue q, which was full", "4 done"}},
		{"a full queue refuses, and nobody is told", queues(with("x-max-length: 4, x-overflow: reject-publish")) + burst + late + drained, []string{
			"6 messages were refused by queue q, which was full", "4 done"}},
		{"a full queue refuses and dead-letters", queues(with("x-max-length: 4, x-overflow: reject-publish-dlx, "+toDead), deadQ) + confirm + late + drained, []string{
			"6 messages were dead-lettered from queue q to queue dead (the queue was full: x-max-length)", "4 done"}},
		{"expired in a queue that workers consume", queues(with("x-message-ttl: 100")) + burst + late + drained, []string{
			"10 messages expired in queue q, which does not dead-letter", "0 done"}},
		{"expired in a queue that nobody consumes", queues(with("x-message-ttl: 100"), "{name: r}") + burst + strings.Replace(worker, "queue: q", "queue: r", 1) + drained, []string{
			"10 messages expired in queue q, which does not dead-letter", "0 done"}},
		{"expired and dead-lettered", queues(with("x-message-ttl: 100, "+toDead), deadQ) + burst + late + drained, []string{
			"10 messages were dead-lettered from queue q to queue dead (expired)", "0 done"}},
		{"expired, dead-lettered and done", queues(`{name: q, arguments: {x-message-ttl: 50, x-dead-letter-exchange: "", x-dead-letter-routing-key: r}}`, "{name: r}") +
			burst + strings.Replace(worker, "queue: q", "queue: r", 1) + drained, []string{"10 done"}},
		{"rejected and discarded", queues("{name: q}") + burst + rejects + drained, []string{
			"10 messages were rejected by a worker in queue q and discarded", "0 done"}},
		{"rejected and dead-lettered", queues(with(toDead), deadQ) + burst + rejects + drained, []string{
			"10 messages were dead-lettered from queue q to queue dead (rejected by a worker)", "0 done"}},
		{"delivered too often", queues("{name: q, durable: true, arguments: {x-queue-type: quorum, x-delivery-limit: 2}}") + burst +
			strings.Replace(worker, "ack:", "fail: {p: 1, retry: immediate}, ack:", 1) + drained, []string{
			"10 messages were discarded by queue q after too many deliveries", "0 done"}},
		{"delivered too often, dead-lettered", queues("{name: q, durable: true, arguments: {x-queue-type: quorum, x-delivery-limit: 2, "+toDead+"}}", deadQ) + burst +
			strings.Replace(worker, "ack:", "fail: {p: 1, retry: immediate}, ack:", 1) + drained, []string{
			"10 messages were dead-lettered from queue q to queue dead (delivered too often)", "0 done"}},
		{"unroutable", queues("{name: q}") +
			strings.Replace(burst, "class: job", "class: astray", 1) + worker + drained, []string{
			"10 messages were dropped without notice: they matched no queue", "0 done"}},
		{"returned", queues("{name: q}") +
			strings.Replace(burst, "class: job", "class: returning", 1) + worker + drained, []string{
			"10 messages were returned: they matched no queue", "0 done"}},
		{"lost with a worker", queues("{name: q}") + burst + "workers: [{name: w, slow: 1000, consume: [{queue: q}], prefetch: 0, ack: none}]\n" +
			"faults: [{at: 500ms, do: kill, worker: w}]\n" + drained, []string{
			"10 messages were lost with w, which had acked them or needed no ack", "0 done"}},
		{"left where nobody consumes", queues("{name: q}", "{name: r}") + burst + strings.Replace(worker, "queue: q", "queue: r", 1) + drained, []string{
			"10 messages wait in queue q, which nobody consumes", "0 done"}},
		{"left at a stalled worker", queues("{name: q}") + burst + "workers: [{name: w, slow: 600, consume: [{queue: q}], prefetch: 4, ack: on-done}]\n" +
			"faults: [{at: 300ms, do: stall, worker: w}]\n" + strings.Replace(drained, "5s", "900ms", 1), []string{
			"5 messages wait in queue q, whose workers are away", "4 messages are unacked at w and not started", "1 done"}},
		{"left under way", queues("{name: q}") + burst + "workers: [{name: w, threads: 2, slow: 1000, consume: [{queue: q}], prefetch: 4, ack: on-done}]\n" +
			strings.Replace(drained, "5s", "500ms", 1), []string{
			"6 messages wait in queue q", "2 messages are under way at w", "2 messages are unacked at w and not started", "0 done"}},
		{"left by a worker that is gone", queues("{name: q}") + burst + "workers: [{name: w, slow: 400, consume: [{queue: q}], prefetch: 1, ack: on-done}]\n" +
			"faults: [{at: 600ms, do: kill, worker: w}]\n" + strings.Replace(drained, "5s", "900ms", 1), []string{
			"9 messages wait in queue q, whose workers are away", "1 done"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f, err := scenarios.Parse("t.yaml", []byte(ledgerBase+
				"  - {name: astray, publish: {exchange: x, key: astray}, size: 100B, service: 1ms}\n"+
				"  - {name: returning, publish: {exchange: x, key: astray, mandatory: true}, size: 100B, service: 1ms}\n"+c.scenario))
			if err != nil {
				t.Fatal(err)
			}
			s, err := f.Resolve(scenarios.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, target := range []Kind{Sim, Embedded} {
				r, err := Arm{Scenario: s, Target: Target{Kind: target}}.run(context.Background(), nil)
				if err != nil {
					t.Fatalf("%s: %v", target, err)
				}
				var got []string
				sum := r.Ledger.Finished
				for _, e := range r.Ends() {
					got = append(got, e.String())
					sum += int64(e.N)
				}
				got = append(got, fmt.Sprintf("%d done", r.Ledger.Finished))
				slices.Sort(got)
				slices.Sort(c.want)
				if d := cmp.Diff(c.want, got); d != "" {
					t.Errorf("%s:\n%s", target, d)
				}
				if sum != r.Ledger.Published {
					t.Errorf("%s: the ends add up to %d of %d published", target, sum, r.Ledger.Published)
				}
			}
		})
	}
}
