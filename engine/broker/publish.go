package broker

// A Publishing is a message that a client publishes. The slices may be parts of
// the caller's read buffer: the broker copies what it keeps.
type Publishing struct {
	Exchange, RoutingKey []byte // at most 255 octets each
	Properties           []byte // flags and list, checked as [wire.HeaderView] does
	Body                 []byte
	Mandatory            bool // wants to know if no queue takes the message
	Immediate            bool // refused, as by RabbitMQ
}

// A PublishResult says what became of a publish.
type PublishResult struct {
	// Routed reports whether at least one queue was found. If not and the publish
	// was mandatory, the caller returns it (312 NO_ROUTE), before any confirm.
	Routed bool

	Seq     uint64 // of the publish on its channel, from 1; 0 without confirms
	Confirm Confirm
}

// Confirm is the state of a publish on a channel with confirms.
type Confirm uint8

// The states of a confirm.
const (
	ConfirmNone  Confirm = iota // the channel has no confirms
	ConfirmAck                  // the broker has the message: basic.ack
	ConfirmNack                 // a queue refused the message: basic.nack
	ConfirmLater                // [Sink.Confirmed] will tell
)

// Publish routes a message and delivers it to whoever can take it. A publish with
// tx is kept until TxCommit; its result says Routed.
//
// Errors: 403 for an exchange that the user may not write to or is internal, 404
// if it does not exist, 406 for a broken expiration, CC or BCC header and for a
// user id that is not the connection's, 540 for immediate.
func (ch *Channel) Publish(p *Publishing) (PublishResult, error) {
	return PublishResult{}, nil
}
