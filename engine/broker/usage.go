package broker

import (
	"sync"

	"harelab/engine/auth"
	"harelab/engine/wire"
)

// usages counts what each user has open, for the limits of users.
type usages struct {
	mu     sync.Mutex // taken while no other lock is held
	byUser map[string]*usage
}

// A usage is what one user has open. Its methods accept nil, the program itself, which has
// no limits.
type usage struct {
	all         *usages
	user        string
	connections int // the fields from here on are guarded by all.mu
	channels    int
}

// join counts one more connection of a user.
func (u *usages) join(user string) *usage {
	if user == "" {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.add(user)
}

// add is join with the lock held.
func (u *usages) add(user string) *usage {
	use := u.byUser[user]
	if use == nil {
		if u.byUser == nil {
			u.byUser = make(map[string]*usage)
		}
		use = &usage{all: u, user: user}
		u.byUser[user] = use
	}
	use.connections++
	return use
}

// admit is join within the user's limit (rabbit_reader, is_over_user_connection_limit/1).
func (u *usages) admit(user string, users *auth.Auth) (*usage, error) {
	if user == "" {
		return nil, nil
	}
	limit, limited := users.Limits(user).Connections()
	u.mu.Lock()
	defer u.mu.Unlock()
	if use := u.byUser[user]; limited && (use == nil && limit == 0 || use != nil && use.connections >= limit) {
		return nil, refuse(wire.NotAllowed, "connection refused for user '%s': user connection limit (%d) is reached", user, limit)
	}
	return u.add(user), nil
}

// leave counts one connection less.
func (u *usages) leave(use *usage) {
	if use == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if use.connections--; use.connections == 0 && use.channels == 0 {
		delete(u.byUser, use.user)
	}
}

func (use *usage) addChannels(n int) {
	if use == nil {
		return
	}
	use.all.mu.Lock()
	defer use.all.mu.Unlock()
	if use.channels += n; use.connections == 0 && use.channels == 0 {
		delete(use.all.byUser, use.user)
	}
}

// openChannel counts one more channel within the user's limit (rabbit_reader,
// create_channel/2).
func (use *usage) openChannel(users *auth.Auth) error {
	if use == nil {
		return nil
	}
	limit, limited := users.Limits(use.user).Channels()
	use.all.mu.Lock()
	defer use.all.mu.Unlock()
	if limited && use.channels >= limit {
		return refuse(wire.NotAllowed, "number of channels opened for user '%s' has reached the maximum allowed user limit of (%d)", use.user, limit)
	}
	use.channels++
	return nil
}
