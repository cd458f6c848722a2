package broker

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"harelab/engine/exchange"
	"harelab/engine/internal/nametable"
	"harelab/engine/settings"
	"harelab/engine/wire"
)

// A VHost is a virtual host: a name space of exchanges and queues. Any number of
// goroutines may call its methods.
type VHost struct {
	broker *Broker
	name   string
	order  uint64 // order in which virtual hosts were added

	// Read without a lock, written under mu.
	exchanges nametable.Table[*Exchange]
	queues    nametable.Table[*Queue]
	replies   nametable.Table[*Channel] // requesters, by the names that stand for them

	defaultExchange *Exchange

	mu           vhostMutex
	metadata     Metadata
	seq          uint64 // number of declarations, bindings and connections so far
	allExchanges map[*Exchange]struct{}
	allQueues    map[*Queue]struct{}
	conns        map[*Conn]struct{}
	policies     settings.Policies
	limits       VHostLimits
	entering     int // number of connections that were admitted and are not in conns yet

	policyChange policyMutex // held while policies change, until they apply to all queues and exchanges
}

// Name returns the virtual host's name.
func (v *VHost) Name() string { return v.name }

// newVHost returns a virtual host with the predeclared exchanges.
func newVHost(b *Broker, name string) *VHost {
	v := &VHost{
		broker:       b,
		name:         name,
		allExchanges: make(map[*Exchange]struct{}),
		allQueues:    make(map[*Queue]struct{}),
		conns:        make(map[*Conn]struct{}),
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, x := range []struct {
		name, kind string
		internal   bool
	}{
		{"", "direct", false},
		{"amq.direct", "direct", false},
		{"amq.fanout", "fanout", false},
		{"amq.headers", "headers", false},
		{"amq.match", "headers", false},
		{"amq.rabbitmq.trace", "topic", true},
		{"amq.topic", "topic", false},
	} {
		made, err := v.addExchange(ExchangeSpec{Name: x.name, Type: x.kind, Durable: true, Internal: x.internal})
		if err != nil {
			panic(err) // unreachable: the types exist and there are no arguments
		}
		if x.name == "" {
			made.isDefault = true
			v.defaultExchange = made
		}
	}
	return v
}

// addExchange makes an exchange. None of its name exists. The virtual host is locked.
func (v *VHost) addExchange(spec ExchangeSpec) (*Exchange, error) {
	kind, err := exchange.Lookup(spec.Type)
	if err != nil {
		return nil, refuse(wire.CommandInvalid, "unknown exchange type '%s'", spec.Type)
	}
	routes := kind
	if kind.CheckDeclare != nil {
		if refusal := kind.CheckDeclare(spec.Arguments); refusal != "" {
			return nil, refuse(wire.PreconditionFailed, "%s", refusal)
		}
	}
	if kind.Inner != nil {
		routes, _ = kind.Inner(spec.Arguments)
	}
	s, err := settings.ForExchange(routes.Name, spec.Arguments, v.policies.ForExchange(spec.Name), v.broker.defaults, v.exchangeResource(spec.Name))
	if err != nil {
		return nil, unmet(err)
	}
	v.seq++
	x := &Exchange{
		vhost:      v,
		name:       spec.Name,
		seq:        v.seq,
		kind:       kind,
		routes:     routes,
		durable:    spec.Durable,
		autoDelete: spec.AutoDelete,
		internal:   spec.Internal,
		args:       spec.Arguments,
	}
	if kind.Inner != nil {
		x.delays = &delays{exchange: x}
	}
	if kind.Remembers {
		x.history = newHistory(x)
	}
	router := routes.New(x.config(s))
	x.router.Store(&router)
	x.settings.Store(s)
	x.target.exchange = x
	v.allExchanges[x] = struct{}{}
	v.exchanges.Set(x.name, x)
	return x, nil
}

// config returns the configuration of the exchange's router.
func (x *Exchange) config(s *settings.Exchange) exchange.Config {
	return exchange.Config{Matcher: s.Matcher, Arguments: x.args, Seed: x.vhost.broker.seed ^ x.seq}
}

// removeExchange deletes an exchange with its bindings, and the exchanges that are
// auto-deleted with their last binding. The virtual host is locked.
func (v *VHost) removeExchange(x *Exchange) {
	if x.deleted.Swap(true) {
		return
	}
	v.exchanges.Delete(x.name)
	delete(v.allExchanges, x)
	for _, b := range x.sortedOutgoing() {
		b.unbind()
		v.forgetBinding(b)
	}
	v.dropBindings(x.bindings)
	x.closeKept()
	v.forgetExchange(x) // after its bindings: what a crash leaves has no binding without both ends
}

// dropBindings removes the bindings to a destination that is gone, and the auto-delete
// exchanges that lose their last binding.
func (v *VHost) dropBindings(b *binding) {
	for b != nil {
		next := b.next
		v.dropBinding(b)
		b = next
	}
}

func (v *VHost) dropBinding(b *binding) {
	b.unbind()
	v.forgetBinding(b)
	if x := b.source; x.autoDelete && len(x.outgoing) == 0 {
		v.removeExchange(x)
	}
}

// sortedOutgoing returns the bindings of a source in order of creation.
func (x *Exchange) sortedOutgoing() []*binding {
	all := make([]*binding, 0, len(x.outgoing))
	for _, b := range x.outgoing {
		for ; b != nil; b = b.variant {
			all = append(all, b)
		}
	}
	slices.SortFunc(all, func(a, b *binding) int { return cmp.Compare(a.seq, b.seq) })
	return all
}

// sortedQueues returns the queues in order of declaration.
func (v *VHost) sortedQueues() []*Queue {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.SortedFunc(maps.Keys(v.allQueues), bySeq)
}

func bySeq(a, b *Queue) int { return cmp.Compare(a.seq, b.seq) }

// sortedExchanges returns the exchanges in order of declaration. The virtual host is
// locked.
func (v *VHost) sortedExchanges() []*Exchange {
	return slices.SortedFunc(maps.Keys(v.allExchanges), func(a, b *Exchange) int { return cmp.Compare(a.seq, b.seq) })
}

// queueResource and exchangeResource are what errors call queues and exchanges.
func (v *VHost) queueResource(name string) settings.Resource {
	return settings.Resource{Kind: "queue", Name: name, VHost: v.name}
}

func (v *VHost) exchangeResource(name string) settings.Resource {
	return settings.Resource{Kind: "exchange", Name: name, VHost: v.name}
}

func (v *VHost) noQueue(name string) error {
	return refuse(wire.NotFound, "no %s", v.queueResource(name))
}

func (v *VHost) noExchange(name string) error {
	return refuse(wire.NotFound, "no %s", v.exchangeResource(name))
}

// lineEnds removes line ends from names that are declared, deleted or bound
// (rabbit_channel, strip_cr_lf/1).
var lineEnds = strings.NewReplacer("\n", "", "\r", "")

// reserved reports whether a name is reserved for the broker.
func reserved(name string) bool { return strings.HasPrefix(name, "amq.") }

// endConns calls Ended of the connections that which chooses; nil: all.
func (v *VHost) endConns(reason error, which func(*Conn) bool) {
	v.mu.Lock()
	conns := v.sortedConns()
	v.mu.Unlock()
	for _, c := range conns {
		if c.opts.Ended != nil && (which == nil || which(c)) {
			c.opts.Ended(reason)
		}
	}
}

// sortedConns returns the connections in order of connecting. The virtual host is locked.
func (v *VHost) sortedConns() []*Conn {
	return slices.SortedFunc(maps.Keys(v.conns), func(a, b *Conn) int { return cmp.Compare(a.seq, b.seq) })
}
