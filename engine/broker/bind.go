package broker

import (
	"harelab/engine/auth"
	"harelab/engine/wire"
)

// QueueBind binds a queue to an exchange. An empty queue name is the one that the
// channel declared last, and then an empty key is that name too.
//
// Errors: 403 for the default exchange and missing permissions, 404, 406 for
// arguments that the exchange's type does not understand.
func (ch *Channel) QueueBind(m *wire.QueueBind) error {
	name, key, err := ch.bindShortcut(m.Queue, m.RoutingKey)
	if err != nil {
		return err
	}
	return ch.bind(m.Exchange, name, false, key, m.Arguments)
}

// QueueUnbind undoes QueueBind. A binding that does not exist is no error.
func (ch *Channel) QueueUnbind(m *wire.QueueUnbind) error {
	name, key, err := ch.bindShortcut(m.Queue, m.RoutingKey)
	if err != nil {
		return err
	}
	return ch.unbind(m.Exchange, name, false, key, m.Arguments)
}

// ExchangeBind has an exchange get what a source exchange routes to it.
//
// Errors: 403 for the default exchange and missing permissions, 404.
func (ch *Channel) ExchangeBind(m *wire.ExchangeBind) error {
	return ch.bind(m.Source, m.Destination, true, m.RoutingKey, m.Arguments)
}

// ExchangeUnbind undoes ExchangeBind. A binding that does not exist is no error.
func (ch *Channel) ExchangeUnbind(m *wire.ExchangeUnbind) error {
	return ch.unbind(m.Source, m.Destination, true, m.RoutingKey, m.Arguments)
}

func (ch *Channel) bindShortcut(queueName, routingKey string) (name, key string, err error) {
	name, err = ch.queueShortcut(queueName)
	if queueName == "" && routingKey == "" {
		return name, name, err
	}
	return name, routingKey, err
}

// mayBind checks what binding and unbinding have in common.
func (ch *Channel) mayBind(source, dest string, toExchange bool) error {
	v := ch.vhost
	name := v.queueName
	if toExchange {
		name = v.exchangeName
	}
	if err := ch.conn.may(auth.Write, dest, name); err != nil {
		return err
	}
	if source == "" || toExchange && dest == "" {
		return errDefaultExchange
	}
	return ch.conn.may(auth.Read, source, v.exchangeName)
}

// endpoints returns the ends of a binding. The virtual host is locked.
func (ch *Channel) endpoints(source, dest string, toExchange bool) (x *Exchange, to *target, err error) {
	v := ch.vhost
	x, ok := v.exchanges.GetString(source)
	if !ok {
		return nil, nil, v.noExchange(source)
	}
	if toExchange {
		d, ok := v.exchanges.GetString(dest)
		if !ok {
			return nil, nil, v.noExchange(dest)
		}
		return x, &d.target, nil
	}
	q, ok := v.queues.GetString(dest)
	if !ok {
		return nil, nil, v.noQueue(dest)
	}
	return x, &q.target, nil
}

func (ch *Channel) bind(source, dest string, toExchange bool, key string, args wire.Table) error {
	source, dest = lineEnds.Replace(source), lineEnds.Replace(dest)
	if err := ch.mayBind(source, dest, toExchange); err != nil {
		return err
	}
	v := ch.vhost
	return v.change(func() error {
		x, to, err := ch.endpoints(source, dest, toExchange)
		if err != nil {
			return err
		}
		if check := x.kind.Check; check != nil {
			if err := check(args); err != nil {
				return err
			}
		}
		if err := ch.mayChange(to); err != nil {
			return err
		}
		if b := v.bind(x, to, key, args); b != nil {
			v.recordBinding(b)
		}
		return nil
	})
}

func (ch *Channel) unbind(source, dest string, toExchange bool, key string, args wire.Table) error {
	source, dest = lineEnds.Replace(source), lineEnds.Replace(dest)
	if err := ch.mayBind(source, dest, toExchange); err != nil {
		return err
	}
	v := ch.vhost
	return v.change(func() error {
		x, to, err := ch.endpoints(source, dest, toExchange)
		if err != nil {
			if e, ok := err.(*wire.Error); ok && e.Code == wire.NotFound {
				return nil // what does not exist is not bound
			}
			return err
		}
		b := x.findBinding(to, key, args)
		if b == nil {
			return nil
		}
		if err := ch.mayChange(to); err != nil {
			return err
		}
		v.dropBinding(b)
		return nil
	})
}

// mayChange checks that a binding's destination is no queue of another connection.
func (ch *Channel) mayChange(to *target) error {
	if to.queue == nil {
		return nil
	}
	return to.queue.checkOwner(ch.conn)
}
