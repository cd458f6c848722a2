package broker

import (
	"harelab/engine/auth"
	"harelab/engine/wire"
)

// DeleteExchange deletes an exchange with its bindings. One that does not exist is
// no error.
//
// Errors: 403 for system exchanges and missing permissions, 406 with
// ifUnused for an exchange that has bindings.
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
	return v.change(func() error {
		x, ok := v.exchanges.GetString(name)
		if !ok {
			return nil
		}
		if ifUnused && len(x.outgoing) > 0 {
			return refuse(wire.PreconditionFailed, "%s in use", v.exchangeName(x.name))
		}
		v.removeExchange(x)
		return nil
	})
}
