package broker

import (
	"sync"

	"harelab/engine/internal/invariants"
)

// Each kind of lock has a type of its own, so that the order of locks can be checked under
// the build tag invariants.

type brokerMutex struct{ mu sync.Mutex }

func (m *brokerMutex) Lock()   { invariants.Locking(invariants.Broker); m.mu.Lock() }
func (m *brokerMutex) Unlock() { m.mu.Unlock(); invariants.Unlocked(invariants.Broker) }

type vhostMutex struct{ mu sync.Mutex }

func (m *vhostMutex) Lock()   { invariants.Locking(invariants.VirtualHost); m.mu.Lock() }
func (m *vhostMutex) Unlock() { m.mu.Unlock(); invariants.Unlocked(invariants.VirtualHost) }

type policyMutex struct{ mu sync.Mutex }

func (m *policyMutex) Lock()   { invariants.Locking(invariants.Policies); m.mu.Lock() }
func (m *policyMutex) Unlock() { m.mu.Unlock(); invariants.Unlocked(invariants.Policies) }

type roundsMutex struct{ mu sync.Mutex }

func (m *roundsMutex) Lock()   { invariants.Locking(invariants.Rounds); m.mu.Lock() }
func (m *roundsMutex) Unlock() { m.mu.Unlock(); invariants.Unlocked(invariants.Rounds) }

type queueMutex struct{ mu sync.Mutex }

func (m *queueMutex) Lock()   { invariants.Locking(invariants.Queue); m.mu.Lock() }
func (m *queueMutex) Unlock() { m.mu.Unlock(); invariants.Unlocked(invariants.Queue) }

type channelMutex struct{ mu sync.Mutex }

func (m *channelMutex) Lock()   { invariants.Locking(invariants.Channel); m.mu.Lock() }
func (m *channelMutex) Unlock() { m.mu.Unlock(); invariants.Unlocked(invariants.Channel) }
