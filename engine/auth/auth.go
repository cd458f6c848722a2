// Package auth holds the users of a broker: how they prove who they are, and what
// they may do.
//
// Names, tags and permissions are those of RabbitMQ. For each virtual host a user
// has three regular expressions over names of exchanges and queues: which it may
// configure (declare, delete), write (publish, bind to) and read (consume, bind
// from). An expression matches anywhere in a name unless it is anchored; the empty
// one matches no name. For a topic exchange a user can have two more, over routing keys:
// which it may publish with, and bind by. Expressions are RE2's, which match in linear
// time.
//
// Passwords are kept as salted hashes only. Nothing that holds a secret prints it.
package auth

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// Tags that give rights beyond those to virtual hosts.
const (
	TagAdministrator = "administrator" // may do all in the management API
	TagMonitoring    = "monitoring"    // may see all in the management API
	TagManagement    = "management"    // may use the management API
	TagPolicymaker   = "policymaker"   // may set policies
	TagImpersonator  = "impersonator"  // may publish under another user id
)

// An Auth is a set of users with their permissions. Its methods may be called at
// the same time.
type Auth struct {
	mu         sync.RWMutex
	users      map[string]*user
	loopback   []string // names that may log in from this machine only
	throttle   throttle
	generation atomic.Uint64 // incremented by changes of permissions and tags; sessions compare it
}

type user struct {
	hash        Hash
	tags        []string
	limits      Limits
	permissions map[string]permission        // by virtual host
	topics      map[topicKey]topicPermission // by virtual host and exchange
}

// New returns an Auth with RabbitMQ's first user: guest, password guest, an
// administrator with all permissions on the virtual host "/".
func New() *Auth {
	a := Empty()
	if err := a.AddUser("guest", "guest", TagAdministrator); err != nil {
		panic(err) // the name is not taken
	}
	if err := a.SetPermissions("guest", "/", All); err != nil {
		panic(err) // the expressions are right
	}
	return a
}

// Empty returns an Auth without users.
func Empty() *Auth {
	return &Auth{users: make(map[string]*user), loopback: []string{"guest"}}
}

// A User is the public part of a user: no secret.
type User struct {
	Name   string
	Tags   []string
	Limits Limits
}

// ErrNoUser is wrapped by the errors of methods that change a user who does not exist.
var ErrNoUser = errors.New("auth: no such user")

// Users returns the users in order of their names.
func (a *Auth) Users() []User {
	a.mu.RLock()
	defer a.mu.RUnlock()
	users := make([]User, 0, len(a.users))
	for name, u := range a.users {
		users = append(users, u.public(name))
	}
	slices.SortFunc(users, func(x, y User) int { return strings.Compare(x.Name, y.Name) })
	return users
}

// User returns the user called name.
func (a *Auth) User(name string) (User, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	u := a.users[name]
	if u == nil {
		return User{}, false
	}
	return u.public(name), true
}

func (u *user) public(name string) User {
	return User{Name: name, Tags: slices.Clone(u.tags), Limits: u.limits.clone()}
}

// Hash returns a user's password hash, for exports. It is the zero Hash for a user who
// does not exist.
func (a *Auth) Hash(name string) Hash {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if u := a.users[name]; u != nil {
		return u.hash
	}
	return Hash{}
}

// AddUser adds a user without permissions. It fails if the name is empty or taken, or
// if the password is empty: [Auth.AddHashed] adds users without a password.
func (a *Auth) AddUser(name, password string, tags ...string) error {
	hash, err := HashPassword(password)
	if err != nil {
		return fmt.Errorf("auth: user %q: %w", name, err)
	}
	return a.AddHashed(name, hash, tags...)
}

// AddHashed adds a user with a password hash. A user with the zero Hash cannot log in
// with a password.
func (a *Auth) AddHashed(name string, hash Hash, tags ...string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case name == "":
		return errors.New("auth: user without a name")
	case !utf8.ValidString(name) || strings.ContainsRune(name, 0):
		return fmt.Errorf("auth: user %q: a name is UTF-8 without zero octets", name)
	case a.users[name] != nil:
		return fmt.Errorf("auth: user %q exists", name)
	}
	a.users[name] = &user{
		hash:        hash,
		tags:        slices.Clone(tags),
		permissions: make(map[string]permission),
		topics:      make(map[topicKey]topicPermission),
	}
	a.generation.Add(1)
	return nil
}

// SetPassword replaces a user's password.
func (a *Auth) SetPassword(name, password string) error {
	hash, err := HashPassword(password)
	if err != nil {
		return fmt.Errorf("auth: user %q: %w", name, err)
	}
	return a.SetHash(name, hash)
}

// SetHash replaces a user's password by that of a hash. With the zero Hash the user cannot
// log in with a password any more.
func (a *Auth) SetHash(name string, hash Hash) error {
	return a.change(name, func(u *user) { u.hash = hash })
}

// SetTags replaces a user's tags.
func (a *Auth) SetTags(name string, tags ...string) error {
	return a.change(name, func(u *user) { u.tags = slices.Clone(tags) })
}

// DeleteUser deletes a user with its permissions and reports whether it was there.
func (a *Auth) DeleteUser(name string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.users[name]
	delete(a.users, name)
	a.generation.Add(1)
	return ok
}

// HasTag reports whether a user has a tag.
func (a *Auth) HasTag(name, tag string) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	u := a.users[name]
	return u != nil && slices.Contains(u.tags, tag)
}

func (a *Auth) change(name string, f func(*user)) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	u := a.users[name]
	if u == nil {
		return fmt.Errorf("%w: %q", ErrNoUser, name)
	}
	f(u)
	a.generation.Add(1)
	return nil
}
