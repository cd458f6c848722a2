package broker

import (
	"cmp"
	"hash/fnv"
	"slices"
	"strconv"

	"harelab/engine/dispatch"
	"harelab/engine/message"
	"harelab/engine/wire"
)

// QueueInfo is what a listing tells of a queue.
type QueueInfo struct {
	Name                           string
	Durable, AutoDelete, Exclusive bool
	Owner                          string // connection that an exclusive queue belongs to
	Arguments                      wire.Table
	Type                           string // classic or quorum
	Dispatch, Order                string // strategies
	Ready, Unacked, Consumers      int
	Bytes                          int64 // of bodies of ready messages
	Memory                         int64 // octets the queue takes, about
	ActiveConsumer                 string
	Published, Delivered, Acked    uint64 // since it was declared
	Redelivered, DeadLettered      uint64
	UsedAt                         int64 // microseconds of the clock: last declared, asked for a message, or left by its last consumer
}

// ExchangeInfo is what a listing tells of an exchange.
type ExchangeInfo struct {
	Name, Type                    string
	Durable, AutoDelete, Internal bool
	Arguments                     wire.Table
	Matcher                       string // strategy, of topic exchanges
}

// BindingInfo is what a listing tells of a binding.
type BindingInfo struct {
	Source, Destination, DestinationType string // queue or exchange
	RoutingKey                           string
	Arguments                            wire.Table
	PropertiesKey                        string // names the binding among those of its source and destination
}

// ConsumerInfo is what a listing tells of a consumer.
type ConsumerInfo struct {
	Queue, Tag, Connection string
	Channel                uint16
	AckRequired            bool
	Exclusive, Active      bool
	Prefetch               uint32
	Priority               int32
	Arguments              wire.Table

	joined uint64
}

// ConnInfo is what a listing tells of a connection.
type ConnInfo struct {
	Name, User, VHost string
	Channels          int
	ConnectedAt       int64 // microseconds of the clock
}

// ChannelInfo is what a listing tells of a channel.
type ChannelInfo struct {
	Connection, User, VHost string
	Number                  uint16
	Consumers, Unacked      int
	Delivered, Acked        uint64
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

// Queue tells of one queue.
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
		Consumers:    q.machine.Consumers(),
		Bytes:        q.machine.Bytes(),
		Published:    q.counts.published,
		Delivered:    q.counts.delivered,
		Acked:        q.counts.acked,
		Redelivered:  q.counts.redelivered,
		DeadLettered: q.counts.deadLettered,
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
	return i
}

// What a queue and a message take besides bodies, in octets, about.
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
			Matcher:    x.matcher,
		})
	}
	return infos
}

// Bindings lists the bindings by source in order of declaration; the one that each
// queue has to the default exchange comes first.
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

// Connections lists the connections in the order in which they came.
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
			ConnectedAt: c.since,
		})
	}
	return infos
}

// Channels lists the channels by connection.
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
