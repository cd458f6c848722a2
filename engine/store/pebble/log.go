package pebble

import "fmt"

// pebbleLogger is a store as Pebble's logger.
type pebbleLogger struct{ s *Store }

func (l pebbleLogger) Infof(format string, args ...any) {
	l.s.logger.Debug(fmt.Sprintf(format, args...))
}

func (l pebbleLogger) Errorf(format string, args ...any) {
	l.s.logger.Warn(fmt.Sprintf(format, args...))
}

// Fatalf ends the program: an invariant of Pebble is broken. Errors of the disk do not get
// here; see [disk].
func (l pebbleLogger) Fatalf(format string, args ...any) {
	panic("store: " + fmt.Sprintf(format, args...))
}
