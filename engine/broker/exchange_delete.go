package broker

import (
	"harelab/engine/auth"
	"harelab/engine/wire"
)

// DeleteExchange deletes an exchange with its bindings. One that does not exist is
// no error.
//
// Errors: 403 for system exchanges and missing permissions, 406 with
// ifUnused for an exchange that has bindings, 541 if it is durable and the store has
// failed.
func (s *Session) DeleteExchange(name string, ifUnused bool) error {
	v := s.vhost
	name = lineEnds.Replace(name)
	switch {
	case name == "":
		return errDefaultExchange
	case reserved(name):
		return refuse(wire.AccessRefused, "deletion of system %s not allowed", v.exchangeName(name))
	}
	if err := s.may(auth.Configure, name, v.exchangeName); err != nil {
		return err
	}
	return s.change(func() (durable bool, err error) {
		x, ok := v.exchanges.GetString(name)
		if !ok {
			return false, nil
		}
		if ifUnused && len(x.outgoing) > 0 {
			return false, refuse(wire.PreconditionFailed, "%s in use", v.exchangeName(x.name))
		}
		if err := v.broker.mayStore(x.durable); err != nil {
			return false, err
		}
		v.removeExchange(x)
		return x.durable, nil
	})
}
