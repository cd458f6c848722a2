package server

import (
	"harelab/engine/broker"
	"harelab/engine/wire"
)

// The functions below turn methods into the broker's specs.

func exchangeSpec(m *wire.ExchangeDeclare) broker.ExchangeSpec {
	return broker.ExchangeSpec{
		Name:       m.Exchange,
		Type:       m.Type,
		Passive:    m.Passive,
		Durable:    m.Durable,
		AutoDelete: m.AutoDelete,
		Internal:   m.Internal,
		Arguments:  m.Arguments,
	}
}

func queueSpec(m *wire.QueueDeclare) broker.QueueSpec {
	return broker.QueueSpec{
		Name:       m.Queue,
		Passive:    m.Passive,
		Durable:    m.Durable,
		Exclusive:  m.Exclusive,
		AutoDelete: m.AutoDelete,
		Arguments:  m.Arguments,
	}
}

func queueBinding(exchange, queue, key string, args wire.Table) broker.BindingSpec {
	return broker.BindingSpec{Source: exchange, Destination: queue, RoutingKey: key, Arguments: args}
}

func exchangeBinding(source, destination, key string, args wire.Table) broker.BindingSpec {
	return broker.BindingSpec{Source: source, Destination: destination, ToExchange: true, RoutingKey: key, Arguments: args}
}

func prefetchSpec(m *wire.BasicQos) broker.PrefetchSpec {
	return broker.PrefetchSpec{Count: uint32(m.PrefetchCount), Size: m.PrefetchSize, Global: m.Global}
}

func consumerSpec(m *wire.BasicConsume) broker.ConsumerSpec {
	return broker.ConsumerSpec{
		Queue:     m.Queue,
		Tag:       m.ConsumerTag,
		NoAck:     m.NoAck,
		Exclusive: m.Exclusive,
		Arguments: m.Arguments,
	}
}
