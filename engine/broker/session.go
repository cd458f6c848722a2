package broker

import (
	"harelab/engine/auth"
	"harelab/engine/wire"
)

// A Session is a user at work in a virtual host: it declares, binds, purges and deletes,
// and each of these verbs asks for the user's permissions. A [Conn] is a session with
// channels and exclusive queues; whoever only administers, such as an HTTP API or an
// import of definitions, takes one without from [Broker.Session].
//
// Its methods are called by one goroutine at a time. What a verb changed is visible to
// everybody when it returns. If it is to be durable, it is when the verb returns to a
// session without a connection, and after the round of [Conn.Commit] with one.
type Session struct {
	vhost       *VHost
	user        string        // none: the program itself
	permissions *auth.Session // nil: may do all
	conn        *Conn         // that exclusive queues belong to, nil: none
	batch       Batch
	op          operation
}

// Session returns a session of a user, none for the program itself, which may do all.
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
	v, ok := b.VHost(name)
	if !ok {
		return nil, refuse(wire.NotAllowed, "vhost %s not found", name)
	}
	if user != "" && !b.auth.MayOpen(user, name) {
		return nil, refuse(wire.NotAllowed, "access to vhost '%s' refused for user '%s'", name, user)
	}
	return v, nil
}

func (s *Session) init(v *VHost, user string) {
	s.vhost, s.user = v, user
	s.op = operation{broker: v.broker, batch: &s.batch}
	if user != "" {
		s.permissions = v.broker.auth.NewSession(user, v.name)
	}
}

// VHost returns the virtual host of the session.
func (s *Session) VHost() *VHost { return s.vhost }

// begin starts a call.
func (s *Session) begin() *operation {
	s.op.begin()
	return &s.op
}

// end ends a call. The caller of a connection flushes its batch.
func (s *Session) end() {
	s.op.end()
	if s.conn == nil {
		s.op.commit()
		s.batch.Flush()
	}
}

// change makes a change to exchanges, queues or bindings with the virtual host locked.
// f tells whether it is about something durable.
func (s *Session) change(f func() (durable bool, err error)) error {
	s.vhost.mu.Lock()
	durable, err := f()
	s.vhost.mu.Unlock()
	if err != nil {
		return err
	}
	return s.promise(durable)
}

// promise sees to it that what a call did is durable before its caller hears of it: a
// connection's answer waits for the next Commit, others wait here.
func (s *Session) promise(durable bool) error {
	switch {
	case !durable || s.vhost.broker.store == nil:
		return nil
	case s.conn == nil:
		return s.vhost.broker.sync()
	}
	s.conn.holding = true
	return nil
}

// may checks a permission; resource is "queue 'q' in vhost '/'" made by name.
func (s *Session) may(op auth.Op, resource string, name func(string) string) error {
	if s.permissions == nil || s.permissions.May(op, []byte(resource)) {
		return nil
	}
	if resource == "" {
		resource = "amq.default" // what permissions call it
	}
	return refuse(wire.AccessRefused, "access to %s refused for user '%s'", name(resource), s.user)
}

// checkExchangeArgument checks an argument of a declaration that names an exchange for
// messages to go on to: that takes permission to read from what is declared and to
// write to the exchange.
func (s *Session) checkExchangeArgument(arg string, args wire.Table, name string, resource func(string) string) error {
	v, ok := args.Get(arg)
	if !ok {
		return nil
	}
	to, ok := v.(string)
	if !ok {
		return refuse(wire.PreconditionFailed, "invalid type '%s' for arg '%s' in %s", wire.TypeName(v), arg, resource(name))
	}
	if err := s.may(auth.Read, name, resource); err != nil {
		return err
	}
	return s.may(auth.Write, to, s.vhost.exchangeName)
}

// findQueue returns a queue that the session may use.
func (s *Session) findQueue(name string) (*Queue, error) {
	q, ok := s.vhost.queues.GetString(name)
	if !ok {
		return nil, s.vhost.noQueue(name)
	}
	return q, q.checkOwner(s.conn)
}
