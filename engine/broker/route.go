package broker

import (
	"slices"

	"harelab/engine/wire"
)

// route fills t.queues with the queues that a message goes to, each once. t.keys are
// its routing keys, t.headers its headers. It takes no lock.
//
// An exchange that is reached a second time is passed over, so that cycles of
// bindings and of alternate exchanges end. An alternate exchange gets what its
// exchange routes nowhere at all (rabbit_exchange, route/2).
func (t *turn) route(x *Exchange) {
	t.queues = t.queues[:0]
	if len(t.seen) > 0 {
		clear(t.seen)
	}
	t.exchanges = append(t.exchanges[:0], x)
	for i := 0; i < len(t.exchanges); i++ { // grows while it goes
		x := t.exchanges[i]
		t.unique = i == 0 && len(t.keys) == 1
		found := false
		for _, key := range t.keys {
			if x.isDefault {
				found = t.routeToName(x.vhost, key) || found
			} else {
				found = x.route(t, key) || found
			}
		}
		if t.unique = false; !found && x.alternate != "" {
			if alternate, ok := x.vhost.exchanges.GetString(x.alternate); ok {
				t.visit(&alternate.target)
			}
		}
	}
}

// routeToName routes on the default exchange: to the queue called like the key.
func (t *turn) routeToName(v *VHost, key []byte) bool {
	q, ok := v.queues.Get(key)
	if ok {
		t.visit(&q.target)
	}
	return ok
}

// visit notes a target, unless the message has been there.
func (t *turn) visit(to *target) {
	switch {
	case !t.unique && t.visited(to):
	case to.queue != nil:
		t.queues = append(t.queues, to.queue)
	default:
		t.exchanges = append(t.exchanges, to.exchange)
	}
}

// manySeen is how many targets a scan for duplicates is good for. More are sorted
// out by a map.
const manySeen = 32

// visited reports whether a target has been noted, and if not expects it to be.
func (t *turn) visited(to *target) bool {
	if len(t.queues)+len(t.exchanges) < manySeen {
		if to.queue != nil {
			return slices.Contains(t.queues, to.queue)
		}
		return slices.Contains(t.exchanges, to.exchange)
	}
	if t.seen == nil {
		t.seen = make(map[*target]struct{})
	}
	if len(t.seen) == 0 {
		for _, q := range t.queues {
			t.seen[&q.target] = struct{}{}
		}
		for _, x := range t.exchanges {
			t.seen[&x.target] = struct{}{}
		}
	}
	_, known := t.seen[to]
	t.seen[to] = struct{}{}
	return known
}

// setKeys sets t.keys: a message's own routing key and those of the headers CC and BCC
// in t.headers, which must be arrays, of long strings where they matter (rabbit_basic,
// header_routes/1). It reports whether there is a BCC, which nobody may see; its keys
// are t.hidden.
func (t *turn) setKeys(key []byte) (bcc bool, err error) {
	t.keys, t.hidden = append(t.keys[:0], key), nil
	if t.headers == nil {
		return false, nil
	}
	for _, name := range [...]string{"CC", "BCC"} {
		v, ok := wire.TableLookup(t.headers, name)
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
		first := len(t.keys)
		for _, k := range keys.([]any) {
			if s, ok := k.(string); ok {
				t.keys = append(t.keys, []byte(s))
			}
		}
		if bcc {
			t.hidden = t.keys[first:]
		}
	}
	return bcc, nil
}
