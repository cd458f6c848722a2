package broker

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"harelab/engine/message"
	"harelab/engine/wire"
)

// scriptArgs are the arguments of a call: words, flags, and name=value. Values are
// integers (signedint), true, false, lists of texts in brackets, or texts.
type scriptArgs struct {
	words  []string
	flags  map[string]bool
	fields wire.Table
}

// flagNames are the words that are flags instead of names.
var flagNames = map[string]bool{
	"durable": true, "auto-delete": true, "exclusive": true, "passive": true, "internal": true,
	"if-unused": true, "if-empty": true, "mandatory": true, "immediate": true, "persistent": true,
	"no-ack": true, "global": true, "multiple": true, "requeue": true,
}

func parseArgs(t *testing.T, words []string) scriptArgs {
	a := scriptArgs{flags: make(map[string]bool)}
	for _, w := range words {
		name, value, isField := strings.Cut(w, "=")
		switch {
		case isField:
			a.fields = append(a.fields, wire.Field{Key: name, Value: parseValue(value)})
		case flagNames[w]:
			a.flags[w] = true
		case w == "-":
			a.words = append(a.words, "")
		default:
			a.words = append(a.words, w)
		}
	}
	return a
}

func parseValue(s string) any {
	if n, err := strconv.ParseInt(s, 10, 32); err == nil {
		return int32(n)
	}
	if inner, ok := strings.CutPrefix(s, "["); ok {
		var list []any
		for _, e := range strings.Split(strings.TrimSuffix(inner, "]"), ",") {
			list = append(list, e)
		}
		return list
	}
	switch s {
	case "true", "false":
		return s == "true"
	case "void":
		return nil
	}
	return strings.Trim(s, `"`)
}

func (a scriptArgs) word(i int) string {
	if i < len(a.words) {
		return a.words[i]
	}
	return ""
}

func (a scriptArgs) number(i int) uint64 {
	n, _ := strconv.ParseUint(a.word(i), 10, 64)
	return n
}

// text removes a field and returns its value as text.
func (a *scriptArgs) text(name string) string {
	v, ok := a.fields.Get(name)
	if !ok {
		return ""
	}
	a.fields = without(a.fields, name)
	return fmt.Sprint(v)
}

