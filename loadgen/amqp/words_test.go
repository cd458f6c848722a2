package amqp

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	amqp091 "github.com/rabbitmq/amqp091-go"
)

func TestInWords(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5672},
		Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&amqp091.Error{Code: 501, Reason: "EOF"}, "the broker closed the connection without saying why"},
		{&amqp091.Error{Code: 501, Reason: "read tcp a->b: connection reset by peer"}, "the broker's side cut the connection (reset by peer)"},
		{&amqp091.Error{Code: 501, Reason: "i/o timeout"}, "the connection to the broker failed: i/o timeout"},
		{&amqp091.Error{Code: 320, Reason: "CONNECTION_FORCED - closed via management", Server: true}, "the broker closed the connection: CONNECTION_FORCED - closed via management (320)"},
		{fmt.Errorf("queue %q: %w", "q", &amqp091.Error{Code: 404, Reason: "NOT_FOUND - no queue 'q'", Server: true, Recover: true}),
			`queue "q": the broker closed the channel: NOT_FOUND - no queue 'q' (404)`},
		{amqp091.ErrClosed, "the connection to the broker is closed"},
		{amqp091.ErrCredentials, "the broker refuses this user or password"},
		{amqp091.ErrVhost, "the broker has no such virtual host, or this user may not use it"},
		{refused, "no broker answers at 127.0.0.1:5672: connection refused"},
		{io.EOF, "EOF"},
	} {
		got := inWords(tt.err)
		if got.Error() != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
		if !errors.Is(got, tt.err) {
			t.Errorf("%v is no longer %v", got, tt.err)
		}
		if strings.Contains(got.Error(), "Exception (") {
			t.Errorf("%q is in the client library's words", got)
		}
	}
	if inWords(nil) != nil {
		t.Error("no error became one")
	}
}
