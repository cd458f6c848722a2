package broker

import (
	"slices"

	"harelab/engine/auth"
	"harelab/engine/message"
	"harelab/engine/store"
	"harelab/engine/wire"
)

// A Publishing is a message that a client publishes. Its slices may be parts of the
// caller's read buffer: the broker copies what it keeps.
type Publishing struct {
	Exchange, RoutingKey []byte            // at most 255 octets each
	Properties           wire.PropertyView // of a checked property list; zero: none
	Body                 []byte
	Mandatory            bool // the client wants the message back if no queue takes it
	Immediate            bool // refused, as by RabbitMQ
}

// A PublishResult says what became of a publish.
type PublishResult struct {
	// Routed reports whether at least one queue was found. If not and the publish
	// was mandatory, the caller returns it (312 NO_ROUTE), before any confirm.
	Routed bool

	Seq     uint64 // number of the publish on its channel, from 1; 0 without confirms
	Confirm Confirm
}

// Confirm is the state of a publish on a channel with confirms.
type Confirm uint8

// The states of a confirm.
const (
	ConfirmNone  Confirm = iota // the channel has no confirms
	ConfirmAck                  // the broker has the message: basic.ack
	ConfirmNack                 // a queue refused the message, or the store has failed: basic.nack
	ConfirmLater                // [Sink.Confirmed] settles the publish after [Conn.Commit]
)

// lastExchange caches the exchange that a channel published to last, after the permission
// check.
type lastExchange struct {
	exchange   *Exchange
	generation uint64          // generation of the permissions that were checked
	topics     *auth.TopicRule // which routing keys the user may publish with; nil: all
}

// special are the properties that the broker itself acts on.
const special = wire.FlagHeaders | wire.FlagExpiration | wire.FlagUserID | wire.FlagReplyTo

// Publish routes a message, enqueues it and delivers it to consumers that can take it.
// With tx the message is kept until TxCommit, and Routed is always true.
//
// Errors: 403 for an exchange that the user may not write to or is internal and for a
// routing key that the user may not use, 404
// if it does not exist, 406 for a message that is too large, a broken expiration,
// CC or BCC header and for a user id that is not the connection's, 540 for immediate,
// 541 if the message has to be stored, the store has failed and there are no confirms.
func (ch *Channel) Publish(p *Publishing) (PublishResult, error) {
	if p.Immediate {
		return PublishResult{}, refuse(wire.NotImplemented, "immediate=true")
	}
	if err := ch.vhost.broker.CheckBodySize(uint64(len(p.Body))); err != nil {
		return PublishResult{}, err
	}
	x, err := ch.publishTo(p.Exchange)
	if err != nil {
		return PublishResult{}, err
	}
	topics := ch.last.topics
	if topics != nil {
		if err := ch.conn.mayRoute(auth.Write, x, topics, p.RoutingKey); err != nil {
			return PublishResult{}, err
		}
	}
	op := ch.begin()
	ttl := int64(-1)
	if p.Properties.Flags()&special != 0 {
		ttl, err = ch.special(op, p)
	} else {
		op.keys, op.hidden, op.headers = append(op.keys[:0], p.RoutingKey), nil, nil
		err = checkDeliveryMode(&p.Properties)
	}
	if err == nil && topics != nil {
		err = ch.mayCopy(op, x, topics)
	}
	if err != nil {
		return PublishResult{}, err
	}
	var r PublishResult
	switch ch.mode {
	case modeConfirm:
		ch.published++
		r.Seq = ch.published
	case modeTx:
		ch.publishLater(op, x, p, ttl)
		return PublishResult{Routed: true}, nil
	}
	r.Routed = ch.send(op, x, p, ttl)
	switch {
	case op.failed != nil && ch.mode == modeConfirm:
		r.Confirm = ConfirmNack
	case op.failed != nil:
		return PublishResult{}, op.failed
	case ch.mode == modeConfirm:
		r.Confirm = ch.confirm(op, r.Seq)
	case op.stored:
		ch.conn.unconfirmed = true
	}
	op.end()
	return r, nil
}