// verbs are the calls on a channel.
var verbs = map[string]func(*scriptChannel, scriptArgs) error{
	"exchange": func(ch *scriptChannel, a scriptArgs) error {
		return ch.Conn().DeclareExchange(ExchangeSpec{Name: a.word(0), Type: a.word(1), Passive: a.flags["passive"], Durable: a.flags["durable"], AutoDelete: a.flags["auto-delete"], Internal: a.flags["internal"], Arguments: a.fields})
	},
	"delete-exchange": func(ch *scriptChannel, a scriptArgs) error {
		return ch.Conn().DeleteExchange(a.word(0), a.flags["if-unused"])
	},
	"bind-exchange": func(ch *scriptChannel, a scriptArgs) error {
		return ch.Bind(BindingSpec{ToExchange: true, Destination: a.word(0), Source: a.word(1), RoutingKey: a.word(2), Arguments: a.fields})
	},
	"unbind-exchange": func(ch *scriptChannel, a scriptArgs) error {
		return ch.Unbind(BindingSpec{ToExchange: true, Destination: a.word(0), Source: a.word(1), RoutingKey: a.word(2), Arguments: a.fields})
	},
	"declare": func(ch *scriptChannel, a scriptArgs) error {
		q, err := ch.DeclareQueue(QueueSpec{Name: a.word(0), Passive: a.flags["passive"], Durable: a.flags["durable"], Exclusive: a.flags["exclusive"], AutoDelete: a.flags["auto-delete"], Arguments: a.fields})
		if err == nil {
			ch.script.printf("%s: %d messages, %d consumers", q.Name, q.Messages, q.Consumers)
		}
		return err
	},
	"delete": func(ch *scriptChannel, a scriptArgs) error {
		n, err := ch.DeleteQueue(a.word(0), DeleteIf{Unused: a.flags["if-unused"], Empty: a.flags["if-empty"]})
		if err == nil {
			ch.script.printf("%d messages", n)
		}
		return err
	},
	"purge": func(ch *scriptChannel, a scriptArgs) error {
		n, err := ch.PurgeQueue(a.word(0))
		if err == nil {
			ch.script.printf("%d messages", n)
		}
		return err
	},
	"bind": func(ch *scriptChannel, a scriptArgs) error {
		return ch.Bind(BindingSpec{Destination: a.word(0), Source: a.word(1), RoutingKey: a.word(2), Arguments: a.fields})
	},
	"unbind": func(ch *scriptChannel, a scriptArgs) error {
		return ch.Unbind(BindingSpec{Destination: a.word(0), Source: a.word(1), RoutingKey: a.word(2), Arguments: a.fields})
	},
	"publish": publishVerb,
	"qos": func(ch *scriptChannel, a scriptArgs) error {
		return ch.SetPrefetch(PrefetchSpec{Count: uint32(a.number(0)), Size: uint32(a.number(1)), Global: a.flags["global"]})
	},
	"consume": func(ch *scriptChannel, a scriptArgs) error {
		tag := a.text("tag")
		_, err := ch.Consume(ConsumerSpec{Queue: a.word(0), Tag: tag, NoAck: a.flags["no-ack"], Exclusive: a.flags["exclusive"], Arguments: a.fields,
			Started: func(tag string) { ch.script.printf("%s: %s is started", ch.name, tag) }})
		return err
	},
	"cancel": func(ch *scriptChannel, a scriptArgs) error { return ch.Cancel(a.word(0)) },
	"get": func(ch *scriptChannel, a scriptArgs) error {
		r, ok, err := ch.Get(a.word(0), a.flags["no-ack"])
		switch {
		case err != nil:
			return err
		case !ok:
			ch.script.printf("empty")
		default:
			ch.script.printf("%s, %d left", describeDelivery(&r.Delivery, "get"), r.MessageCount)
			r.Msg.Release()
		}
		return nil
	},
	"ack": func(ch *scriptChannel, a scriptArgs) error { return ch.Ack(a.number(0), a.flags["multiple"]) },
	"nack": func(ch *scriptChannel, a scriptArgs) error {
		return ch.Nack(a.number(0), a.flags["multiple"], a.flags["requeue"])
	},
	"recover":  func(ch *scriptChannel, a scriptArgs) error { return ch.Recover(a.flags["requeue"]) },
	"confirm":  func(ch *scriptChannel, _ scriptArgs) error { return ch.ConfirmSelect() },
	"tx":       func(ch *scriptChannel, _ scriptArgs) error { return ch.TxSelect() },
	"rollback": func(ch *scriptChannel, _ scriptArgs) error { return ch.TxRollback() },
	"commit": func(ch *scriptChannel, _ scriptArgs) error {
		return ch.TxCommit(CommitOptions{Returned: func(m *message.Message) { ch.script.printf("returned: %q", m.Body()) }})
	},
	"flow": func(ch *scriptChannel, a scriptArgs) error { return ch.Flow(a.word(0) == "true") },
	"full": func(ch *scriptChannel, _ scriptArgs) error { ch.full = true; return nil },
	"drain": func(ch *scriptChannel, _ scriptArgs) error {
		ch.full = false
		ch.Resume()
		return nil
	},
	"close": func(ch *scriptChannel, _ scriptArgs) error {
		ch.Close()
		delete(ch.script.channels, ch.name)
		return nil
	},
	"kill": func(ch *scriptChannel, _ scriptArgs) error {
		ch.script.closeConn(ch.name[:1])
		return nil
	},
}

