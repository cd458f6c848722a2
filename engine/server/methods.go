package server

import (
	"harelab/engine/broker"
	"harelab/engine/message"
	"harelab/engine/wire"
)

// method carries out a method frame. The methods that come with each message are parsed in
// place.
func (ch *channel) method(payload []byte) error {
	if ch.content.want != wantMethod {
		return ch.content.unexpected()
	}
	id, _ := wire.PeekMethod(payload)
	switch id {
	case wire.MethodBasicPublish:
		return ch.publish(payload)
	case wire.MethodBasicAck, wire.MethodBasicNack, wire.MethodBasicReject:
		return ch.settleDeliveries(id, payload)
	}
	m, err := ch.conn.parse(payload)
	if err != nil {
		return err
	}
	if err := ch.call(m); err != nil {
		return causedBy(err, id)
	}
	return nil
}

// settleDeliveries carries out basic.ack, basic.nack and basic.reject.
func (ch *channel) settleDeliveries(id wire.MethodID, payload []byte) (err error) {
	ch.conn.guarded = true
	var nack wire.NackView
	switch id {
	case wire.MethodBasicAck:
		var v wire.AckView
		err = v.Parse(payload)
		nack = wire.NackView{DeliveryTag: v.DeliveryTag, Multiple: v.Multiple}
	case wire.MethodBasicNack:
		err = nack.Parse(payload)
	case wire.MethodBasicReject:
		var v wire.RejectView
		err = v.Parse(payload)
		nack = wire.NackView{DeliveryTag: v.DeliveryTag, Requeue: v.Requeue}
	}
	ch.conn.guarded = false
	switch {
	case err != nil:
		return err
	case id == wire.MethodBasicAck:
		err = ch.broker.Ack(nack.DeliveryTag, nack.Multiple)
	default:
		err = ch.broker.Nack(nack.DeliveryTag, nack.Multiple, nack.Requeue)
	}
	if err != nil {
		return causedBy(err, id)
	}
	return nil
}

// call carries out methods of the classes channel, access, confirm and tx, and passes the
// others to callExchange.
func (ch *channel) call(m wire.Method) error {
	switch m := m.(type) {
	case *wire.ChannelOpen:
		return wire.Errorf(wire.ChannelError, "second 'channel.open' seen")
	case *wire.ChannelClose:
		ch.close()
	case *wire.ChannelFlow:
		return ch.answer(ch.broker.Flow(m.Active), false, &wire.ChannelFlowOk{Active: m.Active})
	case *wire.ChannelFlowOk:
		// The answer to a channel.flow that this server never sends.
	case *wire.AccessRequest:
		ch.reply(&wire.AccessRequestOk{Ticket: 1})
	case *wire.ConfirmSelect:
		return ch.answer(ch.broker.ConfirmSelect(), m.NoWait, &wire.ConfirmSelectOk{})
	case *wire.TxSelect:
		return ch.answer(ch.broker.TxSelect(), false, &wire.TxSelectOk{})
	case *wire.TxRollback:
		return ch.answer(ch.broker.TxRollback(), false, &wire.TxRollbackOk{})
	case *wire.TxCommit:
		return ch.commit()
	default:
		return ch.callExchange(m)
	}
	return nil
}

// answer sends ok, unless the client does not want it or err is not nil. The outbox holds
// ok until what it says is durable. answer returns err.
func (ch *channel) answer(err error, noWait bool, ok wire.Method) error {
	switch c := ch.conn; {
	case err != nil || noWait:
	case c.broker.Holding():
		c.out.answer(ch.id, ok)
	default:
		ch.reply(ok)
	}
	return err
}

// answerFirst sends ok before the frames that the method has caused since it called
// outbox.hold, unless the client does not want ok or err is not nil. It returns err.
func (ch *channel) answerFirst(err error, noWait bool, ok wire.Method) error {
	if err != nil || noWait {
		ok = nil
	}
	ch.conn.out.release(ch.id, ok, ch.conn.broker.Holding())
	return err
}

// commit carries out tx.commit. Returns and deliveries of the transaction's publishes come
// before the answer, deliveries that its settlements cause after it.
func (ch *channel) commit() error {
	err := ch.broker.TxCommit(broker.CommitOptions{
		Returned:  func(m *message.Message) { ch.sendReturn(m.ExchangeAndKey(), m.Properties(), m.Body()) },
		Published: ch.conn.out.hold,
	})
	return ch.answerFirst(err, false, &wire.TxCommitOk{})
}

