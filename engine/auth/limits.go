package auth

// Limits bound what a user has open at the same time. A nil or negative limit is none;
// zero refuses everything (rabbit_auth_backend_internal, set_user_limits/3). The names in
// JSON are those of definitions files.
type Limits struct {
	MaxConnections *int `json:"max-connections,omitempty"`
	MaxChannels    *int `json:"max-channels,omitempty"`
}

// Connections returns the limit of connections. ok is false if there is none.
func (l Limits) Connections() (limit int, ok bool) { return limited(l.MaxConnections) }

// Channels returns the limit of channels, over all connections of the user. ok is false if
// there is none.
func (l Limits) Channels() (limit int, ok bool) { return limited(l.MaxChannels) }

func limited(limit *int) (int, bool) {
	if limit == nil || *limit < 0 {
		return 0, false
	}
	return *limit, true
}

// clone returns limits that share no memory with l.
func (l Limits) clone() Limits {
	return Limits{clonePointer(l.MaxConnections), clonePointer(l.MaxChannels)}
}

func clonePointer(p *int) *int {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// SetLimits replaces a user's limits. They hold for what is opened from now on.
func (a *Auth) SetLimits(name string, l Limits) error {
	return a.change(name, func(u *user) { u.limits = l.clone() })
}

// Limits returns a user's limits.
func (a *Auth) Limits(name string) Limits {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if u := a.users[name]; u != nil {
		return u.limits.clone()
	}
	return Limits{}
}
