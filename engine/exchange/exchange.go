// Package exchange decides which destinations an exchange sends a message to.
//
// A type of exchange is one file that registers itself under the name that
// exchange.declare uses. In this package a destination is a number: the broker maps
// it to a queue or an exchange, and deals with alternate exchanges and permissions.
//
//	direct   routing key = binding key           one hash lookup
//	fanout   always                              copy of a list
//	topic    routing key matches a pattern       package topic, by strategy
//	headers  headers match the arguments         scan of the bindings
//
// The default exchange is not a type: the broker looks the queue up by its name.
//
// To add a type, copy fanout.go. The suite (exchangetest), the listing and the
// broker take it from [Types].
package exchange

import (
	"harelab/engine/internal/registry"
	"harelab/engine/topic"
	"harelab/engine/wire"
)

// An Exchange holds the bindings of one exchange. One goroutine at a time may call
// Bind and Unbind. Any number may call Route, also during a Bind or Unbind: Route
// takes no lock, and answers with or without the binding that changes.
type Exchange interface {
	// Bind adds a binding. The caller makes sure that the exchange does not have
	// it: two bindings differ in key or destination or, in types ByArguments,
	// arguments.
	Bind(bindingKey string, args wire.Table, d topic.Dest)

	// Unbind removes a binding that Bind added.
	Unbind(bindingKey string, args wire.Table, d topic.Dest)

	// Route appends each destination of a message to dst once, in no set order,
	// and returns the extended slice. headers are an encoded table, as
	// [wire.TableLookup] takes it, or nil. It keeps none of its arguments and, when dst has room, does
	// not allocate.
	Route(dst []topic.Dest, routingKey, headers []byte) []topic.Dest
}

// A Type is a type of exchange.
type Type struct {
	Name string // as in exchange.declare
	Doc  string // one line

	// ByArguments says that arguments tell bindings apart. Otherwise bindings
	// with the same key and destination are one for Exchange.
	ByArguments bool

	// Check, if not nil, checks the arguments of a binding. It returns the text of
	// the failed precondition that the client gets, or "" to accept them.
	Check func(args wire.Table) (refusal string)

	// New returns an exchange without bindings.
	New func(Config) Exchange
}

// Config holds the settings of a new exchange.
type Config struct {
	Matcher topic.Strategy // of topic exchanges
}

var types = registry.New[Type]("exchange", "type")

// Register makes a type available under t.Name. It is called from init functions
// and panics if the name is taken.
func Register(t Type) { types.Add(t.Name, t) }

// Types returns the registered types in the order of their names.
func Types() []Type { return types.All() }

// Lookup returns the type registered under name. Its error lists those there are.
func Lookup(name string) (Type, error) { return types.Get(name) }