// publishVerb publishes: exchange, key, body, and properties or headers as fields.
func publishVerb(ch *scriptChannel, a scriptArgs) error {
	ps := wire.Properties{
		Expiration: a.text("expiration"),
		UserID:     a.text("user-id"),
		ReplyTo:    a.text("reply-to"),
	}
	if n, err := strconv.Atoi(a.text("priority")); err == nil {
		ps.Priority = uint8(n)
	}
	if a.flags["persistent"] {
		ps.DeliveryMode = 2
	}
	ps.Headers = a.fields
	r, err := ch.Publish(&Publishing{
		Exchange:   []byte(a.word(0)),
		RoutingKey: []byte(a.word(1)),
		Body:       []byte(a.word(2)),
		Properties: wire.ViewProperties(wire.AppendProperties(nil, &ps)),
		Mandatory:  a.flags["mandatory"],
		Immediate:  a.flags["immediate"],
	})
	if err != nil {
		return err
	}
	if !r.Routed && a.flags["mandatory"] {
		ch.script.printf("returned: 312 NO_ROUTE")
	}
	switch r.Confirm {
	case ConfirmAck:
		ch.script.printf("ack %d", r.Seq)
	case ConfirmNack:
		ch.script.printf("nack %d", r.Seq)
	}
	return nil
}

// lists are the calls that print listings.
var lists = map[string]func(*script, []string){
	"queues": func(s *script, names []string) {
		for _, q := range s.vhost().Queues() {
			if len(names) == 0 || slices.Contains(names, q.Name) {
				s.printf("%s: %d ready, %d unacked, %d consumers", q.Name, q.Ready, q.Unacked, q.Consumers)
			}
		}
	},
	"exchanges": func(s *script, _ []string) {
		for _, x := range s.vhost().Exchanges() {
			s.printf("%q %s %s", x.Name, x.Type, x.Matcher)
		}
	},
	"bindings": func(s *script, _ []string) {
		for _, b := range s.vhost().Bindings() {
			s.printf("%q -> %s %s by %q %v", b.Source, b.DestinationType, b.Destination, b.RoutingKey, b.Arguments)
		}
	},
	"policy":          func(s *script, words []string) { s.setPolicy((*VHost).SetPolicy, words) },
	"operator-policy": func(s *script, words []string) { s.setPolicy((*VHost).SetOperatorPolicy, words) },
	"delete-policy":   func(s *script, words []string) { s.deletePolicy((*VHost).DeletePolicy, words[0]) },
	"delete-operator-policy": func(s *script, words []string) {
		s.deletePolicy((*VHost).DeleteOperatorPolicy, words[0])
	},
	"policies": func(s *script, _ []string) {
		for _, q := range s.vhost().Queues() {
			s.printf("queue %s: %q, %q %v", q.Name, q.Policies.Policy, q.Policies.Operator, q.Policies.Effective)
		}
		for _, x := range s.vhost().Exchanges() {
			if x.Policies.Effective != nil {
				s.printf("exchange %s: %q, %q %v", x.Name, x.Policies.Policy, x.Policies.Operator, x.Policies.Effective)
			}
		}
	},
	"consumers": func(s *script, _ []string) {
		for _, c := range s.vhost().Consumers() {
			s.printf("%s: %s of %s%d, prefetch %d, active %t", c.Queue, c.Tag, c.Connection, c.Channel, c.Prefetch, c.Active)
		}
	},
}

// setPolicy sets the policy NAME PATTERN APPLY-TO, with the priority and the settings that
// the fields name.
func (s *script) setPolicy(set func(*VHost, Policy) error, words []string) {
	a := parseArgs(s.t, words)
	p := Policy{Name: a.word(0), Pattern: a.word(1), ApplyTo: a.word(2)}
	p.Priority, _ = strconv.Atoi(a.text("priority"))
	p.Definition = a.fields
	if err := set(s.vhost(), p); err != nil {
		s.printf("%s", strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", " | "))
	}
}

func (s *script) deletePolicy(remove func(*VHost, string) (bool, error), name string) {
	found, err := remove(s.vhost(), name)
	s.printf("found %t %v", found, err)
}

func (s *script) vhost() *VHost {
	v, ok := s.broker.VHost("/")
	if !ok {
		s.t.Fatal("no virtual host /")
	}
	return v
}
