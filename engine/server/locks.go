package server

import (
	"sync"

	"harelab/engine/internal/invariants"
)

// Each kind of lock of a connection has a type of its own, so that the order of locks can
// be checked under the build tag invariants. The broker's locks come between the two.

type workMutex struct{ mu sync.Mutex }

func (m *workMutex) Lock()   { invariants.Locking(invariants.Connection); m.mu.Lock() }
func (m *workMutex) Unlock() { m.mu.Unlock(); invariants.Unlocked(invariants.Connection) }

// An outboxMutex guards an outbox. It is unlocked by outbox.unlock, which checks the
// outbox's counts.
type outboxMutex struct{ mu sync.Mutex }

func (m *outboxMutex) Lock()   { invariants.Locking(invariants.Outbox); m.mu.Lock() }
func (m *outboxMutex) Unlock() { m.mu.Unlock(); invariants.Unlocked(invariants.Outbox) }
