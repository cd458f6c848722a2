// Package failstop ends the process on a panic that nobody may recover from. After a
// panic below a lock the guarded state is unknown and the lock may be held for ever:
// going on would give wrong answers, or none. What the store has made durable
// survives. The package adds one thing to what the runtime does: it logs the panic.
package failstop

import (
	"fmt"
	"log/slog"
	"runtime/debug"
)

// Report is deferred by each goroutine and timer that changes shared state. It logs a
// panic with its stack and panics again, so that the runtime ends the process with
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
