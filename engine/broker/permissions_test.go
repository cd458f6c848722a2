package broker

import (
	"regexp"
	"strings"
	"testing"

	"harelab/engine/auth"
	"harelab/engine/wire"
)

// A need is a permission on a resource.
type need struct {
	op   auth.Op
	name string
}

// TestPermissionsOfMethods is the table of RabbitMQ's documentation (Access Control, "How
// Authorisation Works"): which permissions each method needs. A user with exactly these may
// call it; without any one of them it may not.
func TestPermissionsOfMethods(t *testing.T) {
	configure := func(name string) need { return need{auth.Configure, name} }
	write := func(name string) need { return need{auth.Write, name} }
	read := func(name string) need { return need{auth.Read, name} }
	with := func(key, exchange string) wire.Table { return wire.Table{{Key: key, Value: exchange}} }
	for _, tt := range []struct {
		name  string
		needs []need
		call  func(*Channel) error
	}{
		{"exchange.declare", []need{configure("new")}, func(ch *Channel) error {
			return ch.conn.DeclareExchange(ExchangeSpec{Name: "new", Type: "direct"})
		}},
		{"exchange.declare passive", nil, func(ch *Channel) error {
			return ch.conn.DeclareExchange(ExchangeSpec{Name: "x", Type: "topic", Passive: true})
		}},
		{"exchange.declare with an alternate exchange", []need{configure("new"), read("new"), write("y")}, func(ch *Channel) error {
			return ch.conn.DeclareExchange(ExchangeSpec{Name: "new", Type: "direct", Arguments: with("alternate-exchange", "y")})
		}},
		{"exchange.delete", []need{configure("x")}, func(ch *Channel) error { return ch.conn.DeleteExchange("x", false) }},
		{"exchange.bind", []need{write("y"), read("x")}, func(ch *Channel) error {
			return ch.conn.Bind(BindingSpec{Source: "x", Destination: "y", ToExchange: true})
		}},
		{"exchange.unbind", []need{write("y"), read("x")}, func(ch *Channel) error {
			return ch.conn.Unbind(BindingSpec{Source: "x", Destination: "y", ToExchange: true})
		}},
		{"queue.declare", []need{configure("new")}, func(ch *Channel) error {
			_, err := ch.DeclareQueue(QueueSpec{Name: "new"})
			return err
		}},
		{"queue.declare passive", nil, func(ch *Channel) error {
			_, err := ch.DeclareQueue(QueueSpec{Name: "q", Passive: true})
			return err
		}},
		{"queue.declare with a dead letter exchange", []need{configure("new"), read("new"), write("x")}, func(ch *Channel) error {
			_, err := ch.DeclareQueue(QueueSpec{Name: "new", Arguments: with("x-dead-letter-exchange", "x")})
			return err
		}},
		{"queue.delete", []need{configure("q")}, func(ch *Channel) error { _, err := ch.DeleteQueue("q", DeleteIf{}); return err }},
		{"queue.purge", []need{read("q")}, func(ch *Channel) error { _, err := ch.PurgeQueue("q"); return err }},
		{"queue.bind", []need{write("q"), read("x")}, func(ch *Channel) error {
			return ch.conn.Bind(BindingSpec{Source: "x", Destination: "q"})
		}},
		{"queue.unbind", []need{write("q"), read("x")}, func(ch *Channel) error {
			return ch.conn.Unbind(BindingSpec{Source: "x", Destination: "q"})
		}},
		{"basic.publish", []need{write("x")}, func(ch *Channel) error {
			_, err := ch.Publish(&Publishing{Exchange: []byte("x")})
			return err
		}},
		{"basic.publish to the default exchange", []need{write("amq.default")}, func(ch *Channel) error {
			_, err := ch.Publish(&Publishing{RoutingKey: []byte("q")})
			return err
		}},
		{"basic.get", []need{read("q")}, func(ch *Channel) error { _, _, err := ch.Get("q", false); return err }},
		{"basic.consume", []need{read("q")}, func(ch *Channel) error { _, err := ch.Consume(ConsumerSpec{Queue: "q"}); return err }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for missing := -1; missing < len(tt.needs); missing++ {
				var names [3][]string
				for i, n := range tt.needs {
					if i != missing {
						names[n.op] = append(names[n.op], regexp.QuoteMeta(n.name))
					}
				}
				var p auth.Permissions
				for op, to := range map[auth.Op]*string{auth.Configure: &p.Configure, auth.Write: &p.Write, auth.Read: &p.Read} {
					if names[op] != nil {
						*to = "^(" + strings.Join(names[op], "|") + ")$"
					}
				}
				got := refusal(t, tt.call(channelWith(t, p)))
				switch {
				case missing < 0 && got != "":
					t.Errorf("with all that it needs, %+v: %s", p, got)
				case missing >= 0 && !strings.HasPrefix(got, "ACCESS_REFUSED access to ") || missing >= 0 && !strings.Contains(got, "'"+tt.needs[missing].name+"'"):
					t.Errorf("without %+v: %q, want a refusal that names it", tt.needs[missing], got)
				}
			}
		})
	}
}

// channelWith returns a channel of a user with permissions, on a broker with the topic
// exchanges x and y and the queue q.
func channelWith(t *testing.T, p auth.Permissions) *Channel {
	t.Helper()
	b := newBroker(t, Options{})
	root := sessionOf(t, b, "")
	_, err := root.DeclareQueue(QueueSpec{Name: "q"})
	mustDo(t, err, root.DeclareExchange(ExchangeSpec{Name: "x", Type: "topic"}), root.DeclareExchange(ExchangeSpec{Name: "y", Type: "topic"}),
		b.AddUser("u", auth.Hash{}), b.SetPermissions("u", "/", p))
	c, err := b.Open("/", ConnOptions{User: "u"})
	mustDo(t, err)
	return c.Channel(1, nil)
}
