package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"harelab/engine"
	"harelab/engine/broker"
)

// serve runs a broker until Ctrl-C, and closes it. Clients can connect when the broker has
// recovered what the data folder holds.
func (s *serving) serve(cmd *cobra.Command) error {
	interrupted, stop := s.tls.interruptible()
	defer stop()
	kept, err := s.data.open(s.options.Logger, unwritten(s.options.MemoryLimit), s.options.DiskFreeLimit/2*3) // at which the alarm clears
	if err != nil {
		return err
	}
	s.options.Store = kept
	if err := s.limits.page(&s.options); err != nil {
		return errors.Join(err, kept.Close())
	}
	e, err := engine.New(s.options)
	if err != nil {
		if kept == nil {
			return err
		}
		if kept.Failed() == nil {
			err = s.data.damaged(err)
		}
		return errors.Join(err, kept.Close())
	}
	if err := s.definitions.load(e, s.options.Logger); err != nil {
		return errors.Join(err, e.Close())
	}
	l, err := listen(s.addr)
	if err != nil {
		return errors.Join(err, e.Close())
	}
	served := make(chan error, 1)
	go func() { served <- e.ServeOver(l, s.tls.plain()) }()
	urls := brokerURL("amqp", l.Addr())
	amqps, err := s.tls.listen(interrupted, e, s.options.Logger)
	if err != nil {
		return errors.Join(err, e.Close())
	}
	if amqps != nil {
		urls += " and " + brokerURL("amqps", amqps)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "harelab %s serves %s (%s)\n", engine.Version(), urls, s.data.promise())
	s.say("ready", "READY=1", "amqp", l.Addr().String())
	select {
	case err = <-served:
		return errors.Join(err, e.Close())
	case <-interrupted.Done():
	}
	s.say("shutting down", "STOPPING=1")
	if err := s.shutdown(e); err != nil {
		return err
	}
	if err := <-served; !errors.Is(err, engine.ErrClosed) {
		return err
	}
	return nil
}

// say logs a change of the service's state and tells systemd.
func (s *serving) say(what, state string, args ...any) {
	log := s.options.Logger
	log.Log(context.Background(), broker.LevelNotice, what, args...)
	if err := notify(state); err != nil {
		log.Warn("systemd was not told", "state", state, "error", err)
	}
}

// shutdown drains the broker and closes it within --shutdown-timeout. Clients that do not
// go within half of that are cut off.
func (s *serving) shutdown(e *engine.Engine) error {
	limit := s.data.shutdownTimeout
	grace, cancel := context.WithTimeout(context.Background(), limit/2)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- e.Shutdown(grace) }()
	select {
	case err := <-done:
		if errors.Is(err, context.DeadlineExceeded) {
			return nil
		}
		return err
	case <-time.After(limit):
		return fmt.Errorf("the data was not closed within %v: nothing confirmed is lost, and the next start recovers as after a crash", limit)
	}
}

func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%w (another broker? try --amqp 127.0.0.1:0)", err)
	}
	return l, err
}

// brokerURL returns the URL at which a client on this machine reaches a listener.
func brokerURL(scheme string, addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(host, port) + "/"
}
