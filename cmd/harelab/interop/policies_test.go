//go:build interop

package interop

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	amqp "github.com/rabbitmq/amqp091-go"

	"harelab/engine"
	"harelab/engine/broker"
	"harelab/engine/settings"
)

// An administrator sets policies and limits of a broker. An answer is empty, or the refusal.
type administrator interface {
	set(operator bool, name, pattern, definition, applyTo string, priority int) string
	clear(operator bool, name string)
	limits(definition string) // {}: none
	dial() (net.Conn, error)
}

// rabbitAdmin is a RabbitMQ.
type rabbitAdmin struct {
	t    *testing.T
	node *rabbitNode
}

func (a rabbitAdmin) set(operator bool, name, pattern, definition, applyTo string, priority int) string {
	return a.try(command(operator, "set"), "--priority", strconv.Itoa(priority), "--apply-to", applyTo, name, pattern, definition)
}

func (a rabbitAdmin) clear(operator bool, name string) {
	if problem := a.try(command(operator, "clear"), name); problem != "" {
		a.t.Fatal(problem)
	}
}

func command(operator bool, verb string) string {
	if operator {
		return verb + "_operator_policy"
	}
	return verb + "_policy"
}

func (a rabbitAdmin) limits(definition string) {
	if problem := a.try("set_vhost_limits", definition); problem != "" {
		a.t.Fatal(problem)
	}
}

// try runs rabbitmqctl and returns what it says of a failure, without its first lines.
func (a rabbitAdmin) try(args ...string) string {
	c := exec.Command("/usr/lib/rabbitmq/bin/rabbitmqctl", args...)
	c.Env, c.SysProcAttr, c.Dir = a.node.env, a.node.attr, os.TempDir()
	out, err := c.CombinedOutput()
	if err == nil {
		return ""
	}
	if _, problem, ok := strings.Cut(string(out), "Validation failed\n\n"); ok {
		return strings.TrimSpace(problem)
	}
	return strings.TrimSpace(string(out))
}

func (a rabbitAdmin) dial() (net.Conn, error) {
	u, err := url.Parse(a.node.url)
	if err != nil {
		return nil, err
	}
	return net.Dial("tcp", u.Host)
}

// engineAdmin is an engine in this process.
type engineAdmin struct {
	t      *testing.T
	engine *engine.Engine
}

func (a engineAdmin) vhost() *broker.VHost {
	v, ok := a.engine.Broker().VHost("/")
	if !ok {
		a.t.Fatal("no virtual host /")
	}
	return v
}

func (a engineAdmin) set(operator bool, name, pattern, definition, applyTo string, priority int) string {
	d, err := settings.ParseDefinition([]byte(definition))
	if err != nil {
		a.t.Fatal(err)
	}
	set := a.vhost().SetPolicy
	if operator {
		set = a.vhost().SetOperatorPolicy
	}
	if err := set(broker.Policy{Name: name, Pattern: pattern, ApplyTo: applyTo, Priority: priority, Definition: d}); err != nil {
		_, problem, _ := strings.Cut(err.Error(), "Validation failed\n\n")
		return strings.TrimSpace(problem)
	}
	return ""
}

func (a engineAdmin) clear(operator bool, name string) {
	remove := a.vhost().DeletePolicy
	if operator {
		remove = a.vhost().DeleteOperatorPolicy
	}
	if found, err := remove(name); !found || err != nil {
		a.t.Fatalf("policy %s: found %t, %v", name, found, err)
	}
}

func (a engineAdmin) limits(definition string) {
	d, err := settings.ParseDefinition([]byte(definition))
	if err == nil {
		var l settings.VHostLimits
		if l, err = settings.ParseVHostLimits(d); err == nil {
			err = a.vhost().SetLimits(l)
		}
	}
	if err != nil {
		a.t.Fatal(err)
	}
}

func (a engineAdmin) dial() (net.Conn, error) { return a.engine.Dial() }

