package broker

import (
	"harelab/engine/auth"
	"harelab/engine/wire"
)

// DeleteExchange deletes an exchange with its bindings. It is no error if the exchange
// does not exist. With ifUnused an exchange that is the source of bindings stays.
//
// Errors: 403 for system exchanges and missing permissions, 406 with ifUnused for an
// exchange that is in use, 541 if the exchange is durable and the store has failed.
func (s *Session) DeleteExchange(name string, ifUnused bool) error {
	v := s.vhost
	name = lineEnds.Replace(name)
	switch {
	case name == "":
		return errDefaultExchange
	case reserved(name):
		return refuse(wire.AccessRefused, "deletion of system %s not allowed", v.exchangeResource(name))
	}
	if err := s.may(auth.Configure, v.exchangeResource(name)); err != nil {
		return err
	}
	return s.change(func() (durable bool, err error) {
		x, ok := v.exchanges.GetString(name)
		if !ok {
			return false, nil
		}
		if ifUnused && len(x.outgoing) > 0 {
			return false, refuse(wire.PreconditionFailed, "%s in use", v.exchangeResource(x.name))
		}
		if err := v.broker.mayStore(x.durable); err != nil {
			return false, err
		}
		v.removeExchange(x)
		return x.durable, nil
	})
}
