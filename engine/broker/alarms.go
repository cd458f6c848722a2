package broker

import (
	"log/slog"
	"sync"
	"sync/atomic"
)

// An Alarm is a resource that runs short. While an alarm is set, publishers should wait.
// Consumers are served, since they free what is short.
type Alarm uint8

// The alarms.
const (
	AlarmMemory Alarm = 1 << iota
	AlarmDisk
)

// String returns RabbitMQ's name of the resource.
func (a Alarm) String() string {
	switch a {
	case AlarmMemory:
		return "memory"
	case AlarmDisk:
		return "disk"
	}
	return "memory & disk"
}

// storeBehind is the reason to block publishers while the store is behind.
const storeBehind = "the store is behind"

// alarms are the alarms that are set.
type alarms struct {
	logger *slog.Logger
	node   string
	mu     sync.Mutex
	now    Alarm
	block  atomic.Pointer[block] // nil: no alarm is set
}

// A block lasts until the set of alarms changes.
type block struct {
	alarms Alarm
	over   chan struct{}
}

func (a *alarms) init(logger *slog.Logger, node string) { a.logger, a.node = logger, node }

// set sets or clears an alarm and logs that, with facts as arguments of a logger. It does
// nothing if nothing changes.
func (a *alarms) set(which Alarm, on bool, facts ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if on == (a.now&which != 0) {
		return
	}
	a.now ^= which
	old := a.block.Load()
	if a.now == 0 {
		a.block.Store(nil)
	} else {
		a.block.Store(&block{a.now, make(chan struct{})})
	}
	if old != nil {
		close(old.over)
	}
	logger := a.logger.With(facts...)
	if on {
		logger.Warn(which.String() + " resource limit alarm set on node " + a.node + ": publishers are blocked until it clears")
	} else {
		logger.Warn(which.String() + " resource limit alarm cleared on node " + a.node)
	}
}

// Alarms returns the alarms that are set.
func (b *Broker) Alarms() Alarm {
	if now := b.alarms.block.Load(); now != nil {
		return now.alarms
	}
	return 0
}

// Pressure returns why publishers should wait, in the words of connection.blocked, and a
// channel that is closed when that reason has ended; there may be another one then. With
// no reason the channel is nil. The reasons are the alarms, as in RabbitMQ
// (rabbit_reader, blocked_by_message/1), and a store that is behind (see [store.Store]).
func (b *Broker) Pressure() (reason string, over <-chan struct{}) {
	if now := b.alarms.block.Load(); now != nil {
		return "low on " + now.alarms.String(), now.over
	}
	if b.store != nil {
		if behind := b.store.Pressure(); behind != nil {
			return storeBehind, behind
		}
	}
	return "", nil
}