// TestPoliciesAsRabbitMQ runs the same script on a real RabbitMQ and on the engine: policies,
// times to live, dead letters, limits of virtual hosts, and the exchange types of plugins.
// What comes out must be the same.
func TestPoliciesAsRabbitMQ(t *testing.T) {
	plugins := filepath.Join(os.TempDir(), fmt.Sprintf("harelab-plugins-%d", os.Getpid()))
	const names = "[rabbitmq_consistent_hash_exchange,rabbitmq_random_exchange,rabbitmq_recent_history_exchange,rabbitmq_sharding]."
	if err := os.WriteFile(plugins, []byte(names), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(plugins) })
	e, err := engine.New(engine.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	rabbit := rabbitAdmin{t, startRabbitMQ(t, "RABBITMQ_ENABLED_PLUGINS_FILE="+plugins)}
	for _, part := range []struct {
		name string
		run  func(*policyScript)
	}{
		{"refused", refusedPolicies}, {"limits", limitPolicies}, {"precedence", precedence}, {"dying", dyingByPolicy},
		{"arguments", policyAndArguments}, {"quorum", quorumPolicies}, {"exchanges", exchangePolicies}, {"vhost", vhostLimits}, {"types", pluginTypes},
	} {
		t.Run(part.name, func(t *testing.T) {
			run := func(a administrator) []string {
				s := &policyScript{t: t, administrator: a}
				defer s.close()
				part.run(s)
				return s.out
			}
			want, got := run(rabbit), run(engineAdmin{t, e})
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("- RabbitMQ, + harelab\n%s", diff)
			}
			t.Logf("%d lines:\n%s", len(want), strings.Join(want, "\n"))
		})
	}
}

// A policyScript talks to one broker and notes what comes out.
type policyScript struct {
	administrator
	t    *testing.T
	conn *amqp.Connection
	ch   *amqp.Channel
	out  []string
}

// note notes a line, without the part of a name that the broker made up.
func (s *policyScript) note(format string, args ...any) {
	s.out = append(s.out, generated.ReplaceAllString(fmt.Sprintf(format, args...), "amq.gen-"))
}

var generated = regexp.MustCompile(`amq\.gen-[\w-]+`)

func (s *policyScript) close() {
	if s.conn != nil {
		s.conn.Close()
	}
}

// open connects.
func (s *policyScript) open() error {
	sock, err := s.dial()
	if err != nil {
		s.t.Fatal(err)
	}
	conn, err := amqp.Open(sock, amqp.Config{SASL: []amqp.Authentication{&amqp.PlainAuth{Username: "guest", Password: "guest"}}, Vhost: "/", Locale: "en_US"})
	if err != nil {
		return err
	}
	s.conn = conn
	return nil
}

// channel returns a channel that works.
func (s *policyScript) channel() *amqp.Channel {
	if s.conn == nil {
		if err := s.open(); err != nil {
			s.t.Fatal(err)
		}
	}
	if s.ch == nil || s.ch.IsClosed() {
		ch, err := s.conn.Channel()
		if err != nil {
			s.t.Fatal(err)
		}
		s.ch = ch
	}
	return s.ch
}

// declare declares a queue and notes a refusal.
func (s *policyScript) declare(name string, durable bool, args amqp.Table) {
	if _, err := s.channel().QueueDeclare(name, durable, false, false, false, args); err != nil {
		s.note("declare %s: %v", name, err)
	}
}

func (s *policyScript) exchange(name, kind string, args amqp.Table) {
	if err := s.channel().ExchangeDeclare(name, kind, false, false, false, false, args); err != nil {
		s.note("exchange %s: %v", name, err)
	}
}

func (s *policyScript) bind(queue, key, exchange string) {
	if err := s.channel().QueueBind(queue, key, exchange, false, nil); err != nil {
		s.note("bind %s: %v", queue, err)
	}
}

