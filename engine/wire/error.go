package wire

import (
	"fmt"
	"unicode/utf8"
)

// A ReplyCode is the reason why a method failed or a channel or connection ended (AMQP
// 0-9-1 section 1.2, constants).
type ReplyCode uint16

// The reply codes of AMQP 0-9-1.
const (
	ReplySuccess       ReplyCode = 200
	ContentTooLarge    ReplyCode = 311
	NoRoute            ReplyCode = 312
	NoConsumers        ReplyCode = 313
	ConnectionForced   ReplyCode = 320
	InvalidPath        ReplyCode = 402
	AccessRefused      ReplyCode = 403
	NotFound           ReplyCode = 404
	ResourceLocked     ReplyCode = 405
	PreconditionFailed ReplyCode = 406
	FrameError         ReplyCode = 501
	SyntaxError        ReplyCode = 502
	CommandInvalid     ReplyCode = 503
	ChannelError       ReplyCode = 504
	UnexpectedFrame    ReplyCode = 505
	ResourceError      ReplyCode = 506
	NotAllowed         ReplyCode = 530
	NotImplemented     ReplyCode = 540
	InternalError      ReplyCode = 541
)

// Name returns the code's name as RabbitMQ spells it in reply texts, such as
// NOT_FOUND, or UNKNOWN for a code that AMQP does not have.
func (c ReplyCode) Name() string {
	switch c {
	case ReplySuccess:
		return "REPLY_SUCCESS"
	case ContentTooLarge:
		return "CONTENT_TOO_LARGE"
	case NoRoute:
		return "NO_ROUTE"
	case NoConsumers:
		return "NO_CONSUMERS"
	case ConnectionForced:
		return "CONNECTION_FORCED"
	case InvalidPath:
		return "INVALID_PATH"
	case AccessRefused:
		return "ACCESS_REFUSED"
	case NotFound:
		return "NOT_FOUND"
	case ResourceLocked:
		return "RESOURCE_LOCKED"
	case PreconditionFailed:
		return "PRECONDITION_FAILED"
	case FrameError:
		return "FRAME_ERROR"
	case SyntaxError:
		return "SYNTAX_ERROR"
	case CommandInvalid:
		return "COMMAND_INVALID"
	case ChannelError:
		return "CHANNEL_ERROR"
	case UnexpectedFrame:
		return "UNEXPECTED_FRAME"
	case ResourceError:
		return "RESOURCE_ERROR"
	case NotAllowed:
		return "NOT_ALLOWED"
	case NotImplemented:
		return "NOT_IMPLEMENTED"
	case InternalError:
		return "INTERNAL_ERROR"
	}
	return "UNKNOWN"
}

// Hard reports whether an exception with this code closes the connection. Otherwise it
// closes the channel.
func (c ReplyCode) Hard() bool {
	switch c {
	case ContentTooLarge, NoRoute, NoConsumers, AccessRefused, NotFound, ResourceLocked, PreconditionFailed:
		return false
	}
	return true
}

// An Error is an AMQP exception. Its fields are those of the connection.close or
// channel.close that reports it to the peer.
type Error struct {
	Code   ReplyCode
	Text   string   // the explanation, without the code's name
	Method MethodID // the method that caused it, 0 if none
}

// Errorf returns an Error with a formatted text and no method.
func Errorf(code ReplyCode, format string, args ...any) *Error {
	return &Error{Code: code, Text: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string {
	s := fmt.Sprintf("%s (%d)", e.Code.Name(), uint16(e.Code))
	if e.Text != "" {
		s += ": " + e.Text
	}
	if e.Method != 0 {
		s += " (" + e.Method.String() + ")"
	}
	return s
}

// Hard reports whether e closes the connection. Otherwise it closes a channel.
func (e *Error) Hard() bool { return e.Code.Hard() }

// ReplyText returns the text as RabbitMQ sends it: NAME - explanation, in at most
// 255 octets. A longer text is cut and ends in "..." (rabbit_binary_generator,
// amqp_exception_explanation). Unlike RabbitMQ, ReplyText cuts no UTF-8 sequence in two.
func (e *Error) ReplyText() string {
	s := e.Code.Name()
	if e.Text != "" {
		s += " - " + e.Text
	}
	return shorten(s)
}

// shorten returns s, cut to the length of a short string.
func shorten(s string) string {
	const mark = "..."
	if len(s) <= MaxShortString {
		return s
	}
	n := MaxShortString - len(mark)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + mark
}
