package broker

// Ack settles a delivery, or with multiple all unsettled ones up to it; 0 with
// multiple means all there are. With tx it takes effect at TxCommit.
//
// Errors: 406 for a tag that is not unsettled.
func (ch *Channel) Ack(tag uint64, multiple bool) error { return nil }

// Nack refuses deliveries, named as in Ack: with requeue they go back to their
// original places in their queues, else they are dead-lettered or dropped.
// basic.reject is Nack without multiple.
//
// Errors: 406 for a tag that is not unsettled.
func (ch *Channel) Nack(tag uint64, multiple, requeue bool) error { return nil }

// Recover requeues all unsettled deliveries of the channel.
//
// Errors: 540 without requeue, as in RabbitMQ.
func (ch *Channel) Recover(requeue bool) error { return nil }
