// Package wire turns the octets of AMQP 0-9-1 into values and back.
//
// A connection is a sequence of frames (AMQP 0-9-1 section 4.2.3). Each carries a
// method, a content header, a piece of a body, or nothing at all (a heartbeat):
//
//	octet    0     1  2     3 .. 6    7 ..            7+size
//	      +------+---------+-------+----------------+------+
//	      | type | channel | size  | payload        | 0xCE |
//	      +------+---------+-------+----------------+------+
//
// There are two ways to read a payload. [ParseMethod], [ParseProperties] and
// [ParseTable] build values that own their memory; they are for rare methods. The
// views ([PublishView], [AckView], [HeaderView], [Value]) point into the octets that
// they were parsed from and allocate nothing; they are for the methods of each
// message. All functions that write append to the caller's buffer.
//
// The package never trusts octets of a peer. It compares each length with the octets
// at hand before it uses the length, bounds tables in depth and in fields, and
// requires short strings to be UTF-8. It reports a fault as an [*Error] with the reply
// code and the text that RabbitMQ would send. For faults on which RabbitMQ drops the
// connection in silence (unknown methods, broken tables and property lists) it
// returns an error too: see [ParseMethod], [ParseTable] and [HeaderView.Parse].
//
// Values of the program itself are a different case. The Append functions panic if
// the wire cannot carry a value, such as a short string of 256 octets: a cut string or
// a wrapped length would put the caller's data where the peer expects frames. The
// Encode functions return an error instead.
//
// Package wire does no I/O, keeps no state and is safe for concurrent use.
package wire

//go:generate go run ./internal/gen

// Frame types (AMQP 0-9-1 section 4.2.3).
const (
	FrameMethod    = 1
	FrameHeader    = 2
	FrameBody      = 3
	FrameHeartbeat = 8
)

const (
	// FrameEnd is the last octet of each frame.
	FrameEnd = 0xCE

	// FrameOverhead is the size of a frame without payload, in octets.
	FrameOverhead = frameHead + 1

	// MinFrameMax is the least frame_max that peers may agree on, in octets
	// (frame-min-size of AMQP 0-9-1). Functions here treat a smaller one as this.
	MinFrameMax = 4096

	// MaxShortString is the length of the longest short string, in octets: the length
	// travels in one octet (AMQP 0-9-1 section 4.2.5.3).
	MaxShortString = 255

	// ClassBasic is the class of all content.
	ClassBasic = 60

	frameHead = 7 // type, channel, size
)

// ProtocolHeader is the first thing that a client sends (AMQP 0-9-1 section 4.2.2).
var ProtocolHeader = [8]byte{'A', 'M', 'Q', 'P', 0, 0, 9, 1}
