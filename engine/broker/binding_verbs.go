package broker

import (
	"harelab/engine/auth"
	"harelab/engine/wire"
)

// A BindingSpec describes a binding from a source exchange to a destination.
type BindingSpec struct {
	Source      string
	Destination string
	ToExchange  bool // the destination is an exchange, not a queue
	RoutingKey  string
	Arguments   wire.Table
}

// named returns the binding with line ends taken out of its names.
func (b BindingSpec) named() BindingSpec {
	b.Source, b.Destination = lineEnds.Replace(b.Source), lineEnds.Replace(b.Destination)
	return b
}

// Bind adds a binding, so that the destination gets the messages that the source routes
// to it. It is no error if the binding exists.
//
// Errors: 403 for the default exchange and missing permissions, 404, 405 for a queue of
// another connection, 406 for arguments that the source's type does not understand, 541 if both
// ends are durable and the store has failed.
func (s *Session) Bind(spec BindingSpec) error {
	spec = spec.named()
	if err := s.mayBind(spec); err != nil {
		return err
	}
	v := s.vhost
	var replay *history // of the source, for a new binding
	var to *target
	err := s.change(func() (durable bool, err error) {
		var x *Exchange
		if x, to, err = v.endpoints(spec); err != nil {
			return false, err
		}
		if check := x.routes.Check; check != nil {
			if refusal := check(spec.RoutingKey, spec.Arguments); refusal != "" {
				return false, refuse(wire.PreconditionFailed, "%s", refusal)
			}
		}
		if err := s.mayChange(to); err != nil {
			return false, err
		}
		durable = durableBinding(x, to)
		if err := v.broker.mayStore(durable); err != nil {
			return false, err
		}
		if b := v.bind(x, to, spec.RoutingKey, spec.Arguments); b != nil {
			v.storeBinding(b)
			replay = x.history
		}
		return durable, nil
	})
	if err == nil && replay != nil {
		replay.replay(s.begin(), to)
		s.end()
	}
	return err
}

// Unbind removes a binding. It is no error if the binding does not exist.
//
// Errors: 403, 405, 541 if the binding is durable and the store has failed.
func (s *Session) Unbind(spec BindingSpec) error {
	spec = spec.named()
	if err := s.mayBind(spec); err != nil {
		return err
	}
	v := s.vhost
	return s.change(func() (durable bool, err error) {
		x, to, err := v.endpoints(spec)
		if err != nil {
			return false, nil // without both ends there is no binding
		}
		b := x.findBinding(to, spec.RoutingKey, spec.Arguments)
		if b == nil {
			return false, nil
		}
		if err := s.mayChange(to); err != nil {
			return false, err
		}
		if err := v.broker.mayStore(b.durable()); err != nil {
			return false, err
		}
		v.dropBinding(b)
		return b.durable(), nil
	})
}

// mayBind makes the checks that binding and unbinding share.
func (s *Session) mayBind(spec BindingSpec) error {
	v := s.vhost
	destination := v.queueResource(spec.Destination)
	if spec.ToExchange {
		destination = v.exchangeResource(spec.Destination)
	}
	if err := s.may(auth.Write, destination); err != nil {
		return err
	}
	if spec.Source == "" || spec.ToExchange && spec.Destination == "" {
		return errDefaultExchange
	}
	if err := s.may(auth.Read, v.exchangeResource(spec.Source)); err != nil {
		return err
	}
	if x, ok := v.exchanges.GetString(spec.Source); ok {
		return s.mayRoute(auth.Read, x, s.topics(x), []byte(spec.RoutingKey))
	}
	return nil
}

// endpoints returns the source and the destination of a binding, or 404. The virtual host
// is locked.
func (v *VHost) endpoints(spec BindingSpec) (x *Exchange, to *target, err error) {
	x, ok := v.exchanges.GetString(spec.Source)
	if !ok {
		return nil, nil, v.noExchange(spec.Source)
	}
	if spec.ToExchange {
		d, ok := v.exchanges.GetString(spec.Destination)
		if !ok {
			return nil, nil, v.noExchange(spec.Destination)
		}
		return x, &d.target, nil
	}
	q, ok := v.queues.GetString(spec.Destination)
	if !ok {
		return nil, nil, v.noQueue(spec.Destination)
	}
	return x, &q.target, nil
}

// mayChange refuses a destination that is another connection's exclusive queue.
func (s *Session) mayChange(to *target) error {
	if to.queue == nil {
		return nil
	}
	return to.queue.checkOwner(s.conn)
}
