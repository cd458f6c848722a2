package broker

import (
	"harelab/engine/auth"
	"harelab/engine/exchange"
	"harelab/engine/settings"
	"harelab/engine/wire"
)

var errDefaultExchange = refuse(wire.AccessRefused, "operation not permitted on the default exchange")

// An ExchangeSpec says what exchange is wanted.
type ExchangeSpec struct {
	Name       string
	Type       string // as listed by exchange.Types
	Passive    bool   // only check that it exists; what follows does not count
	Durable    bool
	AutoDelete bool // deleted with its last binding
	Internal   bool // gets messages from other exchanges only
	Arguments  wire.Table
}

// DeclareExchange makes an exchange or, if spec is passive, checks that it exists.
// Arguments: alternate-exchange, x-matcher (of topic exchanges).
//
// Errors: 403 for reserved names and missing permissions, 404 if passive and not
// there, 406 if it is there with other properties, 503 for an unknown type,
// 541 if the exchange is durable and the store has failed.
func (s *Session) DeclareExchange(spec ExchangeSpec) error {
	v := s.vhost
	spec.Name = lineEnds.Replace(spec.Name)
	if _, err := exchange.Lookup(spec.Type); err != nil && !spec.Passive {
		return noType(spec.Type)
	}
	if spec.Name == "" {
		return errDefaultExchange
	}
	if spec.Passive {
		if _, ok := v.exchanges.GetString(spec.Name); !ok {
			return v.noExchange(spec.Name)
		}
		return nil
	}
	if err := s.may(auth.Configure, spec.Name, v.exchangeName); err != nil {
		return err
	}
	return s.change(func() (durable bool, err error) {
		if x, ok := v.exchanges.GetString(spec.Name); ok {
			return x.durable, x.checkEquivalent(&spec)
		}
		if reserved(spec.Name) {
			return false, refuse(wire.AccessRefused, "exchange name '%s' contains reserved prefix 'amq.*'", spec.Name)
		}
		if err := s.checkExchangeArgument("alternate-exchange", spec.Arguments, spec.Name, v.exchangeName); err != nil {
			return false, err
		}
		if err := v.broker.mayStore(spec.Durable); err != nil {
			return false, err
		}
		x, err := v.addExchange(spec)
		if err == nil {
			v.storeExchange(x)
		}
		return spec.Durable, err
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
	return refuse(wire.CommandInvalid, "%s exchange type '%s'", adjective, name)
}

// checkEquivalent compares a declaration with the exchange that is there.
func (x *Exchange) checkEquivalent(spec *ExchangeSpec) error {
	resource := x.vhost.exchangeName(x.name)
	for _, f := range []struct {
		name          string
		current, want any
	}{
		{"type", x.kind.Name, spec.Type},
		{"durable", x.durable, spec.Durable},
		{"auto_delete", x.autoDelete, spec.AutoDelete},
		{"internal", x.internal, spec.Internal},
	} {
		if f.current != f.want {
			return unmet(settings.Inequivalent(f.name, resource, f.want, f.current))
		}
	}
	return unmet(settings.CheckExchangeAgain(x.args, spec.Arguments, resource))
}
