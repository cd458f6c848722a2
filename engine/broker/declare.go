package broker

import "harelab/engine/wire"

// ExchangeDeclare makes an exchange or, if m is passive, checks that it exists.
// Arguments: alternate-exchange, x-matcher (of topic exchanges).
//
// Errors: 403 for reserved names and missing permissions, 404 if passive and not
// there, 406 if it is there with other properties, 503 for an unknown type.
func (ch *Channel) ExchangeDeclare(m *wire.ExchangeDeclare) error { return nil }

// ExchangeDelete deletes an exchange with its bindings. One that does not exist is
// no error.
//
// Errors: 403 for system exchanges and missing permissions, 406 if m is IfUnused
// and the exchange has bindings.
func (ch *Channel) ExchangeDelete(m *wire.ExchangeDelete) error { return nil }

// ExchangeBind has an exchange get what a source exchange routes to it.
//
// Errors: 403 for the default exchange and missing permissions, 404.
func (ch *Channel) ExchangeBind(m *wire.ExchangeBind) error { return nil }

// ExchangeUnbind undoes ExchangeBind. A binding that does not exist is no error.
func (ch *Channel) ExchangeUnbind(m *wire.ExchangeUnbind) error { return nil }

// QueueDeclare makes a queue or, if m is passive, checks that it exists. It returns
// the queue's name, which is made up if m has none, and how many ready messages and
// consumers it has.
//
// Errors: 403 for reserved names and missing permissions, 404 if passive and not
// there, 405 if it belongs to another connection, 406 if it is there with other
// properties and for bad arguments.
func (ch *Channel) QueueDeclare(m *wire.QueueDeclare) (name string, messages, consumers int, err error) {
	return "", 0, 0, nil
}

// QueueBind binds a queue to an exchange. An empty queue name is the one that the
// channel declared last.
//
// Errors: 403 for the default exchange and missing permissions, 404, 406 for
// arguments that the exchange's type does not understand.
func (ch *Channel) QueueBind(m *wire.QueueBind) error { return nil }

// QueueUnbind undoes QueueBind. A binding that does not exist is no error.
func (ch *Channel) QueueUnbind(m *wire.QueueUnbind) error { return nil }

// QueuePurge drops a queue's ready messages and returns how many there were.
//
// Errors: 403, 404, 405.
func (ch *Channel) QueuePurge(m *wire.QueuePurge) (messages int, err error) { return 0, nil }

// QueueDelete deletes a queue and returns how many ready messages it had. One that
// does not exist is no error.
//
// Errors: 403, 405, 406 if m is IfUnused or IfEmpty and it is not.
func (ch *Channel) QueueDelete(m *wire.QueueDelete) (messages int, err error) { return 0, nil }
