package wire

import "encoding/binary"

// headerHead is the size of a content header before its property flags: class,
// weight, body size (AMQP 0-9-1 section 4.2.6.1).
const headerHead = 2 + 2 + 8

// A HeaderView is a content header read in place.
type HeaderView struct {
	ClassID    uint16       // always ClassBasic
	BodySize   uint64       // size of the body in octets, as the peer claims: do not allocate by it
	Properties PropertyView // a view of the payload
}

// Parse reads the payload of a header frame and checks all of it, including the headers
// table, so that Properties can be forwarded as they are and read without errors.
//
// Errors are connection exceptions that name basic.publish, the only method after
// which a broker reads content:
//
//	501 FRAME_ERROR       too short for a content header
//	505 UNEXPECTED_FRAME  a class other than basic, or a weight other than 0
//	501 FRAME_ERROR       a property that is not UTF-8
//	502 SYNTAX_ERROR      flags without a property (the continuation bit too), a
//	                      property list cut short or with octets left over, a bad table
//
// The first two are RabbitMQ's. On a bad list RabbitMQ has an internal error (541), and
// it does not check that properties are UTF-8.
func (v *HeaderView) Parse(payload []byte) error {
	*v = HeaderView{}
	if len(payload) < headerHead {
		return frameError(FrameHeader, payload, "unknown_frame")
	}
	class, weight := binary.BigEndian.Uint16(payload), binary.BigEndian.Uint16(payload[2:])
	if class != ClassBasic {
		return contentError(UnexpectedFrame, "expected content header for class 60, got one for class %d instead", class)
	}
	if weight != 0 {
		return contentError(UnexpectedFrame, "expected content header for class 60, got non content header frame instead")
	}
	if err := v.Properties.Parse(payload[headerHead:]); err != nil {
		return err
	}
	v.ClassID = class
	v.BodySize = binary.BigEndian.Uint64(payload[4:])
	return nil
}

func contentError(code ReplyCode, format string, args ...any) *Error {
	e := Errorf(code, format, args...)
	e.Method = MethodBasicPublish
	return e
}

// AppendHeaderFrame appends the frame of a content header to dst. Properties are the
// flags and the property list as [PropertyView.Raw] or [AppendProperties] returns them;
// nil stands for an empty list.
func AppendHeaderFrame(dst []byte, channel uint16, bodySize uint64, properties []byte) []byte {
	start := len(dst)
	dst = BeginFrame(dst, FrameHeader, channel)
	dst = append(dst, 0, ClassBasic, 0, 0)
	dst = binary.BigEndian.AppendUint64(dst, bodySize)
	if len(properties) == 0 {
		dst = append(dst, 0, 0)
	}
	dst = append(dst, properties...)
	return EndFrame(dst, start)
}
