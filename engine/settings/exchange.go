package settings

import (
	"strings"

	"harelab/engine/topic"
	"harelab/engine/wire"
)

// Exchange holds the settings of an exchange.
type Exchange struct {
	Matcher   topic.Strategy // of a topic exchange; the zero value for others
	Alternate string         // exchange for messages that match no binding; empty: none
	Policies  *Applied       // the policies that these settings are made of; nil: none
}

// The arguments of exchange.declare that the broker uses.
const (
	alternateArgument = "alternate-exchange"
	matcherArgument   = "x-matcher"
)

// ForExchange checks the arguments of an exchange of a type and returns its settings,
// with those of its policies, which may be nil. What an argument sets, no policy changes
// (rabbit_policy, get_arg/3). Its errors are texts like RabbitMQ's about the arguments,
// which call the exchange resource.
func ForExchange(exchangeType string, args wire.Table, policies *Applied, d Defaults, resource Resource) (*Exchange, error) {
	x := &Exchange{Policies: policies}
	definition := policies.Settings()
	v, ok := args.Get(alternateArgument)
	if !ok {
		v, _ = definition.Get(alternateArgument)
	}
	x.Alternate, _ = v.(string)
	if exchangeType != "topic" {
		return x, nil
	}
	x.Matcher = d.Matcher
	if v, ok = args.Get(matcherArgument); !ok {
		v, ok = definition.Get(strings.TrimPrefix(matcherArgument, "x-"))
	}
	if !ok {
		return x, nil
	}
	name, ok := v.(string)
	if !ok {
		return nil, invalidArgument(matcherArgument, resource, unacceptable(v))
	}
	var err error
	if x.Matcher, err = topic.Lookup(name); err != nil {
		return nil, invalidArgument(matcherArgument, resource, err.Error())
	}
	return x, nil
}
