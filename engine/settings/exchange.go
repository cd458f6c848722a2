package settings

import (
	"harelab/engine/topic"
	"harelab/engine/wire"
)

// Exchange is what holds for an exchange.
type Exchange struct {
	Matcher   topic.Strategy // of topic exchanges; the zero value for others
	Alternate string         // exchange for what is routed nowhere, empty: none
}

// The arguments of exchange.declare that have a meaning here.
const (
	alternateArgument = "alternate-exchange"
	matcherArgument   = "x-matcher"
)

// ForExchange reads the arguments of an exchange of some type. Its errors are texts
// like RabbitMQ's, for the exchange that is called resource in them.
func ForExchange(exchangeType string, args wire.Table, d Defaults, resource string) (Exchange, error) {
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
