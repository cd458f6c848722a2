// Package failstop ends the process on a panic from which the program must not recover.
// After a panic below a lock, the guarded state is unknown and the lock may be held for
// ever: the process would give wrong answers, or none. The state in the durable store
// survives. The package adds one thing to the runtime's behaviour: it logs the panic.
package failstop

import (
	"fmt"
	"log/slog"
	"runtime/debug"
)

// Report logs a panic with its stack and panics again, so that the runtime ends the
// process with exit code 2. Without a panic it does nothing. Each goroutine and timer
// that changes shared state defers it.
func Report(log *slog.Logger) {
	if r := recover(); r != nil {
		Log(log, "panic: the process ends", r)
		panic(r)
	}
}

// Log logs a recovered panic with its stack. The deferred function that recovered it
// calls Log.
func Log(log *slog.Logger, text string, recovered any) {
	log.Error(text, "panic", fmt.Sprint(recovered), "stack", string(debug.Stack()))
}
