package broker

import (
	"slices"

	"harelab/engine/wire"
)

// route fills op.queues with the queues that a message goes to, each once. op.keys are
// its routing keys, op.headers its headers. It takes no lock.
//
// An exchange that is reached a second time is passed over, so that cycles of
// bindings and of alternate exchanges end. An alternate exchange gets what its
// exchange routes nowhere at all (rabbit_exchange, route/2).
func (op *operation) route(x *Exchange) {
	op.queues = op.queues[:0]
	if len(op.seen) > 0 {
		clear(op.seen)
	}
	op.exchanges = append(op.exchanges[:0], x)
	for i := 0; i < len(op.exchanges); i++ { // grows while it goes
		x := op.exchanges[i]
		op.unique = i == 0 && len(op.keys) == 1
		found := false
		for _, key := range op.keys {
			if x.isDefault {
				found = op.routeToName(x.vhost, key) || found
			} else {
				found = x.route(op, key) || found
			}
		}
		if op.unique = false; !found && x.alternate != "" {
			if alternate, ok := x.vhost.exchanges.GetString(x.alternate); ok {
				op.visit(&alternate.target)
			}
		}
	}
}

// routeToName routes on the default exchange: to the queue called like the key.
func (op *operation) routeToName(v *VHost, key []byte) bool {
	q, ok := v.queues.Get(key)
	if ok {
		op.visit(&q.target)
	}
	return ok
}

// visit notes a target, unless the message has been there.
func (op *operation) visit(to *target) {
	switch {
	case !op.unique && op.visited(to):
	case to.queue != nil:
		op.queues = append(op.queues, to.queue)
	default:
		op.exchanges = append(op.exchanges, to.exchange)
	}
}

// manySeen is how many targets a scan for duplicates is good for. More are sorted
// out by a map.
const scanLimit = 32

// visited reports whether a target has been noted, and if not expects it to be.
func (op *operation) visited(to *target) bool {
	if len(op.queues)+len(op.exchanges) < scanLimit {
		if to.queue != nil {
			return slices.Contains(op.queues, to.queue)
		}
		return slices.Contains(op.exchanges, to.exchange)
	}
	if op.seen == nil {
		op.seen = make(map[*target]struct{})
	}
	if len(op.seen) == 0 {
		for _, q := range op.queues {
			op.seen[&q.target] = struct{}{}
		}
		for _, x := range op.exchanges {
			op.seen[&x.target] = struct{}{}
		}
	}
	_, known := op.seen[to]
	op.seen[to] = struct{}{}
	return known
}

// setKeys sets op.keys: a message's own routing key and those of the headers CC and BCC
// in op.headers, which must be arrays, of long strings where they matter (rabbit_basic,
// header_routes/1). It reports whether there is a BCC, which nobody may see; its keys
// are op.hidden.
func (op *operation) setKeys(key []byte) (bcc bool, err error) {
	op.keys, op.hidden = append(op.keys[:0], key), nil
	if op.headers == nil {
		return false, nil
	}
	for _, name := range [...]string{"CC", "BCC"} {
		v, ok := wire.TableLookup(op.headers, name)
		if !ok {
			continue
		}
		bcc = name == "BCC"
		if v.Type != 'A' {
			return false, refuse(wire.PreconditionFailed, `invalid message: {unacceptable_type_in_header,"%s",%s}`, name, v.TypeName())
		}
		keys, err := v.Any()
		if err != nil {
			return false, err
		}
		first := len(op.keys)
		for _, k := range keys.([]any) {
			if s, ok := k.(string); ok {
				op.keys = append(op.keys, []byte(s))
			}
		}
		if bcc {
			op.hidden = op.keys[first:]
		}
	}
	return bcc, nil
}
