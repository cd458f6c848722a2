package amqp

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	amqp091 "github.com/rabbitmq/amqp091-go"
)

// A brokerError is an error in dealing with a broker, in words for people. It wraps the
// error of the client library.
type brokerError struct {
	text string
	err  error
}

func (e *brokerError) Error() string { return e.text }
func (e *brokerError) Unwrap() error { return e.err }

// inWords returns err with what the client library and the network say in words for
// people. Every error that leaves this package, and every error in a finding, goes
// through it.
func inWords(err error) error {
	var exception *amqp091.Error
	var network *net.OpError
	var inner, words string
	switch {
	case errors.As(err, &exception):
		inner, words = exception.Error(), ofException(exception)
	case errors.As(err, &network) && network.Op == "dial":
		inner, words = network.Error(), "no broker answers"
		if network.Addr != nil {
			words += " at " + network.Addr.String()
		}
		words += ": " + cause(network.Err)
	default:
		return err
	}
	return &brokerError{strings.Replace(err.Error(), inner, words, 1), err}
}

// together returns errors as one error of one line, "a; b", without those that are nil. The
// lines of errors.Join would run into each other in a finding, which is folded.
func together(errs ...error) error {
	joined := errors.Join(errs...)
	if joined == nil {
		return nil
	}
	var texts []string
	for _, err := range errs {
		if err != nil && !slices.Contains(texts, err.Error()) {
			texts = append(texts, err.Error())
		}
	}
	return &brokerError{strings.Join(texts, "; "), joined}
}

// ofException says what an exception of AMQP, or an error of the client library in its
// form, means.
func ofException(e *amqp091.Error) string {
	switch {
	case *e == *amqp091.ErrClosed:
		return "the connection to the broker is closed"
	case *e == *amqp091.ErrCredentials:
		return "the broker refuses this user or password"
	case *e == *amqp091.ErrVhost:
		return "the broker has no such virtual host, or this user may not use it"
	case e.Server && e.Recover:
		return fmt.Sprintf("the broker closed the channel: %s (%d)", e.Reason, e.Code)
	case e.Server:
		return fmt.Sprintf("the broker closed the connection: %s (%d)", e.Reason, e.Code)
	case e.Reason == "EOF" || strings.Contains(e.Reason, "unexpected EOF"):
		return "the broker closed the connection without saying why"
	case strings.Contains(e.Reason, "reset by peer"):
		return "the broker's side cut the connection (reset by peer)"
	}
	return "the connection to the broker failed: " + e.Reason
}

// cause is the innermost error: "connection refused" without the system call.
func cause(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err.Error()
}
