package wire

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// The functions of this file write a method with its content: basic.deliver,
// basic.get-ok and basic.return. The caller holds exchange and routing key as two
// encoded short strings, one after the other ([AppendExchangeAndKey]), and the
// properties as it received them ([HeaderView]), so that each further delivery of a
// message only copies octets. None of the functions allocates if dst has room.
//
// They panic if a consumer tag or reply text is longer than 255 octets. frameMax is the
// greatest frame size of the peer, in octets, with [FrameOverhead]; a value below
// [MinFrameMax] counts as MinFrameMax. A content header cannot be split: the caller
// makes sure that the properties, the 12 octets before them and [FrameOverhead] fit
// frameMax.

// AppendExchangeAndKey appends an exchange's name and a routing key as two short
// strings to dst. It panics if one is longer than 255 octets.
func AppendExchangeAndKey(dst []byte, exchange, routingKey string) []byte {
	e := encoder{b: dst}
	e.shortstr(exchange)
	e.shortstr(routingKey)
	return e.must()
}

// AppendDeliver appends a basic.deliver with its content: method, header, and body
// frames of at most frameMax octets, none for an empty body.
func AppendDeliver(dst []byte, channel uint16, consumerTag string, deliveryTag uint64, redelivered bool, exchangeAndKey, properties, body []byte, frameMax uint32) []byte {
	dst = slices.Grow(dst, deliverSize(consumerTag, exchangeAndKey)+contentSize(properties, len(body), frameMax))
	dst = AppendDeliverHead(dst, channel, consumerTag, deliveryTag, redelivered, exchangeAndKey, properties, uint64(len(body)))
	return AppendBody(dst, channel, body, frameMax)
}

// AppendDeliverHead appends the frames of [AppendDeliver] that come before the body. For
// each piece of the body the caller calls [AppendBodyFrameHead], then appends the piece
// and [FrameEnd].
func AppendDeliverHead(dst []byte, channel uint16, consumerTag string, deliveryTag uint64, redelivered bool, exchangeAndKey, properties []byte, bodySize uint64) []byte {
	dst = beginMethod(dst, channel, MethodBasicDeliver, deliverSize(consumerTag, exchangeAndKey))
	dst = appendShortString(dst, consumerTag)
	dst = binary.BigEndian.AppendUint64(dst, deliveryTag)
	dst = append(dst, bit(redelivered))
	dst = append(dst, exchangeAndKey...)
	dst = append(dst, FrameEnd)
	return AppendHeaderFrame(dst, channel, bodySize, properties)
}

// AppendGetOk appends a basic.get-ok with its content. messageCount is the number
// of messages left in the queue.
func AppendGetOk(dst []byte, channel uint16, deliveryTag uint64, redelivered bool, exchangeAndKey []byte, messageCount uint32, properties, body []byte, frameMax uint32) []byte {
	dst = slices.Grow(dst, getOkSize(exchangeAndKey)+contentSize(properties, len(body), frameMax))
	dst = AppendGetOkHead(dst, channel, deliveryTag, redelivered, exchangeAndKey, messageCount, properties, uint64(len(body)))
	return AppendBody(dst, channel, body, frameMax)
}

// AppendGetOkHead appends the frames of [AppendGetOk] that come before the body.
func AppendGetOkHead(dst []byte, channel uint16, deliveryTag uint64, redelivered bool, exchangeAndKey []byte, messageCount uint32, properties []byte, bodySize uint64) []byte {
	dst = beginMethod(dst, channel, MethodBasicGetOk, getOkSize(exchangeAndKey))
	dst = binary.BigEndian.AppendUint64(dst, deliveryTag)
	dst = append(dst, bit(redelivered))
	dst = append(dst, exchangeAndKey...)
	dst = binary.BigEndian.AppendUint32(dst, messageCount)
	dst = append(dst, FrameEnd)
	return AppendHeaderFrame(dst, channel, bodySize, properties)
}

// AppendReturn appends a basic.return with its content.
func AppendReturn(dst []byte, channel uint16, code ReplyCode, text string, exchangeAndKey, properties, body []byte, frameMax uint32) []byte {
	dst = slices.Grow(dst, returnSize(text, exchangeAndKey)+contentSize(properties, len(body), frameMax))
	dst = AppendReturnHead(dst, channel, code, text, exchangeAndKey, properties, uint64(len(body)))
	return AppendBody(dst, channel, body, frameMax)
}

