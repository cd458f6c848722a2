package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// hangupEcho is how long further hangups are ignored after a first one: a terminal that
// closes hangs up on its programs twice, by itself and through the shell.
const hangupEcho = 100 * time.Millisecond

// interruptible returns a context that the first Ctrl-C, SIGTERM or hangup cancels; the
// second ends the process. A hangup that the process was started to ignore, as by
// nohup, stays ignored.
func interruptible() (context.Context, context.CancelFunc) {
	return interruptibleBy(!signal.Ignored(syscall.SIGHUP))
}

// interruptibleBy is interruptible for a command that a hangup ends or does not end.
func interruptibleBy(hangup bool) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if hangup {
		ends = append(ends, syscall.SIGHUP)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, ends...)
	go func() {
		defer signal.Stop(signals)
		select {
		case s := <-signals:
			cancel()
			fmt.Fprintf(log.Writer(), "harelab: %v: ending; a second signal ends at once\n", s)
			if s == syscall.SIGHUP {
				signal.Reset(os.Interrupt, syscall.SIGTERM)
				time.Sleep(hangupEcho)
			}
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// endAtSignal lets the first Ctrl-C, SIGTERM or hangup end the process with the exit code
// of interrupted commands, until the function that it returns is called. It is for
// commands that keep nothing of what they have done.
func endAtSignal() (stop func()) {
	ctx, cancel := interruptible()
	done := make(chan struct{})
	go func() {
		<-ctx.Done()
		select {
		case <-done:
		default:
			os.Exit(exitInterrupted)
		}
	}()
	return func() {
		close(done)
		cancel()
	}
}