// publish publishes bodies m1, m2, ... in order.
func (s *policyScript) publish(exchange, key string, n int) {
	for i := range n {
		err := s.channel().PublishWithContext(s.t.Context(), exchange, key, false, false, amqp.Publishing{Body: fmt.Append(nil, "m", i+1)})
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

// ready waits until a queue has so many ready messages, and notes how many it has in the
// end; -1: the queue does not exist.
func (s *policyScript) ready(queue string, want int) {
	got := 0
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		q, err := s.channel().QueueDeclarePassive(queue, false, false, false, false, nil)
		if got = q.Messages; err != nil {
			got = -1
		}
		if got == want {
			break
		}
	}
	s.note("%s: %d ready", queue, got)
}

// drain gets and acks all messages of a queue and notes bodies and headers.
func (s *policyScript) drain(queue string) {
	for {
		d, ok, err := s.channel().Get(queue, true)
		if err != nil || !ok {
			return
		}
		s.note("%s: %s by %q %q %s", queue, d.Body, d.Exchange, d.RoutingKey, printHeaders(d.Headers))
	}
}

// printHeaders prints headers with their types, and without times, which differ.
func printHeaders(h any) string {
	switch h := h.(type) {
	case amqp.Table:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(h)) {
			parts = append(parts, k+": "+printHeaders(h[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		var parts []string
		for _, v := range h {
			parts = append(parts, printHeaders(v))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case time.Time:
		return "time"
	}
	text, _ := json.Marshal(h)
	return fmt.Sprintf("%T %s", h, text)
}

// policy sets a policy and notes a refusal.
func (s *policyScript) policy(name, pattern, definition string) {
	s.policyOf(false, name, pattern, definition, "all", 0)
}

func (s *policyScript) policyOf(operator bool, name, pattern, definition, applyTo string, priority int) {
	if refusal := s.set(operator, name, pattern, definition, applyTo, priority); refusal != "" {
		s.note("%s: %s", cmp.Or(definition, name), refusal)
	}
}

func refusedPolicies(s *policyScript) {
	for _, d := range []string{`{"max-length":-1}`, `{"max-length":"x"}`, `{"overflow":"x"}`, `{"foo":1}`, `{}`, `{"expires":0}`,
		`{"ha-mode":"exactly","ha-params":0}`, `{"dead-letter-strategy":"x"}`, `{"delivery-limit":1.5}`} {
		s.policy("refused", "^none$", d)
	}
	s.policyOf(true, "refused", "^none$", `{"overflow":"drop-head"}`, "all", 0)
}

func limitPolicies(s *policyScript) {
	s.declare("limit-q", false, nil)
	s.declare("limit-dead", false, nil)
	s.publish("", "limit-q", 5)
	s.ready("limit-q", 5)
	s.policy("limit", "^limit-q", `{"max-length":3,"dead-letter-exchange":"","dead-letter-routing-key":"limit-dead"}`)
	s.ready("limit-q", 3)
	s.ready("limit-dead", 2)
	s.drain("limit-dead")
	s.declare("limit-q2", false, amqp.Table{"x-max-length": 1})
	s.publish("", "limit-q2", 3)
	s.ready("limit-q2", 1)
	s.policy("limit", "^limit-q$", `{"max-length":3,"overflow":"reject-publish"}`)
	if err := s.channel().Confirm(false); err != nil {
		s.t.Fatal(err)
	}
	c, err := s.channel().PublishWithDeferredConfirm("", "limit-q", false, false, amqp.Publishing{Body: []byte("too many")})
	if err != nil {
		s.t.Fatal(err)
	}
	s.note("above the limit: confirmed %t", c.Wait())
	s.ready("limit-q", 3)
	s.clear(false, "limit")
	s.publish("", "limit-q", 2)
	s.ready("limit-q", 5)
	s.ch.Close()
}

func precedence(s *policyScript) {
	s.declare("prec-q", false, nil)
	s.policyOf(false, "prec-low", "^prec", `{"max-length":1}`, "all", 1)
	s.policyOf(false, "prec-high", "^prec", `{"max-length":4,"queue-mode":"lazy"}`, "queues", 2)
	s.policyOf(false, "prec-x", "^prec", `{"max-length":0}`, "exchanges", 9)
	s.policyOf(false, "prec-quorum", "^prec", `{"delivery-limit":0,"max-length":0}`, "queues", 9)
	s.publish("", "prec-q", 6)
	s.ready("prec-q", 4)
	s.policyOf(true, "prec-op", "^prec", `{"max-length":2}`, "queues", 0)
	s.ready("prec-q", 2)
	s.clear(false, "prec-high")
	s.ready("prec-q", 1)
	s.clear(false, "prec-low")
	s.publish("", "prec-q", 4)
	s.ready("prec-q", 2)
	for _, name := range []string{"prec-x", "prec-quorum"} {
		s.clear(false, name)
	}
	s.clear(true, "prec-op")
}

func dyingByPolicy(s *policyScript) {
	s.declare("dying-dead", false, nil)
	s.exchange("dying-x", "fanout", nil)
	s.bind("dying-dead", "", "dying-x")
	s.policy("dying", "^dying-q", `{"dead-letter-exchange":"dying-x","message-ttl":50}`)
	s.declare("dying-q", false, nil)
	s.publish("", "dying-q", 2)
	s.ready("dying-dead", 2)
	s.drain("dying-dead")
	err := s.channel().PublishWithContext(s.t.Context(), "", "dying-q", false, false, amqp.Publishing{Body: []byte("own"), Expiration: "10", Headers: amqp.Table{"CC": []any{"nowhere"}}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.ready("dying-dead", 1)
	s.drain("dying-dead")
	s.policy("dying", "^dying-q", `{"dead-letter-exchange":"dying-x","dead-letter-routing-key":"dying-q"}`)
	s.publish("", "dying-q", 1)
	if d, ok, err := s.channel().Get("dying-q", false); err != nil || !ok || d.Reject(false) != nil {
		s.note("get: %t %v", ok, err)
	}
	s.ready("dying-dead", 1)
	s.drain("dying-dead")
	// Rejected and expired in turn, around a circle of two queues.
	s.policy("dying", "^dying-(q|dead)$", `{"dead-letter-exchange":"dying-x","message-ttl":50}`)
	s.publish("", "dying-q", 1)
	time.Sleep(300 * time.Millisecond)
	s.ready("dying-dead", 0)
	s.policy("dying", "^dying-gone", `{"expires":100}`)
	s.declare("dying-gone", false, nil)
	time.Sleep(50 * time.Millisecond)
	s.waitGone("dying-gone")
	s.clear(false, "dying")
}

// waitGone waits until a queue is gone. A passive declaration is a use of it.
func (s *policyScript) waitGone(queue string) {
	time.Sleep(400 * time.Millisecond)
	_, err := s.channel().QueueDeclarePassive(queue, false, false, false, false, nil)
	s.note("%s: %v", queue, err)
}

func policyAndArguments(s *policyScript) {
	s.policy("args", "^args-q", `{"max-length":3,"overflow":"reject-publish","dead-letter-exchange":"none"}`)
	s.declare("args-dead", false, nil)
	s.declare("args-q", false, amqp.Table{"x-max-length": 5, "x-overflow": "drop-head", "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "args-dead"})
	s.publish("", "args-q", 5)
	s.ready("args-q", 3)
	s.ready("args-dead", 2)
	s.declare("args-q", false, amqp.Table{"x-max-length": 3, "x-overflow": "drop-head", "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "args-dead"})
	s.clear(false, "args")
	s.publish("", "args-q", 5)
	s.ready("args-q", 5)
}

func quorumPolicies(s *policyScript) {
	s.policy("quorum", "^quorum-q", `{"delivery-limit":1,"dead-letter-exchange":"","dead-letter-routing-key":"quorum-dead"}`)
	s.declare("quorum-dead", false, nil)
	s.declare("quorum-q", true, amqp.Table{"x-queue-type": "quorum", "x-delivery-limit": 5})
	s.publish("", "quorum-q", 1)
	for range 2 {
		s.ready("quorum-q", 1)
		if d, ok, err := s.channel().Get("quorum-q", false); err == nil && ok {
			s.note("got %s, redelivered %t %s", d.Body, d.Redelivered, printHeaders(d.Headers))
			d.Nack(false, true)
		}
	}
	s.ready("quorum-dead", 1)
	s.drain("quorum-dead")
	s.policy("quorum", "^quorum-q", `{"max-length":2,"overflow":"reject-publish-dlx"}`)
	s.declare("quorum-q2", true, amqp.Table{"x-queue-type": "quorum"})
	s.publish("", "quorum-q2", 4)
	s.ready("quorum-q2", 2)
	s.drain("quorum-q2")
	s.clear(false, "quorum")
	s.channel().QueueDelete("quorum-q", false, false, false)
	s.channel().QueueDelete("quorum-q2", false, false, false)
}

func exchangePolicies(s *policyScript) {
	s.exchange("ax-main", "direct", nil)
	s.exchange("ax-own", "direct", amqp.Table{"alternate-exchange": "ax-none"})
	s.exchange("ax-spill", "fanout", nil)
	s.declare("ax-q", false, nil)
	s.bind("ax-q", "", "ax-spill")
	s.policyOf(false, "ax", "^ax-(main|own)$", `{"alternate-exchange":"ax-spill"}`, "exchanges", 0)
	s.publish("ax-main", "k", 2)
	s.publish("ax-own", "k", 2)
	s.ready("ax-q", 2)
	s.drain("ax-q")
	s.clear(false, "ax")
	s.publish("ax-main", "k", 2)
	s.ready("ax-q", 0)
}

func vhostLimits(s *policyScript) {
	s.declare("vh-q0", false, nil)
	s.limits(`{"max-queues":1}`)
	s.declare("vh-q1", false, nil)
	s.declare("vh-q0", false, nil)
	s.declare("", false, nil)
	s.limits(`{"max-queues":0}`)
	s.declare("vh-q2", false, nil)
	s.limits(`{"max-queues":-1,"max-connections":0}`)
	s.declare("vh-q3", false, nil)
	conn := s.conn
	s.note("open: %v", s.open())
	s.limits(`{}`)
	s.conn = conn
}

func pluginTypes(s *policyScript) {
	for _, q := range []string{"pt-1", "pt-2", "pt-3"} {
		s.declare(q, false, nil)
	}
	for name, args := range map[string]amqp.Table{"x-consistent-hash": {"hash-header": "h"}, "x-random": nil, "x-modulus-hash": nil} {
		x := "pt-" + name
		s.exchange(x, name, args)
		s.bind("pt-1", "1", x)
		s.bind("pt-2", "2", x)
		for i := range 100 {
			p := amqp.Publishing{Body: []byte("m"), Headers: amqp.Table{"h": fmt.Sprint(i), "CC": []any{"a", "b"}}}
			if err := s.channel().PublishWithContext(s.t.Context(), x, fmt.Sprint(i), false, false, p); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	total := 0
	for deadline := time.Now().Add(5 * time.Second); total != 300 && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		total = 0
		for _, q := range []string{"pt-1", "pt-2"} {
			info, err := s.channel().QueueDeclarePassive(q, false, false, false, false, nil)
			if err != nil {
				s.t.Fatal(err)
			}
			total += info.Messages
		}
	}
	s.note("three exchanges gave %d messages to two queues", total)
	s.bind("pt-3", "0", "pt-x-consistent-hash")
	s.bind("pt-3", "many", "pt-x-consistent-hash")
	s.exchange("pt-bad", "x-consistent-hash", amqp.Table{"hash-header": "h", "hash-property": "message_id"})
	s.exchange("pt-bad", "x-consistent-hash", amqp.Table{"hash-property": "app_id"})
	s.exchange("pt-bad", "x-recent-history", amqp.Table{"x-recent-history-length": 0})
	s.exchange("pt-bad", "x-recent-history", amqp.Table{"x-recent-history-length": "x"})
	s.exchange("pt-rh", "x-recent-history", amqp.Table{"x-recent-history-length": 2})
	s.publish("pt-rh", "k", 3)
	s.bind("pt-3", "k", "pt-rh")
	s.ready("pt-3", 2)
	s.drain("pt-3")
}
