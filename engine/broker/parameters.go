package broker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"harelab/engine/settings"
	"harelab/engine/wire"
)

// A GlobalParameter is a value that belongs to no virtual host. The broker keeps it for
// programs that ask for it and uses none itself.
type GlobalParameter struct {
	Name  string
	Value json.RawMessage // one JSON value
}

// SetGlobalParameter adds a parameter or replaces the one of the same name. The change is
// durable when the store's round is (see [Broker.Sync]).
//
// Errors: 406 for a value that is not JSON, 541 if the store has failed.
func (b *Broker) SetGlobalParameter(p GlobalParameter) error {
	if !json.Valid(p.Value) {
		return refuse(wire.PreconditionFailed, "value of global parameter '%s' is not JSON", p.Name)
	}
	if err := b.mayStore(b.store != nil); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p.Value = bytes.Clone(p.Value)
	b.parameters[p.Name] = p
	if b.store != nil {
		b.putJSON(kindParameter, recordName(p.Name), p)
	}
	return nil
}

// DeleteGlobalParameter deletes a parameter and reports whether there was one.
//
// Errors: 541 if the store has failed.
func (b *Broker) DeleteGlobalParameter(name string) (bool, error) {
	if err := b.mayStore(b.store != nil); err != nil {
		return false, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.parameters[name]
	delete(b.parameters, name)
	if ok && b.store != nil {
		b.forget(kindParameter, recordName(name))
	}
	return ok, nil
}

// GlobalParameters lists the parameters in order of their names.
func (b *Broker) GlobalParameters() []GlobalParameter {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.SortedFunc(maps.Values(b.parameters), func(x, y GlobalParameter) int { return strings.Compare(x.Name, y.Name) })
}

func (b *Broker) restoreParameters() error {
	return restoreRecords(b.store, kindParameter, func(p GlobalParameter) error {
		b.parameters[p.Name] = p
		return nil
	})
}

// Metadata is what people note about a virtual host.
type Metadata struct {
	Description string   `json:",omitempty"`
	Tags        []string `json:",omitempty"`

	// DefaultQueueType is the type of durable queues that are declared without one and are
	// neither exclusive nor auto-delete: classic or quorum; empty: classic. The type joins
	// the queue's arguments.
	DefaultQueueType string `json:",omitempty"`
}

// Metadata returns what was noted about the virtual host.
func (v *VHost) Metadata() Metadata {
	v.mu.Lock()
	defer v.mu.Unlock()
	m := v.metadata
	m.Tags = slices.Clone(m.Tags)
	return m
}

// SetMetadata replaces what was noted about the virtual host. The change is durable when
// the store's round is (see [Broker.Sync]).
//
// Errors: 406 for an unknown type of queue, 541 if the store has failed.
func (v *VHost) SetMetadata(m Metadata) error {
	if t := m.DefaultQueueType; t != "" && !slices.Contains(settings.QueueTypes, t) {
		return refuse(wire.PreconditionFailed, "unsupported queue type '%s' (have %s)", t, strings.Join(settings.QueueTypes, ", "))
	}
	if err := v.broker.mayStore(v.broker.store != nil); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	m.Tags = slices.Clone(m.Tags)
	v.metadata = m
	v.put()
	return nil
}

// put puts the virtual host's record. The virtual host is locked.
func (v *VHost) put() {
	if v.broker.store != nil {
		v.broker.putJSON(kindVHost, v.name, v.metadata)
	}
}

// restoreVHosts makes the virtual hosts that the store holds. Records without a value are
// those of virtual hosts about which nothing was noted.
func (b *Broker) restoreVHosts() error {
	return b.store.Records(kindVHost, func(name string, value []byte) error {
		v := b.addVHost(name)
		if len(value) == 0 {
			return nil
		}
		if err := json.Unmarshal(value, &v.metadata); err != nil {
			return fmt.Errorf("record %q: %w", name, err)
		}
		return nil
	})
}
