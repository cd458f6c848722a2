package broker

import (
	"slices"
	"strings"

	"harelab/engine/topic"
	"harelab/engine/wire"
)

// A binding routes messages from its source to its destination.
type binding struct {
	seq    uint64 // order of creation
	source *Exchange
	dest   *target
	number topic.Dest
	key    string
	args   wire.Table
	id     string // args in a canonical form; bindings with different ids are different bindings

	variant    *binding // next binding with the same source, destination and key, but other arguments
	next, prev *binding // neighbours in the list of bindings with the same destination
}

// A bindingKey finds, in a source, the bindings that differ only in their arguments.
type bindingKey struct {
	dest *target
	key  string
}

// argumentsID returns the same text for the same arguments in any order.
func argumentsID(args wire.Table) string {
	if len(args) == 0 {
		return ""
	}
	sorted := slices.Clone(args)
	slices.SortStableFunc(sorted, func(a, b wire.Field) int { return strings.Compare(a.Key, b.Key) })
	return string(wire.AppendTable(nil, sorted))
}

// incoming returns the head of the list of bindings to a target.
func (to *target) incoming() **binding {
	if to.queue != nil {
		return &to.queue.bindings
	}
	return &to.exchange.bindings
}

func (to *target) name() string {
	if to.queue != nil {
		return to.queue.name
	}
	return to.exchange.name
}

// bind adds a binding and returns it, or nil if it exists already. The virtual host is
// locked.
func (v *VHost) bind(x *Exchange, to *target, key string, args wire.Table) *binding {
	at := bindingKey{to, key}
	id := argumentsID(args)
	head := x.outgoing[at]
	for b := head; b != nil; b = b.variant {
		if b.id == id {
			return nil
		}
	}
	v.seq++
	b := &binding{seq: v.seq, source: x, dest: to, number: x.dests.number(to), key: key, args: args, id: id, variant: head}
	if head == nil || x.routes.ByArguments {
		(*x.router.Load()).Bind(key, args, b.number)
	}
	if x.outgoing == nil {
		x.outgoing = make(map[bindingKey]*binding)
	}
	x.outgoing[at] = b
	in := to.incoming()
	if b.next = *in; b.next != nil {
		b.next.prev = b
	}
	*in = b
	return b
}

// findBinding returns a binding, or nil. The virtual host is locked.
func (x *Exchange) findBinding(to *target, key string, args wire.Table) *binding {
	id := argumentsID(args)
	b := x.outgoing[bindingKey{to, key}]
	for b != nil && b.id != id {
		b = b.variant
	}
	return b
}

// unbind removes a binding. The virtual host is locked.
func (b *binding) unbind() {
	x, at := b.source, bindingKey{b.dest, b.key}
	if head := x.outgoing[at]; head != b {
		for head.variant != b {
			head = head.variant
		}
		head.variant = b.variant
	} else if b.variant != nil {
		x.outgoing[at] = b.variant
	} else {
		delete(x.outgoing, at)
	}
	if x.outgoing[at] == nil || x.routes.ByArguments {
		(*x.router.Load()).Unbind(b.key, b.args, b.number)
	}
	x.dests.release(b.dest)
	if b.next != nil {
		b.next.prev = b.prev
	}
	if b.prev != nil {
		b.prev.next = b.next
	} else {
		*b.dest.incoming() = b.next
	}
}
