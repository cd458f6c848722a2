package broker

import (
	"fmt"

	"harelab/engine/wire"
)

// An Error says what was wrong with a call: RabbitMQ's reply code and text. The server
// adds the method that it answers.
type Error struct {
	Code wire.ReplyCode
	Text string // the explanation, without the code's name before it
}

func (e *Error) Error() string {
	s := fmt.Sprintf("%s (%d)", e.Code.Name(), uint16(e.Code))
	if e.Text != "" {
		s += ": " + e.Text
	}
	return s
}

// Hard reports whether e ends the connection rather than the channel.
func (e *Error) Hard() bool { return e.Code.Hard() }

// refuse returns an Error with a formatted text.
func refuse(code wire.ReplyCode, format string, args ...any) error {
	return &Error{Code: code, Text: fmt.Sprintf(format, args...)}
}

// unmet returns an error of package settings or exchange as an Error: a failed
// precondition. It returns nil for nil.
func unmet(err error) error {
	if err == nil {
		return nil
	}
	return refuse(wire.PreconditionFailed, "%v", err)
}
