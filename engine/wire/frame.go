package wire

import (
	"encoding/binary"
	"math"
)

// A Frame is one frame of a connection.
type Frame struct {
	Type    byte
	Channel uint16
	Payload []byte // without head and end octet
}

// NextFrame reads the frame that b begins with. It returns the frame and its size in
// octets, or n == 0 and no error if b does not hold all of the frame yet. Payload is a
// part of b.
//
// frameMax is the greatest frame size that the peers agreed on, in octets, with
// [FrameOverhead]; a value below [MinFrameMax] counts as MinFrameMax. NextFrame refuses
// a frame that is larger by more than 8 octets as soon as b holds the frame's size, so
// that no reader waits or allocates for it.
//
// Errors are connection exceptions with RabbitMQ's codes and texts (rabbit_reader,
// handle_input and analyze_frame): 501 for a size that is refused, a wrong end
// octet, an unknown type and a heartbeat with payload; 505 for a heartbeat on
// a channel other than 0. After an error nothing more can be read, because the
// beginning of the next frame is not known.
func NextFrame(b []byte, frameMax uint32) (f Frame, n int, err error) {
	if len(b) < frameHead {
		return Frame{}, 0, nil
	}
	size := binary.BigEndian.Uint32(b[3:])
	if limit := maxPayload(frameMax); size > limit+sizeFudge {
		return Frame{}, 0, frameError(b[0], nil, "{frame_too_large,%d,%d}", size, limit)
	}
	n = FrameOverhead + int(size)
	if len(b) < n {
		return Frame{}, 0, nil
	}
	f = Frame{Type: b[0], Channel: binary.BigEndian.Uint16(b[1:]), Payload: b[frameHead : n-1 : n-1]}
	if end := b[n-1]; end != FrameEnd {
		return Frame{}, 0, frameError(f.Type, f.Payload, "{invalid_frame_end_marker,%d}", end)
	}
	switch f.Type {
	case FrameMethod, FrameHeader, FrameBody:
	case FrameHeartbeat:
		if size != 0 {
			return Frame{}, 0, frameError(f.Type, f.Payload, "unknown_frame")
		}
		if f.Channel != 0 {
			return Frame{}, 0, Unexpected(f)
		}
	default:
		return Frame{}, 0, frameError(f.Type, f.Payload, "unknown_frame")
	}
	return f, n, nil
}

// sizeFudge is the number of octets by which a payload may be too long: some clients
// take frame_max for the size of the largest payload, and RabbitMQ accepts that
// (rabbit_reader, FRAME_SIZE_FUDGE).
const sizeFudge = FrameOverhead

// Unexpected returns the exception for a frame that the protocol does not allow at this
// point.
func Unexpected(f Frame) *Error {
	return Errorf(UnexpectedFrame, "%s", describe(f.Type, f.Payload))
}

// maxPayload returns the size of the largest payload in frames of frameMax octets. It
// fits an int on every machine.
func maxPayload(frameMax uint32) uint32 {
	return min(max(frameMax, MinFrameMax), math.MaxInt32-sizeFudge) - FrameOverhead
}

// AppendFrame appends a frame to dst.
func AppendFrame(dst []byte, typ byte, channel uint16, payload []byte) []byte {
	start := len(dst)
	dst = append(BeginFrame(dst, typ, channel), payload...)
	return EndFrame(dst, start)
}

// AppendHeartbeat appends a heartbeat to dst.
func AppendHeartbeat(dst []byte) []byte {
	return append(dst, FrameHeartbeat, 0, 0, 0, 0, 0, 0, FrameEnd)
}

// BeginFrame appends the head of a frame to dst. The caller appends the payload
// and calls [EndFrame] with the length that dst had before BeginFrame.
func BeginFrame(dst []byte, typ byte, channel uint16) []byte {
	return append(dst, typ, byte(channel>>8), byte(channel), 0, 0, 0, 0)
}

// EndFrame ends the frame whose head begins at dst[start]: it sets the size and
// appends the end octet.
func EndFrame(dst []byte, start int) []byte {
	size := len(dst) - start - frameHead
	binary.BigEndian.PutUint32(dst[start+3:], uint32(size))
	return append(dst, FrameEnd)
}
