package broker

import (
	"encoding/json"
	"fmt"

	"harelab/engine/auth"
	"harelab/engine/store"
	"harelab/engine/wire"
)

// The verbs that change users change [Broker.Auth] and the store together. When a verb
// returns, the change holds for everybody, open sessions included, and the store has been
// given it; it is durable when the store's round is.
//
// Errors of all of them: those of package auth, which wrap auth.ErrNoUser for a user who
// does not exist; 541 if the store has failed. A verb that fails has changed nothing.

// AddUser adds a user without permissions. With the zero Hash the user cannot log in with
// a password.
func (b *Broker) AddUser(name string, hash auth.Hash, tags ...string) error {
	return b.changeUsers(func() error { return b.auth.AddHashed(name, hash, tags...) }, func() { b.storeUser(name) })
}

// DeleteUser deletes a user with its permissions and ends its connections (see
// [ConnOptions]).
func (b *Broker) DeleteUser(name string) error {
	var grants []auth.Grant
	var topics []auth.TopicGrant
	err := b.changeUsers(func() error {
		grants, topics = b.auth.Grants(), b.auth.TopicGrants()
		if !b.auth.DeleteUser(name) {
			return fmt.Errorf("%w: %q", auth.ErrNoUser, name)
		}
		return nil
	}, func() {
		for _, g := range grants {
			if g.User == name {
				b.forget(kindGrant, recordName(g.User, g.VHost))
			}
		}
		for _, g := range topics {
			if g.User == name {
				b.forget(kindTopic, recordName(g.User, g.VHost, g.Exchange))
			}
		}
		b.forget(kindUser, recordName(name))
	})
	if err != nil {
		return err
	}
	reason := refuse(wire.ConnectionForced, "user '%s' was deleted", name)
	for _, v := range b.VHosts() {
		v.endConns(reason, func(c *Conn) bool { return c.user == name })
	}
	return nil
}

// SetPassword replaces a user's password.
func (b *Broker) SetPassword(name, password string) error {
	return b.changeUser(name, func() error { return b.auth.SetPassword(name, password) })
}

// SetPasswordHash replaces a user's password by that of a hash.
func (b *Broker) SetPasswordHash(name string, hash auth.Hash) error {
	return b.changeUser(name, func() error { return b.auth.SetHash(name, hash) })
}

// SetTags replaces a user's tags.
func (b *Broker) SetTags(name string, tags ...string) error {
	return b.changeUser(name, func() error { return b.auth.SetTags(name, tags...) })
}

// SetUserLimits replaces a user's limits. They hold for what is opened from now on.
func (b *Broker) SetUserLimits(name string, l auth.Limits) error {
	return b.changeUser(name, func() error { return b.auth.SetLimits(name, l) })
}

// SetPermissions sets what a user may do on a virtual host.
//
// Errors: 404 for a virtual host that does not exist.
func (b *Broker) SetPermissions(name, vhost string, p auth.Permissions) error {
	return b.changeUsers(func() error {
		if err := b.mustExist(vhost); err != nil {
			return err
		}
		return b.auth.SetPermissions(name, vhost, p)
	}, func() { b.storeGrant(auth.Grant{User: name, VHost: vhost, Permissions: p}) })
}

// ClearPermissions removes a user's access to a virtual host. Connections that are open
// stay, and may do nothing.
func (b *Broker) ClearPermissions(name, vhost string) error {
	return b.changeUsers(func() error { return b.auth.ClearPermissions(name, vhost) },
		func() { b.forget(kindGrant, recordName(name, vhost)) })
}

// SetTopicPermissions sets with which routing keys of a topic exchange a user may publish
// and bind. The exchange need not exist.
//
// Errors: 404 for a virtual host that does not exist.
func (b *Broker) SetTopicPermissions(name, vhost, exchange string, p auth.TopicPermissions) error {
	return b.changeUsers(func() error {
		if err := b.mustExist(vhost); err != nil {
			return err
		}
		return b.auth.SetTopicPermissions(name, vhost, exchange, p)
	}, func() {
		b.storeTopicGrant(auth.TopicGrant{User: name, VHost: vhost, Exchange: exchange, TopicPermissions: p})
	})
}

// ClearTopicPermissions removes what SetTopicPermissions has set: every routing key is
// allowed again.
func (b *Broker) ClearTopicPermissions(name, vhost, exchange string) error {
	return b.changeUsers(func() error { return b.auth.ClearTopicPermissions(name, vhost, exchange) },
		func() { b.forget(kindTopic, recordName(name, vhost, exchange)) })
}

