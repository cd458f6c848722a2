package wire

import "math/bits"

// PropertyFlags is a set of properties of class basic. The first property has the
// highest bit. The lowest bit would announce more flags, which the class does not need
// (AMQP 0-9-1 section 4.2.6.1).
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

// first returns the flag of the first property in f, which is not empty.
func first(f PropertyFlags) PropertyFlags {
	return 1 << (15 - bits.LeadingZeros16(uint16(f)))
}

// propertySize returns the size in octets of property f, which b begins with, or false
// if b is shorter.
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
