package broker

import (
	"strings"

	"harelab/engine/auth"
	"harelab/engine/queue"
	"harelab/engine/settings"
	"harelab/engine/wire"
)

// A QueueSpec describes the queue that a declaration asks for.
type QueueSpec struct {
	Name       string // empty: the broker generates a name
	Passive    bool   // only check that the queue exists; the fields below are ignored
	Durable    bool
	Exclusive  bool // only the session's connection may use it; deleted with the connection
	AutoDelete bool // deleted with its last consumer
	Arguments  wire.Table
}

// durable reports whether the queue outlives the broker. An exclusive queue never does: it
// does not outlive its connection.
func (spec *QueueSpec) durable() bool { return spec.Durable && !spec.Exclusive }

// QueueStatus is the answer to a declaration.
type QueueStatus struct {
	Name      string
	Messages  int // number of ready messages
	Consumers int
}

// DeclareQueue makes a queue or, if spec is passive, checks that it exists.
//
// Errors: 403 for reserved names and missing permissions, 404 if spec is passive and the
// queue does not exist, 405 if the queue belongs to another connection, 406 if the queue
// exists with other properties, for bad arguments, for an exclusive queue without a
// connection and for one more than the virtual host's limit of queues, 541 if the queue is durable and the store has failed.
func (s *Session) DeclareQueue(spec QueueSpec) (QueueStatus, error) {
	v := s.vhost
	name := lineEnds.Replace(spec.Name)
	if strings.HasPrefix(name, replyTo) {
		return QueueStatus{Name: name, Consumers: 1}, v.declareReply(name)
	}
	if spec.Passive {
		return s.checkQueue(name)
	}
	switch {
	case name == "" && settings.IsQuorum(spec.Arguments):
		return QueueStatus{}, refuse(wire.PreconditionFailed, "Cannot declare a server-named queue for type rabbit_quorum_queue")
	case name == "":
		name = v.broker.generateName("amq.gen-")
	case reserved(name) && !s.mayReserve():
		return QueueStatus{}, refuse(wire.AccessRefused, "queue name '%s' contains reserved prefix 'amq.*'", name)
	}
	if err := s.may(auth.Configure, v.queueResource(name)); err != nil {
		return QueueStatus{}, err
	}
	if spec.Exclusive && s.conn == nil {
		return QueueStatus{}, refuse(wire.PreconditionFailed, "exclusive %s would belong to no connection", v.queueResource(name))
	}
	spec.Name = name
	op := s.begin()
	var q *Queue
	err := s.change(func() (durable bool, err error) {
		q, err = s.declareQueue(op, spec)
		return err == nil && q.storeID != 0, err
	})
	if err != nil {
		return QueueStatus{}, err
	}
	q.mu.Lock()
	status := q.status(op.time())
	q.mu.Unlock()
	s.end()
	return status, nil
}

