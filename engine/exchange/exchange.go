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
// Others choose one destination of a message: x-consistent-hash and x-modulus-hash by a
// hash, x-random by chance. x-recent-history and x-delayed-message are the broker's work
// for the most part.
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
	// and returns the extended slice. It keeps none of its arguments and, when dst has
	// room, does not allocate.
	Route(dst []topic.Dest, m *Message) []topic.Dest
}

// A Message is what exchanges see of a message.
type Message struct {
	RoutingKey []byte
	Headers    []byte // encoded table, as [wire.TableLookup] takes it; nil: none
	Properties []byte // encoded property list, as [wire.ParseProperties] takes it; nil: none
}

// A Type is a type of exchange.
type Type struct {
	Name string // as in exchange.declare
	Doc  string // one line

	// ByArguments says that arguments tell bindings apart. Otherwise bindings
	// with the same key and destination are one for Exchange.
	ByArguments bool

	// Once says that a message has one route, whatever further routing keys it has (CC
	// and BCC).
	Once bool

	// Remembers says that the exchange gives its latest messages to each new
	// destination, at most as many as [HistoryLength] says. The broker does that.
	Remembers bool

	// Inner, if not nil, says that the exchange holds messages back as their headers
	// ask ([Delay]), which the broker does, and then routes them as the type that Inner
	// returns. CheckDeclare refuses arguments for which there is none.
	Inner func(args wire.Table) (t Type, ok bool)

	// CheckDeclare and Check, if not nil, check the arguments of an exchange and a
	// binding. They return the text of the failed precondition that the client gets, or
	// "".
	CheckDeclare func(args wire.Table) (refusal string)
	Check        func(bindingKey string, args wire.Table) (refusal string)

	// New returns an exchange without bindings.
	New func(Config) Exchange
}

// Config holds the settings of a new exchange.
type Config struct {
	Matcher   topic.Strategy // of topic exchanges
	Arguments wire.Table     // of the exchange; CheckDeclare accepts them
	Seed      uint64         // of random choices
}

var types = registry.New[Type]("exchange", "type")

// Register makes a type available under t.Name. It is called from init functions
// and panics if the name is taken.
func Register(t Type) { types.Add(t.Name, t) }

// Types returns the registered types in the order of their names.
func Types() []Type { return types.All() }

// Lookup returns the type registered under name. Its error lists those there are.
func Lookup(name string) (Type, error) { return types.Get(name) }
