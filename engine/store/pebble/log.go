package pebble

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

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

// events logs what the operator should know of Pebble.
func (s *Store) events() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			if !isFull(err) && !errors.Is(err, errAgain) { // which the disk has said
				s.logger.Warn("a table could not be written or read; it is tried again", "error", err)
			}
		},
		DataCorruption: func(c pebble.DataCorruptionInfo) {
			s.logger.Error("a file is corrupt", "file", c.Path, "keys", c.Bounds.String(), "error", c.Details)
		},
	}
}
