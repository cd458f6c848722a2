package broker

import (
	"harelab/engine/auth"
	"harelab/engine/settings"
	"harelab/engine/wire"
)

// A Session declares, binds, purges and deletes for a user in a virtual host; each of
// these verbs checks the user's permissions. A [Conn] is a session with channels and
// exclusive queues. [Broker.Session] returns a session without a connection, for callers
// that only administer, such as an HTTP API or an import of definitions.
//
// One goroutine at a time calls its methods. When a verb returns, its change is visible
// to everybody. A durable change is stored by then if the session has no connection;
// otherwise it is stored when the round of the next [Conn.Commit] is durable.
type Session struct {
	vhost       *VHost
	user        string        // empty: the program itself
	permissions *auth.Session // nil: everything is allowed
	conn        *Conn         // owner of exclusive queues; nil: no connection
	syncLater   bool
	batch       Batch
	op          operation
}

// Session returns a session of a user. The empty user is the program itself, which may do
// everything.
//
// Errors: 530 for a virtual host that does not exist or that the user may not use.
func (b *Broker) Session(vhost, user string) (*Session, error) {
	v, err := b.enter(vhost, user)
	if err != nil {
		return nil, err
	}
	s := new(Session)
	s.init(v, user)
	return s, nil
}

// enter returns the virtual host called name if the user may use it.
func (b *Broker) enter(name, user string) (*VHost, error) {
	v, err := b.findVHost(name)
	if err == nil {
		err = b.mayEnter(v, user)
	}
	return v, err
}

func (b *Broker) findVHost(name string) (*VHost, error) {
	v, ok := b.VHost(name)
	if !ok {
		return nil, refuse(wire.NotAllowed, "vhost %s not found", name)
	}
	return v, nil
}

func (b *Broker) mayEnter(v *VHost, user string) error {
	if user != "" && !b.auth.MayOpen(user, v.name) {
		return refuse(wire.NotAllowed, "access to vhost '%s' refused for user '%s'", v.name, user)
	}
	return nil
}

func (s *Session) init(v *VHost, user string) {
	s.vhost, s.user = v, user
	s.op = operation{broker: v.broker, batch: &s.batch}
	if user != "" {
		s.permissions = v.broker.auth.NewSession(user, v.name)
	}
}

// SyncLater makes the verbs return before their changes are stored; [Broker.Sync] waits for
// all of them. It is for sessions without a connection that make many changes.
func (s *Session) SyncLater() { s.syncLater = true }

// mayReserve reports whether the session may declare names that are reserved for the
// broker: the program itself may, since definitions of another broker have the names that
// it generated.
func (s *Session) mayReserve() bool { return s.user == "" && s.conn == nil }

// VHost returns the session's virtual host.
func (s *Session) VHost() *VHost { return s.vhost }

// begin starts a call.
func (s *Session) begin() *operation {
	s.op.begin()
	return &s.op
}

// end ends a call. With a connection, the connection's caller commits and flushes the batch
// later.
func (s *Session) end() {
	s.op.end()
	if s.conn == nil {
		s.op.commit()
		s.batch.Flush()
	}
}

// change calls f, which changes exchanges, queues or bindings, with the virtual host
// locked. f reports whether the change concerns something durable.
func (s *Session) change(f func() (durable bool, err error)) error {
	s.vhost.mu.Lock()
	durable, err := f()
	s.vhost.mu.Unlock()
	if err != nil {
		return err
	}
	return s.promise(durable)
}

// promise makes a durable change durable before the client gets its answer: a
// connection's answers wait for the round of the next Commit; a session without a
// connection waits here.
func (s *Session) promise(durable bool) error {
	switch {
	case !durable || s.vhost.broker.store == nil || s.syncLater:
		return nil
	case s.conn == nil:
		return s.vhost.broker.Sync()
	}
	s.conn.holding = true
	return nil
}

// may checks a permission on a resource.
func (s *Session) may(op auth.Op, on settings.Resource) error {
	if s.permissions == nil || s.permissions.May(op, []byte(on.Name)) {
		return nil
	}
	if on.Name == "" {
		on.Name = "amq.default" // its name in permissions
	}
	return refuse(wire.AccessRefused, "access to %s refused for user '%s'", on, s.user)
}

// topics returns the user's rule for the routing keys of an exchange; nil: all are allowed
// (rabbit_channel, check_topic_authorisation/5).
func (s *Session) topics(x *Exchange) *auth.TopicRule {
	if s.permissions == nil || x.kind.Name != "topic" {
		return nil
	}
	return s.permissions.Topics(x.name)
}

// mayRoute checks a permission on a routing key of a topic exchange.
func (s *Session) mayRoute(op auth.Op, x *Exchange, rule *auth.TopicRule, key []byte) error {
	if rule.May(op, key) {
		return nil
	}
	return refuse(wire.AccessRefused, "access to topic '%s' in %s refused for user '%s'", key, x.vhost.exchangeResource(x.name), s.user)
}

// checkExchangeArgument checks an argument of the declaration of a resource. The argument
// names an exchange to which messages are forwarded. The user needs permission to read
// from the resource and to write to the exchange.
func (s *Session) checkExchangeArgument(arg string, args wire.Table, of settings.Resource) error {
	v, ok := args.Get(arg)
	if !ok {
		return nil
	}
	to, ok := v.(string)
	if !ok {
		return refuse(wire.PreconditionFailed, "invalid type '%s' for arg '%s' in %s", wire.TypeName(v), arg, of)
	}
	if err := s.may(auth.Read, of); err != nil {
		return err
	}
	return s.may(auth.Write, s.vhost.exchangeResource(to))
}

// findQueue returns a queue that the session may use.
func (s *Session) findQueue(name string) (*Queue, error) {
	q, ok := s.vhost.queues.GetString(name)
	if !ok {
		return nil, s.vhost.noQueue(name)
	}
	return q, q.checkOwner(s.conn)
}
