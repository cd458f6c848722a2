package broker

import (
	"harelab/engine/auth"
	"harelab/engine/wire"
)

// ExchangeDelete deletes an exchange with its bindings. One that does not exist is
// no error.
//
// Errors: 403 for system exchanges and missing permissions, 406 if m is IfUnused
// and the exchange has bindings.
func (ch *Channel) ExchangeDelete(m *wire.ExchangeDelete) error {
	v := ch.vhost
	m.Exchange = lineEnds.Replace(m.Exchange)
	switch {
	case m.Exchange == "":
		return errDefaultExchange
	case reserved(m.Exchange):
		return wire.Errorf(wire.AccessRefused, "deletion of system %s not allowed", v.exchangeName(m.Exchange))
	}
	if err := ch.conn.may(auth.Configure, m.Exchange, v.exchangeName); err != nil {
		return err
	}
	return v.change(func() error {
		x, ok := v.exchanges.GetString(m.Exchange)
		if !ok {
			return nil
		}
		if m.IfUnused && len(x.outgoing) > 0 {
			return wire.Errorf(wire.PreconditionFailed, "%s in use", v.exchangeName(x.name))
		}
		v.removeExchange(x)
		return nil
	})
}
