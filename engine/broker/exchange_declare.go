package broker

import (
	"harelab/engine/auth"
	"harelab/engine/exchange"
	"harelab/engine/settings"
	"harelab/engine/wire"
)

var errDefaultExchange = refuse(wire.AccessRefused, "operation not permitted on the default exchange")

// An ExchangeSpec describes the exchange that a declaration asks for.
type ExchangeSpec struct {
	Name       string
	Type       string // a name in exchange.Types
	Passive    bool   // only check that the exchange exists; the fields below are ignored
	Durable    bool
	AutoDelete bool // deleted with its last binding
	Internal   bool // clients may not publish to it; only exchanges route to it
	Arguments  wire.Table
}

// DeclareExchange makes an exchange or, if spec is passive, checks that it exists.
// Arguments: alternate-exchange, x-matcher (of topic exchanges).
//
// Errors: 403 for reserved names and missing permissions, 404 if spec is passive and the
// exchange does not exist, 406 if it exists with other properties, 503 for an unknown
// type, 541 if the exchange is durable and the store has failed.
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
	if err := s.may(auth.Configure, v.exchangeResource(spec.Name)); err != nil {
		return err
	}
	return s.change(func() (durable bool, err error) {
		if x, ok := v.exchanges.GetString(spec.Name); ok {
			return x.durable, x.checkEquivalent(&spec)
		}
		if reserved(spec.Name) && !s.mayReserve() {
			return false, refuse(wire.AccessRefused, "exchange name '%s' contains reserved prefix 'amq.*'", spec.Name)
		}
		if err := s.checkExchangeArgument("alternate-exchange", spec.Arguments, v.exchangeResource(spec.Name)); err != nil {
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

// noType returns the exception for an unknown exchange type. RabbitMQ says "invalid"
// instead of "unknown" if the name is an Erlang atom that exists, as the empty one does
// (rabbit_exchange, check_type/1).
func noType(name string) error {
	adjective := "unknown"
	if name == "" {
		adjective = "invalid"
	}
	return refuse(wire.CommandInvalid, "%s exchange type '%s'", adjective, name)
}

// checkEquivalent refuses a declaration that differs from the existing exchange.
func (x *Exchange) checkEquivalent(spec *ExchangeSpec) error {
	resource := x.vhost.exchangeResource(x.name)
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
