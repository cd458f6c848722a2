package settings

import (
	"harelab/engine/topic"
	"harelab/engine/wire"
)

// Exchange holds the settings of an exchange.
type Exchange struct {
	Matcher   topic.Strategy // of a topic exchange; the zero value for others
	Alternate string         // exchange for messages that match no binding; empty: none
}

// The arguments of exchange.declare that the broker uses.
const (
	alternateArgument = "alternate-exchange"
	matcherArgument   = "x-matcher"
)

// ForExchange checks the arguments of an exchange of a type and returns its settings.
// Its errors are texts like RabbitMQ's, which call the exchange resource.
func ForExchange(exchangeType string, args wire.Table, d Defaults, resource Resource) (Exchange, error) {
	var x Exchange
	if v, ok := args.Get(alternateArgument); ok {
		x.Alternate, _ = v.(string)
	}
	if exchangeType != "topic" {
		return x, nil
	}
	x.Matcher = d.Matcher
	v, ok := args.Get(matcherArgument)
	if !ok {
		return x, nil
	}
	name, ok := v.(string)
	if !ok {
		return Exchange{}, invalidArgument(matcherArgument, resource, unacceptable(v))
	}
	var err error
	if x.Matcher, err = topic.Lookup(name); err != nil {
		return Exchange{}, invalidArgument(matcherArgument, resource, err.Error())
	}
	return x, nil
}
