package pebble

import (
	"errors"
	"fmt"
	"runtime"
)

// errFatal is the error of a Pebble that has given up without saying why.
var errFatal = errors.New("store: Pebble has given up")

// pebbleLogger is a store as Pebble's logger.
type pebbleLogger struct{ s *Store }

func (l pebbleLogger) Infof(format string, args ...any) {
	l.s.logger.Debug(fmt.Sprintf(format, args...))
}

func (l pebbleLogger) Errorf(format string, args ...any) {
	l.s.logger.Warn(fmt.Sprintf(format, args...))
}

// Fatalf ends the goroutine in which Pebble found that it cannot go on, which expects the
// program to end; the store has failed.
func (l pebbleLogger) Fatalf(format string, args ...any) {
	l.s.fail(fmt.Errorf("store: "+format, args...))
	runtime.Goexit()
}
