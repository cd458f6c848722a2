package broker

import (
	"strings"

	"harelab/engine/auth"
	"harelab/engine/queue"
	"harelab/engine/settings"
	"harelab/engine/wire"
)

// QueueDeclare makes a queue or, if m is passive, checks that it exists. It returns
// the queue's name, which is made up if m has none, and how many ready messages and
// consumers it has.
//
// Errors: 403 for reserved names and missing permissions, 404 if passive and not
// there, 405 if it belongs to another connection, 406 if it is there with other
// properties and for bad arguments.
func (ch *Channel) QueueDeclare(m *wire.QueueDeclare) (name string, messages, consumers int, err error) {
	v := ch.vhost
	name = lineEnds.Replace(m.Queue)
	if strings.HasPrefix(name, replyTo) {
		return name, 0, 1, v.declareReply(name)
	}
	if m.Passive {
		return ch.passiveDeclare(name)
	}
	switch {
	case name == "" && settings.IsQuorum(m.Arguments):
		return "", 0, 0, wire.Errorf(wire.PreconditionFailed, "Cannot declare a server-named queue for type rabbit_quorum_queue")
	case name == "":
		name = v.broker.makeName("amq.gen-")
	case reserved(name):
		return "", 0, 0, wire.Errorf(wire.AccessRefused, "queue name '%s' contains reserved prefix 'amq.*'", name)
	}
	if err := ch.conn.may(auth.Configure, name, v.queueName); err != nil {
		return "", 0, 0, err
	}
	t := ch.begin()
	var q *Queue
	err = v.change(func() (err error) {
		q, err = v.declareQueue(t, ch.conn, name, m)
		return err
	})
	if err != nil {
		return "", 0, 0, err
	}
	q.mu.Lock()
	messages, consumers = q.machine.Ready(), q.machine.Consumers()
	q.usedAt = t.time()
	q.mu.Unlock()
	t.end()
	ch.lastQueue = name
	return name, messages, consumers, nil
}

func (ch *Channel) passiveDeclare(name string) (_ string, messages, consumers int, err error) {
	q, err := ch.findQueue(name)
	if err != nil {
		return "", 0, 0, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.usedAt = ch.vhost.broker.clock.Now()
	ch.lastQueue = name
	return name, q.machine.Ready(), q.machine.Consumers(), nil
}

// declareQueue returns the queue called name, made if it does not exist. The virtual
// host is locked.
func (v *VHost) declareQueue(t *turn, owner *Conn, name string, m *wire.QueueDeclare) (*Queue, error) {
	if q, ok := v.queues.GetString(name); ok {
		if !q.isDeleted() {
			return q, q.checkEquivalent(owner, m)
		}
		v.unlinkQueue(q) // it is going; who deleted it finds nothing left to do
	}
	if err := owner.checkExchangeArgument("x-dead-letter-exchange", m.Arguments, name, v.queueName); err != nil {
		return nil, err
	}
	resource := v.queueName(name)
	s, err := settings.ForQueue(m.Arguments, v.broker.defaults, resource)
	if err != nil {
		return nil, unmet(err)
	}
	if s.Quorum {
		if err := checkQuorum(m, resource); err != nil {
			return nil, err
		}
	}
	q := v.newQueue(name, m, s)
	if m.Exclusive {
		q.owner = owner
		owner.owned[q] = struct{}{}
	}
	q.startIdle(t)
	v.recordQueue(q)
	v.linkQueue(q) // from now on others see it
	return q, nil
}

// newQueue returns a queue that the virtual host does not know yet. It is locked.
func (v *VHost) newQueue(name string, m *wire.QueueDeclare, s *settings.Queue) *Queue {
	v.seq++
	q := &Queue{
		vhost:      v,
		name:       name,
		seq:        v.seq,
		durable:    durable(m),
		autoDelete: m.AutoDelete,
		args:       m.Arguments,
		timed:      s.Timed() || v.broker.tracer != nil,
		machine:    queue.New(s.Config()),
	}
	q.target.queue = q
	q.settings.Store(s)
	if record := v.broker.record; record != nil {
		if w := record(v.name, name); w != nil {
			q.timed = true
			q.recorder = queue.NewRecorder(q.machine, w)
		}
	}
	return q
}

// durable reports whether a queue is to outlive the broker: an exclusive one does not
// outlive its connection, whatever it says.
func durable(m *wire.QueueDeclare) bool { return m.Durable && !m.Exclusive }

// linkQueue and unlinkQueue make a queue known and unknown. The virtual host is
// locked.
func (v *VHost) linkQueue(q *Queue) {
	v.allQueues[q] = struct{}{}
	v.queues.Set(q.name, q)
}

func (v *VHost) unlinkQueue(q *Queue) {
	if _, ok := v.allQueues[q]; !ok {
		return
	}
	delete(v.allQueues, q)
	v.queues.Delete(q.name)
	if q.owner != nil {
		delete(q.owner.owned, q)
	}
	v.dropBindings(q.bindings)
	v.forgetQueue(q)
}

// checkExchangeArgument checks an argument of a declaration that names an exchange for
// messages to go on to: that takes permission to read from what is declared and to
// write to the exchange.
func (c *Conn) checkExchangeArgument(arg string, args wire.Table, name string, resource func(string) string) error {
	v, ok := args.Get(arg)
	if !ok {
		return nil
	}
	to, ok := v.(string)
	if !ok {
		return wire.Errorf(wire.PreconditionFailed, "invalid type '%s' for arg '%s' in %s", wire.TypeName(v), arg, resource(name))
	}
	if err := c.may(auth.Read, name, resource); err != nil {
		return err
	}
	return c.may(auth.Write, to, c.vhost.exchangeName)
}

// checkEquivalent compares a declaration with the queue that is there.
func (q *Queue) checkEquivalent(by *Conn, m *wire.QueueDeclare) error {
	resource := q.vhost.queueName(q.name)
	if err := q.checkOwner(by); err != nil {
		return err
	}
	if m.Exclusive != (q.owner != nil) {
		return q.locked()
	}
	if durable(m) != q.durable {
		return unmet(settings.Inequivalent("durable", resource, durable(m), q.durable))
	}
	if m.AutoDelete != q.autoDelete {
		return unmet(settings.Inequivalent("auto_delete", resource, m.AutoDelete, q.autoDelete))
	}
	return unmet(q.settings.Load().CheckAgain(q.args, m.Arguments, resource))
}

// checkOwner refuses the use of another connection's exclusive queue.
func (q *Queue) checkOwner(by *Conn) error {
	if q.owner != nil && q.owner != by {
		return q.locked()
	}
	return nil
}

func (q *Queue) locked() error {
	return wire.Errorf(wire.ResourceLocked, "cannot obtain exclusive access to locked %s. "+
		"It could be originally declared on another connection or the exclusive property value does not match that of the original declaration.",
		q.vhost.queueName(q.name))
}

func (q *Queue) isDeleted() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.deleted
}

// queueShortcut returns the queue that a name stands for: an empty one for the queue
// that the channel declared last.
func (ch *Channel) queueShortcut(name string) (string, error) {
	if name != "" {
		return name, nil
	}
	if ch.lastQueue == "" {
		return "", wire.Errorf(wire.NotFound, "no previously declared queue")
	}
	return ch.lastQueue, nil
}

// findQueue returns a queue that the channel's connection may use.
func (ch *Channel) findQueue(name string) (*Queue, error) {
	q, ok := ch.vhost.queues.GetString(name)
	if !ok {
		return nil, ch.vhost.noQueue(name)
	}
	return q, q.checkOwner(ch.conn)
}
