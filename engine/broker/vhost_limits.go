package broker

import (
	"fmt"

	"harelab/engine/settings"
	"harelab/engine/wire"
)

// VHostLimits bound what a virtual host has at the same time.
type VHostLimits = settings.VHostLimits

// SetLimits replaces the virtual host's limits. They hold for what is opened and declared
// from now on. The change is durable when the store's round is (see [Broker.Sync]).
//
// Errors: 541 if the store has failed.
func (v *VHost) SetLimits(l VHostLimits) error {
	b := v.broker
	if err := b.mayStore(b.store != nil); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.limits = l
	if b.store == nil {
		return nil
	}
	if l == (VHostLimits{}) {
		b.forget(kindLimits, recordName(v.name))
	} else {
		b.putJSON(kindLimits, recordName(v.name), vhostLimitsRecord{v.name, l})
	}
	return nil
}

// Limits returns the virtual host's limits.
func (v *VHost) Limits() VHostLimits {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.limits
}

// admit makes room for a connection of a user within the limit (rabbit_reader,
// is_over_vhost_connection_limit/2). The caller calls turnAway when the connection is counted,
// or does not come about.
func (v *VHost) admit(user string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if limit, limited := v.limits.Connections(); limited && len(v.conns)+v.entering >= limit {
		return refuse(wire.NotAllowed, "access to vhost '%s' refused for user '%s': connection limit (%d) is reached", v.name, user, limit)
	}
	v.entering++
	return nil
}

// turnAway gives back the room that admit made.
func (v *VHost) turnAway() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.entering--
}

// admitQueue refuses one more queue than the limit (rabbit_channel,
// check_vhost_queue_limit/2). The virtual host is locked.
func (v *VHost) admitQueue(name string) error {
	if limit, limited := v.limits.Queues(); limited && len(v.allQueues) >= limit {
		return refuse(wire.PreconditionFailed, "cannot declare queue '%s': queue limit in vhost '%s' (%d) is reached", name, v.name, limit)
	}
	return nil
}

// A vhostLimitsRecord is a record of kind kindLimits.
type vhostLimitsRecord struct {
	VHost  string
	Limits VHostLimits
}

func (b *Broker) restoreVHostLimits() error {
	return restoreRecords(b.store, kindLimits, func(r vhostLimitsRecord) error {
		v, ok := b.VHost(r.VHost)
		if !ok {
			return fmt.Errorf("limits of virtual host %q, which does not exist", r.VHost)
		}
		v.limits = r.Limits
		return nil
	})
}
