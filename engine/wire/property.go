package wire

import (
	"encoding/binary"
	"math/bits"
)

// PropertyFlags says which properties of class basic are there. The first property
// has the highest bit; the lowest would announce more flags, which the class
// does not need (AMQP 0-9-1 section 4.2.6.1).
type PropertyFlags uint16

// The properties of class basic, in the order in which they are encoded.
const (
	FlagContentType PropertyFlags = 1 << (15 - iota)
	FlagContentEncoding
	FlagHeaders
	FlagDeliveryMode
	FlagPriority
	FlagCorrelationID
	FlagReplyTo
	FlagExpiration
	FlagMessageID
	FlagTimestamp
	FlagType
	FlagUserID
	FlagAppID
	FlagClusterID

	noProperty PropertyFlags = FlagClusterID - 1
)

const (
	octetProperties = FlagDeliveryMode | FlagPriority
	textProperties  = ^(octetProperties | FlagHeaders | FlagTimestamp | noProperty)
)

// checkProperties reports whether raw is flags and a property list.
func checkProperties(raw []byte) *Error {
	if len(raw) < 2 {
		return Errorf(SyntaxError, "property flags of 2 octets, %d left", len(raw))
	}
	flags, b := PropertyFlags(binary.BigEndian.Uint16(raw)), raw[2:]
	if flags&noProperty != 0 {
		return Errorf(SyntaxError, "property flags %#04x: class basic has no property for the lowest two bits", uint16(flags))
	}
	for ; flags != 0; flags &^= first(flags) {
		f := first(flags)
		n, ok := propertySize(f, b)
		if !ok {
			return Errorf(SyntaxError, "property flags %#04x: list cut short", binary.BigEndian.Uint16(raw))
		}
		switch {
		case f == FlagHeaders:
			if err := checkTable(b[4:n], 1); err != nil {
				return err
			}
		case f&textProperties != 0:
			if !validText(b[1:n]) {
				return errUTF8()
			}
		}
		b = b[n:]
	}
	if len(b) > 0 {
		return Errorf(SyntaxError, "%d octets after the property list", len(b))
	}
	return nil
}

// first returns the flag of the first property in f, which is not empty.
func first(f PropertyFlags) PropertyFlags {
	return 1 << (15 - bits.LeadingZeros16(uint16(f)))
}

// propertySize returns how many octets the property f at the beginning of b takes,
// or false if b has fewer.
func propertySize(f PropertyFlags, b []byte) (n int, ok bool) {
	switch {
	case f&octetProperties != 0:
		n = 1
	case f == FlagTimestamp:
		n = 8
	case f == FlagHeaders:
		n, err := valueSize('F', b)
		return n, err == nil
	case len(b) == 0:
		return 0, false
	default:
		n = 1 + int(b[0])
	}
	return n, n <= len(b)
}

// Property returns the value of one property of raw, flags and property list, as a
// part of it: the text of a text property, the encoded table of FlagHeaders with
// its four octets of length, the octets of an integer. It reports false if the
// property is not there or raw ends before it.
func Property(raw []byte, want PropertyFlags) (value []byte, ok bool) {
	if len(raw) < 2 {
		return nil, false
	}
	flags, b := PropertyFlags(binary.BigEndian.Uint16(raw)), raw[2:]
	if flags&want == 0 {
		return nil, false
	}
	for flags != 0 {
		f := first(flags)
		n, ok := propertySize(f, b)
		switch {
		case !ok:
			return nil, false
		case f != want:
			flags &^= f
			b = b[n:]
		case f&textProperties != 0:
			return b[1:n], true
		default:
			return b[:n], true
		}
	}
	return nil, false
}

// PropertyDeliveryMode returns the delivery mode: 2 is persistent.
func PropertyDeliveryMode(raw []byte) (mode uint8, ok bool) {
	return propertyOctet(raw, FlagDeliveryMode)
}

// PropertyPriority returns the message's priority.
func PropertyPriority(raw []byte) (priority uint8, ok bool) {
	return propertyOctet(raw, FlagPriority)
}

func propertyOctet(raw []byte, f PropertyFlags) (v uint8, ok bool) {
	b, ok := Property(raw, f)
	if !ok {
		return 0, false
	}
	return b[0], true
}

// PropertyTimestamp returns the publisher's time stamp.
func PropertyTimestamp(raw []byte) (t Timestamp, ok bool) {
	b, ok := Property(raw, FlagTimestamp)
	if !ok {
		return 0, false
	}
	return Timestamp(binary.BigEndian.Uint64(b)), true
}

// PropertyExpiration returns the time to live, by convention milliseconds in decimal.
func PropertyExpiration(raw []byte) ([]byte, bool) { return Property(raw, FlagExpiration) }

// PropertyUserID returns the name of the user that the publisher says it is.
func PropertyUserID(raw []byte) ([]byte, bool) { return Property(raw, FlagUserID) }

// PropertyReplyTo returns the name of the queue for replies.
func PropertyReplyTo(raw []byte) ([]byte, bool) { return Property(raw, FlagReplyTo) }

// PropertyHeaders returns the encoded headers table, its four octets of length
// included, as [TableLookup], [Fields] and [ParseTable] take it.
func PropertyHeaders(raw []byte) (encodedTable []byte, ok bool) { return Property(raw, FlagHeaders) }
