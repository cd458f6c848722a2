package wire

import "encoding/binary"

// A PropertyView is an encoded property list that was read once: it holds the offsets of
// the properties that a broker uses. The zero value is an empty list.
//
// It refers to the octets that it was made from and is valid as long as they are. It may
// be copied.
type PropertyView struct {
	raw []byte // flags and list; nil: empty

	// Offsets of these properties in raw, 0 if missing.
	headers, replyTo, expiration, userID uint32

	flags                  PropertyFlags
	deliveryMode, priority uint8
}

// noProperties is an empty list: flags without any set.
var noProperties = []byte{0, 0}

// Parse reads the flags and the property list, which must be all of raw. It checks them
// as [HeaderView.Parse] does and returns the same errors. After an error the view is
// empty.
func (v *PropertyView) Parse(raw []byte) error {
	if err := v.parse(raw); err != nil {
		*v = PropertyView{}
		err.Method = MethodBasicPublish
		return err
	}
	return nil
}

func (v *PropertyView) parse(raw []byte) *Error {
	if len(raw) < 2 {
		return Errorf(SyntaxError, "property flags of 2 octets, %d left", len(raw))
	}
	flags := PropertyFlags(binary.BigEndian.Uint16(raw))
	if flags&noProperty != 0 {
		return Errorf(SyntaxError, "property flags %#04x: class basic has no property for the lowest two bits", uint16(flags))
	}
	*v = PropertyView{raw: raw, flags: flags}
	at := 2
	for rest := flags; rest != 0; rest &^= first(rest) {
		f := first(rest)
		n, ok := propertySize(f, raw[at:])
		if !ok {
			return Errorf(SyntaxError, "property flags %#04x: list cut short", uint16(flags))
		}
		switch {
		case f == FlagHeaders:
			if err := checkTable(raw[at+4:at+n], 1); err != nil {
				return err
			}
		case f&textProperties != 0:
			if !validText(raw[at+1 : at+n]) {
				return errUTF8()
			}
		}
		v.note(f, at)
		at += n
	}
	if at < len(raw) {
		return Errorf(SyntaxError, "%d octets after the property list", len(raw)-at)
	}
	return nil
}

// ViewProperties is [PropertyView.Parse] for a list that was checked before, or that
// [AppendProperties] made. In a list that is cut short it finds the properties before
// the cut.
func ViewProperties(raw []byte) PropertyView {
	if len(raw) < 2 {
		return PropertyView{}
	}
	v := PropertyView{raw: raw, flags: PropertyFlags(binary.BigEndian.Uint16(raw)) &^ noProperty}
	at := 2
	for rest := v.flags; rest != 0; rest &^= first(rest) {
		n, ok := propertySize(first(rest), raw[at:])
		if !ok {
			v.flags &^= rest
			break
		}
		v.note(first(rest), at)
		at += n
	}
	return v
}

// note stores the offset or the value of property f, which begins at offset at.
func (v *PropertyView) note(f PropertyFlags, at int) {
	switch f {
	case FlagHeaders:
		v.headers = uint32(at)
	case FlagDeliveryMode:
		v.deliveryMode = v.raw[at]
	case FlagPriority:
		v.priority = v.raw[at]
	case FlagReplyTo:
		v.replyTo = uint32(at)
	case FlagExpiration:
		v.expiration = uint32(at)
	case FlagUserID:
		v.userID = uint32(at)
	}
}

// Raw returns the encoded flags and property list.
func (v *PropertyView) Raw() []byte {
	if v.raw == nil {
		return noProperties
	}
	return v.raw
}

// In returns the same view of a copy of the list.
func (v *PropertyView) In(raw []byte) PropertyView {
	moved := *v
	moved.raw = raw
	return moved
}

// Flags returns the set of properties that are present.
func (v *PropertyView) Flags() PropertyFlags { return v.flags }

// Headers returns the encoded headers table with its four octets of length, for
// [TableLookup], [Fields] and [ParseTable], or nil if there is none.
func (v *PropertyView) Headers() []byte {
	if v.headers == 0 {
		return nil
	}
	b := v.raw[v.headers:]
	return b[:4+binary.BigEndian.Uint32(b)]
}

// DeliveryMode returns the delivery mode: 2 is persistent.
func (v *PropertyView) DeliveryMode() (mode uint8, ok bool) {
	return v.deliveryMode, v.flags&FlagDeliveryMode != 0
}

// Priority returns the message's priority, 0 if it has none.
func (v *PropertyView) Priority() uint8 { return v.priority }

// Expiration returns the time to live, by convention milliseconds in decimal.
func (v *PropertyView) Expiration() (text []byte, ok bool) { return v.text(v.expiration) }

// UserID returns the user name that the publisher claims.
func (v *PropertyView) UserID() (text []byte, ok bool) { return v.text(v.userID) }

// ReplyTo returns the name of the queue for replies.
func (v *PropertyView) ReplyTo() (text []byte, ok bool) { return v.text(v.replyTo) }

// text returns the short string at an offset, or false for offset 0.
func (v *PropertyView) text(at uint32) (text []byte, ok bool) {
	if at == 0 {
		return nil, false
	}
	b := v.raw[at:]
	return b[1 : 1+int(b[0])], true
}
