// Package wire turns the octets of AMQP 0-9-1 into values and back.
//
// A connection is a run of frames (AMQP 0-9-1 section 4.2.3). Each carries a
// method, a content header, a piece of a body, or nothing at all (a heartbeat):
//
//	octet    0     1  2     3 .. 6    7 ..            7+size
//	      +------+---------+-------+----------------+------+
//	      | type | channel | size  | payload        | 0xCE |
//	      +------+---------+-------+----------------+------+
//
// There are two ways to read what a frame holds. [ParseMethod], [ParseProperties]
// and [ParseTable] build values that own their memory, for methods that come once
// in a while. The views ([PublishView], [AckView], [HeaderView], [Value]) point
// into the octets they were parsed from and allocate nothing, for what comes with
// each message. Writing appends to the caller's buffer throughout.
//
// What comes from a peer is never trusted: a length is compared with the octets at
// hand before it is used, tables are bounded in depth and in fields, short strings
// must be UTF-8. What is wrong is told as an [*Error] that holds the reply code and
// the text RabbitMQ would send. Where RabbitMQ drops the connection without a
// word (unknown methods, broken tables and property lists) the answer is an error
// as well: see [ParseMethod], [ParseTable] and [HeaderView.Parse].
//
// What a program builds itself is another matter: the Append functions panic when
// asked for something the wire cannot carry, such as a short string of 256 octets,
// since cutting it or letting its length wrap would put the caller's data where
// the peer expects frames. The Encode functions return an error instead.
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
	// (frame-min-size of AMQP 0-9-1). Functions here take a smaller one for it.
	MinFrameMax = 4096

	// MaxShortString is the longest short string, in octets: its length is one
	// octet (AMQP 0-9-1 section 4.2.5.3).
	MaxShortString = 255

	// ClassBasic is the class of all content.
	ClassBasic = 60

	frameHead = 7 // type, channel, size
)

// ProtocolHeader is what a client sends first (AMQP 0-9-1 section 4.2.2).
var ProtocolHeader = [8]byte{'A', 'M', 'Q', 'P', 0, 0, 9, 1}
