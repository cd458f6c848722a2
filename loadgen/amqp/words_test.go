package amqp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"harelab/engine"
	"harelab/scenarios"

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

// TestCleanUpErrorsAreParted: several errors of one clean-up are one line, in which each
// can be told from the next, and none is said twice.
func TestCleanUpErrorsAreParted(t *testing.T) {
	closed := inWords(amqp091.ErrClosed)
	err := together(fmt.Errorf("queue %q: %w", "a", closed), nil, fmt.Errorf("exchange %q: %w", "x", closed), fmt.Errorf("queue %q: %w", "a", closed))
	if want := `queue "a": the connection to the broker is closed; exchange "x": the connection to the broker is closed`; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
	if !errors.Is(err, amqp091.ErrClosed) {
		t.Error("the cause is lost")
	}
	if together(nil, nil) != nil {
		t.Error("no errors are an error")
	}
	// An admin whose connection is cut can remove neither its queues nor its exchanges.
	a := cutAdmin(t)
	a.queues, a.exchanges = []string{"a"}, []string{"x"}
	if err := a.close(); err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "closed; exchange") {
		t.Errorf("%q", err)
	}
}

// cutAdmin returns an admin whose connection is cut.
func cutAdmin(t *testing.T) *admin {
	t.Helper()
	e, err := engine.New(engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	r := &runner{s: &scenarios.Scenario{Name: "cut"}, o: Options{Dial: func(context.Context) (net.Conn, error) { return e.Dial() }}}
	l, err := r.connect(t.Context(), "admin")
	if err != nil {
		t.Fatal(err)
	}
	a := &admin{r: r, link: l}
	if a.ch, err = l.conn.Channel(); err != nil {
		t.Fatal(err)
	}
	l.kill()
	return a
}
