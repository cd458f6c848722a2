package broker

import (
	"sync/atomic"

	"harelab/engine/exchange"
	"harelab/engine/settings"
	"harelab/engine/topic"
	"harelab/engine/wire"
)

// An Exchange is an exchange of a virtual host: the router of its type, the destinations
// that the router's numbers stand for, and its bindings.
type Exchange struct {
	vhost      *VHost
	name       string
	seq        uint64 // order of declaration
	kind       exchange.Type
	routes     exchange.Type // the inner type of kind, or kind itself
	delays     *delays       // nil: the type does not delay
	history    *history      // nil: the type does not remember
	durable    bool
	autoDelete bool
	internal   bool
	isDefault  bool
	args       wire.Table
	settings   atomic.Pointer[settings.Exchange] // written under the virtual host's lock
	target     target
	deleted    atomic.Bool

	router atomic.Pointer[exchange.Exchange] // written under the virtual host's lock
	dests  destinations

	// Under the virtual host's lock.
	outgoing map[bindingKey]*binding // bindings whose source is this exchange
	bindings *binding                // list of bindings whose destination is this exchange
}

// A target is what a message can be routed to: a queue or an exchange.
type target struct {
	queue    *Queue
	exchange *Exchange
}

// destinations maps targets to the numbers that routers use. A number is reused when its
// target has no more bindings. A reader routes, looks the numbers up, and starts over if a
// number was reused meanwhile.
type destinations struct {
	slots  atomic.Pointer[[]atomic.Pointer[target]]
	reused atomic.Uint64 // number of reuses; it rises before a number gets its new target

	// Under the virtual host's lock.
	numbers map[*target]*destination
	free    []topic.Dest
}

type destination struct {
	dest     topic.Dest
	bindings int // number of bindings to the target
}

// number counts one more binding to a target and returns the target's number. A target
// without a number gets one.
func (d *destinations) number(to *target) topic.Dest {
	if known := d.numbers[to]; known != nil {
		known.bindings++
		return known.dest
	}
	if d.numbers == nil {
		d.numbers = make(map[*target]*destination)
	}
	var n topic.Dest
	if last := len(d.free) - 1; last >= 0 {
		n = d.free[last]
		d.free = d.free[:last]
		d.reused.Add(1)
	} else {
		n = topic.Dest(len(d.numbers))
		d.reserve(int(n))
	}
	(*d.slots.Load())[n].Store(to)
	d.numbers[to] = &destination{dest: n, bindings: 1}
	return n
}

// reserve makes room for number n.
func (d *destinations) reserve(n int) {
	old := d.slots.Load()
	if old != nil && n < len(*old) {
		return
	}
	size := 4
	if old != nil {
		size = 2 * len(*old)
	}
	larger := make([]atomic.Pointer[target], size)
	if old != nil {
		for i := range *old {
			larger[i].Store((*old)[i].Load())
		}
	}
	d.slots.Store(&larger)
}

// release counts one binding less. With the last one the target loses its number.
func (d *destinations) release(to *target) {
	known := d.numbers[to]
	if known.bindings--; known.bindings > 0 {
		return
	}
	delete(d.numbers, to)
	(*d.slots.Load())[known.dest].Store(nil)
	d.free = append(d.free, known.dest)
}

// route visits each target that the message has under one routing key, and reports whether
// there is at least one. It takes no lock.
func (x *Exchange) route(op *operation, key []byte) bool {
	op.message.RoutingKey, op.message.Headers = key, op.headers
	for {
		reused := x.dests.reused.Load()
		op.dests = (*x.router.Load()).Route(op.dests[:0], &op.message)
		if len(op.dests) == 0 {
			return false
		}
		op.targets = op.targets[:0]
		slots := *x.dests.slots.Load()
		for _, d := range op.dests {
			if to := slots[d].Load(); to != nil {
				op.targets = append(op.targets, to)
			}
		}
		if x.dests.reused.Load() == reused {
			break
		}
	}
	for _, to := range op.targets {
		op.visit(to)
	}
	return len(op.targets) > 0
}
