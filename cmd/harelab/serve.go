package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"harelab/bench/lab"
	"harelab/cmd/harelab/internal/transcript"
	"harelab/engine"
)

func init() { commands = append(commands, newServe) }

// shutdownGrace is how long clients have to close their connections.
const shutdownGrace = 5 * time.Second

// A serving has the flags of `serve`.
type serving struct {
	addr       string
	transcript string
	verbose    bool
	options    engine.Options
}

func newServe() *cobra.Command {
	var s serving
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "run the broker alone",
		Long: `Run the AMQP 0-9-1 broker until Ctrl-C. RabbitMQ's clients, such as pika, aio-pika,
Celery and amqp091-go, take it for RabbitMQ and connect as guest:guest from this
machine. Messages live in memory.

The strategies are broker-wide defaults: a queue chooses its own with the
arguments x-dispatch and x-order, an exchange with x-matcher.

With --transcript, the broker writes the events and decisions of each queue to a file
of its own: no message bodies, but the tenants and task names that dispatch looks at.
harelab replay checks such a file on any machine, so it is a bug report that can be
verified.`,
		Example: `  harelab serve
  harelab serve --amqp 127.0.0.1:0 --dispatch fair
  harelab serve --transcript transcripts/monday
  celery -A tasks worker --broker amqp://guest:guest@127.0.0.1:5672//`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&s.addr, "amqp", ":5672", "address to listen on for AMQP; port 0 takes a free one")
	f.StringVar(&s.options.Matcher, "matcher", "", "topic matching strategy (see harelab list matchers; default nfa)")
	f.StringVar(&s.options.Dispatch, "dispatch", "", "strategy that chooses the next consumer (see harelab list dispatch; default rr)")
	f.StringVar(&s.options.Order, "order", "", "strategy that chooses the next message (see harelab list orders; default fifo, or priority for a queue with x-max-priority)")
	f.StringVar(&s.transcript, "transcript", "", "write each queue's events and decisions to a file in this folder, for harelab replay")
	f.BoolVar(&s.verbose, "verbose", false, "also log connections")
	return cmd
}

func (s *serving) run(cmd *cobra.Command) error {
	if err := lab.CheckStrategies(s.options.Matcher, s.options.Dispatch, s.options.Order); err != nil {
		return err
	}
	level := slog.LevelWarn
	if s.verbose {
		level = slog.LevelInfo
	}
	s.options.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	l, err := listen(s.addr)
	if err != nil {
		return err
	}
	if s.transcript == "" {
		return serve(cmd, l, s.options)
	}
	if err := emptyFolder("--transcript", s.transcript); err != nil {
		l.Close()
		return err
	}
	transcripts := transcript.New(s.transcript, s.options.Logger)
	s.options.Transcript = transcripts.Open
	return errors.Join(serve(cmd, l, s.options), transcripts.Close())
}

func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	var mistake *net.AddrError
	switch {
	case errors.As(err, &mistake):
		return nil, usage("--amqp %q: %s (give HOST:PORT or :PORT)", addr, mistake.Err)
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%w (another broker? try --amqp 127.0.0.1:0)", err)
	}
	return l, err
}

// serve runs a broker until Ctrl-C, and closes it.
func serve(cmd *cobra.Command, l net.Listener, options engine.Options) error {
	e, err := engine.New(options)
	if err != nil {
		l.Close()
		return err
	}
	interrupted, stop := interruptible()
	defer stop()
	fmt.Fprintf(cmd.OutOrStdout(), "harelab %s serves %s\n", engine.Version(), brokerURL(l.Addr()))

	served := make(chan error, 1)
	go func() { served <- e.Serve(l) }()
	select {
	case err = <-served:
		err = errors.Join(err, e.Close())
	case <-interrupted.Done():
		grace, cancel := context.WithTimeout(context.Background(), shutdownGrace)
		defer cancel()
		if err := e.Shutdown(grace); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		err = <-served
	}
	if err != nil && !errors.Is(err, engine.ErrClosed) {
		return err
	}
	return nil
}

// brokerURL returns the URL at which a client on this machine reaches a listener.
func brokerURL(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "amqp://" + net.JoinHostPort(host, port) + "/"
}
