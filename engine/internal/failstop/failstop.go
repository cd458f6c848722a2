// Package failstop says what becomes of a panic that is nobody's to recover from. The
// state below a lock is then unknown, and a lock may be held for ever: to go on would
// give wrong answers, or none. So the process ends, as it would anyway, and what was
// made durable survives; but the log learns of it first.
package failstop

import (
	"fmt"
	"log/slog"
	"runtime/debug"
)

// Report is deferred by each goroutine and timer that works on shared state. It logs a
// panic with its stack and lets it go on, so that the runtime ends the process with
// exit code 2. Without a panic it does nothing.
func Report(log *slog.Logger) {
	if r := recover(); r != nil {
		Log(log, "panic: the process ends", r)
		panic(r)
	}
}

// Log logs what was recovered from a panic, with the stack. It is called by the deferred
// function that recovered it.
func Log(log *slog.Logger, text string, recovered any) {
	log.Error(text, "panic", fmt.Sprint(recovered), "stack", string(debug.Stack()))
}
