package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"harelab/bench/lab"
	"harelab/engine"
)

func init() { commands = append(commands, newServe) }

// shutdownGrace is how long clients get to close their connections.
const shutdownGrace = 5 * time.Second

func newServe() *cobra.Command {
	var (
		addr    string
		verbose bool
		options engine.Options
	)
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "run the broker alone",
		Long: `Run the AMQP 0-9-1 broker until Ctrl-C. RabbitMQ's clients take it for RabbitMQ:
pika, aio-pika, Celery, amqp091-go and the rest connect as guest:guest from this
machine. Messages live in memory.

The strategies are broker-wide defaults: a queue chooses its own with the
arguments x-dispatch and x-order, an exchange with x-matcher.`,
		Example: `  harelab serve
  harelab serve --amqp 127.0.0.1:0 --dispatch fair
  celery -A tasks worker --broker amqp://guest:guest@127.0.0.1:5672//`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			level := slog.LevelWarn
			if verbose {
				level = slog.LevelInfo
			}
			options.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
			return serve(cmd, addr, options)
		},
	}
	f := cmd.Flags()
	f.StringVar(&addr, "amqp", ":5672", "listen for AMQP here; port 0 takes a free one")
	f.StringVar(&options.Matcher, "matcher", "", "topic matching strategy (see harelab list matchers; default nfa)")
	f.StringVar(&options.Dispatch, "dispatch", "", "which consumer is next (see harelab list dispatch; default rr)")
	f.StringVar(&options.Order, "order", "", "which message is next (see harelab list orders; default fifo, or priority where a queue has x-max-priority)")
	f.BoolVar(&verbose, "verbose", false, "log connections too")
	return cmd
}

func serve(cmd *cobra.Command, addr string, options engine.Options) error {
	if err := lab.CheckStrategies(options.Matcher, options.Dispatch, options.Order); err != nil {
		return err
	}
	e, err := engine.New(options)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", addr)
	var mistake *net.AddrError
	switch {
	case errors.As(err, &mistake):
		return usage("--amqp %q: %s (want HOST:PORT or :PORT)", addr, mistake.Err)
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w (another broker? try --amqp 127.0.0.1:0)", err)
	case err != nil:
		return fmt.Errorf("%w", err)
	}
	interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fmt.Fprintf(cmd.OutOrStdout(), "harelab %s serves %s\n", version(), brokerURL(l.Addr()))

	served := make(chan error, 1)
	go func() { served <- e.Serve(l) }()
	select {
	case err = <-served:
	case <-interrupted.Done():
		stop() // a second Ctrl-C ends the process at once
		grace, cancel := context.WithTimeout(context.Background(), shutdownGrace)
		defer cancel()
		if err := e.Shutdown(grace); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("%w", err)
		}
		err = <-served
	}
	if err != nil && !errors.Is(err, engine.ErrClosed) {
		return fmt.Errorf("%w", err)
	}
	return nil
}

// brokerURL is where a client on this machine reaches a listener.
func brokerURL(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "amqp://" + net.JoinHostPort(host, port) + "/"
}
