package broker

import (
	"cmp"
	"hash/fnv"
	"slices"
	"strconv"

	"harelab/engine/dispatch"
	"harelab/engine/message"
	"harelab/engine/settings"
	"harelab/engine/wire"
)

// QueueInfo describes a queue in a listing.
type QueueInfo struct {
	Name                           string
	Durable, AutoDelete, Exclusive bool
	Owner                          string // name of the connection that an exclusive queue belongs to
	Arguments                      wire.Table
	Type                           string // classic or quorum
	Dispatch, Order                string // names of strategies
	Ready, Unacked, Consumers      int
	PagedOut                       int    // messages whose octets only a store has
	Bytes                          int64  // octets of the bodies of ready messages
	Memory                         int64  // octets that the queue takes, estimated
	ActiveConsumer                 string // tag of the active consumer; empty: none
	Published, Delivered, Acked    uint64 // messages since the queue was declared
	Redelivered, DeadLettered      uint64
	Policies                       PolicyInfo
	UsedAt                         int64 // last declaration, get or departure of the last consumer, in microseconds of the clock
}

// ExchangeInfo describes an exchange in a listing.
type ExchangeInfo struct {
	Name, Type                    string
	Durable, AutoDelete, Internal bool
	Arguments                     wire.Table
	Matcher                       string // name of a topic exchange's strategy; otherwise empty
	Policies                      PolicyInfo
}

// PolicyInfo says which policies apply to a queue or an exchange.
type PolicyInfo struct {
	Policy, Operator string     // names; empty: none
	Effective        wire.Table // the settings of both; must not be changed
}

func policyInfo(a *settings.Applied) (i PolicyInfo) {
	i.Policy, i.Operator = a.Names()
	i.Effective = a.Settings()
	return i
}

// BindingInfo describes a binding in a listing.
type BindingInfo struct {
	Source, Destination, DestinationType string // the type is queue or exchange
	RoutingKey                           string
	Arguments                            wire.Table
	PropertiesKey                        string // identifies the binding among those with its source and destination
}

// ConsumerInfo describes a consumer in a listing.
type ConsumerInfo struct {
	Queue, Tag, Connection string
	Channel                uint16
	AckRequired            bool
	Exclusive, Active      bool
	Prefetch               uint32 // messages; 0: no limit
	Priority               int32
	Arguments              wire.Table

	joined uint64
}

// ConnInfo describes a connection in a listing.
type ConnInfo struct {
	Name, User, VHost string
	Channels          int
	Blocked           bool  // its publishes wait for resources
	ConnectedAt       int64 // microseconds of the clock
}

// ChannelInfo describes a channel in a listing.
type ChannelInfo struct {
	Connection, User, VHost string
	Number                  uint16
	Consumers, Unacked      int
	Delivered, Acked        uint64 // messages since the channel was opened
}

// Queues lists the queues in the order in which they were declared.
func (v *VHost) Queues() []QueueInfo {
	queues := v.sortedQueues()
	infos := make([]QueueInfo, 0, len(queues))
	for _, q := range queues {
		infos = append(infos, q.info())
	}
	return infos
}

// Queue describes the queue called name. ok is false if there is none.
func (v *VHost) Queue(name string) (info QueueInfo, ok bool) {
	q, ok := v.queues.GetString(name)
	if !ok {
		return QueueInfo{}, false
	}
	return q.info(), true
}

func (q *Queue) info() QueueInfo {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := QueueInfo{
		Name:         q.name,
		Durable:      q.durable,
		AutoDelete:   q.autoDelete,
		Exclusive:    q.owner != nil,
		Arguments:    q.args,
		Type:         "classic",
		Dispatch:     q.settings.Load().Selector.Name,
		Order:        q.settings.Load().Order.Name,
		Ready:        q.machine.Ready(),
		Unacked:      q.machine.Unacked(),
		Consumers:    q.consumerCount(),
		Bytes:        q.machine.Bytes(),
		Published:    q.counts.published,
		Delivered:    q.counts.delivered,
		Acked:        q.counts.acked,
		Redelivered:  q.counts.redelivered,
		DeadLettered: q.counts.deadLettered,
		Policies:     policyInfo(q.settings.Load().Policies),
		UsedAt:       q.usedAt,
	}
	if q.settings.Load().Quorum {
		i.Type = "quorum"
	}
	if q.owner != nil {
		i.Owner = q.owner.opts.Name
	}
	if c := q.machine.Active(); c != dispatch.NoConsumer && int(c) < len(q.consumers) && q.consumers[c] != nil {
		i.ActiveConsumer = q.consumers[c].Tag
	}
	i.Memory = queueBytes + int64(i.Ready+i.Unacked)*messageBytes + i.Bytes
	if q.paged != nil {
		i.PagedOut = q.paged.away
		i.Memory -= int64(i.PagedOut) * (i.Bytes/int64(max(1, i.Ready)) + int64(message.HeadBytes))
	}
	return i
}