// AppendReturnHead appends the frames of [AppendReturn] that come before the body.
func AppendReturnHead(dst []byte, channel uint16, code ReplyCode, text string, exchangeAndKey, properties []byte, bodySize uint64) []byte {
	dst = beginMethod(dst, channel, MethodBasicReturn, returnSize(text, exchangeAndKey))
	dst = binary.BigEndian.AppendUint16(dst, uint16(code))
	dst = appendShortString(dst, text)
	dst = append(dst, exchangeAndKey...)
	dst = append(dst, FrameEnd)
	return AppendHeaderFrame(dst, channel, bodySize, properties)
}

// AppendBody appends body in frames of at most frameMax octets.
func AppendBody(dst []byte, channel uint16, body []byte, frameMax uint32) []byte {
	limit := int(maxPayload(frameMax))
	for len(body) > 0 {
		piece := body[:min(len(body), limit)]
		body = body[len(piece):]
		dst = AppendBodyFrameHead(dst, channel, len(piece))
		dst = append(dst, piece...)
		dst = append(dst, FrameEnd)
	}
	return dst
}

// AppendBodyFrameHead appends the head of a body frame with n octets of payload.
// The payload and [FrameEnd] must follow.
func AppendBodyFrameHead(dst []byte, channel uint16, n int) []byte {
	return appendHead(dst, FrameBody, channel, n)
}

// AppendAck appends a basic.ack to a publisher. It confirms one publish, or, if
// multiple, all publishes up to it.
func AppendAck(dst []byte, channel uint16, deliveryTag uint64, multiple bool) []byte {
	return appendSettle(dst, channel, MethodBasicAck, deliveryTag, bit(multiple))
}

// AppendNack appends a basic.nack to a publisher. It sets the requeue bit as RabbitMQ
// does; publishers ignore the bit.
func AppendNack(dst []byte, channel uint16, deliveryTag uint64, multiple bool) []byte {
	const requeue = 2
	return appendSettle(dst, channel, MethodBasicNack, deliveryTag, requeue|bit(multiple))
}

func appendSettle(dst []byte, channel uint16, id MethodID, deliveryTag uint64, bits uint8) []byte {
	dst = beginMethod(dst, channel, id, methodHead+8+1+1)
	dst = binary.BigEndian.AppendUint64(dst, deliveryTag)
	return append(dst, bits, FrameEnd)
}

// methodHead is the size of a method frame before its arguments.
const methodHead = frameHead + 4

// The sizes of whole method frames, in octets.
func deliverSize(consumerTag string, exchangeAndKey []byte) int {
	return methodHead + 1 + len(consumerTag) + 8 + 1 + len(exchangeAndKey) + 1
}

func getOkSize(exchangeAndKey []byte) int {
	return methodHead + 8 + 1 + len(exchangeAndKey) + 4 + 1
}

func returnSize(text string, exchangeAndKey []byte) int {
	return methodHead + 2 + 1 + len(text) + len(exchangeAndKey) + 1
}

// contentSize returns the size of header and body frames in octets, or a little more.
func contentSize(properties []byte, body int, frameMax uint32) int {
	frames := 1 + body/int(maxPayload(frameMax))
	return FrameOverhead + headerHead + 2 + len(properties) + body + frames*FrameOverhead
}

// beginMethod appends the head of a method frame of the given size, frame end
// included, and the method's id.
func beginMethod(dst []byte, channel uint16, id MethodID, size int) []byte {
	dst = appendHead(dst, FrameMethod, channel, size-FrameOverhead)
	return binary.BigEndian.AppendUint32(dst, uint32(id))
}

func appendHead(dst []byte, typ byte, channel uint16, size int) []byte {
	return append(dst, typ, byte(channel>>8), byte(channel),
		byte(size>>24), byte(size>>16), byte(size>>8), byte(size))
}

func appendShortString(dst []byte, s string) []byte {
	if len(s) > MaxShortString {
		panic(fmt.Sprintf("wire: short string %.20q...: %d octets, at most %d fit", s, len(s), MaxShortString))
	}
	return append(append(dst, byte(len(s))), s...)
}