// changeUser changes what the record of one user holds.
func (b *Broker) changeUser(name string, change func() error) error {
	return b.changeUsers(change, func() { b.storeUser(name) })
}

// changeUsers calls change, and then keep, if there is a store.
func (b *Broker) changeUsers(change func() error, keep func()) error {
	b.usersMu.Lock()
	defer b.usersMu.Unlock()
	if err := b.mayStore(b.store != nil); err != nil {
		return err
	}
	if err := change(); err != nil {
		return err
	}
	if b.store != nil {
		keep()
		b.commit()
	}
	return nil
}

func (b *Broker) mustExist(vhost string) error {
	if _, ok := b.VHost(vhost); !ok {
		return refuse(wire.NotFound, "no vhost '%s'", vhost)
	}
	return nil
}

// forgetGrants removes the permissions on a virtual host that was deleted.
func (b *Broker) forgetGrants(vhost string) {
	b.usersMu.Lock()
	defer b.usersMu.Unlock()
	grants, topics := b.auth.ForgetVHost(vhost)
	if b.store == nil {
		return
	}
	for _, g := range grants {
		b.forget(kindGrant, recordName(g.User, vhost))
	}
	for _, g := range topics {
		b.forget(kindTopic, recordName(g.User, vhost, g.Exchange))
	}
}

// A userRecord is the value of a user's record. The names of algorithm, tags and limits are
// those of definitions files.
type userRecord struct {
	Name      string
	Hash      string      `json:",omitempty"` // empty: no password
	Algorithm string      `json:",omitempty"`
	Tags      []string    `json:",omitempty"`
	Limits    auth.Limits `json:",omitzero"`
}

func (b *Broker) storeUser(name string) {
	u, _ := b.auth.User(name)
	hash := b.auth.Hash(name)
	b.putJSON(kindUser, recordName(name), userRecord{name, hash.Export(), hash.Algorithm(), u.Tags, u.Limits})
}

func (b *Broker) storeGrant(g auth.Grant) {
	b.putJSON(kindGrant, recordName(g.User, g.VHost), g)
}

func (b *Broker) storeTopicGrant(g auth.TopicGrant) {
	b.putJSON(kindTopic, recordName(g.User, g.VHost, g.Exchange), g)
}

func (b *Broker) putJSON(kind store.Kind, name string, r any) {
	value, err := json.Marshal(r)
	if err != nil {
		panic(err) // unreachable: the structs have plain fields
	}
	b.store.Put(kind, name, value)
	b.recordsChanged.Store(true)
}

// storeFirstUsers puts the broker's first users into a store that never had users. The
// record without a name comes last: with it the store keeps its users, even if all of them
// are deleted.
func (b *Broker) storeFirstUsers() {
	if b.usersStored {
		return
	}
	for _, u := range b.auth.Users() {
		b.storeUser(u.Name)
	}
	for _, g := range b.auth.Grants() {
		b.storeGrant(g)
	}
	for _, g := range b.auth.TopicGrants() {
		b.storeTopicGrant(g)
	}
	b.putJSON(kindUser, "", userRecord{})
	b.commit()
}

// restoreUsers replaces the broker's users by those of the store, if it has its own.
func (b *Broker) restoreUsers() error {
	users := auth.Empty()
	users.SetLoopbackUsers(b.auth.LoopbackUsers()...)
	err := restoreRecords(b.store, kindUser, func(r userRecord) error {
		if r.Name == "" {
			b.usersStored = true
			return nil
		}
		hash, err := auth.ParseNamedHash(r.Algorithm, r.Hash)
		if err != nil {
			return err
		}
		if err := users.AddHashed(r.Name, hash, r.Tags...); err != nil {
			return err
		}
		return users.SetLimits(r.Name, r.Limits)
	})
	if err != nil || !b.usersStored {
		return err
	}
	err = restoreRecords(b.store, kindGrant, func(g auth.Grant) error {
		return users.SetPermissions(g.User, g.VHost, g.Permissions)
	})
	if err != nil {
		return err
	}
	err = restoreRecords(b.store, kindTopic, func(g auth.TopicGrant) error {
		return users.SetTopicPermissions(g.User, g.VHost, g.Exchange, g.TopicPermissions)
	})
	if err == nil {
		b.auth = users
	}
	return err
}

func restoreRecords[R any](s store.Store, kind store.Kind, restore func(R) error) error {
	return s.Records(kind, func(name string, value []byte) error {
		var r R
		err := json.Unmarshal(value, &r)
		if err == nil {
			err = restore(r)
		}
		if err != nil {
			return fmt.Errorf("record %q: %w", name, err)
		}
		return nil
	})
}