func (s *Session) checkQueue(name string) (QueueStatus, error) {
	q, err := s.findQueue(name)
	if err != nil {
		return QueueStatus{}, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.status(s.vhost.broker.clock.Now()), nil
}

// status returns the answer to a declaration, which counts as a use of the queue. The
// queue is locked.
func (q *Queue) status(now int64) QueueStatus {
	q.usedAt = now
	return QueueStatus{Name: q.name, Messages: q.machine.Ready(), Consumers: q.consumerCount()}
}

// declareQueue returns the queue that spec names, and makes it if it does not exist. The
// virtual host is locked.
func (s *Session) declareQueue(op *operation, spec QueueSpec) (*Queue, error) {
	v := s.vhost
	if t := v.metadata.DefaultQueueType; t != "" && spec.Durable && !spec.Exclusive && !spec.AutoDelete {
		spec.Arguments = settings.WithType(spec.Arguments, t) // rabbit_amqqueue, augment_declare_args/5
	}
	if q, ok := v.queues.GetString(spec.Name); ok {
		if !q.isDeleted() {
			return q, q.checkEquivalent(s.conn, &spec)
		}
		v.unlinkQueue(q) // another goroutine is deleting it and will find it unlinked
	}
	if err := v.admitQueue(spec.Name); err != nil {
		return nil, err
	}
	if err := s.checkExchangeArgument("x-dead-letter-exchange", spec.Arguments, v.queueResource(spec.Name)); err != nil {
		return nil, err
	}
	resource := v.queueResource(spec.Name)
	effective, err := v.queueSettings(spec.Name, spec.Arguments)
	if err != nil {
		return nil, err
	}
	if effective.Quorum {
		if err := checkQuorum(&spec, resource); err != nil {
			return nil, err
		}
	}
	if err := v.broker.mayStore(spec.durable()); err != nil {
		return nil, err
	}
	q := v.newQueue(spec, effective)
	if spec.Exclusive {
		q.owner = s.conn
		s.conn.owned[q] = struct{}{}
	}
	q.startIdle(op)
	v.storeQueue(q)
	v.linkQueue(q) // from now on other goroutines see it
	return q, nil
}

// queueSettings returns the settings of a queue with these arguments, under the policies
// that match its name. The virtual host is locked.
//
// Errors: 406 for bad arguments.
func (v *VHost) queueSettings(name string, args wire.Table) (*settings.Queue, error) {
	s, err := settings.ForQueue(args, v.policies.ForQueue(name, settings.IsQuorum(args)), v.broker.defaults, v.queueResource(name))
	return s, unmet(err)
}

// newQueue returns a queue that is not yet linked into the virtual host. The virtual host
// is locked.
func (v *VHost) newQueue(spec QueueSpec, s *settings.Queue) *Queue {
	v.seq++
	q := &Queue{
		vhost:      v,
		name:       spec.Name,
		seq:        v.seq,
		durable:    spec.durable(),
		autoDelete: spec.AutoDelete,
		args:       spec.Arguments,
		needsTime:  s.Timed() || v.broker.tracer != nil,
		machine:    queue.New(s.Config()),
	}
	q.target.queue = q
	q.settings.Store(s)
	if transcript := v.broker.transcript; transcript != nil {
		if w := transcript(v.name, spec.Name); w != nil {
			q.needsTime = true
			q.recorder = queue.NewRecorder(q.machine, w)
		}
	}
	return q
}

// linkQueue enters a queue into the virtual host. The virtual host is locked.
func (v *VHost) linkQueue(q *Queue) {
	v.allQueues[q] = struct{}{}
	v.queues.Set(q.name, q)
}

// unlinkQueue undoes linkQueue and removes the queue's bindings. It does nothing if the
// queue is not linked. The virtual host is locked.
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

// checkEquivalent refuses a declaration that differs from the existing queue.
func (q *Queue) checkEquivalent(by *Conn, spec *QueueSpec) error {
	resource := q.vhost.queueResource(q.name)
	if err := q.checkOwner(by); err != nil {
		return err
	}
	if spec.Exclusive != (q.owner != nil) {
		return q.locked()
	}
	if spec.durable() != q.durable {
		return unmet(settings.Inequivalent("durable", resource, spec.durable(), q.durable))
	}
	if spec.AutoDelete != q.autoDelete {
		return unmet(settings.Inequivalent("auto_delete", resource, spec.AutoDelete, q.autoDelete))
	}
	return unmet(q.settings.Load().CheckAgain(q.args, spec.Arguments, resource))
}

// checkOwner refuses the use of another connection's exclusive queue.
func (q *Queue) checkOwner(by *Conn) error {
	if q.owner != nil && q.owner != by {
		return q.locked()
	}
	return nil
}

func (q *Queue) locked() error {
	return refuse(wire.ResourceLocked, "cannot obtain exclusive access to locked %s. "+
		"It could be originally declared on another connection or the exclusive property value does not match that of the original declaration.",
		q.vhost.queueResource(q.name))
}

func (q *Queue) isDeleted() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.deleted
}
