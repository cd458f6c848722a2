package wire

// A PublishView is a basic.publish read in place.
type PublishView struct {
	Exchange, RoutingKey []byte // parts of the payload
	Mandatory, Immediate bool
}

// Parse reads the payload of a basic.publish method frame. It does not check the method
// id. Errors are those of [ParseMethod].
func (v *PublishView) Parse(payload []byte) error {
	d := decoder{b: payload}
	d.long()
	d.short()
	v.Exchange = d.shortBytes()
	v.RoutingKey = d.shortBytes()
	bits := d.octet()
	v.Mandatory, v.Immediate = bits&1 != 0, bits&2 != 0
	return viewError(&d, MethodBasicPublish, payload)
}

// An AckView is a basic.ack read in place.
type AckView struct {
	DeliveryTag uint64
	Multiple    bool
}

// Parse reads the payload of a basic.ack method frame. It does not check the method id.
// Errors are those of [ParseMethod].
func (v *AckView) Parse(payload []byte) error {
	tag, bits, err := parseSettle(MethodBasicAck, payload)
	*v = AckView{DeliveryTag: tag, Multiple: bits&1 != 0}
	return err
}

// A NackView is a basic.nack read in place.
type NackView struct {
	DeliveryTag       uint64
	Multiple, Requeue bool
}

// Parse reads the payload of a basic.nack method frame. It does not check the method
// id. Errors are those of [ParseMethod].
func (v *NackView) Parse(payload []byte) error {
	tag, bits, err := parseSettle(MethodBasicNack, payload)
	*v = NackView{DeliveryTag: tag, Multiple: bits&1 != 0, Requeue: bits&2 != 0}
	return err
}

// A RejectView is a basic.reject read in place.
type RejectView struct {
	DeliveryTag uint64
	Requeue     bool
}

// Parse reads the payload of a basic.reject method frame. It does not check the method
// id. Errors are those of [ParseMethod].
func (v *RejectView) Parse(payload []byte) error {
	tag, bits, err := parseSettle(MethodBasicReject, payload)
	*v = RejectView{DeliveryTag: tag, Requeue: bits&1 != 0}
	return err
}

// parseSettle reads basic.ack, basic.nack or basic.reject, which have the same layout.
func parseSettle(id MethodID, payload []byte) (tag uint64, bits uint8, err error) {
	d := decoder{b: payload}
	d.long()
	tag = d.longlong()
	bits = d.octet()
	return tag, bits, viewError(&d, id, payload)
}

// viewError returns the error of a method that d read, or nil. The arguments begin after
// the four octets of the id, if the payload has so many.
func viewError(d *decoder, id MethodID, payload []byte) error {
	if err := d.end(id, payload[min(4, len(payload)):]); err != nil {
		return err
	}
	return nil
}
