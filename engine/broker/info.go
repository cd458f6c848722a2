package broker

import "harelab/engine/wire"

// QueueInfo is what a listing tells of a queue.
type QueueInfo struct {
	Name                           string
	Durable, AutoDelete, Exclusive bool
	Owner                          string // connection that an exclusive queue belongs to
	Arguments                      wire.Table
	Type                           string // classic or quorum
	Dispatch, Order                string // strategies
	Ready, Unacked, Consumers      int
	Bytes                          int64 // of bodies, ready and unacked
	Memory                         int64 // octets the queue takes, about
	ActiveConsumer                 string
	Published, Delivered, Acked    uint64 // since it was declared
	Redelivered, DeadLettered      uint64
	IdleSince                      int64 // microseconds of the clock
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
}

// ConnInfo is what a listing tells of a connection.
type ConnInfo struct {
	Name, User, VHost string
	Channels          int
	ConnectedAt       int64 // microseconds of the clock
}

// ChannelInfo is what a listing tells of a channel.
type ChannelInfo struct {
	Connection, User, VHost     string
	Number                      uint16
	Consumers, Unacked          int
	Prefetch, GlobalPrefetch    uint32
	Confirm, Transactional      bool
	Published, Delivered, Acked uint64
}

// Queues lists the queues in the order in which they were declared.
func (v *VHost) Queues() []QueueInfo { return nil }

// Exchanges lists the exchanges in the order in which they were declared.
func (v *VHost) Exchanges() []ExchangeInfo { return nil }

// Bindings lists the bindings by source in order of declaration; each queue's own
// binding to the default exchange comes first.
func (v *VHost) Bindings() []BindingInfo { return nil }

// Consumers lists the consumers by queue.
func (v *VHost) Consumers() []ConsumerInfo { return nil }

// Connections lists the connections in the order in which they came.
func (v *VHost) Connections() []ConnInfo { return nil }

// Channels lists the channels by connection.
func (v *VHost) Channels() []ChannelInfo { return nil }
