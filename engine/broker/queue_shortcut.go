package broker

import (
	"strings"

	"harelab/engine/wire"
)

// In AMQP an empty queue name stands for the queue that the channel declared last. The
// channel's verbs for queues fill that name in and call those of its session.

// DeclareQueue is [Session.DeclareQueue]; the channel remembers the queue's name.
func (ch *Channel) DeclareQueue(spec QueueSpec) (QueueStatus, error) {
	status, err := ch.conn.DeclareQueue(spec)
	if err == nil && !strings.HasPrefix(status.Name, replyTo) {
		ch.lastQueue = status.Name
	}
	return status, err
}

// DeleteQueue is [Session.DeleteQueue]. One more error: 404 for an empty name if the
// channel has declared no queue.
func (ch *Channel) DeleteQueue(name string, only DeleteIf) (messages int, err error) {
	if name, err = ch.queueShortcut(name); err != nil {
		return 0, err
	}
	return ch.conn.DeleteQueue(name, only)
}

// PurgeQueue is [Session.PurgeQueue], with the additional error of DeleteQueue.
func (ch *Channel) PurgeQueue(name string) (messages int, err error) {
	if name, err = ch.queueShortcut(name); err != nil {
		return 0, err
	}
	return ch.conn.PurgeQueue(name)
}

// Bind is [Session.Bind], with the additional error of DeleteQueue. With an empty queue
// name, an empty key stands for the queue's name too.
func (ch *Channel) Bind(spec BindingSpec) error {
	spec, err := ch.bindShortcut(spec)
	if err != nil {
		return err
	}
	return ch.conn.Bind(spec)
}

// Unbind is [Session.Unbind], with names as in Bind.
func (ch *Channel) Unbind(spec BindingSpec) error {
	spec, err := ch.bindShortcut(spec)
	if err != nil {
		return err
	}
	return ch.conn.Unbind(spec)
}

func (ch *Channel) bindShortcut(spec BindingSpec) (BindingSpec, error) {
	if spec.ToExchange || spec.Destination != "" {
		return spec, nil
	}
	name, err := ch.queueShortcut("")
	spec.Destination = name
	if spec.RoutingKey == "" {
		spec.RoutingKey = name
	}
	return spec, err
}

// queueShortcut returns the name of the queue that name stands for.
func (ch *Channel) queueShortcut(name string) (string, error) {
	if name != "" {
		return name, nil
	}
	if ch.lastQueue == "" {
		return "", refuse(wire.NotFound, "no previously declared queue")
	}
	return ch.lastQueue, nil
}