// CheckBodySize refuses bodies that are larger than [Options].MaxMessageBytes. Publish
// calls it. A server that learns the size before the body has come should call it then.
// size is in octets.
//
// Errors: 406.
func (b *Broker) CheckBodySize(size uint64) error {
	if size > b.maxMessage {
		return refuse(wire.PreconditionFailed, "message size %d is larger than configured max size %d", size, b.maxMessage)
	}
	return nil
}

// send routes a message and enqueues it.
func (ch *Channel) send(op *operation, x *Exchange, p *Publishing, ttl int64) (routed bool) {
	op.message.Properties = p.Properties.Raw()
	op.route(x)
	if x.isDefault {
		op.sendReplies(x.vhost, p)
	}
	if len(op.keeping) > 0 {
		if op.keep(p.Exchange, p.RoutingKey, &p.Properties, p.Body, op.hidden); op.failed != nil {
			return true
		}
	}
	if len(op.queues) == 0 {
		return false
	}
	m := op.hold(message.NewHiding(p.Exchange, p.RoutingKey, &p.Properties, p.Body, op.hidden))
	if op.failed = op.mayEnqueue(m); op.failed != nil {
		op.release(m)
		return true
	}
	return op.enqueue(m, ttl)
}

// publishLater routes a message and keeps it until TxCommit. It sends replies at once.
func (ch *Channel) publishLater(op *operation, x *Exchange, p *Publishing, ttl int64) {
	op.message.Properties = p.Properties.Raw()
	op.route(x)
	if x.isDefault {
		op.sendReplies(x.vhost, p)
	}
	ch.tx.publishes = append(ch.tx.publishes, txPublish{
		msg:       op.hold(message.NewHiding(p.Exchange, p.RoutingKey, &p.Properties, p.Body, op.hidden)),
		queues:    slices.Clone(op.queues),
		keeping:   slices.Clone(op.keeping),
		ttl:       ttl,
		mandatory: p.Mandatory,
	})
}

// enqueue puts a message into op.queues and reports whether at least one of them still
// exists. It takes over the message's only reference. ttl is in milliseconds, -1 for
// none.
func (op *operation) enqueue(m *message.Message, ttl int64) (routed bool) {
	queues := op.queues
	if len(queues) > 1 {
		m.Share(len(queues))
	}
	var id store.MessageID // 0: not stored
	if m.Persistent() && op.anyStored() && op.broker.store.Failed() == nil {
		id = op.handOver(m)
	}
	if p := op.broker.pager; p != nil {
		op.page(p, m, id != 0)
	}
	expiresAt := int64(0)
	if ttl >= 0 {
		expiresAt = op.time() + ttl*1000
	}
	for _, q := range queues {
		routed = q.enqueue(op, m, expiresAt) || routed
	}
	if id != 0 {
		op.broker.store.Done(id)
	}
	if op.spillID != 0 {
		op.broker.pager.spill.Done(op.spillID)
	}
	return routed
}

// anyStored reports whether the store keeps entries of any of op.queues.
func (op *operation) anyStored() bool {
	for _, q := range op.queues {
		if q.storeID != 0 {
			return true
		}
	}
	return false
}

// allStored reports whether the store keeps entries of all of op.queues.
func (op *operation) allStored() bool {
	for _, q := range op.queues {
		if q.storeID == 0 {
			return false
		}
	}
	return true
}

// mayEnqueue returns an exception if a publish would have to be stored and the store has
// failed. Dead letters are not checked: a restart finds them in the queue where they
// died.
func (op *operation) mayEnqueue(m *message.Message) error {
	return op.broker.mayStore(m.Persistent() && op.anyStored())
}

// handOver gives the message an identity and gives its octets to the store. It comes
// before any queue holds the message.
func (op *operation) handOver(m *message.Message) store.MessageID {
	b := op.broker
	id := store.MessageID(b.messageIDs.next(b.store))
	m.SetStoreID(uint64(id))
	op.octets = m.AppendHead(op.octets[:0])
	b.store.Message(id, op.octets, m.Octets())
	op.changed = true
	return id
}

