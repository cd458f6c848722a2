package auth

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// An Op is what a permission allows.
type Op uint8

// The operations that permissions distinguish.
const (
	Configure Op = iota
	Write
	Read
)

// Permissions are the expressions of one user on one virtual host. The zero value
// allows opening the virtual host and nothing else.
type Permissions struct {
	Configure, Write, Read string
}

// All allows everything.
var All = Permissions{Configure: ".*", Write: ".*", Read: ".*"}

// permission holds the compiled expressions of Permissions; nil matches no name.
type permission struct {
	source Permissions
	byOp   [3]*regexp.Regexp
}

func compile(p Permissions) (permission, error) {
	c := permission{source: p}
	for op, expr := range []string{Configure: p.Configure, Write: p.Write, Read: p.Read} {
		if expr == "" {
			continue
		}
		re, err := regexp.Compile(expr)
		if err != nil {
			return permission{}, fmt.Errorf("auth: permission: %w", err)
		}
		c.byOp[op] = re
	}
	return c, nil
}

// SetPermissions sets what a user may do on a virtual host. It fails if there is no
// such user or an expression is not one of package regexp.
func (a *Auth) SetPermissions(name, vhost string, p Permissions) error {
	c, err := compile(p)
	if err != nil {
		return err
	}
	return a.change(name, func(u *user) { u.permissions[vhost] = c })
}

// ClearPermissions removes a user's access to a virtual host.
func (a *Auth) ClearPermissions(name, vhost string) error {
	return a.change(name, func(u *user) { delete(u.permissions, vhost) })
}

// ForgetVHost removes all permissions on a virtual host, which was deleted, and returns
// what it has removed.
func (a *Auth) ForgetVHost(vhost string) ([]Grant, []TopicGrant) {
	others := func(v string) bool { return v != vhost }
	grants := slices.DeleteFunc(a.Grants(), func(g Grant) bool { return others(g.VHost) })
	topics := slices.DeleteFunc(a.TopicGrants(), func(g TopicGrant) bool { return others(g.VHost) })
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, u := range a.users {
		delete(u.permissions, vhost)
		maps.DeleteFunc(u.topics, func(k topicKey, _ topicPermission) bool { return k.vhost == vhost })
	}
	a.generation.Add(1)
	return grants, topics
}

// A Grant is what one user may do on one virtual host.
type Grant struct {
	User, VHost string
	Permissions
}

// Grants returns all permissions in order of user and virtual host.
func (a *Auth) Grants() []Grant {
	a.mu.RLock()
	defer a.mu.RUnlock()
	var grants []Grant
	for name, u := range a.users {
		for vhost, p := range u.permissions {
			grants = append(grants, Grant{User: name, VHost: vhost, Permissions: p.source})
		}
	}
	slices.SortFunc(grants, func(x, y Grant) int {
		if c := strings.Compare(x.User, y.User); c != 0 {
			return c
		}
		return strings.Compare(x.VHost, y.VHost)
	})
	return grants
}

// MayOpen reports whether a user has access to a virtual host.
func (a *Auth) MayOpen(name, vhost string) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	u := a.users[name]
	if u == nil {
		return false
	}
	_, ok := u.permissions[vhost]
	return ok
}

// may evaluates the expressions. The default exchange, whose name is empty, is checked
// under the name amq.default (rabbit_access_control, check_resource_access/4).
func (a *Auth) may(name, vhost string, op Op, resource string) bool {
	if resource == "" {
		resource = "amq.default"
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	u := a.users[name]
	if u == nil {
		return false
	}
	re := u.permissions[vhost].byOp[op]
	return re != nil && re.MatchString(resource)
}

// maxCached bounds the answers a session remembers: names come from clients.
const maxCached = 1024

// A Session answers what one user may do on one virtual host and remembers the
// answers until users or permissions change. One goroutine at a time may use it.
type Session struct {
	auth        *Auth
	user, vhost string
	generation  uint64
	answers     map[string]answer
}

// answer holds two bits for each Op: asked, and allowed.
type answer uint8

// NewSession returns a Session without answers.
func (a *Auth) NewSession(user, vhost string) *Session {
	return &Session{auth: a, user: user, vhost: vhost, answers: make(map[string]answer)}
}

// User returns the session's user.
func (s *Session) User() string { return s.user }

// Generation returns a number that changes whenever an answer may have changed.
func (s *Session) Generation() uint64 { return s.auth.generation.Load() }

// May reports whether the user may do op with the exchange or queue called
// resource. It does not allocate if it was asked before.
func (s *Session) May(op Op, resource []byte) bool {
	if g := s.auth.generation.Load(); g != s.generation {
		clear(s.answers)
		s.generation = g
	}
	known := s.answers[string(resource)]
	asked, allowed := answer(1)<<(2*op), answer(2)<<(2*op)
	if known&asked != 0 {
		return known&allowed != 0
	}
	if len(s.answers) >= maxCached {
		clear(s.answers)
	}
	ok := s.auth.may(s.user, s.vhost, op, string(resource))
	known |= asked
	if ok {
		known |= allowed
	}
	s.answers[string(resource)] = known
	return ok
}
