// Package definitions reads and writes RabbitMQ's definitions files: users, virtual hosts,
// permissions, parameters, policies, queues, exchanges and bindings of a broker in JSON, as
// rabbitmqctl export_definitions and the management API write them.
//
// [Parse] checks the form, [Definitions.Check] finds out against a broker what would change,
// [Definitions.Apply] does it, all or nothing, and [Export] writes what a broker has. No
// message is part of it.
//
// A file is read strictly, since a key that nobody reads is a setting that silently does
// not hold. But all that RabbitMQ 3.10 writes is understood: both forms of the file (see
// [Definitions.In]), tags as text or list, and pairs in lists in place of objects.
package definitions

import (
	"encoding/json"
	"fmt"
	"strings"

	"harelab/engine/auth"
	"harelab/engine/broker"
	"harelab/engine/wire"
)

// Definitions are what a file defines, each kind in the order of the file. The errors of
// Check and Apply name an entry by its kind and its index, as in queues[3].
type Definitions struct {
	Users            []User
	VHosts           []VHost
	Permissions      []auth.Grant
	TopicPermissions []auth.TopicGrant
	GlobalParameters []GlobalParameter
	Policies         []Policy
	Parameters       []Parameter
	Exchanges        []Exchange
	Queues           []Queue
	Bindings         []Binding
}

// A User is a user with the hash of its password.
type User struct {
	Name   string
	Hash   auth.Hash // the zero Hash: it cannot log in with a password
	Tags   []string
	Limits auth.Limits
}

// A VHost is a virtual host with what people note about it.
type VHost struct {
	Name, Description string
	Tags              []string
	DefaultQueueType  string // empty: classic
}

// A GlobalParameter is a value that the broker keeps for others.
type GlobalParameter struct {
	Name  string
	Value json.RawMessage
}

// A Policy is a policy in a virtual host.
type Policy struct {
	VHost string
	broker.Policy
}

// A Parameter is a value that a part of the broker, the component, reads. There are two of
// them: operator_policy and vhost-limits.
type Parameter struct {
	VHost, Component, Name string
	Operator               broker.Policy // of operator_policy
	Limits                 wire.Table    // of vhost-limits
}

// An Exchange is an exchange as exchange.declare makes it.
type Exchange struct {
	Name, VHost, Type             string
	Durable, AutoDelete, Internal bool
	Arguments                     wire.Table
}

// A Queue is a queue as queue.declare makes it.
type Queue struct {
	Name, VHost         string
	Durable, AutoDelete bool
	Arguments           wire.Table
}

// A Binding leads from an exchange to a queue or, if ToExchange, to an exchange.
type Binding struct {
	Source, VHost, Destination string
	ToExchange                 bool
	RoutingKey                 string
	Arguments                  wire.Table
}

// In returns the definitions with everything that names no virtual host in the given one.
// RabbitMQ's export of a single virtual host names none.
func (d *Definitions) In(vhost string) *Definitions {
	in := *d
	in.Policies = placed(d.Policies, func(p *Policy) *string { return &p.VHost }, vhost)
	in.Parameters = placed(d.Parameters, func(p *Parameter) *string { return &p.VHost }, vhost)
	in.Exchanges = placed(d.Exchanges, func(x *Exchange) *string { return &x.VHost }, vhost)
	in.Queues = placed(d.Queues, func(q *Queue) *string { return &q.VHost }, vhost)
	in.Bindings = placed(d.Bindings, func(b *Binding) *string { return &b.VHost }, vhost)
	return &in
}

// placed returns a copy of a list in which the virtual hosts that are empty are replaced.
func placed[T any](list []T, of func(*T) *string, vhost string) []T {
	list = append([]T(nil), list...)
	for i := range list {
		if v := of(&list[i]); *v == "" {
			*v = vhost
		}
	}
	return list
}

// An Error is one mistake in definitions.
type Error struct {
	Path string // of the entry or value, as in queues[3].arguments.x-max-length; empty: the whole file
	Msg  string
}

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Msg
	}
	return e.Path + ": " + e.Msg
}

// Errors are the mistakes in definitions, in the order in which they were found.
type Errors []*Error

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, mistake := range e {
		lines[i] = mistake.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the mistakes.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, mistake := range e {
		all[i] = mistake
	}
	return all
}

// maxErrors is the greatest number of mistakes that one call reports.
const maxErrors = 20

// note adds a mistake, unless there are many already.
func (e *Errors) note(path, format string, args ...any) {
	if len(*e) < maxErrors {
		*e = append(*e, &Error{path, fmt.Sprintf(format, args...)})
	}
}

// err returns the mistakes as an error, or nil without any.
func (e Errors) err() error {
	if len(e) == 0 {
		return nil
	}
	return e
}
