package broker

import (
	"slices"

	"harelab/engine/wire"
)

// route sets op.queues to the queues that a message goes to, each once. It reads the
// message's routing keys from op.keys and its headers from op.headers. It takes no lock.
//
// Each exchange routes the message once, so that cycles of bindings and of alternate
// exchanges end. An alternate exchange gets the messages for which its exchange finds no
// destination (rabbit_exchange, route/2). Exchanges that keep the message are noted in
// op.keeping.
func (op *operation) route(x *Exchange) {
	op.queues, op.keeping = op.queues[:0], op.keeping[:0]
	if len(op.seen) > 0 {
		clear(op.seen)
	}
	op.exchanges = append(op.exchanges[:0], x)
	for i := 0; i < len(op.exchanges); i++ { // the loop appends to exchanges
		x := op.exchanges[i]
		keys := op.keys
		if x.delays != nil || x.history != nil || x.routes.Once {
			if op.meet(x) {
				continue
			}
			if x.routes.Once {
				keys = keys[:1]
			}
		}
		op.unique = i == 0 && len(keys) == 1
		found := false
		for _, key := range keys {
			if x.isDefault {
				found = op.routeToName(x.vhost, key) || found
			} else {
				found = x.route(op, key) || found
			}
		}
		if op.unique = false; !found {
			if alternate, ok := x.alternate(); ok {
				op.visit(&alternate.target)
			}
		}
	}
}

// alternate returns the exchange for messages without a destination.
func (x *Exchange) alternate() (*Exchange, bool) {
	name := x.settings.Load().Alternate
	if name == "" {
		return nil, false
	}
	return x.vhost.exchanges.GetString(name)
}

// routeToName routes as the default exchange does: to the queue whose name is the key.
func (op *operation) routeToName(v *VHost, key []byte) bool {
	q, ok := v.queues.Get(key)
	if ok {
		op.visit(&q.target)
	}
	return ok
}

// visit adds a target to those of the message, unless it is among them.
func (op *operation) visit(to *target) {
	switch {
	case !op.unique && op.visited(to):
	case to.queue != nil:
		op.queues = append(op.queues, to.queue)
	default:
		op.exchanges = append(op.exchanges, to.exchange)
	}
}

// scanLimit is the number of targets up to which a scan finds duplicates. Beyond it a map
// does.
const scanLimit = 32

// visited reports whether a target is among those of the message. If it is not, the
// caller adds it.
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

// setKeys sets op.keys to the message's own routing key and those of the headers CC and
// BCC in op.headers. These must be arrays; elements other than long strings are ignored
// (rabbit_basic, header_routes/1). setKeys reports whether there is a BCC, which no
// consumer may see, and sets op.hidden to its keys.
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
