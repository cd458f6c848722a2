package broker

import (
	"harelab/engine/auth"
	"harelab/engine/exchange"
	"harelab/engine/settings"
	"harelab/engine/wire"
)

var errDefaultExchange = wire.Errorf(wire.AccessRefused, "operation not permitted on the default exchange")

// ExchangeDeclare makes an exchange or, if m is passive, checks that it exists.
// Arguments: alternate-exchange, x-matcher (of topic exchanges).
//
// Errors: 403 for reserved names and missing permissions, 404 if passive and not
// there, 406 if it is there with other properties, 503 for an unknown type.
func (ch *Channel) ExchangeDeclare(m *wire.ExchangeDeclare) error {
	v := ch.vhost
	m.Exchange = lineEnds.Replace(m.Exchange)
	if _, err := exchange.Lookup(m.Type); err != nil && !m.Passive {
		return noType(m.Type)
	}
	if m.Exchange == "" {
		return errDefaultExchange
	}
	if m.Passive {
		if _, ok := v.exchanges.GetString(m.Exchange); !ok {
			return v.noExchange(m.Exchange)
		}
		return nil
	}
	if err := ch.conn.may(auth.Configure, m.Exchange, v.exchangeName); err != nil {
		return err
	}
	return v.change(func() error {
		if x, ok := v.exchanges.GetString(m.Exchange); ok {
			return x.checkEquivalent(m)
		}
		if reserved(m.Exchange) {
			return wire.Errorf(wire.AccessRefused, "exchange name '%s' contains reserved prefix 'amq.*'", m.Exchange)
		}
		if err := ch.conn.checkExchangeArgument("alternate-exchange", m.Arguments, m.Exchange, v.exchangeName); err != nil {
			return err
		}
		x, err := v.addExchange(m)
		if err == nil {
			v.recordExchange(x)
		}
		return err
	})
}

// noType returns the exception for a type of exchange that there is not. RabbitMQ calls
// one invalid that is the name of something else in it, as nothing is (rabbit_exchange,
// check_type/1).
func noType(name string) error {
	adjective := "unknown"
	if name == "" {
		adjective = "invalid"
	}
	return wire.Errorf(wire.CommandInvalid, "%s exchange type '%s'", adjective, name)
}

// checkEquivalent compares a declaration with the exchange that is there.
func (x *Exchange) checkEquivalent(m *wire.ExchangeDeclare) error {
	resource := x.vhost.exchangeName(x.name)
	for _, f := range []struct {
		name          string
		current, want any
	}{
		{"type", x.kind.Name, m.Type},
		{"durable", x.durable, m.Durable},
		{"auto_delete", x.autoDelete, m.AutoDelete},
		{"internal", x.internal, m.Internal},
	} {
		if f.current != f.want {
			return unmet(settings.Inequivalent(f.name, resource, f.want, f.current))
		}
	}
	return unmet(settings.CheckExchangeAgain(x.args, m.Arguments, resource))
}