// callExchange carries out the methods of class exchange.
func (ch *channel) callExchange(m wire.Method) error {
	b := ch.conn.broker
	switch m := m.(type) {
	case *wire.ExchangeDeclare:
		return ch.answer(b.DeclareExchange(exchangeSpec(m)), m.NoWait, &wire.ExchangeDeclareOk{})
	case *wire.ExchangeDelete:
		return ch.answer(b.DeleteExchange(m.Exchange, m.IfUnused), m.NoWait, &wire.ExchangeDeleteOk{})
	case *wire.ExchangeBind:
		return ch.answer(b.Bind(exchangeBinding(m.Source, m.Destination, m.RoutingKey, m.Arguments)), m.NoWait, &wire.ExchangeBindOk{})
	case *wire.ExchangeUnbind:
		return ch.answer(b.Unbind(exchangeBinding(m.Source, m.Destination, m.RoutingKey, m.Arguments)), m.NoWait, &wire.ExchangeUnbindOk{})
	}
	return ch.callQueue(m)
}

// callQueue carries out the methods of class queue.
func (ch *channel) callQueue(m wire.Method) error {
	b := ch.broker
	switch m := m.(type) {
	case *wire.QueueDeclare:
		q, err := b.DeclareQueue(queueSpec(m))
		return ch.answer(err, m.NoWait, &wire.QueueDeclareOk{
			Queue: q.Name, MessageCount: uint32(q.Messages), ConsumerCount: uint32(q.Consumers),
		})
	case *wire.QueueBind:
		return ch.answer(b.Bind(queueBinding(m.Exchange, m.Queue, m.RoutingKey, m.Arguments)), m.NoWait, &wire.QueueBindOk{})
	case *wire.QueueUnbind:
		return ch.answer(b.Unbind(queueBinding(m.Exchange, m.Queue, m.RoutingKey, m.Arguments)), false, &wire.QueueUnbindOk{})
	case *wire.QueuePurge:
		n, err := b.PurgeQueue(m.Queue)
		return ch.answer(err, m.NoWait, &wire.QueuePurgeOk{MessageCount: uint32(n)})
	case *wire.QueueDelete:
		ch.conn.out.hold() // cancels follow
		n, err := b.DeleteQueue(m.Queue, broker.DeleteIf{Unused: m.IfUnused, Empty: m.IfEmpty})
		return ch.answerFirst(err, m.NoWait, &wire.QueueDeleteOk{MessageCount: uint32(n)})
	}
	return ch.callBasic(m)
}

// callBasic carries out the methods of class basic that method does not.
func (ch *channel) callBasic(m wire.Method) error {
	b := ch.broker
	switch m := m.(type) {
	case *wire.BasicQos:
		ch.conn.out.hold() // deliveries follow
		return ch.answerFirst(b.SetPrefetch(prefetchSpec(m)), false, &wire.BasicQosOk{})
	case *wire.BasicConsume:
		return ch.consume(m)
	case *wire.BasicCancel:
		return ch.answer(b.Cancel(m.ConsumerTag), m.NoWait, &wire.BasicCancelOk{ConsumerTag: m.ConsumerTag})
	case *wire.BasicCancelOk:
		// The answer to a basic.cancel of the server.
	case *wire.BasicGet:
		r, ok, err := b.Get(m.Queue, m.NoAck)
		if !ok {
			return ch.answer(err, false, &wire.BasicGetEmpty{})
		}
		ch.sendGetOk(&r)
	case *wire.BasicRecover:
		if m.Requeue { // cannot fail; the answer precedes the redeliveries
			ch.reply(&wire.BasicRecoverOk{})
		}
		return b.Recover(m.Requeue)
	case *wire.BasicRecoverAsync:
		return b.Recover(m.Requeue)
	default:
		return wire.Errorf(wire.CommandInvalid, "unimplemented method")
	}
	return nil
}

// consume carries out basic.consume. The answer precedes the first delivery, which the
// broker may make before Consume returns.
func (ch *channel) consume(m *wire.BasicConsume) error {
	spec := consumerSpec(m)
	if !m.NoWait {
		spec.Started = func(consumerTag string) { ch.reply(&wire.BasicConsumeOk{ConsumerTag: consumerTag}) }
	}
	_, err := ch.broker.Consume(spec)
	return err
}