// Estimates of the memory that a queue, and each of its messages besides the body, takes,
// in octets.
const (
	queueBytes   = 2048
	messageBytes = int64(message.HeadBytes) + 64 + 32
)

// Exchanges lists the exchanges in the order in which they were declared.
func (v *VHost) Exchanges() []ExchangeInfo {
	v.mu.Lock()
	defer v.mu.Unlock()
	var infos []ExchangeInfo
	for _, x := range v.sortedExchanges() {
		infos = append(infos, ExchangeInfo{
			Name:       x.name,
			Type:       x.kind.Name,
			Durable:    x.durable,
			AutoDelete: x.autoDelete,
			Internal:   x.internal,
			Arguments:  x.args,
			Matcher:    x.settings.Load().Matcher.Name,
			Policies:   policyInfo(x.settings.Load().Policies),
		})
	}
	return infos
}

// Bindings lists the bindings by source, in order of declaration. The bindings of all
// queues to the default exchange come first.
func (v *VHost) Bindings() []BindingInfo {
	queues := v.sortedQueues()
	infos := make([]BindingInfo, 0, len(queues))
	for _, q := range queues {
		infos = append(infos, BindingInfo{Destination: q.name, DestinationType: "queue", RoutingKey: q.name, PropertiesKey: q.name})
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, x := range v.sortedExchanges() {
		for _, b := range x.sortedOutgoing() {
			infos = append(infos, b.info())
		}
	}
	return infos
}

// HasExchange reports whether there is an exchange called name.
func (v *VHost) HasExchange(name string) bool {
	_, ok := v.exchanges.GetString(name)
	return ok
}

// HasBinding reports whether there is such a binding.
func (v *VHost) HasBinding(spec BindingSpec) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	x, to, err := v.endpoints(spec.named())
	return err == nil && x.findBinding(to, spec.RoutingKey, spec.Arguments) != nil
}

func (b *binding) info() BindingInfo {
	i := BindingInfo{
		Source:          b.source.name,
		Destination:     b.dest.name(),
		DestinationType: "queue",
		RoutingKey:      b.key,
		Arguments:       b.args,
		PropertiesKey:   cmp.Or(b.key, "~"),
	}
	if b.dest.exchange != nil {
		i.DestinationType = "exchange"
	}
	if b.id != "" {
		sum := fnv.New64a()
		sum.Write([]byte(b.id))
		i.PropertiesKey = b.key + "~" + strconv.FormatUint(sum.Sum64(), 36)
	}
	return i
}

// Consumers lists the consumers by queue, in order of declaration and subscription.
func (v *VHost) Consumers() []ConsumerInfo {
	var infos []ConsumerInfo
	for _, q := range v.sortedQueues() {
		infos = q.consumerInfos(infos)
	}
	return infos
}

func (q *Queue) consumerInfos(infos []ConsumerInfo) []ConsumerInfo {
	q.mu.Lock()
	defer q.mu.Unlock()
	first := len(infos)
	for _, c := range q.consumers {
		if c == nil {
			continue
		}
		infos = append(infos, ConsumerInfo{
			Queue:       q.name,
			Tag:         c.Tag,
			Connection:  c.channel.conn.opts.Name,
			Channel:     c.channel.id,
			AckRequired: !c.NoAck,
			Exclusive:   c.exclusive,
			Active:      !q.settings.Load().SingleActive || q.machine.Active() == c.id,
			Prefetch:    c.prefetch,
			Priority:    c.priority,
			Arguments:   c.args,
			joined:      c.joined,
		})
	}
	slices.SortFunc(infos[first:], func(a, b ConsumerInfo) int { return cmp.Compare(a.joined, b.joined) })
	return infos
}

// Connections lists the connections in order of connecting.
func (v *VHost) Connections() []ConnInfo {
	v.mu.Lock()
	defer v.mu.Unlock()
	var infos []ConnInfo
	for _, c := range v.sortedConns() {
		infos = append(infos, ConnInfo{
			Name:        c.opts.Name,
			User:        c.opts.User,
			VHost:       v.name,
			Channels:    len(c.channels),
			Blocked:     c.blocked.Load(),
			ConnectedAt: c.since,
		})
	}
	return infos
}

// Channels lists the channels by connection, in order of opening.
func (v *VHost) Channels() []ChannelInfo {
	v.mu.Lock()
	defer v.mu.Unlock()
	var infos []ChannelInfo
	for _, c := range v.sortedConns() {
		for _, ch := range c.sortedChannels() {
			infos = append(infos, ch.info())
		}
	}
	return infos
}

func (ch *Channel) info() ChannelInfo {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ChannelInfo{
		Connection: ch.conn.opts.Name,
		User:       ch.conn.opts.User,
		VHost:      ch.vhost.name,
		Number:     ch.id,
		Consumers:  len(ch.ordered),
		Unacked:    ch.unacked.live,
		Delivered:  ch.delivered,
		Acked:      ch.acked,
	}
}
