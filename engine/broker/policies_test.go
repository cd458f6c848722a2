package broker

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"harelab/engine/store/memory"
	"harelab/engine/wire"
)

// TestPoliciesSurviveRestart: what was set and not deleted is there again before the queues
// get their messages back.
func TestPoliciesSurviveRestart(t *testing.T) {
	s := memory.New()
	before := startScript(t, s)
	before.run(`
> a1 declare q durable
> a1 exchange x topic durable
> policy p ^q queues max-length=2 priority=3
> policy gone ^q queues max-length=1
> policy m ^x exchanges matcher=trie
> operator-policy o - all max-length=5
> delete-policy gone
> a1 publish - q m1 persistent
> a1 publish - q m2 persistent
> a1 publish - q m3 persistent
`)
	v := before.vhost()
	policies, operator := v.Policies(), v.OperatorPolicies()
	if err := before.broker.Close(); err != nil {
		t.Fatal(err)
	}
	after := startScript(t, s)
	v = after.vhost()
	if diff := cmp.Diff(policies, v.Policies()); diff != "" || len(policies) != 2 {
		t.Errorf("%d policies before, want 2 (- before, + after)\n%s", len(policies), diff)
	}
	if diff := cmp.Diff(operator, v.OperatorPolicies()); diff != "" || len(operator) != 1 {
		t.Errorf("%d operator policies before, want 1 (- before, + after)\n%s", len(operator), diff)
	}
	if q, _ := v.Queue("q"); q.Policies.Policy != "p" || q.Policies.Operator != "o" || q.Ready != 2 {
		t.Errorf("queue %+v, want 2 messages under p and o", q)
	}
	for _, x := range v.Exchanges() {
		if x.Name == "x" && x.Matcher != "trie" {
			t.Errorf("exchange %+v, want matcher trie", x)
		}
	}
}

// TestPolicyWhilePublishing changes a policy on 10,000 queues and a topic exchange to and
// fro while publishers use them: no message is lost, and at the end all have the last
// policy.
func TestPolicyWhilePublishing(t *testing.T) {
	n := 10_000
	if testing.Short() {
		n = 1000
	}
	b, err := New(Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	v, _ := b.VHost("/")
	admin, err := b.Session("/", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := admin.DeclareExchange(ExchangeSpec{Name: "x", Type: "topic"}); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		name := fmt.Sprintf("q%d", i)
		if _, err := admin.DeclareQueue(QueueSpec{Name: name}); err != nil {
			t.Fatal(err)
		}
		if err := admin.Bind(BindingSpec{Source: "x", Destination: name, RoutingKey: name + ".*"}); err != nil {
			t.Fatal(err)
		}
	}
	var stop atomic.Bool
	var published atomic.Int64
	var publishers sync.WaitGroup
	for p := range 2 {
		publishers.Go(func() {
			conn := v.Connect(ConnOptions{})
			defer conn.Close()
			ch := conn.Channel(1, nil)
			for i := p; !stop.Load(); i += 2 {
				r, err := ch.Publish(&Publishing{Exchange: []byte("x"), RoutingKey: fmt.Appendf(nil, "q%d.k", i%n)})
				if err != nil || !r.Routed {
					t.Errorf("publish %d: %+v, %v", i, r, err)
					return
				}
				published.Add(1)
			}
		})
	}
	for i, matcher := range []string{"trie", "dfa", "cached(nfa)", "tuple"} {
		for published.Load() < int64(1000*i) {
		}
		p := Policy{Name: "p", Pattern: "^[qx]", Definition: wire.Table{{Key: "max-length", Value: int64(1e6 + i)}, {Key: "matcher", Value: matcher}}}
		if err := v.SetPolicy(p); err != nil {
			t.Fatal(err)
		}
	}
	stop.Store(true)
	publishers.Wait()
	ready := int64(0)
	for _, q := range v.Queues() {
		if limit, _ := q.Policies.Effective.Get("max-length"); limit != int64(1e6+3) {
			t.Fatalf("queue %s: %+v, want the last policy", q.Name, q.Policies)
		}
		ready += int64(q.Ready)
	}
	if ready != published.Load() {
		t.Errorf("%d messages are ready, %d were published", ready, published.Load())
	}
}

// BenchmarkPolicyChange measures a change of a policy that matches 10,000 idle queues.
func BenchmarkPolicyChange(b *testing.B) {
	const queues = 10_000
	broker, err := New(Options{Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	v, _ := broker.VHost("/")
	admin, _ := broker.Session("/", "")
	for i := range queues {
		if _, err := admin.DeclareQueue(QueueSpec{Name: fmt.Sprintf("q%d", i)}); err != nil {
			b.Fatal(err)
		}
	}
	i := int64(0)
	for b.Loop() {
		i++
		if err := v.SetPolicy(Policy{Name: "p", Pattern: "^q", Definition: wire.Table{{Key: "max-length", Value: i}}}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(queues, "queues")
}
