package server

import (
	"sync"

	"harelab/engine/internal/invariants"
)

// The locks of a connection, of types of their own, so that their order is checked where
// invariants are. The broker's come in between.

type workMutex struct{ mu sync.Mutex }

func (m *workMutex) Lock()   { invariants.Locking(invariants.Connection); m.mu.Lock() }
func (m *workMutex) Unlock() { m.mu.Unlock(); invariants.Unlocked(invariants.Connection) }

// An outboxMutex guards an outbox, whose books are in order whenever it is given back.
type outboxMutex struct{ mu sync.Mutex }

func (m *outboxMutex) Lock()   { invariants.Locking(invariants.Outbox); m.mu.Lock() }
func (m *outboxMutex) Unlock() { m.mu.Unlock(); invariants.Unlocked(invariants.Outbox) }