// publishTo returns the exchange called name if the channel may publish to it.
func (ch *Channel) publishTo(name []byte) (*Exchange, error) {
	permissions := ch.conn.permissions
	generation := uint64(0)
	if permissions != nil {
		generation = permissions.Generation()
	}
	if last := ch.last.exchange; last != nil && last.name == string(name) && !last.deleted.Load() && ch.last.generation == generation {
		return last, nil
	}
	v := ch.vhost
	if permissions != nil && !permissions.May(auth.Write, name) {
		return nil, ch.conn.may(auth.Write, v.exchangeResource(string(name)))
	}
	x, ok := v.exchanges.Get(name)
	switch {
	case !ok:
		return nil, v.noExchange(string(name))
	case x.internal:
		return nil, refuse(wire.AccessRefused, "cannot publish to internal %s", v.exchangeResource(x.name))
	}
	ch.last = lastExchange{x, generation, ch.conn.topics(x)}
	return x, nil
}

// mayCopy checks the routing keys of the headers CC and BCC. RabbitMQ checks them from 4.0
// on; without that they are a way around topic permissions.
func (ch *Channel) mayCopy(op *operation, x *Exchange, topics *auth.TopicRule) error {
	for _, key := range op.keys[1:] {
		if err := ch.conn.mayRoute(auth.Write, x, topics, key); err != nil {
			return err
		}
	}
	return nil
}

// special reads the properties that the broker acts on. It returns the expiration in
// milliseconds, -1 for none, sets op.keys, op.hidden and op.headers, and may replace
// p.Properties.
func (ch *Channel) special(op *operation, p *Publishing) (ttl int64, err error) {
	ttl = -1
	if to, ok := p.Properties.ReplyTo(); ok && string(to) == replyTo {
		if err := ch.setReplyTo(p); err != nil {
			return 0, err
		}
	}
	if user, ok := p.Properties.UserID(); ok {
		if err := ch.checkUserID(string(user)); err != nil {
			return 0, err
		}
	}
	if s, ok := p.Properties.Expiration(); ok {
		if ttl, err = parseExpiration(string(s)); err != nil {
			return 0, err
		}
	}
	op.headers = p.Properties.Headers()
	bcc, err := op.setKeys(p.RoutingKey)
	if err == nil {
		err = checkDeliveryMode(&p.Properties)
	}
	if err != nil {
		return 0, err
	}
	if bcc {
		p.Properties = editProperties(p.Properties.Raw(), func(ps *wire.Properties) { ps.Headers = without(ps.Headers, "BCC") })
		op.headers = p.Properties.Headers()
	}
	return ttl, nil
}

// checkDeliveryMode refuses delivery modes other than 1, transient, and 2, persistent
// (rabbit_basic, is_message_persistent/1).
func checkDeliveryMode(p *wire.PropertyView) error {
	if mode, ok := p.DeliveryMode(); ok && mode != 1 && mode != 2 {
		return refuse(wire.PreconditionFailed, "invalid message: {delivery_mode_unknown,%d}", mode)
	}
	return nil
}

// checkUserID refuses a user id that is not the connection's (rabbit_channel,
// check_user_id_header/2).
func (ch *Channel) checkUserID(user string) error {
	own := ch.conn.opts.User
	if own == "" || user == own || ch.vhost.broker.auth.HasTag(own, auth.TagImpersonator) {
		return nil
	}
	return refuse(wire.PreconditionFailed, "user_id property set to '%s' but authenticated user was '%s'", user, own)
}

// editProperties returns encoded properties with a change made by edit.
func editProperties(raw []byte, edit func(*wire.Properties)) wire.PropertyView {
	ps, err := wire.ParseProperties(raw)
	if err != nil {
		return wire.ViewProperties(raw) // unreachable: the properties were checked when they came
	}
	edit(&ps)
	edited, err := wire.EncodeProperties(nil, &ps)
	if err != nil {
		return wire.ViewProperties(raw) // the table would be too long: better unchanged than lost
	}
	return wire.ViewProperties(edited)
}

// without returns a table without a key.
func without(t wire.Table, key string) wire.Table {
	var rest wire.Table
	for _, f := range t {
		if f.Key != key {
			rest = append(rest, f)
		}
	}
	return rest
}
